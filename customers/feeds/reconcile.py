"""Judges account-days after a load: do the bookings of the day lead from one end-of-day balance to the next?

A difference is a break: counted, listed with its amount, never hidden, never a reason to refuse.
"""

from pathlib import Path

from crm.core import sqlrun
from customers.models.accounts import DEBTS, DEPOSITS

SQL = Path(__file__).parent / "sql"
MANY = 50_000  # changed account-days from which one pass is cheaper than a look-up each
DAYS = """
drop table if exists temp_day;
create temp table temp_day (account_id bigint not null, day date not null) on commit drop
"""


def reconcile(cursor, batch_id: int, *, takes_back: bool = False) -> int:
    """Judge the days that ``temp_change`` names; note which months the night must add up anew. Return the breaks found.

    Both ways of asking give the same answer (a test compares them): look-ups a day, or one pass over the accounts.
    """
    cursor.execute("analyze temp_change")
    cursor.execute("select count(*) from temp_change")
    way = "many" if cursor.fetchone()[0] >= MANY and not takes_back else "few"
    cursor.execute(DAYS)
    _run(cursor, f"days_{way}")
    cursor.execute("analyze temp_day")
    _run(cursor, "touch", batch=batch_id)
    _run(cursor, "breaks_clear")
    return _run(cursor, f"breaks_{way}", batch=batch_id, deposits=DEPOSITS, debts=DEBTS)


def _run(cursor, name: str, **params) -> int:
    return sqlrun.run(cursor, sqlrun.load(SQL / f"{name}.sql"), params)
