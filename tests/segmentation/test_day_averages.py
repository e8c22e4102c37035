"""Day-averages: sums over days from the accumulators and from the balances as known, against counting day by day."""

import datetime
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segmentation import periods
from segmentation.models import AccountMeasure
from tests.segmentation.rows import Hand, run_night

DAY = datetime.timedelta(days=1)
BEGIN = datetime.date(2025, 9, 1)

moves = st.dictionaries(
    st.dates(BEGIN, datetime.date(2026, 11, 30)),
    st.decimals(min_value=-(10**6), max_value=10**9, places=2),
    max_size=8,
)


def sum_over_days(balances: dict[datetime.date, Decimal], stretch: periods.Stretch) -> Decimal:
    """Count it day by day: a day without a row carries the last balance forward, before the first it is 0."""
    total, day = Decimal(0), stretch.first
    while day <= stretch.last:
        known = [on for on in balances if on <= day]
        total += balances[max(known)] if known else Decimal(0)
        day += DAY
    return total


@pytest.mark.django_db
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    accounts=st.lists(moves, min_size=1, max_size=4),
    as_of=st.dates(datetime.date(2026, 11, 1), datetime.date(2026, 11, 30)),
    frontier=st.booleans(),
)
def test_sums_over_days_equal_counting_day_by_day(accounts, as_of, frontier):
    """``frontier``: the night of the newest day takes the accumulators; with a later batch it takes what was known."""
    rollback = transaction.atomic()
    rollback.__enter__()
    try:
        hand = Hand(as_of)
        owner = hand.customer("individual")
        held = {}
        for amounts in accounts:
            known = {day: amount for day, amount in amounts.items() if day <= as_of}
            held[hand.account(owner, "demand_deposit", known).pk] = known
        if not frontier:
            Hand(as_of + DAY).account(owner, "demand_deposit", {as_of + DAY: "5"}, opened_on=as_of + DAY)
        run = run_night(as_of)
        stretches = periods.of(as_of)
        for measure in AccountMeasure.rows.filter(run_id=run.pk, account_id__in=held):
            balances = held[measure.account_id]
            assert measure.balance == (balances[max(balances)] if balances else 0)
            assert measure.month_sum == sum_over_days(balances, stretches.month)
            assert measure.quarter_sum == sum_over_days(balances, stretches.quarter)
            assert measure.year_sum == sum_over_days(balances, stretches.year)
            assert measure.rolling_sum == sum_over_days(balances, stretches.rolling)
    finally:
        transaction.set_rollback(True)
        rollback.__exit__(None, None, None)


@pytest.mark.parametrize(
    ("as_of", "rolling_first", "year_days"),
    [("2024-02-29", "2023-03-01", 60), ("2026-12-31", "2026-01-01", 365), ("2025-02-28", "2024-02-29", 59)],
)
def test_the_rolling_year_begins_the_day_after_the_same_day_a_year_ago(as_of, rolling_first, year_days):
    stretches = periods.of(datetime.date.fromisoformat(as_of))
    assert stretches.rolling.first.isoformat() == rolling_first
    assert stretches.year.days == year_days


@pytest.mark.django_db
def test_an_account_opened_within_the_month_counts_nothing_before():
    hand = Hand(datetime.date(2026, 11, 30))
    owner = hand.customer("individual")
    account = hand.account(owner, "demand_deposit", {datetime.date(2026, 11, 21): "300"})
    measure = AccountMeasure.rows.get(run_id=run_night(datetime.date(2026, 11, 30)).pk, account=account)
    assert measure.month_average == 100
