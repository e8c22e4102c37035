"""Tiers: half-open intervals, the better of two ways for firms, what a night goes on from, and when a tier is won or lost.

Nights run before the small bank's own; a customer's balance changes on the first of a month, so that a month's day-average
is that balance.
"""

import datetime
import random
from decimal import Decimal
from fractions import Fraction

import pytest
from django.db import connection

from crm.core import clock, jobs, parameters, sqlrun
from crm.core.models import Approval
from segmentation import nightly, nights, periods, policy, steps, tiers
from segmentation.models import Standing, TierChange, TierOverride
from tests.core.somebody import somebody
from tests.segmentation.rows import Hand, results_of, run_night
from tests.segmentation.test_day_averages import sum_over_days

RULES = policy.Policy({name: choice[0] for name, choice in policy._CHOICES.items()})
LAST = datetime.date(2026, 11, 30)
FIRST = datetime.date(2026, 11, 1)
DAY = datetime.timedelta(days=1)
MARCH, APRIL, MAY, JUNE, JULY = (
    datetime.date(2026, 3, 31), datetime.date(2026, 4, 30), datetime.date(2026, 5, 31), datetime.date(2026, 6, 30),
    datetime.date(2026, 7, 31),
)  # fmt: skip


def month(number: int) -> datetime.date:
    return datetime.date(2026, number, 1)


@pytest.fixture
def hand(db):
    return Hand(datetime.date(2026, 9, 30))


def person(hand, balances: dict[int, str], family: str = "demand_deposit"):
    """An individual with the given balance from the first of each month on."""
    owner = hand.customer("individual")
    hand.account(owner, family, {month(number): amount for number, amount in balances.items()})
    return owner


def firm(hand, balances: dict[int, str], **facts):
    owner = hand.customer("corporate", **facts)
    hand.account(owner, "demand_deposit", {month(number): amount for number, amount in balances.items()})
    return owner


def stands(run, customer) -> Standing:
    return Standing.rows.get(run_id=run.pk, customer=customer)


def changes(customer) -> list[tuple]:
    rows = TierChange.rows.filter(customer=customer).order_by("on_date")
    return [(row.on_date, row.was, row.becomes, row.why) for row in rows]


def decided(customer, tier: str, starts_on: datetime.date, ends_on: datetime.date) -> TierOverride:
    """What an approved proposal leaves."""
    cai, rita = somebody("cai"), somebody("rita")
    approval = Approval.objects.create(
        verb="tiers.override", payload={}, payload_hash=b"", maker=cai, reason="test"
    )  # fmt: skip
    return TierOverride.rows.create(
        customer=customer, tier=tier, starts_on=starts_on, ends_on=ends_on, reason="test", proposed_by=cai,
        approved_by=rita, approval=approval,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("assets", "tier"),
    [
        ("-5", "ordinary"), ("0", "ordinary"), ("49999.99", "ordinary"), ("50000", "gold"), ("199999.99", "gold"),
        ("200000", "platinum"), ("500000", "vip"), ("2000000", "diamond"), ("5999999.99", "diamond"), ("6000000", "private"),
    ],
)  # fmt: skip
def test_a_person_stands_in_the_tier_whose_floor_he_reaches(assets, tier):
    assert tiers.personal(Decimal(assets), RULES) == tier


@pytest.mark.parametrize(
    ("earned", "deposits", "strategic", "tier"),
    [
        ("-1", "0", False, "inefficient"), ("0", "0", False, "general"), ("199999.99", "4999999.99", False, "general"),
        ("200000", "0", False, "quality"), ("-1", "5000000", False, "quality"), ("200000", "30000000", False, "key"),
        ("5000000", "0", False, "strategic"), ("-1", "0", True, "strategic"),
    ],
)  # fmt: skip
def test_a_firm_stands_by_the_better_of_contribution_and_deposits(earned, deposits, strategic, tier):
    assert tiers.corporate(Decimal(earned), Decimal(deposits), RULES, strategic=strategic) == tier


@pytest.mark.django_db
def test_the_night_judges_on_the_floor_exactly():
    hand = Hand(LAST)
    people = {
        amount: hand.customer("individual")
        for amount in ("49999.99", "50000", "200000", "5999999.99", "6000000")
    }
    for amount, owner in people.items():
        hand.account(owner, "demand_deposit", {FIRST: amount})
    # A cent less on one of thirty days is less than the floor.
    nearly = hand.customer("individual")
    hand.account(nearly, "demand_deposit", {FIRST: "50000", LAST: "49999.99"})
    named = hand.customer("corporate")
    parameters.put("strategic_customers", [named.customer_no], valid_from=FIRST, why="test", at=clock.now())
    run = run_night(LAST)
    tier_of = dict(Standing.rows.filter(run_id=run.pk).values_list("customer_id", "tier"))
    assert [tier_of[owner.pk] for owner in people.values()] == [
        "ordinary",
        "gold",
        "platinum",
        "diamond",
        "private",
    ]
    assert tier_of[nearly.pk] == "ordinary" and tier_of[named.pk] == "strategic"
    # Two thirds of a cent over the month's average are a cent to close: the least amount that suffices.
    assert stands(run, nearly).next_gap == Decimal("0.01")


@pytest.mark.django_db
def test_coefficients_weigh_what_counts_as_assets():
    hand = Hand(LAST)
    owner = hand.customer("individual")
    hand.account(owner, "fund", {FIRST: "60000"})
    parameters.put("asset_coefficients", {"fund": "0.5"}, valid_from=FIRST, why="test", at=clock.now())
    standing = stands(run_night(LAST), owner)
    assert standing.asset_month_average == 60000 and standing.weighted_month_average == 30000
    assert standing.tier == "ordinary" and standing.next_gap == 20000


def test_the_first_night_takes_the_figures_word_and_protects_it(hand):
    """Eleven poorer months before it do not count: nobody held the tier then."""
    owner = person(hand, {1: "1", 3: "250000"})
    standing = stands(run_night(MARCH), owner)
    assert (standing.tier, standing.tier_by_figures, standing.tier_since) == ("platinum", "platinum", MARCH)
    assert (standing.months_below, standing.protected_until) == (0, JUNE)
    assert (standing.next_tier, standing.next_gap, standing.drop_gap) == ("vip", 250000, 70000)
    assert changes(owner) == [(MARCH, "", "platinum", "first")]


def test_a_tier_is_lost_after_three_months_below_nine_tenths_and_not_on_nine_tenths(hand):
    lost = person(hand, {3: "200000", 4: "179980"})  # 89.99 %
    kept = person(hand, {3: "200000", 4: "180000"})  # 90 %
    once = person(hand, {3: "200000", 4: "100", 5: "180000", 6: "100"})  # a month in between
    run_night(MARCH)
    told = {}
    for day in (APRIL, MAY, JUNE - DAY, JUNE):
        run = run_night(day)
        told[day] = stands(run, lost)
        assert stands(run, kept).tier == "platinum" and stands(run, kept).months_below == 0
        assert stands(run, once).tier == "platinum"
    assert [(s.tier, s.months_below) for s in told.values()] == [
        ("platinum", 1), ("platinum", 2), ("platinum", 2), ("gold", 0),
    ]  # fmt: skip
    assert told[MAY].drop_gap == Decimal("-20.00") and told[MAY].tier_by_figures == "gold"
    assert changes(lost)[1:] == [(JUNE, "platinum", "gold", "downgrade")]
    assert told[JUNE].protected_until is None and told[JUNE].tier_since == JUNE


def test_a_tier_just_won_is_protected(hand):
    """With one month as the limit; won in March, it cannot be lost before the end of June."""
    parameters.put("tier_downgrade_months", 1, valid_from=MARCH, why="test", at=clock.now())
    owner = person(hand, {3: "200000", 4: "1"})
    found = [stands(run_night(day), owner) for day in (MARCH, APRIL, MAY, JUNE)]
    assert [(s.tier, s.months_below) for s in found] == [
        ("platinum", 0), ("platinum", 1), ("platinum", 2), ("ordinary", 0),
    ]  # fmt: skip
    assert [s.protected_until for s in found] == [JUNE, JUNE, JUNE, None]


def test_tiers_rise_at_month_end_and_to_the_top_on_the_day(hand):
    riser = person(hand, {3: "60000", 5: "5000000"})
    rich = person(hand, {3: "60000", 5: "6000000"})
    run_night(MARCH)
    eve, end = run_night(MAY - DAY), run_night(MAY)
    assert (stands(eve, riser).tier, stands(eve, riser).tier_by_figures) == ("gold", "diamond")
    assert stands(eve, riser).next_gap == 0  # platinum is reached: it comes with the month's end
    assert stands(eve, rich).tier == "private" and stands(end, riser).tier == "diamond"
    assert changes(riser)[1:] == [(MAY, "gold", "diamond", "upgrade")]
    assert changes(rich)[1:] == [(MAY - DAY, "gold", "private", "upgrade")]
    assert stands(end, rich).next_tier == "" and stands(end, rich).next_gap is None


def test_the_top_tier_waits_for_month_end_where_the_bank_says_so_and_for_firms(hand):
    parameters.put("top_tier_at_once", False, valid_from=MARCH, why="test", at=clock.now())
    rich = person(hand, {3: "60000", 5: "6000000"})
    big = firm(hand, {1: "100", 5: "900000000"})
    run_night(MARCH)
    eve, end = run_night(MAY - DAY), run_night(MAY)
    assert stands(eve, rich).tier == "gold" and stands(end, rich).tier == "private"
    assert stands(eve, big).tier_by_figures == "strategic" != stands(eve, big).tier
    assert stands(end, big).tier == "strategic"


def test_a_firm_falls_by_what_the_kept_month_ends_said(hand):
    """30 million until March, nothing after: the year's average is 22.5, 17.9 and 14.9 million at the next month ends."""
    key = firm(hand, {1: "30000000", 4: "0"})
    kept = firm(hand, {1: "30000000", 4: "18000000"})  # 27 million at the end of April: nine tenths exactly
    run_night(MARCH)
    runs = [run_night(day) for day in (APRIL, MAY, JUNE)]
    found = [stands(run, key) for run in runs]
    assert [(s.tier, s.months_below) for s in found] == [("key", 1), ("key", 2), ("quality", 0)]
    # By earnings he is nearer to nine tenths than by deposits, which are 4.5 million short of 27.
    assert found[0].drop_gap == found[0].related_annual - 900_000 > -4_500_000
    assert [stands(run, kept).months_below for run in runs] == [0, 1, 2]
    assert stands(runs[0], kept).drop_gap == 0


def test_a_month_end_nobody_ran_is_not_held_against_a_firm(hand):
    key = firm(hand, {1: "30000000", 4: "0"})
    for day in (MARCH, APRIL, JUNE):
        run = run_night(day)
    assert (stands(run, key).tier, stands(run, key).months_below) == ("key", 1)


def test_a_firm_lacks_the_smaller_and_may_lose_the_larger_of_its_two_ways(hand):
    owner = firm(hand, {1: "29000000"})
    standing = stands(run_night(MARCH), owner)
    assert standing.tier == "quality" and standing.next_tier == "key"
    by_earning = Decimal(1_000_000) - standing.related_annual
    assert standing.next_gap == min(by_earning, Decimal(1_000_000))
    assert standing.drop_gap == Decimal(24_500_000)  # 29 million − 0.9 × 5; by earnings far less


def test_what_people_decide_holds_from_its_first_day_until_its_last(hand):
    owner = person(hand, {3: "60000", 5: "300000"})
    run_night(MARCH)
    decided(owner, "private", APRIL - 2 * DAY, MAY + 3 * DAY)
    days = (APRIL - 3 * DAY, APRIL - 2 * DAY, APRIL, MAY + 2 * DAY, MAY + 3 * DAY, JUNE)
    found = [stands(run_night(day), owner) for day in days]
    assert [s.tier for s in found] == ["gold", "private", "private", "private", "platinum", "platinum"]
    assert changes(owner)[1:] == [
        (APRIL - 2 * DAY, "gold", "private", "override"),
        (MAY + 3 * DAY, "private", "platinum", "expired"),
    ]
    assert found[1].protected_until is None and found[4].tier_since == MAY + 3 * DAY


def test_after_a_decision_that_said_what_the_figures_said_the_usual_rules_go_on(hand):
    """Diamond by decision and by figures when it runs out: a poor month later he is not thrown out at once."""
    owner = person(hand, {3: "60000", 4: "2500000", 5: "100"})
    run_night(MARCH)
    decided(owner, "diamond", APRIL - DAY, APRIL)
    found = [stands(run_night(day), owner) for day in (APRIL - DAY, APRIL, MAY - DAY, MAY)]
    assert [(s.tier, s.months_below) for s in found] == [
        ("diamond", 0), ("diamond", 0), ("diamond", 0), ("diamond", 1),
    ]  # fmt: skip
    assert [why for *_, why in changes(owner)] == ["first", "override"]


def test_a_decided_tier_is_an_input_of_the_night_and_makes_it_stale_from_its_first_day(hand):
    owner = person(hand, {3: "60000"})
    first = run_night(APRIL)
    decided(owner, "vip", APRIL + DAY, JUNE)
    assert not nights.is_stale(nights.published(APRIL)) and run_night(APRIL).pk == first.pk
    row = decided(owner, "diamond", APRIL - DAY, APRIL + DAY)
    night = nights.published(APRIL)
    assert nights.is_stale(night)
    again = run_night(APRIL)
    assert again.pk != first.pk and again.inputs["overrides"] == [row.pk]
    assert stands(again, owner).tier == "diamond"
    assert not nights.is_stale(nights.published(APRIL))


def test_a_decision_that_comes_while_the_night_runs_ends_it_unpublished(hand):
    owner = person(hand, {3: "60000"})
    run = nightly.run_for(APRIL, at=clock.now())
    decided(owner, "diamond", APRIL, APRIL + DAY)
    jobs.work_on(run.pk, worker="test", at=clock.now(), seconds=600)
    run.refresh_from_db()
    assert run.state == "dead" and "decided by people" in run.error and nights.published(APRIL) is None
    assert stands(run_night(APRIL), owner).tier == "diamond"


def test_a_firm_named_strategic_is_so_at_once_and_falls_to_its_figures_when_struck_off(hand):
    owner = firm(hand, {1: "6000000"})
    run_night(MARCH)
    parameters.put(
        "strategic_customers", [owner.customer_no], valid_from=APRIL - DAY, why="test", at=clock.now()
    )
    parameters.put("strategic_customers", [], valid_from=MAY - DAY, why="test", at=clock.now())
    found = [stands(run_night(day), owner) for day in (APRIL - DAY, APRIL, MAY - DAY)]
    assert [(s.tier, s.tier_by_figures) for s in found] == [
        ("strategic", "quality"), ("strategic", "quality"), ("quality", "quality"),
    ]  # fmt: skip
    assert [why for *_, why in changes(owner)] == ["first", "strategic", "expired"]


def test_a_closed_customer_keeps_his_last_tier(hand):
    owner = hand.customer("individual", closed_on=APRIL)
    hand.account(owner, "demand_deposit", {month(3): "600000", APRIL: "0"})
    run_night(MARCH)
    found = [stands(run_night(day), owner) for day in (APRIL, MAY, JUNE, JULY)]
    assert {(s.tier, s.tier_since) for s in found} == {("vip", MARCH)} and len(changes(owner)) == 1


def test_running_a_month_end_again_gives_the_same_and_touches_no_other_date(hand):
    owner = person(hand, {3: "200000", 4: "100"})
    key = firm(hand, {1: "30000000", 4: "0"})
    runs = {day: run_night(day) for day in (MARCH, APRIL, MAY, JUNE)}
    before = {day: results_of(run) for day, run in runs.items()}
    assert stands(runs[JUNE], owner).tier == "ordinary" and stands(runs[JUNE], key).tier == "quality"
    # Another input of April alone: what is decided for that day.
    decided(owner, "gold", APRIL, APRIL + DAY)
    again = run_night(APRIL)
    assert again.attempt == 2 and stands(again, owner).tier == "gold"
    assert {day: results_of(runs[day]) for day in (MARCH, MAY, JUNE)} == {
        d: before[d] for d in (MARCH, MAY, JUNE)
    }
    TierOverride.rows.filter(customer=owner).delete()
    assert results_of(run_night(APRIL)) == before[APRIL]


def test_the_check_finds_a_tier_no_change_tells_of(hand):
    owner = person(hand, {3: "200000"})
    run = run_night(MARCH)
    night = steps.Night(run.pk, MARCH, run.inputs, policy.on(MARCH))
    check = sqlrun.load(steps.SQL / "checks" / "tiers_change_as_written.sql")
    with connection.cursor() as cursor:
        assert sqlrun.run(cursor, check, night.params) == 0
        Standing.rows.filter(run_id=run.pk, customer=owner).update(tier="vip")
        assert sqlrun.run(cursor, check, night.params) == 1


def test_a_tier_the_bank_has_given_up_begins_anew(hand):
    owner = person(hand, {3: "200000"})
    run_night(MARCH)
    ladder = [["ordinary", "0"], ["vip", "100000"], ["private", "6000000"]]
    parameters.put("personal_tiers", ladder, valid_from=APRIL - DAY, why="test", at=clock.now())
    assert stands(run_night(APRIL - DAY), owner).tier == "vip"
    assert changes(owner)[1:] == [(APRIL - DAY, "", "vip", "first")]


@pytest.mark.parametrize("months", [1, 2, 3, 12, 13])
def test_months_after_a_day_end_with_the_shorter_month(months):
    day = datetime.date(2026, 1, 31)
    found = tiers.months_after(day, months)
    total = day.month - 1 + months
    assert (found.year, found.month) == (2026 + total // 12, total % 12 + 1)
    assert found.day == 31 or (found + DAY).day == 1


FACTORS = [0, 0.4, 0.8999, 0.9, 0.95, 1, 1.05, 1.3]
FLOORS = {
    "individual": [50_000, 200_000, 500_000, 2_000_000, 6_000_000],
    "corporate": [5_000_000, 30_000_000, 100_000_000],
}


class History:
    """Customers with random balances; each night's verdicts by the pure functions from what was written before it."""

    def __init__(self, hand, seed: int) -> None:
        self.rng = rng = random.Random(seed)
        self.balances, self.held, self.month_ends, self.customers = {}, {}, {}, []
        for number in range(36):
            kind = "corporate" if number % 4 == 0 else "individual"
            closed_on = rng.choice([None] * 7 + [JUNE - DAY])
            owner = hand.customer(kind, closed_on=closed_on)
            self.customers.append(owner)
            self.balances[owner.pk] = []
            for family in ("demand_deposit", "fund")[: rng.choice([1, 1, 2])]:
                moves = {}
                for n in range(1, 10):
                    if rng.random() < 0.8:
                        day = month(n) + DAY * rng.choice([0, 0, 0, rng.randrange(28)])
                        floor = rng.choice(FLOORS[kind][: rng.choice([2, 5])])
                        moves[day] = Decimal(str(round(floor * rng.choice(FACTORS), 2)))
                self.balances[owner.pk].append((family, moves))
                hand.account(owner, family, moves)
        self.decisions = []
        for owner in rng.sample(self.customers, 8):
            tier = rng.choice([rung.tier for rung in tiers.ladder(owner.kind, RULES)])
            starts = month(rng.randrange(2, 8)) + DAY * rng.randrange(28)
            self.decisions.append(decided(owner, tier, starts, starts + DAY * rng.randrange(1, 90)))

    def assets(self, owner, stretch) -> Fraction:
        weight = {"demand_deposit": Fraction(1), "fund": Fraction(1, 2)}
        sums = (
            weight[family] * Fraction(sum_over_days(moves, stretch))
            for family, moves in self.balances[owner.pk]
        )
        return sum(sums, Fraction(0)) / stretch.days

    def figures(self, owner, day: datetime.date, standing: Standing) -> tuple[tiers.Figures, list]:
        recent = periods.of(day).recent
        if owner.kind == "individual":
            now, *earlier = (tiers.Figures(self.assets(owner, stretch)) for stretch in recent)
            return now, earlier
        deposit = sum(
            (Fraction(sum_over_days(moves, periods.of(day).year)) for family, moves in self.balances[owner.pk]
             if family == "demand_deposit"), Fraction(0),
        ) / periods.of(day).year.days  # fmt: skip
        now = tiers.Figures(Fraction(standing.related_annual), deposit)
        return now, [self.month_ends.get((owner.pk, stretch.last)) for stretch in recent[1:]]

    def verdict(
        self, owner, day: datetime.date, before: datetime.date | None, standing: Standing, rules
    ) -> tiers.Verdict:
        now, earlier = self.figures(owner, day, standing)
        mine = [o for o in self.decisions if o.customer_id == owner.pk]
        tonight = [o.tier for o in mine if o.starts_on <= day < o.ends_on]
        case = tiers.Case(
            day, owner.kind, now, earlier,
            override=tonight[0] if tonight else None,
            override_ended=not tonight and any(before and o.starts_on <= before < o.ends_on for o in mine),
            closed=owner.closed_on is not None and owner.closed_on <= day,
        )  # fmt: skip
        verdict = tiers.decide(case, self.held.get(owner.pk), rules)
        self.held[owner.pk] = tiers.Holding(verdict.tier, verdict.tier_since, verdict.why)
        if periods.is_month_end(day):
            self.month_ends[owner.pk, day] = now
        return verdict


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_night_by_night_the_statements_decide_as_the_pure_functions(hand, seed):
    for name, value in (("asset_coefficients", {"fund": "0.5"}), ("tier_downgrade_months", 2 + seed % 2)):
        parameters.put(name, value, valid_from=month(1), why="test", at=clock.now())
    history = History(hand, seed)
    days = [MARCH, APRIL, MAY, JUNE, JULY, datetime.date(2026, 8, 31), datetime.date(2026, 9, 30)]
    days += [month(n) + DAY * history.rng.randrange(1, 27) for n in range(3, 10)]
    if seed == 3:
        days.remove(MAY)  # a month end nobody ran
    before, whys = None, set()
    for day in sorted(days):
        run = run_night(day)
        rows = {row.customer_id: row for row in Standing.rows.filter(run_id=run.pk)}
        written = {row.customer_id: row for row in TierChange.rows.filter(run=run)}
        for owner in history.customers:
            told = rows[owner.pk]
            verdict = history.verdict(owner, day, before, told, policy.on(day))
            for column in verdict.__dataclass_fields__:
                if column not in ("was", "why"):
                    assert getattr(told, column) == getattr(verdict, column), (owner.pk, day, column, verdict)
            change = written.get(owner.pk)
            assert (change is not None) == (verdict.was != verdict.tier)
            if change is not None:
                assert (change.was, change.becomes, change.why) == (verdict.was, verdict.tier, verdict.why)
                whys.add(change.why)
        before = day
    assert whys >= {"first", "upgrade", "downgrade", "override", "expired"}
