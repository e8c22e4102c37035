"""What a batch reports beside its numbers: keys missing from a full file, and the org rows as the ground floor takes them."""

import json

from django.core.serializers.json import DjangoJSONEncoder

from crm.core.org import Delivery, Outcome, Row
from customers.feeds import format as feed
from customers.feeds.bookings import LEDGERS
from customers.feeds.checking import good_table
from customers.feeds.staging import Staged
from customers.feeds.targets import TARGETS
from customers.models.batches import FeedBatch, RowHistory

FIRST_TOLD = 20


def rows_of(cursor, staged: Staged) -> tuple[list[Row], list[int]]:
    """Return the good rows of a small file as dicts of the delivered columns, and their line numbers."""
    columns = ", ".join(f'g."{name}"' for name in staged.header)
    cursor.execute(f"select g.line_no, {columns} from {good_table(staged)} as g order by g.line_no")
    fetched = cursor.fetchall()
    return [dict(zip(staged.header, row[1:], strict=True)) for row in fetched], [row[0] for row in fetched]


def keep_org_history(batch: FeedBatch, entity: str, outcome: Outcome, delivery: Delivery) -> None:
    """Keep the versions of branches and staff that were changed."""
    kept = []
    for row in outcome.before:
        known_on = row["known_on"] or delivery.on
        replaced = row["batch_no"] is not None and row["batch_no"] == delivery.replaces
        kept.append(
            RowHistory(
                entity=entity,
                key=row["branch_no" if entity == "branch" else "employee_no"],
                row=json.loads(json.dumps(row, cls=DjangoJSONEncoder)),
                known_on=known_on,
                superseded_on=known_on if replaced else max(known_on, delivery.on),
                batch_id=row["batch_no"],
                superseded_by=batch,
            )
        )
    RowHistory.rows.bulk_create(kept, batch_size=1000)


def missing_keys(cursor, staged: Staged, source: str, batch: FeedBatch) -> None:
    """Report what the same source once delivered and a full file no longer holds. Nothing is deleted."""
    table, match, key, owner = _known(staged)
    cursor.execute(
        f"""
        select {key}, count(*) over () from {table} as t {owner}
        where not exists (select from stage_{staged.file.stem} as g where {match})
          and not exists (select from temp_reject as r where r.file_name = %(file)s and r.account_no = {key})
        order by 1 limit {FIRST_TOLD}
        """,
        {"source": source, "file": staged.file.name},
    )
    found = cursor.fetchall()
    if found:
        batch.report.setdefault("missing_from_full", {})[staged.file.name] = {
            "count": found[0][1],
            "first": [row[0] for row in found],
        }


def _known(staged: Staged) -> tuple[str, str, str, str]:
    """Return (table, match to a staged row ``g``, key as text, join that keeps only rows of the source)."""
    file = staged.file
    if file in (feed.BRANCHES, feed.EMPLOYEES):
        table, column = (
            ("core_branch", "branch_no") if file is feed.BRANCHES else ("core_staff", "employee_no")
        )
        own = "join customers_feedbatch as b on b.id = t.batch_no and b.source = %(source)s"
        return table, f"g.{column} = t.{column}", f"t.{column}", own
    own = "join customers_feedbatch as b on b.id = t.batch_id and b.source = %(source)s"
    if file.name in TARGETS:
        table, columns = TARGETS[file.name].table, TARGETS[file.name].key
    else:
        table, columns = (
            LEDGERS[file.name].table,
            ("txn_no",) if file is feed.TRANSACTIONS else ("account_id", "on_date"),
        )
    joins, match, names = own, [], []
    numbers = {"customer_id": ("customers_customer", "customer_no"), "related_id": ("customers_customer", "customer_no"),
               "account_id": ("customers_account", "account_no")}  # fmt: skip
    staged_name = {"customer_id": "customer_no", "related_id": "related_no", "account_id": "account_no"}
    for place, column in enumerate(columns):
        if column in numbers:
            other, number = numbers[column]
            joins += f" join {other} as k{place} on k{place}.id = t.{column}"
            match.append(f"g.{staged_name[column]} = k{place}.{number}")
            names.append(f"k{place}.{number}")
        else:
            match.append(f"g.{column} = t.{column}")
            names.append(f"t.{column}::text")
    return table, " and ".join(match), " || '/' || ".join(names), joins
