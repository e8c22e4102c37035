"""What a night tells: every signal, tier move and near floor, once within its cool-down, graver news at once."""

import datetime
from decimal import Decimal

import pytest
from django.db import connection

from crm.core import clock, parameters, sqlrun
from crm.core.models import Run
from segmentation import policy, steps
from segmentation.models import Alert, PublishedNight, Signal, Standing, TierChange
from segmentation.models.signals import AlertKind, Level
from tests.segmentation.rows import Hand, results_of, run_night

pytestmark = pytest.mark.django_db
DAY = datetime.date(2026, 11, 30)
FIRST = datetime.date(2026, 11, 1)
COOLDOWNS = policy._CHOICES["alert_cooldown_days"][0]
SIGNALS = [kind for kind in AlertKind if not kind.startswith(("tier_", "near_"))]


@pytest.fixture
def hand():
    return Hand(DAY)


def before(days: int) -> datetime.date:
    return DAY - datetime.timedelta(days=days)


def told_before(days: int, customer, kind: str, *, published: bool = True, **facts) -> Alert:
    """An alert of an earlier night, ``days`` before DAY; its run is the published one of its date, or an attempt that
    was superseded before anybody saw it."""
    on = before(days)
    seen = PublishedNight.objects.filter(business_date=on).first()
    last = Run.objects.filter(kind="night", business_date=on).count()
    run = seen.run if seen and published else Run.objects.create(
        kind="night", business_date=on, attempt=last + 1, state="done", created_at=clock.now()
    )  # fmt: skip
    if published and not seen:
        PublishedNight.objects.create(
            business_date=on, run=run, customers=1, base_currency="CNY", published_at=clock.now(), kept=False
        )
    return Alert.rows.create(
        run=run, raised_on=on, customer=customer, kind=kind, **{"level": "orange", **facts}
    )


class Tonight:
    """The night of DAY with signals and tier moves written by hand instead of worked out from the feed."""

    def __init__(self, hand: Hand) -> None:
        self.run = run_night(DAY)
        self.night = steps.Night(self.run.pk, DAY, self.run.inputs, policy.on(DAY))
        # What the real night found of the small bank and of these rows is another test's subject.
        for model in (Alert, Signal, TierChange):
            model.rows.filter(run_id=self.run.pk).delete()
        Standing.rows.filter(run_id=self.run.pk).update(next_gap=None, drop_gap=None, protected_until=None)

    def signal(self, customer, kind: str, *, account=None, level: str = "orange", **facts) -> None:
        empty = {"amount": None, "figure": None, "due_on": None, "was": "", "becomes": ""}
        Signal.rows.create(
            run_id=self.run.pk, customer=customer, kind=kind, account_id=account.pk if account else 0,
            level=level, **empty | facts,
        )  # fmt: skip

    def moved(self, customer, was: str, becomes: str, why: str = "upgrade") -> None:
        TierChange.rows.create(
            run_id=self.run.pk, customer=customer, on_date=DAY, was=was, becomes=becomes, why=why
        )

    def stands(self, customer, **facts) -> None:
        Standing.rows.filter(run_id=self.run.pk, customer=customer).update(**facts)

    def tell(self) -> list[Alert]:
        with connection.cursor() as cursor:
            steps.alert(cursor, self.night)
        return list(Alert.rows.filter(run=self.run).order_by("pk"))

    def faults(self) -> list[str]:
        """The checks of alerts that found a row."""
        found = []
        with connection.cursor() as cursor:
            for name in ("alerts_have_their_fact", "every_signal_is_told"):
                if sqlrun.run(cursor, sqlrun.load(steps.SQL / "checks" / f"{name}.sql"), self.night.params):
                    found.append(name)
        return found


@pytest.mark.parametrize("kind", SIGNALS)
def test_a_signal_is_told_with_its_amount_its_figure_and_its_dates(hand, kind):
    owner = hand.customer("individual")
    account = hand.account(owner, "term_deposit", {FIRST: "200000"})
    tonight = Tonight(hand)
    facts = {
        "amount": Decimal("200000.00"),
        "figure": Decimal("7.0000"),
        "due_on": DAY,
        "was": "a",
        "becomes": "b",
    }
    tonight.signal(owner, kind, account=account, level="red", **facts)
    [alert] = tonight.tell()
    assert (alert.customer, alert.account, alert.kind, alert.level, alert.raised_on) == (
        owner, account, kind, "red", DAY,
    )  # fmt: skip
    assert facts == {name: getattr(alert, name) for name in facts}
    assert not tonight.faults()


@pytest.mark.parametrize(
    ("kind_of_customer", "was", "becomes", "kind", "level"),
    [
        ("individual", "gold", "platinum", "tier_won", "note"), ("individual", "vip", "gold", "tier_lost", "orange"),
        ("corporate", "inefficient", "general", "tier_won", "note"), ("corporate", "strategic", "key", "tier_lost", "orange"),
    ],
)  # fmt: skip
def test_a_tier_that_moved_is_told_by_the_order_of_the_tiers_of_its_kind(
    hand, kind_of_customer, was, becomes, kind, level
):
    owner = hand.customer(kind_of_customer)
    hand.account(owner, "demand_deposit", {FIRST: "70000"})
    tonight = Tonight(hand)
    tonight.moved(owner, was, becomes)
    [alert] = tonight.tell()
    assert (alert.kind, alert.level, alert.was, alert.becomes) == (kind, level, was, becomes)
    assert alert.amount == 70000 and alert.account is None
    assert not tonight.faults()


def test_a_signal_about_no_sum_in_particular_puts_all_he_holds_at_stake(hand):
    owner = hand.customer("individual")
    hand.account(owner, "fund", {FIRST: "70000"})
    tonight = Tonight(hand)
    tonight.signal(owner, "identity_expiring", due_on=DAY)
    assert [a.amount for a in tonight.tell()] == [70000]


def test_a_first_tier_is_no_news(hand):
    tonight = Tonight(hand)
    owner = Standing.rows.filter(run_id=tonight.run.pk).first().customer
    tonight.moved(owner, "", "gold", why="first")
    assert tonight.tell() == []


@pytest.mark.parametrize(
    ("kind", "was", "becomes", "gap", "told"),
    [
        # A tenth of the next floor, 200,000 for platinum, 200,000 a year for a firm's quality.
        ("individual", "gold", "platinum", "20000.00", True), ("individual", "gold", "platinum", "20000.01", False),
        ("corporate", "general", "quality", "20000.00", True), ("corporate", "general", "quality", "20000.01", False),
        ("individual", "gold", "platinum", "0.00", True),
    ],
)  # fmt: skip
def test_close_to_the_next_tier_is_within_a_tenth_of_its_floor(hand, kind, was, becomes, gap, told):
    owner = hand.customer(kind)
    tonight = Tonight(hand)
    tonight.stands(owner, tier=was, next_tier=becomes, next_gap=Decimal(gap))
    found = tonight.tell()
    assert [(a.kind, a.level, a.amount, a.was, a.becomes) for a in found] == (
        [("near_up", "note", Decimal(gap), was, becomes)] if told else []
    )
    assert not tonight.faults()


def test_a_firm_lacking_deposits_is_held_against_the_floor_of_deposits(hand):
    # 29,000,000 on each of the 334 days of the year so far; key customers begin at 30,000,000.
    owner = hand.customer("corporate")
    hand.account(owner, "demand_deposit", {datetime.date(2025, 12, 31): "29000000"})
    tonight = Tonight(hand)
    tonight.stands(owner, tier="quality", next_tier="key", next_gap=Decimal("1000000.00"))
    [alert] = tonight.tell()
    assert (alert.kind, alert.amount, alert.figure) == ("near_up", 1000000, Decimal("0.0333"))


@pytest.mark.parametrize(
    ("gap", "level"),
    [
        ("20000.00", "blue"),
        ("20000.01", None),
        ("0.00", "blue"),
        ("-0.01", "yellow"),
        ("-90000.00", "yellow"),
    ],
)
def test_a_tier_is_at_risk_close_above_its_line_and_graver_below_it(hand, gap, level):
    owner = hand.customer("individual")
    tonight = Tonight(hand)
    tonight.stands(owner, tier="platinum", drop_gap=Decimal(gap))
    found = tonight.tell()
    assert [(a.kind, a.level, a.was, a.becomes) for a in found] == (
        [("near_down", level, "platinum", "gold")] if level else []
    )
    assert not tonight.faults()


def test_a_firm_that_holds_its_tier_by_deposits_is_held_against_their_floor(hand):
    # 29,000,000 where key customers begin at 30,000,000 and lose the tier below 27,000,000.
    owner = hand.customer("corporate")
    hand.account(owner, "demand_deposit", {datetime.date(2025, 12, 31): "29000000"})
    tonight = Tonight(hand)
    tonight.stands(owner, tier="key", drop_gap=Decimal("2000000.00"))
    [alert] = tonight.tell()
    assert (alert.kind, alert.level, alert.figure) == ("near_down", "blue", Decimal("0.0667"))
    Alert.rows.filter(pk=alert.pk).delete()
    # By what it brings in it holds the tier no longer than from 900,000 a year on: 2,000,000 above that is far.
    tonight.stands(owner, drop_gap=Decimal("2000000.01"))
    assert tonight.tell() == []


def test_who_won_his_tier_lately_is_not_said_to_lose_it(hand):
    owner = hand.customer("individual")
    tonight = Tonight(hand)
    tonight.stands(owner, tier="platinum", drop_gap=Decimal(1), protected_until=DAY + datetime.timedelta(1))
    assert tonight.tell() == []
    tonight.stands(owner, protected_until=DAY)
    assert [a.kind for a in tonight.tell()] == ["near_down"]


def test_a_tier_that_moved_tonight_is_not_told_as_near_as_well(hand):
    owner = hand.customer("individual")
    tonight = Tonight(hand)
    tonight.moved(owner, "vip", "platinum")
    tonight.stands(owner, tier="platinum", next_tier="vip", next_gap=Decimal(1), drop_gap=Decimal(1))
    assert [a.kind for a in tonight.tell()] == ["tier_lost"]


def test_a_closed_customer_raises_nothing(hand):
    owner = hand.customer("individual", closed_on=before(1))
    tonight = Tonight(hand)
    tonight.signal(owner, "deposits_down", level="red")
    tonight.moved(owner, "vip", "gold")
    tonight.stands(owner, tier="gold", next_tier="platinum", next_gap=Decimal(1), drop_gap=Decimal(1))
    assert tonight.tell() == [] and not tonight.faults()


@pytest.mark.parametrize("kind", [*SIGNALS, "near_up", "near_down"])
def test_the_same_is_told_again_on_the_day_its_cool_down_is_over_and_not_a_day_before(hand, kind):
    early, due = hand.customer("individual"), hand.customer("individual")
    told_before(COOLDOWNS[kind] - 1, early, kind)
    told_before(COOLDOWNS[kind], due, kind)
    tonight = Tonight(hand)
    for owner in (early, due):
        if kind in SIGNALS:
            tonight.signal(owner, kind)
        else:
            gap = "next_gap" if kind == "near_up" else "drop_gap"
            tonight.stands(owner, tier="gold", next_tier="platinum", **{gap: Decimal(1)})
    assert [(a.customer, a.kind) for a in tonight.tell()] == [(due, kind)]
    assert not tonight.faults()


def test_a_tier_has_no_cool_down(hand):
    owner = hand.customer("individual")
    told_before(1, owner, "tier_lost")
    tonight = Tonight(hand)
    tonight.moved(owner, "vip", "gold")
    assert [a.kind for a in tonight.tell()] == ["tier_lost"]


@pytest.mark.parametrize("earlier", Level.values)
@pytest.mark.parametrize("now", Level.values)
def test_only_a_graver_level_breaks_the_cool_down(hand, earlier, now):
    owner = hand.customer("individual")
    told_before(3, owner, "deposits_down", level=earlier)
    tonight = Tonight(hand)
    tonight.signal(owner, "deposits_down", level=now)
    graver = Level.values.index(now) < Level.values.index(earlier)
    assert bool(tonight.tell()) == graver and not tonight.faults()


def test_graver_is_held_against_the_gravest_told_within_the_cool_down(hand):
    owner = hand.customer("individual")
    told_before(20, owner, "deposits_down", level="red")
    told_before(2, owner, "deposits_down", level="yellow")
    tonight = Tonight(hand)
    tonight.signal(owner, "deposits_down", level="orange")
    assert tonight.tell() == []


def test_each_account_customer_and_kind_cools_down_by_itself(hand):
    owner, other = hand.customer("individual"), hand.customer("individual")
    first, second = (hand.account(owner, "term_deposit", {FIRST: "1"}) for _ in range(2))
    told_before(3, owner, "maturity", account=first)
    told_before(3, owner, "large_outflow", account=second)
    told_before(3, owner, "maturity")
    told_before(3, other, "maturity", account=second)
    tonight = Tonight(hand)
    for account in (first, second):
        tonight.signal(owner, "maturity", account=account)
    assert [(a.customer, a.account) for a in tonight.tell()] == [(owner, second)]
    assert not tonight.faults()


def test_what_nobody_was_shown_was_not_told(hand):
    owner = hand.customer("individual")
    told_before(3, owner, "maturity", published=False)  # never published, or superseded
    tonight = Tonight(hand)
    tonight.signal(owner, "maturity")
    assert [a.customer for a in tonight.tell()] == [owner]


def test_a_later_night_that_was_run_first_does_not_silence_an_earlier_one(hand):
    owner = hand.customer("individual")
    told_before(-3, owner, "maturity")
    tonight = Tonight(hand)
    tonight.signal(owner, "maturity")
    assert [a.customer for a in tonight.tell()] == [owner]


def test_a_cool_down_is_a_dated_parameter(hand):
    owner = hand.customer("individual")
    told_before(3, owner, "maturity")
    parameters.put(
        "alert_cooldown_days", {**COOLDOWNS, "maturity": 3}, valid_from=FIRST, why="test", at=clock.now()
    )
    tonight = Tonight(hand)
    tonight.signal(owner, "maturity")
    assert [a.customer for a in tonight.tell()] == [owner]


def test_run_again_a_date_tells_the_same_to_the_byte(hand):
    owner, other = hand.customer("individual"), hand.customer("individual")
    accounts = [hand.account(owner, "term_deposit", {FIRST: "1"}) for _ in range(3)]
    told_before(3, owner, "maturity", account=accounts[0])
    attempts = []
    for _ in range(2):
        tonight = Tonight(hand)
        for account in reversed(accounts):
            tonight.signal(owner, "maturity", account=account, amount=Decimal(1), due_on=DAY)
        tonight.stands(other, tier="gold", next_tier="platinum", next_gap=Decimal(1))
        tonight.tell()
        attempts.append(tonight.run)
        # Made under other rules: the next time another attempt is due.
        Run.objects.filter(pk=tonight.run.pk).update(code_version="older")
    first, second = attempts
    assert first.pk != second.pk
    assert len(results_of(first)["Alert"]) == 3 and results_of(first)["Alert"] == results_of(second)["Alert"]


def test_the_checks_find_an_alert_without_its_fact_and_a_signal_nobody_is_told_of(hand):
    owner = hand.customer("individual")
    tonight = Tonight(hand)
    tonight.signal(owner, "large_inflow", level="note")
    [alert] = tonight.tell()
    Alert.rows.filter(pk=alert.pk).update(kind="maturity")
    assert tonight.faults() == ["alerts_have_their_fact", "every_signal_is_told"]
    Alert.rows.filter(pk=alert.pk).update(kind="large_inflow", level="red")
    assert tonight.faults() == ["alerts_have_their_fact"]
    Alert.rows.filter(pk=alert.pk).update(level="note")
    assert tonight.faults() == []
