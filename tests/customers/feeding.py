"""A bank of two people and one firm for the tests of the feed's door, and how it is delivered."""

import copy
import datetime
import json
from decimal import Decimal
from pathlib import Path

from django.db import connection

from crm.core import clock
from customers.feeds.batches import BatchResult, Order
from customers.feeds.load import load_batch
from customers.models import Balance, FeedReject, Transaction
from tests.feed_files import write_batch

SOURCE = "alpha"
FIRST = datetime.date(2025, 3, 31)
DAY = datetime.timedelta(days=1)

ORG = {
    "branches.csv": [
        {
            "branch_no": "XB",
            "name": "Outlet",
            "parent_no": "XR",
            "kind": "outlet",
        },  # its parent stands below it
        {"branch_no": "XR", "name": "Region", "parent_no": "", "kind": "region"},
    ],
    "employees.csv": [
        {"employee_no": "XE1", "name": "甲经理", "branch_no": "XB", "post": "relationship_manager"},
        {"employee_no": "XE2", "name": "乙经理", "branch_no": "XB", "post": "relationship_manager"},
    ],
    "products.csv": [
        {"product_code": "XD", "name": "Demand", "family": "demand_deposit"},
        {"product_code": "XL", "name": "Loan", "family": "consumer_loan"},
    ],
}
CUSTOMERS = [
    {
        "customer_no": "X1", "kind": "individual", "name": "曾国藩", "branch_no": "XB", "manager_no": "XE1",
        "opened_on": "2024-01-05", "id_type": "citizen_id", "id_no": "110105197812310018", "mobile": "13800138000",
        "email": "zeng@example.com", "address": "上海市浦东新区世纪大道1号", "birth_on": "1949-12-31", "annual_income": "120000.00",
    },
    {
        "customer_no": "X2", "kind": "individual", "name": "单雄信", "branch_no": "XB", "manager_no": "XE2",
        "opened_on": "2024-02-06", "id_type": "citizen_id", "id_no": "310115198205150038", "mobile": "12345",
        "email": "", "address": "", "birth_on": "", "annual_income": "",
    },
    {
        "customer_no": "X3", "kind": "corporate", "name": "某某有限公司", "branch_no": "XB", "manager_no": "",
        "opened_on": "2024-03-07", "id_type": "", "id_no": "", "mobile": "", "email": "", "address": "", "birth_on": "",
        "annual_income": "",
    },
]  # fmt: skip
ACCOUNTS = [
    {"account_no": "X1-D", "customer_no": "X1", "product_code": "XD", "currency": "CNY", "branch_no": "XB",
     "status": "open", "opened_on": "2024-01-05"},
    {"account_no": "X2-D", "customer_no": "X2", "product_code": "XD", "currency": "USD", "branch_no": "XB",
     "status": "open", "opened_on": "2024-02-06"},
    {"account_no": "X2-L", "customer_no": "X2", "product_code": "XL", "currency": "CNY", "branch_no": "XB",
     "status": "open", "opened_on": "2024-02-06"},
]  # fmt: skip
CURRENCIES = {row["account_no"]: row["currency"] for row in ACCOUNTS}


def booking(number: str, account: str, day: str, amount: str, **more) -> dict:
    return {
        "txn_no": number,
        "account_no": account,
        "booked_on": day,
        "amount": amount,
        "kind": "other",
        "channel": "batch",
    } | more


def balance(account: str, day: str, amount: str) -> dict:
    return {"account_no": account, "on_date": day, "balance": amount}


TRANSACTIONS = [
    booking("T1", "X1-D", "2025-03-01", "1000.00"),
    booking("T2", "X1-D", "2025-03-20", "-250.50"),
    booking("T3", "X2-D", "2025-03-02", "77.00"),
    booking("T4", "X2-L", "2025-03-03", "-5000.00"),
]
BALANCES = [
    balance("X1-D", "2025-03-01", "1000.00"),
    balance("X1-D", "2025-03-20", "749.50"),
    balance("X2-D", "2025-03-02", "77.00"),
    balance("X2-L", "2025-03-03", "5000.00"),
]


def whole_bank() -> dict[str, list[dict]]:
    """Return every file of the first batch, free to be changed."""
    return copy.deepcopy(
        ORG
        | {
            "customers.csv": CUSTOMERS,
            "accounts.csv": ACCOUNTS,
            "transactions.csv": TRANSACTIONS,
            "balances.csv": BALANCES,
        }
    )


def deliver(
    folder: Path,
    day: datetime.date,
    files: dict[str, list[dict]],
    *,
    mode: str = "delta",
    accept_gap: bool = False,
    replace: bool = False,
    dialect: dict | None = None,
    source: str = SOURCE,
) -> BatchResult:
    """Write a batch and load it."""
    path = folder / f"{source}-{day}-{len(list(folder.iterdir()))}"
    write_batch(path, day, files, mode=mode, source=source, dialect=dialect, currency_of=CURRENCIES)
    return load(path, accept_gap=accept_gap, replace=replace)


def load(path: Path, *, accept_gap: bool = False, replace: bool = False) -> BatchResult:
    return load_batch(path, order=Order(accept_gap=accept_gap, replace=replace), at=clock.now())


def deliver_bank(folder: Path, **changes) -> BatchResult:
    """Load the first batch of the bank; ``changes`` replace whole files."""
    return deliver(folder, FIRST, whole_bank() | changes, mode="full")


def rejects(result: BatchResult) -> list[tuple[str, int, str, str]]:
    """Return (file, line, column, reason) of a batch's rejects."""
    rows = FeedReject.objects.filter(batch_id=result.batch_id).order_by("file_name", "line_no")
    return list(rows.values_list("file_name", "line_no", "column", "reason_code"))


def bookings() -> dict[str, Decimal]:
    return dict(Transaction.rows.filter(account__account_no__startswith="X").values_list("txn_no", "amount"))


def balances() -> dict[tuple[str, str], Decimal]:
    rows = Balance.rows.filter(account__account_no__startswith="X")
    return {
        (row.account.account_no, row.on_date.isoformat()): row.balance
        for row in rows.select_related("account")
    }


def balances_as_of(day: datetime.date) -> dict[tuple[str, str], Decimal]:
    """Return the balances as they were known on a day."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            select a.account_no, b.on_date::text, b.balance from customers_balance_as_of(%s) as b
            join customers_account as a on a.id = b.account_id where a.account_no like 'X%%' and b.on_date <= %s
            """,
            [day, day],
        )
        return {(number, on): amount for number, on, amount in cursor.fetchall()}


def edit_manifest(path: Path, change) -> None:
    """Let ``change`` work on the manifest of a written batch."""
    place = path / "manifest.json"
    document = json.loads(place.read_text(encoding="utf-8"))
    change(document)
    place.write_text(json.dumps(document), encoding="utf-8")
