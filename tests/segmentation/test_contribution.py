"""Contribution: the golden vector to the cent, in Python and through the night's statements, and the laws it obeys."""

import datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmentation import contribution, policy, steps
from segmentation.contribution import Held, lines, rounded, total
from segmentation.models import AccountMeasure, Contribution, Period, Standing
from tests.segmentation.rows import Hand, run_night

LAST = datetime.date(2026, 11, 30)
FIRST = datetime.date(2026, 11, 1)
DEFAULTS = policy.Policy({name: choice[0] for name, choice in policy._CHOICES.items()})
GOLDEN = {
    "deposit": "3854.17", "loan": "3750.00", "fee": "3200.00", "wealth": "394.52", "operation": "296.00", "loss": "2219.18",
    "surcharge": "1325.59", "pretax": "7357.92", "tax": "1839.48", "net": "5518.44", "capital": "575000.00",
    "capital_cost": "4726.03", "eva": "792.41",
}  # fmt: skip


def golden_accounts() -> list[Held]:
    days = 30
    return [
        Held("deposit", Decimal(1_500_000 * days), Decimal("0.20"), Decimal("2.15"), fees=Decimal(3200), counter_count=12,
             digital_count=40),
        Held("deposit", Decimal(2_000_000 * days), Decimal("1.50"), Decimal("2.35")),
        Held("debt", Decimal(5_000_000 * days), Decimal("4.25"), Decimal("3.35"), probability=Decimal("0.012"),
             loss_share=Decimal("0.45"), risk_weight=Decimal(1)),
        Held("investment", Decimal(800_000 * days), fee_rate=Decimal("0.6")),
    ]  # fmt: skip


def test_the_golden_vector_comes_out_to_the_cent():
    told = total(
        [(h.side, lines(h, DEFAULTS, 30)) for h in golden_accounts()], DEFAULTS, 30, minutes=Decimal(90)
    )
    assert {name: str(getattr(told, name)) for name in GOLDEN} == GOLDEN
    assert [str(lines(h, DEFAULTS, 30).margin) for h in golden_accounts()[:2]] == ["2437.50", "1416.67"]
    assert round(told.raroc * 100, 2) == Decimal("11.68")


@pytest.mark.django_db
def test_the_golden_vector_comes_out_of_the_night_to_the_cent(monkeypatch):
    hand = Hand(LAST)
    firm = hand.customer()
    first = hand.account(
        firm, "demand_deposit", {FIRST: "1500000"}, interest_rate="0.20", transfer_rate="2.15"
    )
    hand.account(firm, "demand_deposit", {FIRST: "2000000"}, interest_rate="1.50", transfer_rate="2.35")
    hand.account(
        firm,
        "business_loan",
        {FIRST: "5000000"},
        interest_rate="4.25",
        transfer_rate="3.35",
        five_class="normal",
    )
    hand.account(firm, hand.product("wealth", sales_fee_rate="0.6"), {FIRST: "800000"})
    hand.bookings(
        first,
        [(LAST, "-3200", "fee", "counter")]
        + [(LAST, "0", "other", "counter")] * 8
        + [(LAST, "0", "other", "phone")] * 3
        + [(LAST, "0", "other", "mobile")] * 40,
    )
    statement = steps.statement

    def with_minutes(cursor, name, night=None):
        written = statement(cursor, name, night)
        if name == "35_manager_minutes":
            cursor.execute("insert into stage_minute values (%s, 90, 90, 90)", [firm.pk])
        return written

    monkeypatch.setattr(steps, "statement", with_minutes)
    run = run_night(LAST)
    for period in Period.values:  # the year and the twelve months hold nothing but this month
        told = Contribution.rows.get(run_id=run.pk, customer=firm, period=period)
        shared = GOLDEN if period == "mtd" else {k: v for k, v in GOLDEN.items() if k != "capital"}
        assert {name: str(getattr(told, name)) for name in shared} == shared
        assert told.coverage == 1
        assert round(told.raroc * 100, 2) == Decimal("11.68")  # net and capital thin out alike
    standing = Standing.rows.get(run_id=run.pk, customer=firm)
    assert standing.contribution == Decimal("792.41") and standing.deposit_month_average == 3_500_000


money = st.decimals(min_value=0, max_value=10**9, places=2)
rate = st.decimals(min_value=0, max_value=20, places=6)
side = st.sampled_from(["deposit", "debt", "investment", "service"])
accounts = st.lists(
    st.builds(
        Held, side=side, day_sum=money, interest_rate=rate, transfer_rate=rate, fee_rate=rate, fees=money,
        counter_count=st.integers(0, 50), digital_count=st.integers(0, 50), probability=st.just(Decimal("0.012")),
        loss_share=st.just(Decimal("0.45")), risk_weight=st.just(Decimal("0.75")),
    ),
    max_size=6,
)  # fmt: skip


@given(accounts, st.integers(0, 6), st.integers(1, 366))
def test_contribution_is_additive_over_accounts(held, cut, days):
    told = [(h.side, lines(h, DEFAULTS, days)) for h in held]
    whole, left, right = (total(part, DEFAULTS, days) for part in (told, told[:cut], told[cut:]))
    for name in (
        "deposit",
        "loan",
        "fee",
        "wealth",
        "operation",
        "loss",
        "surcharge",
        "pretax",
        "capital",
        "capital_cost",
    ):
        assert getattr(whole, name) == getattr(left, name) + getattr(right, name)
    # Tax is rounded once per customer: two halves may differ from the whole by a cent.
    assert abs(whole.tax - left.tax - right.tax) <= Decimal("0.01")


@given(money, rate, rate, st.sampled_from(["deposit", "debt"]))
def test_doubling_a_balance_doubles_its_margin(day_sum, interest, transfer, its_side):
    once = (
        Fraction(day_sum)
        * (Fraction(interest) - Fraction(transfer))
        / 36000
        * (1 if its_side == "debt" else -1)
    )
    assert lines(Held(its_side, day_sum, interest, transfer), DEFAULTS, 30).margin == rounded(once)
    assert lines(Held(its_side, 2 * day_sum, interest, transfer), DEFAULTS, 30).margin == rounded(2 * once)


@given(money, rate, st.sampled_from(["deposit", "debt"]))
def test_an_account_at_its_transfer_price_earns_nothing(day_sum, interest, its_side):
    assert lines(Held(its_side, day_sum, interest, interest), DEFAULTS, 30).margin == 0


def test_a_customer_without_activity_earns_nothing():
    assert total([], DEFAULTS, 30).eva <= 0
    assert total([], DEFAULTS, 30).raroc is None


@pytest.mark.parametrize(
    ("amount", "cents"), [("0.005", "0.01"), ("-0.005", "-0.01"), ("0.004999", "0.00"), ("2.675", "2.68")]
)
def test_half_a_cent_is_rounded_away_from_zero(amount, cents):
    assert str(contribution.rounded(Fraction(amount))) == cents


@pytest.mark.django_db
def test_what_is_missing_is_assumed_said_and_never_stops_the_night():
    hand = Hand(LAST)
    owner = hand.customer("individual")
    known = hand.account(owner, "demand_deposit", {FIRST: "1000"}, interest_rate="0.2", transfer_rate="1.5")
    bare = hand.account(owner, "mortgage", {FIRST: "3000"}, currency="XAU")
    run = run_night(LAST)
    measured = {m.account_id: m for m in AccountMeasure.rows.filter(run_id=run.pk, customer=owner)}
    assert (measured[known.pk].inputs_given, measured[known.pk].inputs_asked) == (4, 4)
    assert (measured[bare.pk].inputs_given, measured[bare.pk].inputs_asked) == (1, 6)
    assert (measured[bare.pk].interest_rate, measured[bare.pk].transfer_rate) == (
        Decimal("3.5"),
        Decimal("2.6"),
    )
    assert measured[bare.pk].fx_rate == 1
    # 1,000 fully known and 3,000 known by one input of six.
    assert Standing.rows.get(run_id=run.pk, customer=owner).coverage == Decimal("0.3750")


@pytest.mark.django_db
def test_a_customer_who_holds_nothing_lacks_no_input():
    owner = Hand(LAST).customer("individual")
    standing = Standing.rows.get(run_id=run_night(LAST).pk, customer=owner)
    assert (standing.coverage, standing.contribution, standing.tier) == (1, 0, "ordinary")


@pytest.mark.django_db
def test_the_transfer_price_is_the_accounts_then_the_curves_of_its_first_day_then_the_familys():
    hand = Hand(LAST)
    owner = hand.customer("individual")
    opened, later = datetime.date(2026, 3, 1), datetime.date(2026, 6, 1)
    hand.rate("transfer", "JPY", datetime.date(2026, 1, 1), "1.1", 0)
    hand.rate("transfer", "JPY", datetime.date(2026, 1, 1), "2.2", 180)
    hand.rate("transfer", "JPY", later, "9.9", 180)
    hand.rate("transfer", "JPY", datetime.date(2026, 1, 1), "3.3", 400)

    def priced(**facts) -> int:
        return hand.account(owner, "term_deposit", **{"currency": "JPY", "opened_on": opened, **facts}).pk

    own = priced(transfer_rate="7.7")
    term = priced(
        matures_on=opened + datetime.timedelta(days=365)
    )  # longest point not longer: 180 days, of March
    demand = priced()
    early = priced(opened_on=datetime.date(2025, 1, 1))
    foreign = priced(currency="CHF")
    run = run_night(LAST)
    used = {
        m.account_id: str(m.transfer_rate) for m in AccountMeasure.rows.filter(run_id=run.pk, customer=owner)
    }
    assert used == {
        own: "7.700000", term: "2.200000", demand: "1.100000", early: "1.800000", foreign: "1.800000",
    }  # fmt: skip


@pytest.mark.django_db
def test_foreign_money_is_converted_at_the_newest_rate_and_kept_in_its_own():
    hand = Hand(LAST)
    owner = hand.customer("individual")
    hand.account(owner, "demand_deposit", {FIRST: "100.10"}, currency="EUR")
    hand.rate("fx", "EUR", datetime.date(2026, 1, 1), "7.5")
    hand.rate("fx", "EUR", datetime.date(2026, 11, 29), "7.81234567")
    run = run_night(LAST)
    measure = AccountMeasure.rows.get(run_id=run.pk, customer=owner)
    assert (measure.balance, measure.fx_rate) == (Decimal("100.10"), Decimal("7.81234567"))
    assert Standing.rows.get(run_id=run.pk, customer=owner).deposit_month_average == Decimal(
        "100.10"
    ) * Decimal("7.81234567")
