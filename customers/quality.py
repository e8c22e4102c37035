"""How good what the bank knows of a customer is, judged after a load for the customers it touched.

Three indicators, 0–100: accuracy (what is there is right), completeness (what should be there is), timeliness (it has
not expired). Each is the share of its checks that pass; a check without its fact is not asked. The score is their mean.
What fails stands on the fix list until it is mended, with the day since when.
"""

import datetime
from pathlib import Path

from crm.core import parameters, sqlrun
from customers import account_numbers

SQL = Path(__file__).parent / "feeds" / "sql"
VALID_MONTHS = parameters.define(
    "risk_assessment_valid_months",
    12,
    unit="months",
    source="V",
    note="A risk assessment older than this no longer counts.",
)

TABLES = """
drop table if exists temp_touched, temp_flaw;
create temp table temp_touched (customer_id bigint primary key) on commit drop;
create temp table temp_flaw (customer_id bigint not null, rule text not null) on commit drop
"""


def judge_touched(cursor, batch_id: int, on: datetime.date) -> int:
    """Judge anew whoever the batch touched (facts, identity, accounts), whoever shares an identity number with them, and
    whose papers have expired by ``on``. Return how many."""
    cursor.execute(TABLES)
    in_force = parameters.values(on, [account_numbers.STRUCTURE, VALID_MONTHS])
    expiry = {"as_of": on, "valid_months": int(in_force[VALID_MONTHS])}
    _run(cursor, "quality_touched", batch=batch_id, **expiry)
    cursor.execute("analyze temp_touched")
    _run(cursor, "quality_flaws", **expiry)
    _judge_account_numbers(cursor, list(in_force[account_numbers.STRUCTURE]))
    _run(cursor, "quality_mended")
    _run(cursor, "quality_issues", as_of=on)
    return _run(cursor, "quality_scores", as_of=on)


def _run(cursor, name: str, **params) -> int:
    return sqlrun.run(cursor, sqlrun.load(SQL / f"{name}.sql"), params)


def _judge_account_numbers(cursor, parts: list[str]) -> None:
    prefix = account_numbers.prefix_sql(parts, account="a", customer="c", product="p")
    if not prefix:
        return
    # An account that changed hands keeps the number it was given: only those that never did are judged.
    cursor.execute(
        f"""
        insert into temp_flaw (customer_id, rule)
        select distinct c.id, 'account_number' from temp_touched as t
        join customers_customer as c on c.id = t.customer_id
        join customers_account as a on a.customer_id = c.id
        join customers_product as p on p.id = a.product_id
        where not starts_with(a.account_no, {prefix})
          and not exists (
              select from customers_rowhistory as h
              where h.entity = 'account' and h.key = a.account_no and (h.row->>'customer_id')::bigint <> a.customer_id
          )
        """
    )
