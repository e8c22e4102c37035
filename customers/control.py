"""Control figures: what anybody must find in the bank's books by a day, computed from the rows, not from stored results."""

import datetime
import fractions
from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

from django.db import connection

from crm.core import sqlrun
from customers.models.accounts import DEBTS, DEPOSITS

SQL = Path(__file__).parent / "feeds" / "sql"
CENT = Decimal("0.01")
TOLERANCE = Decimal(1)
TOP = 5


def figures(as_of: datetime.date) -> dict[str, Any]:
    """Return the figures of the whole bank as it was known on ``as_of``; amounts are decimal strings, rounded once."""
    with connection.cursor() as cursor:
        customers, accounts = _rows(cursor, "control_parties", as_of)[0]
        bookings = {row[0]: row[1:] for row in _rows(cursor, "control_bookings", as_of)}
        balances = {
            row[0]: row[1:]
            for row in _rows(cursor, "control_balances", as_of, deposits=DEPOSITS, debts=DEBTS)
        }
        breaks = {
            row[0]: row[1:]
            for row in _rows(
                cursor, "control_breaks", as_of, deposits=DEPOSITS, debts=DEBTS, tolerance=TOLERANCE
            )
        }
        day_sums: dict[str, dict[str, Decimal]] = defaultdict(dict)
        for currency, customer_no, day_sum in _rows(cursor, "control_averages", as_of, deposits=DEPOSITS):
            day_sums[currency][customer_no] = day_sum
    currencies = {}
    for currency, (count, amount) in sorted(bookings.items()):
        deposits, debts = balances.get(currency, (Decimal(0), Decimal(0)))
        missing, by_more = breaks.get(currency, (0, 0))
        owners = day_sums[currency]
        largest = sorted(owners.items(), key=lambda owner: (-owner[1], owner[0]))[:TOP]
        currencies[currency] = {
            "transactions": count,
            "sum_of_transactions": _money(amount),
            "end_of_day_deposits": _money(deposits),
            "end_of_day_loans": _money(debts),
            "account_days_that_do_not_reconcile": missing,
            "of_which_by_more_than_1": by_more,
            "month_day_average_deposits_total": average(sum(owners.values(), Decimal(0)), as_of.day),
            "top5_month_day_average_deposit": [
                [number, average(day_sum, as_of.day)] for number, day_sum in largest
            ],
        }
    return {
        "as_of": as_of.isoformat(),
        "customers": customers,
        "accounts": accounts,
        "currencies": currencies,
    }


def average(day_sum: Decimal, days: int) -> str:
    """Return an exact sum of daily balances over days, divided and rounded to cents once, half away from zero."""
    exact = fractions.Fraction(day_sum) * 100 / days
    whole, rest = divmod(abs(exact.numerator), exact.denominator)
    cents = whole + (2 * rest >= exact.denominator)
    return f"{Decimal(cents if exact >= 0 else -cents).scaleb(-2):.2f}"


def _money(amount: Decimal) -> str:
    return f"{Decimal(amount).quantize(CENT, ROUND_HALF_UP):f}"


def _rows(cursor, name: str, as_of: datetime.date, **params: Any) -> list[tuple]:
    sqlrun.run(cursor, sqlrun.load(SQL / f"{name}.sql"), {"as_of": as_of, **params})
    return cursor.fetchall()
