"""Any sequence of batches against an oracle of forty lines that knows nothing of SQL: balances, bookings and breaks."""

import tempfile
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from customers.feeds import reconcile
from customers.models import FeedBreak
from tests.customers.feeding import (
    DAY,
    FIRST,
    balance,
    balances,
    balances_as_of,
    booking,
    bookings,
    deliver,
    deliver_bank,
    whole_bank,
)

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
DEBT = {"X2-L"}
ACCOUNTS = ["X1-D", "X2-D", "X2-L"]
DAYS = ["2025-01-31", "2025-02-01", "2025-02-28", "2025-03-10", "2025-03-30"]
amounts = st.sampled_from(["5.00", "-3.00", "0.01"])  # few, so that batches confirm what others said
one_booking = st.tuples(
    st.sampled_from(["T1", "N1", "N2", "N3"]), st.sampled_from(ACCOUNTS), st.sampled_from(DAYS), amounts
)
one_balance = st.tuples(st.sampled_from(ACCOUNTS), st.sampled_from(DAYS), amounts)
one_batch = st.tuples(
    st.lists(one_booking, max_size=4, unique_by=lambda row: row[0]),
    st.lists(one_balance, max_size=4, unique_by=lambda row: row[:2]),
)


class Oracle:
    """The bank as a list of delivered days; whatever is asked is worked out from the beginning."""

    def __init__(self) -> None:
        self.days: list[tuple[list, list]] = []
        bank = whole_bank()
        first = (
            [(r["txn_no"], r["account_no"], r["booked_on"], r["amount"]) for r in bank["transactions.csv"]],
            [(r["account_no"], r["on_date"], r["balance"]) for r in bank["balances.csv"]],
        )
        self.days.append(first)

    def state(self, upto: int) -> tuple[dict, dict]:
        booked, standing = {}, {}
        for transactions, ends in self.days[: upto + 1]:
            booked |= {
                number: (account, day, Decimal(amount)) for number, account, day, amount in transactions
            }
            standing |= {(account, day): Decimal(amount) for account, day, amount in ends}
        return booked, standing

    def breaks(self) -> dict[tuple[str, str], Decimal]:
        booked, standing = self.state(len(self.days))
        sums: defaultdict[tuple[str, str], list[Decimal]] = defaultdict(list)
        for account, day, amount in booked.values():
            sums[account, day].append(amount)
        found, previous = {}, defaultdict(Decimal)
        for (account, day), end in sorted(standing.items()):
            moved = sum(sums[account, day], Decimal(0))
            wanted = previous[account] + (-moved if account in DEBT else moved)
            if wanted != end and (account not in DEBT or sums[account, day]):
                found[account, day] = wanted - end
            previous[account] = end
        return found


def breaks() -> dict[tuple[str, str], Decimal]:
    rows = FeedBreak.rows.filter(account__account_no__startswith="X").select_related("account")
    return {(row.account.account_no, row.on_date.isoformat()): row.expected - row.found for row in rows}


@settings(
    max_examples=40,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # an example loads six batches: shrinking one would take an hour
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(st.tuples(one_batch, st.booleans(), st.integers(1, 3)), min_size=1, max_size=5))
def test_any_sequence_of_batches_and_corrections_gives_the_oracles_bank(db, monkeypatch, deliveries):
    with tempfile.TemporaryDirectory() as folder, transaction.atomic():
        root, oracle = Path(folder), Oracle()
        deliver_bank(root)
        for number, ((booked, ends), corrects, back) in enumerate(deliveries):
            monkeypatch.setattr(reconcile, "MANY", 0 if number % 2 else 10**9)  # both ways of asking
            files = {
                "transactions.csv": [booking(*row) for row in booked],
                "balances.csv": [balance(*row) for row in ends],
                # Every delivery differs, so that a correction is never "the same batch again".
                "rates.csv": [
                    {
                        "kind": "fx",
                        "currency": "USD",
                        "term_days": "0",
                        "valid_from": "2025-01-01",
                        "rate": f"7.{number + 1}",
                    }
                ],
            }
            files = {name: rows for name, rows in files.items() if rows}
            place = len(oracle.days) - back
            if corrects and place >= 1:
                oracle.days[place] = (booked, ends)
                result = deliver(root, FIRST + place * DAY, files, replace=True)
            else:
                oracle.days.append((booked, ends))
                result = deliver(root, FIRST + (len(oracle.days) - 1) * DAY, files)
            assert result.outcome == "loaded", result.reason
            booked_now, standing_now = oracle.state(len(oracle.days))
            assert bookings() == {number: row[2] for number, row in booked_now.items()}
            assert balances() == standing_now
            assert breaks() == oracle.breaks()
        for day in range(len(oracle.days)):
            assert balances_as_of(FIRST + day * DAY) == oracle.state(day)[1], f"as of day {day}"
        transaction.set_rollback(True)
