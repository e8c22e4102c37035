"""What a customer does and holds: the night's statements against the pure functions, on random histories and on customers
computed by hand."""

import datetime
import random
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import pytest
from django.db import connection

from customers.models import Account, Customer, OutsideHolding, Transaction
from segmentation import behaviour, nights, periods, policy, steps
from segmentation.contribution import rounded
from segmentation.models import Behaviour
from segmentation.models.behaviour import Life
from tests.segmentation.rows import Hand, run_night
from tests.segmentation.test_day_averages import sum_over_days

DAY = datetime.timedelta(days=1)
AS_OF = datetime.date(2026, 11, 18)
LONG_AGO = datetime.date(2020, 1, 1)
DATES = [
    AS_OF, datetime.date(2026, 12, 31), datetime.date(2027, 1, 1), datetime.date(2027, 3, 1), datetime.date(2027, 2, 28),
    datetime.date(2028, 2, 29), datetime.date(2029, 2, 28),
]  # fmt: skip
KINDS = [
    "salary", "salary", "loan_repayment", "loan_repayment", "transfer_out", "card_payment", "fee", "interest_credit",
    "interest_charge", "penalty_interest",
]  # fmt: skip
FX = {"CNY": Decimal(1), "GBP": Decimal("9.12345678"), "KRW": Decimal(1)}


NOTHING = {
    "own_90d": 0, "own_180d": 0, "last_own_on": None, "salary_mask": 0, "repaid": 0, "month_sum": 0,
    "recent_sums": [0] * periods.MONTHS,
}  # fmt: skip


def edges(as_of: datetime.date) -> list[datetime.date]:
    """Days on which a window or a month begins, and those beside them."""
    firsts = [month.first for month in periods.of(as_of).recent]
    starts = [as_of - DAY * 89, as_of - DAY * 179, periods.of(as_of).rolling.first, *firsts]
    return [as_of, *starts, *(start - DAY for start in starts)]


def some_day(
    rng: random.Random, as_of: datetime.date, ago: tuple[tuple[int, int], ...] = ((0, 430),)
) -> datetime.date:
    """One of the edges or any day, so many days ago: in one of the half-open stretches."""
    days = [d for d in edges(as_of) if any(least <= (as_of - d).days < most for least, most in ago)]
    return rng.choice(days) if days and rng.random() < 0.5 else as_of - DAY * rng.randrange(*rng.choice(ago))


def some_amount(rng: random.Random, least: int = -(10**6)) -> Decimal:
    return Decimal(rng.randrange(least, 10**8)) / 100


def some_bookings(rng: random.Random, as_of: datetime.date, most: int = 12, ago=((0, 430),)) -> list[tuple]:
    """Rows of (day, amount, kind, channel)."""
    channels = ["counter", "mobile", "batch"]
    return [
        (some_day(rng, as_of, ago), some_amount(rng, -(10**8)), rng.choice(KINDS), rng.choice(channels))
        for _ in range(rng.randrange(most))
    ]


def some_balances(rng: random.Random, as_of: datetime.date) -> dict[datetime.date, Decimal]:
    return {some_day(rng, as_of): some_amount(rng) for _ in range(rng.randrange(7))}


def stage_sums(name: str, as_of: datetime.date) -> dict[int, dict]:
    """Run one of the two statements that fill ``stage_sum``; return its rows by account."""
    night = steps.Night(0, as_of, nights.inputs_of(as_of, "CNY"), policy.on(as_of))
    with connection.cursor() as cursor:
        steps.absorb(cursor, night)
        steps.make_stages(cursor, "stage_sum")
        steps.statement(cursor, name, night)
        cursor.execute("select * from stage_sum")
        columns = [column.name for column in cursor.description]
        return {row[0]: dict(zip(columns, row, strict=True)) for row in cursor.fetchall()}


def counted(balances: dict, bookings: list[tuple], as_of: datetime.date) -> dict:
    """What the statements must say of an account, counted day by day and booking by booking. Money in cents."""
    kinds = [(on, kind) for on, _, kind, _ in bookings]
    return {
        "own_90d": behaviour.own_bookings(kinds, as_of, 90),
        "own_180d": behaviour.own_bookings(kinds, as_of, 180),
        "last_own_on": behaviour.last_own(kinds, as_of),
        "salary_mask": behaviour.months_mask([on for on, kind in kinds if kind == "salary"], as_of),
        "repaid": 100 * behaviour.repaid([(on, kind, amount) for on, amount, kind, _ in bookings], as_of),
        "recent_sums": [100 * sum_over_days(balances, month) for month in periods.of(as_of).recent],
    }


@pytest.mark.django_db
@pytest.mark.parametrize("as_of", DATES, ids=str)
@pytest.mark.parametrize("name", ["20_sums_from_months", "21_sums_as_known"])
def test_both_ways_to_add_up_say_what_counting_day_by_day_says(name, as_of):
    rng = random.Random(as_of.toordinal())
    hand = Hand(as_of)
    owner = hand.customer("individual")
    wanted = {}
    for _ in range(12):
        balances = some_balances(rng, as_of)
        bookings = some_bookings(rng, as_of, ago=rng.choice([((0, 430),), ((355, 430),)]))
        account = hand.account(owner, "demand_deposit", balances)
        hand.bookings(account, bookings)
        if balances or bookings:
            wanted[account.pk] = counted(balances, bookings, as_of)
    found = stage_sums(name, as_of)
    for pk, columns in wanted.items():
        row = found.get(pk, NOTHING)  # nothing for a year needs no row
        assert {name: row[name] for name in columns} == columns
        assert row["recent_sums"][0] == row["month_sum"]


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(3))
def test_both_ways_agree_on_every_column_to_the_last_digit(seed):
    rng = random.Random(seed)
    hand = Hand(AS_OF)
    owner = hand.customer("individual")
    for _ in range(15):
        hand.bookings(
            hand.account(owner, "demand_deposit", some_balances(rng, AS_OF)), some_bookings(rng, AS_OF)
        )
    from_months, as_known = stage_sums("20_sums_from_months", AS_OF), stage_sums("21_sums_as_known", AS_OF)
    # Whoever moved nothing within the year has no row of bookings in one and zeros in the other: nothing either way.
    assert {pk: from_months[pk] for pk in as_known} == as_known
    assert len(as_known) > 15, "the small bank's accounts, too"


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["20_sums_from_months", "21_sums_as_known"])
def test_the_largest_balance_the_feed_takes_fails_no_night(name):
    largest, hand = Decimal("999999999999999.99"), Hand(AS_OF)
    owner = hand.customer("individual")
    kept = hand.account(owner, "demand_deposit", {AS_OF - DAY * 400: largest})
    turned = hand.account(owner, "demand_deposit", {AS_OF - DAY * 400: largest, AS_OF - DAY * 340: -largest})
    found = stage_sums(name, AS_OF)
    year, rolling = periods.of(AS_OF).year.days, periods.of(AS_OF).rolling.days
    assert found[kept.pk]["year_sum"] == 100 * largest * year
    assert found[kept.pk]["rolling_sum"] == 100 * largest * rolling
    assert found[turned.pk]["rolling_sum"] == 100 * largest * (24 - 341)
    run_night(AS_OF)


@dataclass
class Holding:
    """An account of a random bank, and all that was ever fed of it."""

    account: Account
    family: str
    balances: dict[datetime.date, Decimal]
    bookings: list[tuple]
    left: list[datetime.date]  # days on which money left for himself at another bank

    @property
    def fx(self) -> Decimal:
        return FX[self.account.currency]

    @property
    def is_open(self) -> bool:
        return self.account.closed_on is None or self.account.closed_on > AS_OF

    @property
    def sums(self) -> list[Decimal]:
        return [sum_over_days(self.balances, month) for month in periods.of(AS_OF).recent]

    @property
    def kinds(self) -> list[tuple[datetime.date, str]]:
        return [(on, kind) for on, _, kind, _ in self.bookings]

    def points(self, rules: policy.Policy) -> tuple[Decimal, Decimal]:
        """Of the month and of the year."""
        factor = behaviour.coefficient(self.family, self.account.opened_on, self.account.matures_on, rules)
        average = Fraction(self.sums[0]) / AS_OF.day
        return (
            behaviour.points(average, self.fx, factor),
            behaviour.points_of_year(self.sums, AS_OF, self.fx, factor),
        )


class RandomLives:
    """A bank of random customers, with what the formulas say of each of them."""

    FAMILIES = [
        "demand_deposit", "demand_deposit", "term_deposit", "term_deposit", "notice_deposit", "margin_deposit",
        "structured_deposit", "mortgage", "credit_card", "wealth", "insurance", "debit_card", "mobile_banking", "payroll",
    ]  # fmt: skip
    # When customers book: always, no longer, again after a long silence.
    HABITS = [((0, 430),), ((0, 430),), ((170, 430),), ((0, 91), (268, 430))]
    WITHOUT_BALANCE = {"debit_card", "mobile_banking", "payroll"}

    def __init__(self, seed: int):
        self.rng = random.Random(seed)
        self.hand = hand = Hand(AS_OF)
        hand.rate("fx", "GBP", AS_OF - DAY * 90, str(FX["GBP"]))
        self.rules = policy.on(AS_OF)
        # Bookings of anybody: silence is known.
        self.heard_since = AS_OF - DAY * 430
        hand.bookings(
            hand.account(hand.customer(), "demand_deposit"), [(self.heard_since, "1", "other", "batch")]
        )
        self.owners = [self._owner() for _ in range(48)]
        self.held = {owner.pk: self._holdings(owner) for owner in self.owners}
        self.outside = {owner.pk: self._outside(owner) for owner in self.owners}

    def _owner(self) -> Customer:
        rng = self.rng
        ages = [*range(300, 5000, 300), 0, 89, 90, 179, 180, 269, 270]
        return self.hand.customer(
            rng.choice(["individual", "corporate"]), AS_OF - DAY * rng.choice(ages), name=f" 陈{rng.random()} ",
            closed_on=rng.choice([None] * 7 + [AS_OF]),
        )  # fmt: skip

    def _holdings(self, owner: Customer) -> list[Holding]:
        ago = self.rng.choice(self.HABITS)
        return [self._holding(owner, ago) for _ in range(self.rng.randrange(4))]

    def _holding(self, owner: Customer, ago) -> Holding:
        rng = self.rng
        family = rng.choice(self.FAMILIES)
        balances = {} if family in self.WITHOUT_BALANCE else some_balances(rng, AS_OF)
        if balances and rng.random() < 0.4:  # he takes his money out
            balances = {on: amount for on, amount in balances.items() if on < AS_OF - DAY * 60} | {
                AS_OF - DAY * 60: Decimal(9)
            }
        opened = AS_OF - DAY * rng.randrange(600)
        term = rng.choice([None, 1, 183, 184, 366, 367, 731, 732, 1096, 1097, 4000])
        account = self.hand.account(
            owner, family, balances, currency=rng.choice(list(FX)), opened_on=opened,
            closed_on=rng.choice([None, None, None, AS_OF, AS_OF + DAY]), matures_on=opened + DAY * term if term else None,
        )  # fmt: skip
        bookings = some_bookings(rng, AS_OF, 6, ago)
        self.hand.bookings(account, bookings)
        left = self._transfers(account, owner, bookings, ago)
        return Holding(account, family, balances, bookings, left)

    def _transfers(
        self, account: Account, owner: Customer, bookings: list[tuple], ago
    ) -> list[datetime.date]:
        """Some to himself elsewhere, some that only look like it; return the days of the former."""
        rng, left = self.rng, []
        for _ in range(rng.randrange(3)):
            booked_on, amount = some_day(rng, AS_OF, ago), some_amount(rng, -(10**8))
            name = rng.choice([owner.name, owner.name.strip(), "somebody else", None])
            bank = rng.choice(["another bank", " another bank", "", " ", None])
            bookings.append((booked_on, amount, "transfer_out", "mobile"))
            self.hand.bookings(account, bookings[-1:])
            Transaction.rows.filter(account=account, booked_on=booked_on, amount=amount).update(
                counterparty_name=name, counterparty_bank=bank
            )
            if behaviour.leaves_the_bank(
                owner=owner.name, kind="transfer_out", amount=amount, name=name, bank=bank, policy=self.rules
            ):
                left.append(booked_on)
        return left

    def _outside(self, owner: Customer) -> Decimal | None:
        """Add some rows; return the sum of the newest per bank and family, of assets, up to the date."""
        rng, rows = self.rng, {}
        for _ in range(rng.randrange(4)):
            key = (
                rng.choice(["X", "Y"]),
                rng.choice(["term_deposit", "wealth", "mortgage"]),
                AS_OF + DAY * rng.randrange(-30, 3),
            )
            rows[key] = some_amount(rng, 0), rng.choice(list(FX))
        newest = {}
        for (bank, family, on), (amount, currency) in sorted(rows.items(), key=lambda row: row[0][2]):
            outside_holding(self.hand, owner, bank, family, on, amount, currency)
            if on <= AS_OF and family != "mortgage":
                newest[bank, family] = rounded(Fraction(amount) * Fraction(FX[currency]))
        return sum(newest.values(), Decimal(0)) if newest else None

    def said_of(self, owner: Customer) -> dict:
        """Every column of ``Behaviour``, by the pure functions."""
        held, rules = self.held[owner.pk], self.rules
        kinds = [row for holding in held for row in holding.kinds]
        salaries = behaviour.months_mask([on for on, kind in kinds if kind == "salary"], AS_OF)
        deposits = self._added([holding for holding in held if policy.SIDES[holding.family] == "deposit"])
        assets = self._added([h for h in held if policy.SIDES[h.family] in ("deposit", "investment")])
        points = [holding.points(rules) for holding in held]
        own_90d, last = behaviour.own_bookings(kinds, AS_OF, 90), behaviour.last_own(kinds, AS_OF)
        before = behaviour.own_bookings(kinds, AS_OF - DAY * 90, 180)
        facts = behaviour.Facts(
            owner.opened_on, owner.closed_on, assets, own_90d, before, last, self.heard_since
        )
        return {
            "classes": behaviour.classes_of([h.family for h in held if h.is_open], salaries, rules),
            "own_90d": own_90d,
            "own_180d": behaviour.own_bookings(kinds, AS_OF, 180),
            "last_own_on": last,
            "salary_mask": salaries,
            "outflow_mask": behaviour.months_mask([on for holding in held for on in holding.left], AS_OF),
            "repaid": sum((rounded(Fraction(repaid_into(h)) * Fraction(h.fx)) for h in held), Decimal(0)),
            "asset_sums": assets,
            "deposit_sums": deposits,
            "points_month": sum((month for month, _ in points), Decimal(0)),
            "points_year": sum((year for _, year in points), Decimal(0)),
            "outside_assets": self.outside[owner.pk],
            "life": behaviour.life_of(facts, AS_OF, rules),
        }

    @staticmethod
    def _added(held: list[Holding]) -> list[Decimal]:
        return [sum((h.sums[n] * h.fx for h in held), Decimal(0)) for n in range(periods.MONTHS)]


def repaid_into(holding: Holding) -> Decimal:
    return behaviour.repaid([(on, kind, amount) for on, amount, kind, _ in holding.bookings], AS_OF)


def outside_holding(
    hand: Hand, owner: Customer, bank: str, family: str, on: datetime.date, amount, currency="CNY"
) -> None:
    OutsideHolding.rows.create(
        customer=owner, bank_name=bank, family=family, as_of=on, amount=amount, currency=currency, source="declared",
        batch=hand.batch, known_on=hand.known_on,
    )  # fmt: skip


@pytest.fixture
def taken(monkeypatch) -> list[str]:
    """The names of the statements the night runs."""
    names: list[str] = []
    run = steps.statement

    def noted(cursor, name: str, night: steps.Night | None = None) -> int:
        names.append(name)
        return run(cursor, name, night)

    monkeypatch.setattr(steps, "statement", noted)
    return names


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("newest", [True, False], ids=["from months", "as known"])
def test_the_night_says_of_every_customer_what_the_formulas_say(seed, newest, taken):
    bank = RandomLives(seed)
    # Bookings of anybody: silence is known.
    bank.hand.bookings(
        bank.hand.account(bank.hand.customer(), "demand_deposit"),
        [(AS_OF - DAY * 430, "1", "other", "batch")],
    )
    if not newest:
        later = Hand(AS_OF + DAY)
        later.account(bank.owners[0], "demand_deposit", {AS_OF + DAY: "5"}, opened_on=AS_OF + DAY)
    run = run_night(AS_OF)
    assert ("20_sums_from_months" in taken) == newest
    found = {row.customer_id: row for row in Behaviour.rows.filter(run_id=run.pk)}
    for owner in bank.owners:
        wanted = bank.said_of(owner)
        assert {name: getattr(found[owner.pk], name) for name in wanted} == wanted
    assert {bank.said_of(owner)["life"] for owner in bank.owners} == set(Life.values), "everything was tried"
