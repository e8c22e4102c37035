"""Accumulators refreshed batch by batch equal a full rebuild exactly; a date run again later comes out the same."""

import datetime
import json
import random
from decimal import Decimal

import pytest
from django.db import connection

from customers.models import Account, Balance, FeedBatch, FeedTouch, RowHistory, Transaction
from segmentation import steps
from segmentation.models import Absorbed, AccountMonth
from tests.segmentation.rows import Hand, months, results_of, run_night

DAY = datetime.timedelta(days=1)
NOV = datetime.date(2026, 11, 1)


def rebuilt() -> list[tuple]:
    with connection.cursor() as cursor:
        steps.rebuild(cursor)
    return months()


def random_day(hand: Hand, accounts: list[Account], rng: random.Random) -> None:
    """A day's delta: changed balances, some dated back by months, bookings of every kind."""
    for account in rng.sample(accounts, k=min(4, len(accounts))):
        on = hand.day - DAY * rng.choice([0, 0, 0, 1, 35, 200])
        if not Balance.rows.filter(account=account, on_date=on).exists():
            hand.balances(account, {on: Decimal(rng.randrange(-(10**6), 10**9)) / 100})
        kind, channel = (
            rng.choice(["fee", "transfer_in", "other", "salary", "loan_repayment", "interest_credit"]),
            rng.choice(["counter", "phone", "mobile", "batch"]),
        )
        hand.bookings(account, [(on, str(Decimal(rng.randrange(-9999, 9999)) / 100), kind, channel)])


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(3))
def test_refreshed_night_by_night_they_equal_a_rebuild(seed):
    rng = random.Random(seed)
    first = Hand(NOV)
    owners = [first.customer("individual") for _ in range(4)]
    accounts = [
        first.account(rng.choice(owners), "demand_deposit", {NOV - DAY * 300: "100"}) for _ in range(8)
    ]
    run_night(NOV)
    for n in range(1, 6):
        random_day(Hand(NOV + DAY * n, first=False, source=first.source), accounts, rng)
        run_night(NOV + DAY * n)
    refreshed = months()
    assert len(refreshed) > 12
    assert refreshed == rebuilt()


@pytest.mark.django_db
def test_a_correction_that_takes_bookings_back_gives_the_month_its_earlier_last_day():
    first = Hand(NOV)
    account = first.account(first.customer("individual"), "demand_deposit")
    first.bookings(account, [(NOV, "5", "transfer_in", "mobile")])
    wrong = Hand(NOV + DAY * 9, first=False, source=first.source)
    wrong.bookings(
        account, [(NOV + DAY * 9, "900", kind, "batch") for kind in ("salary", "loan_repayment", "fee")]
    )
    run_night(wrong.day)
    assert counts(account) == (3, 10, 1, 90_000)  # November the 10th
    FeedBatch.objects.filter(pk=wrong.batch.pk).update(state="replaced")
    right = Hand(wrong.day, first=False, source=first.source)
    Transaction.rows.filter(account=account, booked_on=wrong.day).delete()
    FeedTouch.rows.create(batch=right.batch, account=account, customer=account.customer, month=NOV)
    run_night(wrong.day)
    assert counts(account) == (1, 1, 0, 0)
    assert months() == rebuilt()


def counts(account: Account) -> tuple[int, int, int, int]:
    """Own bookings, day of the last one, salaries, repayments in cents of the account's only month."""
    row = AccountMonth.rows.get(account=account)
    return row.own_count, row.last_own_day, row.salary_count, row.repaid


@pytest.mark.django_db
def test_a_later_owner_takes_the_accounts_months_along():
    first = Hand(NOV)
    old, new = first.customer("individual"), first.customer("individual")
    account = first.account(old, "demand_deposit", {NOV - DAY * 60: "100", NOV: "250"})
    run_night(NOV)
    second = Hand(NOV + DAY, first=False, source=first.source)
    Account.rows.filter(pk=account.pk).update(customer=new, batch=second.batch)
    run_night(NOV + DAY)
    refreshed = months()
    assert {row[2] for row in refreshed if row[0] == account.pk} == {new.pk}
    assert refreshed == rebuilt()


@pytest.mark.django_db
def test_a_correction_that_takes_a_change_away_leaves_no_trace():
    first = Hand(NOV)
    account = first.account(first.customer("individual"), "demand_deposit", {NOV - DAY: "100"})
    wrong = Hand(NOV + DAY, first=False, source=first.source)
    wrong.balances(account, {NOV + DAY: "999"})
    run_night(NOV + DAY)
    FeedBatch.objects.filter(pk=wrong.batch.pk).update(state="replaced")
    right = Hand(NOV + DAY, first=False, source=first.source)
    Balance.rows.filter(account=account, on_date=NOV + DAY).delete()
    FeedTouch.rows.create(batch=right.batch, account=account, customer=account.customer, month=NOV)
    run_night(NOV + DAY)
    assert [row[1] for row in months() if row[0] == account.pk] == [datetime.date(2026, 10, 1)]
    assert months() == rebuilt()


@pytest.mark.django_db
def test_a_second_refresh_finds_nothing_to_do():
    Hand(NOV).account(Hand(NOV).customer(), "demand_deposit", {NOV: "1"})
    run_night(NOV)
    assert Absorbed.objects.count() == FeedBatch.objects.filter(state__in=["published", "replaced"]).count()
    with connection.cursor() as cursor:
        assert steps.statement(cursor, "10_absorb") == 0


@pytest.mark.django_db
def test_a_date_run_again_after_later_days_comes_out_the_same_to_the_byte(monkeypatch):
    """On the day the accumulators serve; later the balances as they were known that day, by another statement."""
    rng = random.Random(7)
    taken = []
    statement = steps.statement
    monkeypatch.setattr(
        steps, "statement", lambda c, name, night=None: taken.append(name) or statement(c, name, night)
    )
    first = Hand(NOV)
    owners = [first.customer("individual"), first.customer("corporate")]
    accounts = [first.account(rng.choice(owners), family, {NOV - DAY * 250: "1000.55", NOV - DAY * 3: "77.07"})
                for family in ("demand_deposit", "term_deposit", "business_loan", "wealth")]  # fmt: skip
    middle = NOV + DAY * 14
    random_day(Hand(middle, first=False, source=first.source), accounts, rng)
    on_the_day = run_night(middle)
    assert "20_sums_from_months" in taken and "21_sums_as_known" not in taken

    later = Hand(NOV + DAY * 20, first=False, source=first.source)
    random_day(later, accounts, rng)
    changed = accounts[0]
    # As the loader does: the version that is replaced goes to the history.
    with connection.cursor() as cursor:
        cursor.execute("select to_jsonb(a) from customers_account a where id = %s", [changed.pk])
        RowHistory.rows.create(
            entity="account", key=changed.account_no, customer=changed.customer, row=json.loads(cursor.fetchone()[0]),
            known_on=changed.known_on, superseded_on=later.day, batch=first.batch, superseded_by=later.batch,
        )  # fmt: skip
    Account.rows.filter(pk=changed.pk).update(interest_rate="9.99", batch=later.batch, known_on=later.day)
    run_night(later.day)
    taken.clear()
    type(on_the_day).objects.filter(pk=on_the_day.pk).update(
        code_version="of another day"
    )  # asks for another attempt
    again = run_night(middle)
    assert again.attempt == 2 and "21_sums_as_known" in taken and "20_sums_from_months" not in taken
    assert results_of(again) == results_of(on_the_day)
    assert Transaction.rows.filter(batch=later.batch).exists()
