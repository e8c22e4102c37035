"""Loyalty: a tiny bank of awkward customers worked out by hand, laws, and the night's statement against the formulas."""

import datetime
import random
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from crm.core import sqlrun
from segmentation import loyalty, policy, steps
from segmentation.models import Behaviour, Loyalty
from tests.segmentation.rows import Hand

AS_OF = datetime.date(2026, 11, 30)
DAYS = [30, 31, 30, 31, 31, 30]  # November back to June
LONG_AGO, JUNE = datetime.date(2016, 1, 15), datetime.date(2026, 6, 1)
# The table of the field's handbook, in which activity weighs more than stability: what the customers below were worked out
# with on paper.
HANDBOOK = {
    "tenure": "15",
    "holdings": "25",
    "wallet": "15",
    "activity": "20",
    "stability": "15",
    "advocacy": "10",
}
DEFAULTS = policy.Policy({name: choice[0] for name, choice in policy._CHOICES.items()})
RULES = policy.Policy(DEFAULTS.values | {"loyalty_weights": HANDBOOK})
CHECK = sqlrun.load(steps.SQL / "checks" / "loyalty_adds_up.sql")


def averages(*amounts) -> list[Decimal]:
    """Return the sums over days of months with these day-averages, the month to date first."""
    return [Decimal(amount) * days for amount, days in zip(amounts, DAYS, strict=True)]


STEADY = averages(*[1000] * 6)
NOTHING = averages(*[0] * 6)


def seen(**facts) -> loyalty.Seen:
    return loyalty.Seen(
        **{"tenure_months": 60, "class_count": 1, "asset_sums": STEADY, "since": LONG_AGO, **facts}
    )


@dataclass
class By:
    """What a customer comes to when one works it out on paper; only what the case is about is named."""

    score: str
    coverage: str
    subs: dict = field(default_factory=dict)
    lines: dict = field(default_factory=dict)


# Without app, survey or declared outside assets 75 of the weights are present, of which activity's logins are not told:
# coverage 15 + 25 + 20 × 0.7 + 15 = 0.69. Points: tenure 15/75, holdings 25/75, activity 20/75, stability 15/75 of the sub.
BANK = {
    "no accounts, a customer since today: three zeros, and nothing to be stable about": (
        seen(tenure_months=0, class_count=0, asset_sums=NOTHING, since=AS_OF),
        By("0", "0.54", {"tenure": "0", "holdings": "0", "wallet": None, "activity": "0", "stability": None}),
    ),
    "asleep for years on a steady balance: no activity, but all of stability": (
        seen(),
        # 20 + 25 × 20 ÷ 75 + 0 + 20
        By("46.6667", "0.69", {"activity": "0", "stability": "100"}, {"holdings": "6.6667", "tenure": "20"}),
    ),
    "an account that left: four months of 300, then nothing": (
        seen(class_count=0, asset_sums=averages(0, 0, 300, 300, 300, 300)),
        # μ 200, σ √20000 = 141.4214: variation 0.70710678, sub 29.2893, points 5.8579
        By("25.8579", "0.69", {"stability": "29.2893"}, {"stability": "5.8579"}),
    ),
    "brand-new on the tenth: his first part of a month is no month": (
        seen(tenure_months=0, since=datetime.date(2026, 11, 10), own_90d=3, days_since_own=0),
        # activity (40 × 3 ÷ 30 + 30) ÷ 70 = 48.5714; points 25 × 20 ÷ 60 and 20 × 48.5714 ÷ 60
        By("24.5238", "0.54", {"activity": "48.5714", "stability": None}, {"activity": "16.1905"}),
    ),
    "two whole months say nothing": (
        seen(tenure_months=2, since=datetime.date(2026, 10, 1)),
        By("9.1666", "0.54", {"stability": None, "tenure": "3.3333"}, {"tenure": "0.8333", "holdings": "8.3333"}),
    ),
    "three whole months do": (
        seen(tenure_months=2, since=datetime.date(2026, 9, 1)),
        By("27.3334", "0.69", {"stability": "100"}, {"tenure": "0.6667", "stability": "20"}),
    ),
    "an empty account for half a year: a known zero": (
        seen(asset_sums=NOTHING, since=JUNE),
        By("26.6667", "0.69", {"stability": "0"}),
    ),
    "overdrawn on the whole: nothing here, all outside": (
        seen(asset_sums=averages(-500, -500, 100, 100, 100, 100), outside=Decimal(1000)),
        # Present 90: 15 × 100 ÷ 90 + 25 × 20 ÷ 90
        By("22.2223", "0.84", {"wallet": "0", "stability": "0"}, {"tenure": "16.6667", "holdings": "5.5556"}),
    ),
    "a third of what he has is here": (
        seen(outside=Decimal(2000)),
        # 16.6667 + 5.5556 + 15 × 33.3333 ÷ 90 + 16.6667
        By("44.4446", "0.84", {"wallet": "33.3333"}, {"wallet": "5.5556"}),
    ),
    "known to have nothing elsewhere": (
        seen(outside=Decimal(0)),
        By("55.5557", "0.84", {"wallet": "100"}, {"wallet": "16.6667"}),
    ),
    "nothing here and nothing elsewhere: no wallet to have a share of": (
        seen(asset_sums=NOTHING, outside=Decimal(0)),
        By("26.6667", "0.69", {"wallet": None}),
    ),
    "all there is and a salary each month: 103, held at 100": (
        seen(tenure_months=240, class_count=9, outside=Decimal(0), own_90d=30, days_since_own=0, salary_mask=0b111111),
        By("100", "0.84", {"holdings": "100", "activity": "100"}, {"payroll": "3", "clamp": "-3.0001"}),
    ),
    "five salaries of six are not regular": (
        seen(salary_mask=0b011111),
        By("46.6667", "0.69", {}, {"payroll": "0"}),
    ),
    "six salaries are": (
        seen(salary_mask=0b111111),
        By("49.6667", "0.69", {}, {"payroll": "3"}),
    ),
    "moves money to himself in three months of six": (
        seen(outflow_mask=0b101001),
        By("41.6667", "0.69", {}, {"outflow": "-5"}),
    ),
    "in two: not regular": (
        seen(outflow_mask=0b100001),
        By("46.6667", "0.69", {}, {"outflow": "0"}),
    ),
    "nothing at all, and it leaves: held at 0": (
        seen(tenure_months=0, class_count=0, asset_sums=NOTHING, outflow_mask=0b111),
        By("0", "0.69", {}, {"outflow": "-5", "clamp": "5"}),
    ),
    "two months since his last booking": (
        seen(own_90d=1, days_since_own=60),
        # (40 ÷ 30 + 30 ÷ e) ÷ 70 = 17.6710
        By("51.3790", "0.69", {"activity": "17.6710"}, {"activity": "4.7123"}),
    ),
}  # fmt: skip
TOLD = {
    "logs in daily and brought two friends, but would not say so": (
        seen(login_days=30, referrals=2),
        # Present 85: 17.6471 + 5.8824 + 20 × 30 ÷ 85 + 17.6471 + 10 × 50 ÷ 85
        By("54.1178", "0.81", {"activity": "30", "advocacy": "50"}, {"advocacy": "5.8824"}),
    ),
    "recommends, nothing known of friends": (
        seen(nps=9),
        By("52.9413", "0.73", {"advocacy": "100"}, {"advocacy": "11.7647"}),
    ),
    "neither here nor there": (
        seen(nps=7, referrals=5),
        By("50.5884", "0.79", {"advocacy": "80"}, {"advocacy": "9.4118"}),
    ),
    "has complained and left dissatisfied before": (
        seen(complaint_open=True, left_dissatisfied=True, nps=0),
        By("26.1766", "0.73", {"advocacy": "0"}, {"complaint": "-5", "dissatisfied": "-10"}),
    ),
}  # fmt: skip


def lines_of(told: loyalty.Score) -> dict[str, Decimal]:
    return {**told.points, **told.adjustments, "clamp": told.clamp}


@pytest.mark.parametrize("case", [*BANK, *TOLD])
def test_every_awkward_customer_comes_to_what_paper_says(case):
    facts, by_hand = {**BANK, **TOLD}[case]
    told = loyalty.score(facts, AS_OF, RULES)
    assert (told.score, told.coverage) == (Decimal(by_hand.score), Decimal(by_hand.coverage))
    for name, value in by_hand.subs.items():
        assert told.subs[name] == (None if value is None else Decimal(value)), name
    for name, value in by_hand.lines.items():
        assert lines_of(told)[name] == Decimal(value), name
    assert sum(lines_of(told).values()) == told.score


def test_with_every_input_missing_there_is_no_score_and_no_line():
    weights = dict.fromkeys(loyalty.COMPONENTS, "0") | {"wallet": "60", "advocacy": "40"}
    rules = policy.Policy(RULES.values | {"loyalty_weights": weights})
    told = loyalty.score(seen(salary_mask=63, outflow_mask=63), AS_OF, rules)
    assert told.score is None and told.coverage == 0
    assert set(lines_of(told).values()) == {0}


@pytest.mark.parametrize(
    ("since", "until", "months"),
    [
        ("2026-10-31", "2026-11-30", 0), ("2026-10-30", "2026-11-30", 1), ("2024-02-29", "2025-02-28", 11),
        ("2026-12-01", "2026-11-30", 0), ("2021-11-30", "2026-11-30", 60),
    ],
)  # fmt: skip
def test_tenure_counts_full_months(since, until, months):
    day = datetime.date.fromisoformat
    assert loyalty.full_months(day(since), day(until)) == months


amounts = st.decimals("-1e9", "1e9", places=2)
some = st.builds(
    loyalty.Seen,
    tenure_months=st.integers(0, 600),
    class_count=st.integers(0, 11),
    asset_sums=st.none() | st.lists(amounts, min_size=6, max_size=6),
    since=st.dates(datetime.date(2026, 1, 1), AS_OF),
    outside=st.none() | st.decimals("0", "1e9", places=2),
    own_90d=st.none() | st.integers(0, 200),
    days_since_own=st.none() | st.integers(0, 365),
    login_days=st.none() | st.integers(0, 30),
    referrals=st.none() | st.integers(0, 9),
    nps=st.none() | st.integers(0, 10),
    complaint_open=st.booleans(),
    left_dissatisfied=st.booleans(),
    outflow_mask=st.integers(0, 63),
    salary_mask=st.integers(0, 63),
)


@given(some)
def test_the_lines_are_the_score_and_the_score_stays_on_its_scale(facts):
    told = loyalty.score(facts, AS_OF, RULES)
    assert sum(lines_of(told).values()) == told.score
    assert 0 <= told.score <= 100 and 0 < told.coverage <= 1
    assert all(told.points[name] == 0 for name in loyalty.COMPONENTS if told.subs[name] is None)


@given(
    st.dictionaries(st.sampled_from(loyalty.COMPONENTS), st.integers(1, 100), min_size=1),
    st.data(),
)
def test_the_weights_of_missing_components_are_shared_out_without_loss(weights, data):
    present = data.draw(st.sets(st.sampled_from(sorted(weights)), min_size=1))
    shared = loyalty.shares({name: Fraction(weight) for name, weight in weights.items()}, present)
    assert sum(shared.values()) == 100
    for one in present:
        for other in present:
            assert shared[one] * weights[other] == shared[other] * weights[one]


@given(st.lists(st.integers(0, 10**9), min_size=6, max_size=6), st.integers(1, 1000))
def test_stability_does_not_care_how_rich_he_is(averages_, times):
    one = loyalty.stability(averages(*averages_), LONG_AGO, AS_OF, 3)
    assert loyalty.stability(averages(*[times * a for a in averages_]), LONG_AGO, AS_OF, 3) == one


@given(some, st.integers(1, 50))
def test_more_of_his_own_bookings_never_make_him_less_loyal(facts, more):
    facts = loyalty.Seen(**{**facts.__dict__, "own_90d": facts.own_90d or 0})
    busier = loyalty.Seen(**{**facts.__dict__, "own_90d": facts.own_90d + more})
    assert loyalty.score(busier, AS_OF, RULES).score >= loyalty.score(facts, AS_OF, RULES).score


def test_interest_alone_does_not_keep_an_account_awake():
    """The trap of tenure + activity + balance: who never leaves because he is asleep outranks nobody who is awake."""
    asleep = seen(tenure_months=240, own_90d=0, days_since_own=None)
    awake = seen(
        tenure_months=40, own_90d=20, days_since_own=4, class_count=2, asset_sums=averages(9, 8, 9, 10, 9, 8)
    )
    assert loyalty.score(awake, AS_OF, RULES).score > loyalty.score(asleep, AS_OF, RULES).score


# --- the statement ------------------------------------------------------------------------------------------------------


def open_on(months: int, day: datetime.date = AS_OF) -> datetime.date:
    """Return a day that many full months before."""
    years, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return datetime.date(years, month + 1, min(day.day, 28))


class Stage:
    """A run with behaviour rows put in by hand, scored by the statement of the night."""

    def __init__(self, rules: policy.Policy = RULES, as_of: datetime.date = AS_OF, *, fed: bool = True):
        self.hand, self.as_of = Hand(as_of), as_of
        self.night = steps.Night(
            900_000 + self.hand.n, as_of, {"base_currency": "CNY", "batches": [], "overrides": []}, rules
        )
        if fed:
            other = self.hand.account(self.hand.customer(), "demand_deposit", {as_of: "1"})
            self.hand.bookings(other, [(as_of, "1", "transfer_in", "mobile")])
        with connection.cursor() as cursor:
            cursor.execute("select segmentation_open_run(%s)", [self.night.run_id])
        self.told: dict[int, loyalty.Seen] = {}

    def put(self, facts: loyalty.Seen) -> int:
        owner = self.hand.customer("individual", opened_on=open_on(facts.tenure_months, self.as_of))
        self.hand.account(owner, "debit_card", opened_on=facts.since)
        sums = [*(facts.asset_sums or NOTHING), *[Decimal(0)] * 6]
        days = facts.days_since_own
        Behaviour.rows.create(
            run_id=self.night.run_id, customer=owner, as_of=self.as_of, classes=[f"c{n}" for n in range(facts.class_count)],
            own_90d=facts.own_90d or 0, own_180d=facts.own_90d or 0,
            last_own_on=None if days is None else self.as_of - datetime.timedelta(days=days), salary_mask=facts.salary_mask,
            outflow_mask=facts.outflow_mask, repaid=0, asset_sums=sums, deposit_sums=sums, points_month=0, points_year=0,
            outside_assets=facts.outside, life="active",
        )  # fmt: skip
        self.told[owner.pk] = facts
        return owner.pk

    def scored(self, text=lambda text: text) -> dict[int, Loyalty]:
        statement = sqlrun.load(Path(steps.SQL) / "50_loyalty.sql")
        params = {name: self.night.params[name] for name in statement.params}
        with connection.cursor() as cursor:
            cursor.execute(text(statement.text), params)
            assert sqlrun.run(cursor, CHECK, self.night.params) == 0, cursor.fetchall()
        return {row.customer_id: row for row in Loyalty.rows.filter(run_id=self.night.run_id)}


def agrees(
    row: Loyalty, facts: loyalty.Seen, rules: policy.Policy = RULES, as_of: datetime.date = AS_OF
) -> None:
    told = loyalty.score(facts, as_of, rules)
    assert {name: getattr(row, f"{name}_sub") for name in loyalty.COMPONENTS} == told.subs
    found = {name: getattr(row, f"{name}_points") for name in lines_of(told)}
    assert found == lines_of(told)
    assert (row.score, row.coverage, row.wallet_share, row.variation) == (
        told.score, told.coverage, told.wallet_share, told.variation,
    )  # fmt: skip
    assert (row.tenure_months, row.class_count) == (facts.tenure_months, facts.class_count)


@pytest.mark.django_db
def test_the_statement_says_what_paper_says():
    stage = Stage()
    customers = {case: stage.put(facts) for case, (facts, _) in BANK.items()}
    rows = stage.scored()
    assert len(rows) == len(BANK)
    for case, customer in customers.items():
        facts, by_hand = BANK[case]
        agrees(rows[customer], facts)
        assert rows[customer].score == Decimal(by_hand.score), case


def joined_with(stage: Stage):
    """Return what turns the statement's two empty joins into rows, as the apps to come will fill them."""
    said = ", ".join(
        f"({pk}, {_sql(f.login_days)}, {_sql(f.referrals)}, {_sql(f.nps)}, {f.complaint_open}, {f.left_dissatisfied})"
        for pk, f in stage.told.items()
    )
    rows = f"(values {said}) as v (customer_id, login_days, referrals, nps, is_open, left_dissatisfied)"

    def text(text: str) -> str:
        for names in (
            "login_days, null::int as referrals, null::int as nps",
            "is_open, null::boolean as left_dissatisfied",
        ):
            kind = "int" if "nps" in names else "boolean"
            empty = f"select null::bigint as customer_id, null::{kind} as {names} where false"
            assert empty in text
            plain = names.replace(f"null::{kind} as ", "")
            text = text.replace(empty, f"select customer_id::bigint, {plain} from {rows}")
        return text

    return text


def _sql(value: int | None) -> str:
    return "null::int" if value is None else str(value)


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(3))
def test_the_statement_says_what_the_formulas_say_of_anybody(seed):
    rng = random.Random(seed)
    weights = {name: str(rng.randrange(0, 40)) for name in loyalty.COMPONENTS}
    rules = policy.Policy(DEFAULTS.values | ({"loyalty_weights": weights} if seed else {}))
    as_of = rng.choice(
        [AS_OF, datetime.date(2026, 3, 31), datetime.date(2024, 2, 29), datetime.date(2026, 11, 18)]
    )
    stage = Stage(rules, as_of)
    for facts, _ in TOLD.values():
        stage.put(facts)
    for _ in range(80):
        stage.put(anybody(rng, as_of))
    rows = stage.scored(joined_with(stage))
    for customer, facts in stage.told.items():
        agrees(rows[customer], facts, rules, as_of)


def anybody(rng: random.Random, as_of: datetime.date) -> loyalty.Seen:
    maybe = lambda value: None if rng.random() < 0.3 else value  # noqa: E731
    size = 10 ** rng.randrange(1, 13)
    flat = Decimal(rng.randrange(-size, size * 3)) / 100
    return loyalty.Seen(
        tenure_months=rng.randrange(0, 120),
        class_count=rng.randrange(0, 9),
        asset_sums=[
            Decimal(rng.randrange(-size, size * 9)) / 100 if rng.random() < 0.8 else flat for _ in range(6)
        ],
        since=as_of - datetime.timedelta(days=rng.randrange(0, 250)),
        outside=maybe(Decimal(rng.randrange(0, size)) / 100),
        own_90d=rng.randrange(0, 45),
        days_since_own=maybe(rng.randrange(0, 366)),
        login_days=maybe(rng.randrange(0, 31)),
        referrals=maybe(rng.randrange(0, 7)),
        nps=maybe(rng.randrange(0, 11)),
        complaint_open=rng.random() < 0.2,
        left_dissatisfied=rng.random() < 0.2,
        outflow_mask=rng.randrange(64),
        salary_mask=rng.choice([63, 31, rng.randrange(64)]),
    )


@pytest.mark.django_db
def test_a_bank_that_never_fed_a_balance_or_a_booking_is_not_guessed_at():
    from customers.models import Balance, Transaction

    # The small bank of the tests feeds both; nobody did on this day, long before it.
    day = datetime.date(1990, 6, 30)
    assert not Balance.rows.filter(on_date__lte=day).exists()
    assert not Transaction.rows.filter(booked_on__lte=day).exists()
    stage = Stage(as_of=day, fed=False)
    facts = seen(tenure_months=3, since=datetime.date(1990, 1, 1))
    customer = stage.put(facts)
    row = stage.scored()[customer]
    agrees(row, loyalty.Seen(**{**facts.__dict__, "asset_sums": None, "own_90d": None}), as_of=day)
    assert (row.activity_sub, row.stability_sub) == (None, None) and row.coverage == Decimal("0.40")


@pytest.mark.django_db
def test_a_customer_without_an_account_counts_his_months_from_the_day_he_came():
    stage = Stage()
    owner = stage.hand.customer("individual", opened_on=datetime.date(2026, 8, 2))
    Behaviour.rows.create(
        run_id=stage.night.run_id, customer=owner, as_of=AS_OF, classes=[], own_90d=0, own_180d=0, salary_mask=0,
        outflow_mask=0, repaid=0, asset_sums=[0] * 12, deposit_sums=[0] * 12, points_month=0, points_year=0, life="new",
    )  # fmt: skip
    assert stage.scored()[owner.pk].stability_sub == 0  # September, October and November
