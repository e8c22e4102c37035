"""What awkward customers do and hold, computed by hand: foreign money, overdrafts, salaries, sleepers, leavers."""

import datetime
import json
from decimal import Decimal

import pytest
from django.db import connection

from crm.core import clock, parameters
from customers.models import Account, Customer, RowHistory, Transaction
from segmentation import behaviour, policy
from segmentation.models import AccountMeasure, Behaviour
from tests.segmentation.rows import Hand, run_night
from tests.segmentation.test_behaviour import AS_OF, DAY, outside_holding, stage_sums

LONG_AGO = datetime.date(2025, 1, 15)


@pytest.fixture
def hand(db) -> Hand:
    """A feed that has told of bookings for years."""
    made = Hand(AS_OF)
    made.bookings(made.account(made.customer(), "demand_deposit"), [(LONG_AGO, "1", "other", "batch")])
    return made


def person(hand: Hand, **facts) -> Customer:
    return hand.customer("individual", **facts)


def told(customer: Customer, as_of: datetime.date = AS_OF) -> Behaviour:
    return Behaviour.rows.get(run_id=run_night(as_of).pk, customer=customer)


def on(month: int, day: int = 1) -> datetime.date:
    return datetime.date(2026, month, day)


def transfers(
    hand: Hand, account: Account, days: list[datetime.date], *, name: str, bank: str | None
) -> None:
    hand.bookings(account, [(day, "-100", "transfer_out", "mobile") for day in days])
    Transaction.rows.filter(account=account, counterparty_name=None).update(
        counterparty_name=name, counterparty_bank=bank
    )


def test_foreign_money_counts_at_tonights_rate(hand):
    hand.rate("fx", "GBP", on(9), "9.12345678")
    customer = person(hand)
    hand.account(customer, "demand_deposit", {on(9, 10): "1000"}, currency="GBP")
    row = told(customer)
    assert row.asset_sums[:4] == [Decimal(d * 1000) * Decimal("9.12345678") for d in (18, 31, 21, 0)]
    assert row.asset_sums == row.deposit_sums
    assert row.points_month == Decimal("1.37")  # 1.5 × 9,123.45678 ÷ 10,000
    assert row.points_year == Decimal("3.70")  # September 21 of 30 days: 0.96; then 1.37 + 1.37


def test_an_overdraft_earns_no_points_and_takes_none_back(hand):
    customer = person(hand)
    account = hand.account(customer, "demand_deposit", {on(9): "20000", on(10): "-500"})
    row = told(customer)
    assert row.deposit_sums[:3] == [-500 * 18, -500 * 31, 20_000 * 30]
    assert (row.points_month, row.points_year) == (0, Decimal("3.00"))
    measure = AccountMeasure.rows.get(run_id=row.run_id, account=account)
    assert (measure.points_month, measure.points_year) == (0, Decimal("3.00"))


def test_loans_and_investments_earn_no_points_and_loans_are_no_assets(hand):
    customer = person(hand)
    hand.account(customer, "mortgage", {on(1): "900000"})
    hand.account(customer, "fund", {on(1): "700"})
    row = told(customer)
    assert (row.asset_sums[0], row.deposit_sums[0], row.points_year) == (700 * 18, 0, 0)
    assert row.classes == ["fund", "loan"]


def test_a_closed_account_is_held_no_longer_but_what_he_did_with_it_counts(hand):
    customer = person(hand)
    closed = hand.account(customer, "demand_deposit", {on(1): "100", AS_OF: "0"}, closed_on=AS_OF)
    hand.bookings(closed, [(AS_OF, "-100", "cash_withdrawal", "counter")])
    hand.account(customer, "wealth", {on(1): "100"}, closed_on=AS_OF + DAY)
    row = told(customer)
    assert row.classes == ["wealth"]
    assert (row.own_90d, row.last_own_on) == (1, AS_OF)


def test_a_new_owner_has_the_whole_history_and_sends_money_in_his_own_name(db):
    """The day before, the account stood with the former owner, and a night of that day keeps saying so."""
    first = Hand(AS_OF - DAY)
    old, new = person(first, name="旧主"), person(first, name="新主")
    account = first.account(old, "demand_deposit", {on(1): "100"})
    transfers(first, account, [on(8, 5)], name="旧主", bank="another bank")
    transfers(first, account, [on(9, 5), on(10, 5)], name="新主", bank="another bank")
    hands_over = Hand(AS_OF, first=False, source=first.source)
    with connection.cursor() as cursor:
        cursor.execute("select to_jsonb(a) from customers_account a where id = %s", [account.pk])
        RowHistory.rows.create(
            entity="account", key=account.account_no, customer=old, row=json.loads(cursor.fetchone()[0]),
            known_on=account.known_on, superseded_on=AS_OF, batch=first.batch, superseded_by=hands_over.batch,
        )  # fmt: skip
    Account.rows.filter(pk=account.pk).update(customer=new, batch=hands_over.batch, known_on=AS_OF)
    run = run_night(AS_OF)
    rows = {row.customer_id: row for row in Behaviour.rows.filter(run_id=run.pk)}
    assert (rows[new.pk].own_180d, rows[new.pk].outflow_mask, rows[new.pk].classes) == (3, 0b011, ["demand"])
    assert (rows[old.pk].own_180d, rows[old.pk].outflow_mask, rows[old.pk].classes) == (0, 0, [])
    assert told(old, first.day).outflow_mask == 0b100


def test_money_sent_to_another_name_or_to_no_named_bank_or_home_is_no_outflow(hand):
    parameters.put("own_bank_names", ["海州银行"], valid_from=on(1), why="test", at=clock.now())
    customer = person(hand, name="王五")
    account = hand.account(customer, "demand_deposit")
    six_months = [on(5, 1), on(6, 30), on(7, 2), on(8, 3), on(9, 4), on(10, 31)]
    transfers(hand, account, six_months, name="王五 ", bank=" 别家银行")
    transfers(hand, account, [on(4, 30), on(11, 1)], name="王五", bank="别家银行")  # before and after
    assert told(customer).outflow_mask == 0b111111
    Transaction.rows.filter(account=account, booked_on=on(5, 1)).update(counterparty_name="王五五")
    Transaction.rows.filter(account=account, booked_on=on(6, 30)).update(counterparty_bank=" ")
    Transaction.rows.filter(account=account, booked_on=on(7, 2)).update(counterparty_bank=None)
    Transaction.rows.filter(account=account, booked_on=on(8, 3)).update(counterparty_bank="海州银行 ")
    Transaction.rows.filter(account=account, booked_on=on(9, 4)).update(kind="transfer_in")
    Transaction.rows.filter(account=account, booked_on=on(10, 31)).update(amount="100")  # it came back
    Hand(AS_OF)  # another batch: the night is due anew
    assert told(customer).outflow_mask == 0


def test_who_only_bears_interest_and_fees_is_asleep(hand):
    customer = person(hand)
    account = hand.account(customer, "demand_deposit", {on(1): "100000"})
    bank_made = ["interest_credit", "interest_charge", "penalty_interest", "fee"]
    hand.bookings(
        account, [(on(month, 20), "1", kind, "batch") for month in range(1, 11) for kind in bank_made]
    )
    row = told(customer)
    assert (row.own_90d, row.own_180d, row.last_own_on, row.life) == (0, 0, None, "dormant")


def test_a_salary_in_each_of_six_months_is_payroll(hand):
    six, three, two = person(hand), person(hand), person(hand)
    for customer, months in ((six, range(5, 11)), (three, [6, 8, 10]), (two, [4, 9, 10, 11])):
        account = hand.account(customer, "demand_deposit")
        hand.bookings(account, [(on(month, 15), "9000", "salary", "batch") for month in months])
    run = run_night(AS_OF)
    rows = [Behaviour.rows.get(run_id=run.pk, customer=customer) for customer in (six, three, two)]
    assert [row.salary_mask for row in rows] == [63, 0b010101, 0b000011]
    assert [row.classes for row in rows] == [["demand", "payroll"], ["demand", "payroll"], ["demand"]]


def test_ninety_days_are_ninety_days(hand):
    customer = person(hand)
    account = hand.account(customer, "demand_deposit")
    ago = [AS_OF - DAY * n for n in (0, 89, 90, 179, 180, 181)]
    hand.bookings(account, [(day, "1", "other", "mobile") for day in ago])
    row = told(customer)
    assert (row.own_90d, row.own_180d, row.last_own_on) == (2, 4, AS_OF)


@pytest.mark.parametrize("name", ["20_sums_from_months", "21_sums_as_known"])
def test_on_the_29th_of_february_the_year_began_on_the_1st_of_march(hand, name):
    leap_day = datetime.date(2028, 2, 29)
    later = Hand(leap_day)
    accounts = [later.account(person(later), "demand_deposit") for _ in range(2)]
    days = [datetime.date(2027, 2, 28), datetime.date(2027, 3, 1)]
    for account, day in zip(accounts, days, strict=True):
        later.bookings(account, [(day, "1", "other", "mobile")])
    later.balances(accounts[0], {datetime.date(2028, 2, 28): "10"})
    found = stage_sums(name, leap_day)
    assert [found[account.pk]["last_own_on"] for account in accounts if account.pk in found] == [
        None,
        days[1],
    ]
    assert found[accounts[0].pk]["recent_sums"] == [2000, *[0] * 11]


def test_only_what_was_paid_into_the_loan_in_three_complete_months_was_repaid(hand):
    hand.rate("fx", "USD", on(1), "7.005")
    customer = person(hand)
    loan = hand.account(customer, "mortgage", {on(1): "500000"}, currency="USD")
    rows = [("100", 7, 31), ("3", 8, 1), ("1", 9, 9), ("1.01", 10, 31), ("100", 11, 1), ("-50", 9, 9)]
    hand.bookings(loan, [(on(month, day), amount, "loan_repayment", "batch") for amount, month, day in rows])
    hand.bookings(loan, [(on(9), "77", "transfer_in", "batch")])
    assert told(customer).repaid == Decimal("35.10")  # 5.01 × 7.005 = 35.09505


def test_the_newest_word_on_each_bank_is_what_he_holds_elsewhere(hand):
    hand.rate("fx", "USD", on(1), "7.005")
    knows, silent, owes = person(hand), person(hand), person(hand)
    outside_holding(hand, knows, "A", "fund", on(3), "500000")
    outside_holding(hand, knows, "A", "fund", on(10), "1000")
    outside_holding(hand, knows, "A", "term_deposit", on(3), "20")
    outside_holding(hand, knows, "B", "fund", AS_OF, "0.01", "USD")
    outside_holding(hand, knows, "B", "fund", AS_OF + DAY, "999")
    outside_holding(hand, knows, "B", "mortgage", on(3), "800000")
    outside_holding(hand, owes, "B", "mortgage", on(3), "800000")
    run = run_night(AS_OF)
    rows = [Behaviour.rows.get(run_id=run.pk, customer=customer) for customer in (knows, silent, owes)]
    assert [row.outside_assets for row in rows] == [Decimal("1020.07"), None, None]


@pytest.mark.parametrize(
    ("now", "booked", "life"),
    [
        ("900", on(6, 2), "lost"),  # little is left
        ("24999.99", on(6, 2), "active"),  # half went, but he is awake
        ("24999.99", on(5, 2), "lost"),  # half went, and he sleeps
        ("25000", on(5, 2), "dormant"),  # not below half
    ],
)
def test_lost_is_who_took_most_of_his_money_and_sleeps_or_left_little(hand, now, booked, life):
    customer = person(hand)
    account = hand.account(customer, "demand_deposit", {on(1): "50000", on(11): now})
    # His money moved at other times than he did: balances are the feed's word.
    hand.bookings(account, [(booked, "1", "other", "mobile"), (on(6, 20), "1", "interest_credit", "batch")])
    assert told(customer).life == life


def test_who_never_held_anything_cannot_be_lost(hand):
    customer = person(hand)
    account = hand.account(customer, "demand_deposit", {on(10): "-40"})
    hand.bookings(account, [(on(month, 5), "-40", "other", "mobile") for month in range(1, 12)])
    assert told(customer).life == "active"


def test_woken_is_who_slept_for_half_a_year_before_and_not_for_a_season(hand):
    slept, dozed = person(hand), person(hand)
    for customer, before in ((slept, 271), (dozed, 200)):
        account = hand.account(customer, "demand_deposit", {on(1): "5000"})
        hand.bookings(account, [(AS_OF - DAY * ago, "1", "other", "mobile") for ago in (before, 3)])
    run = run_night(AS_OF)
    lives = [Behaviour.rows.get(run_id=run.pk, customer=customer).life for customer in (slept, dozed)]
    assert lives == ["reactivated", "active"]


@pytest.mark.parametrize(
    ("ago", "life"), [(0, "new"), (89, "new"), (90, "active"), (179, "active"), (180, "dormant")]
)
def test_nobody_sleeps_who_has_not_been_a_customer_for_that_long(hand, ago, life):
    assert told(person(hand, opened_on=AS_OF - DAY * ago)).life == life


def test_silence_says_nothing_where_bookings_of_that_time_were_never_fed(db):
    hand = Hand(AS_OF)
    customer = person(hand)
    hand.account(customer, "demand_deposit", {on(1): "5000"})
    # What the small bank was fed of earlier months.
    Transaction.rows.filter(booked_on__lt=AS_OF - DAY * 179).delete()
    assert told(customer).life == "active"
    later = Hand(AS_OF)
    later.bookings(
        later.account(person(later), "demand_deposit"), [(AS_OF - DAY * 180, "1", "other", "batch")]
    )
    assert told(customer).life == "dormant"


def test_a_closed_customer_is_closed_from_that_day_on(hand):
    gone, going = person(hand, closed_on=AS_OF), person(hand, closed_on=AS_OF + DAY)
    run = run_night(AS_OF)
    lives = [Behaviour.rows.get(run_id=run.pk, customer=customer).life for customer in (gone, going)]
    assert lives == ["closed", "dormant"]


@pytest.mark.parametrize(
    ("family", "days", "coefficient"),
    [
        ("demand_deposit", None, "1.5"), ("demand_deposit", 90, "1.5"), ("notice_deposit", None, "1.2"),
        ("margin_deposit", 400, "0.8"), ("structured_deposit", 90, "0.4"), ("term_deposit", None, "0.9"),
        ("term_deposit", 183, "1.0"), ("term_deposit", 184, "0.9"), ("term_deposit", 366, "0.9"), ("term_deposit", 367, "0.8"),
        ("term_deposit", 731, "0.8"), ("term_deposit", 732, "0.6"), ("term_deposit", 1096, "0.6"),
        ("term_deposit", 1097, "0.5"), ("mortgage", 9000, "0"), ("wealth", 90, "0"),
    ],
)  # fmt: skip
def test_points_depend_on_the_kind_of_deposit_and_on_its_term(hand, family, days, coefficient):
    opened = on(1)
    ends = opened + DAY * days if days else None
    assert behaviour.coefficient(family, opened, ends, policy.on(AS_OF)) == Decimal(coefficient)
    customer = person(hand)
    hand.account(customer, family, {opened: "10000"}, opened_on=opened, matures_on=ends)
    row = told(customer)
    assert row.points_month == Decimal(coefficient)
    assert row.points_year == 11 * row.points_month
