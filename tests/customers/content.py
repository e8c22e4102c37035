"""Everything the feed's door writes, as text without surrogate keys, times of day and nonces: two databases that hold the
same bank give the same text. Encrypted values are compared by their prints."""

import hashlib

from django.db import connection

BATCH = "(select b.source || ' ' || b.business_date || ' ' || left(b.manifest_sha256, 12) from customers_feedbatch as b where b.id = {})"
CUSTOMER = "(select c.customer_no from customers_customer as c where c.id = {})"
ACCOUNT = "(select a.account_no from customers_account as a where a.id = {})"
BRANCH = "(select b.branch_no from core_branch as b where b.id = {})"
STAFF = "(select s.employee_no from core_staff as s where s.id = {})"
PRODUCT = "(select p.product_code from customers_product as p where p.id = {})"
# Column → how it is told. None: left out (surrogate keys, times, ciphertexts).
TOLD = {
    "id": None,
    "path": None,
    "batch_id": BATCH,
    "batch_no": BATCH,
    "replaces_id": BATCH,
    "superseded_by_id": BATCH,
    "customer_id": CUSTOMER,
    "related_id": CUSTOMER,
    "merged_into_id": None,
    "account_id": ACCOUNT,
    "branch_id": BRANCH,
    "parent_id": BRANCH,
    "manager_id": STAFF,
    "feed_manager_id": STAFF,
    "product_id": PRODUCT,
    "received_at": None,
    "published_at": None,
    "fact_batches": None,
    "mobile": None,
    "email": None,
    "address": None,
    "number": None,
    "raw": None,
    "counterparty_account": None,
    # An old version is told by its own facts; the keys in it are told by the history's own columns.
    "row": "(select jsonb_object_agg(e.key, e.value) from jsonb_each({}) as e where e.key not like '%%id' and e.key not in "
    "('mobile', 'email', 'address', 'number', 'counterparty_account', 'path', 'fact_batches', 'batch_no', 'shares'))",
}
TABLES = [
    "core_branch", "core_branchplacement", "core_staff", "customers_product", "customers_customer", "customers_identity",
    "customers_relation", "customers_account", "customers_accountholder", "customers_assignment", "customers_transaction",
    "customers_balance", "customers_rate", "customers_outsideholding", "customers_feedbatch", "customers_feedfile",
    "customers_feedreject", "customers_feedbreak", "customers_feedtouch", "customers_rowhistory", "customers_quality",
    "customers_qualityissue",
]  # fmt: skip


def content() -> dict[str, list[str]]:
    """Return the sorted rows of every table, as text."""
    found = {}
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(
                "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped",
                [table],
            )
            told = []
            for (column,) in sorted(cursor.fetchall()):
                how = TOLD.get(column, "{}")
                if how is not None:
                    told.append(how.format(f't."{column}"').replace("%%", "%"))
            cursor.execute(f"select row({', '.join(told)})::text from {table} as t")
            found[table] = sorted(row for (row,) in cursor.fetchall())
    return found


def checksum() -> str:
    return hashlib.sha256(repr(content()).encode()).hexdigest()
