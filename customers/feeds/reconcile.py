"""Judges account-days after a load: do the bookings of the day lead from one end-of-day balance to the next?

A difference is a break: counted, listed with its amount, never hidden, never a reason to refuse.
"""

from pathlib import Path

from crm.core import sqlrun
from customers.models.accounts import DEBTS, DEPOSITS

SQL = Path(__file__).parent / "sql"
DAYS = """
drop table if exists temp_day;
create temp table temp_day (account_id bigint not null, day date not null) on commit drop
"""


def reconcile(cursor, batch_id: int) -> int:
    """Judge the days that ``temp_change`` names; note which months the night must add up anew. Return the breaks found."""
    cursor.execute("analyze temp_change")
    sqlrun.run(cursor, sqlrun.load(SQL / "touch.sql"), {"batch": batch_id})
    cursor.execute(DAYS)
    sqlrun.run(cursor, sqlrun.load(SQL / "stage_days.sql"))
    cursor.execute("analyze temp_day")
    sqlrun.run(cursor, sqlrun.load(SQL / "clear_breaks.sql"))
    return sqlrun.run(
        cursor,
        sqlrun.load(SQL / "find_breaks.sql"),
        {"batch": batch_id, "deposits": DEPOSITS, "debts": DEBTS},
    )
