"""The risk a night writes: a tiny bank worked out by hand, random banks against the formulas, and the check that every
score is the sum of its lines."""

import datetime
import random
from collections import defaultdict
from decimal import Decimal

import pytest
from django.db import connection

from crm.core import clock, parameters, sqlrun
from customers.models import Relation
from segmentation import contribution, policy, risk, steps
from segmentation.models import Behaviour, Risk, Signal
from tests.segmentation.rows import Hand, run_night

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)
AS_OF = datetime.date(2026, 11, 18)
LONG_AGO = datetime.date(2026, 1, 1)
IN_OCTOBER = datetime.date(2026, 10, 20)


class Told(dict):
    """What a customer must come to: score, coverage, and the lines that are not 0."""

    def __init__(self, score: str, coverage: str, **points: str):
        super().__init__({name: Decimal(value) for name, value in points.items()})
        self.score, self.coverage = Decimal(score), Decimal(coverage)


def lines_of(row: Risk) -> dict[str, Decimal]:
    lines = {name: getattr(row, f"{name}_points") for name in [*risk.COMPONENTS, "floor"]}
    return {name: points for name, points in lines.items() if points}


def tiny_bank(hand: Hand) -> dict:
    """Per customer what was worked out by hand. Sub-scores of a default probability: normal 45.4759, special mention
    68.8632, substandard 85.1576 (100 · ln(PD ÷ 0.0003) ÷ ln(1 ÷ 0.0003))."""
    person = lambda kyc="low", **facts: hand.customer("individual", kyc_grade=kyc, **facts)  # noqa: E731
    firm = lambda kyc="low", **facts: hand.customer("corporate", kyc_grade=kyc, **facts)  # noqa: E731

    def owes(owner, days=None, five_class=None, family="mortgage", **facts):
        return hand.account(
            owner, family, {LONG_AGO: "10000.00"}, days_past_due=days, five_class=five_class, **facts
        )

    told = {}
    told[person()] = Told("0", "1")
    unclassed = person(annual_income="120000")
    owes(unclassed)
    told[unclassed] = Told("0", "0.4")  # leverage 10, guarantee 5, warning 15, kyc 10 of 100

    late = person("medium", annual_income="120000")
    mortgage = owes(late, 35, "special_mention")
    hand.bookings(mortgage, [(IN_OCTOBER, "15000", "loan_repayment", "batch")])
    # 45 × 30 %, 68.8632 × 30 %, 5,000 of 10,000 a month is 50 × 10 %, 40 × 10 %: above the floor of 40.
    told[late] = Told("43.1590", "1", overdue="13.5", probability="20.6590", leverage="5", kyc="4")

    card = person(None)
    owes(card, 100, "special_mention", "credit_card")
    # Income and grade unknown: of 80. A card is substandard from 91 days on: a yellow warning.
    told[card] = Told("63.3237", "0.8", overdue="30", probability="25.8237", warning="7.5")

    first, second, third = ring = firm(), firm(), firm()
    owes(second, 100, "substandard", "business_loan")
    for customer, guarantor in zip(ring, (second, third, first), strict=True):
        hand.relation(customer, guarantor)
    # Firms: no liabilities, no payers: of 80. The first one's guarantor is in trouble: 100 + 30, clamped.
    told[first] = Told("12.5", "0.8", guarantee="12.5")
    told[second] = Told("70", "0.8", overdue="25", probability="26.6118", guarantee="3.75", floor="14.6382")
    told[third] = Told("3.75", "0.8", guarantee="3.75")

    vouched = person()
    hand.relation(vouched, late)
    hand.relation(vouched, unclassed)
    hand.relation(vouched, card, until=AS_OF)  # no longer
    hand.relation(vouched, second, since=AS_OF + DAY)  # not yet
    hand.relation(vouched, second, kind="supplier")
    told[vouched] = Told("2.5", "1", guarantee="2.5")

    told[person(None)] = Told("0", "0.9")
    expired = person("medium")
    hand.identity(expired, AS_OF - DAY * 40)
    told[expired] = Told("6", "1", kyc="6")
    valid = person("high")
    hand.identity(
        valid, AS_OF
    )  # good to the end of the day; a warning of its own only where the bank says so
    told[valid] = Told("10", "1", kyc="10")

    poor = person()
    owes(poor, 0, "normal")
    told[poor] = Told("15.1586", "0.9", probability="15.1586")  # income unknown: 45.4759 × 30 ÷ 90

    supplier = firm()
    account = hand.account(supplier, "demand_deposit", {LONG_AGO: "1000"})
    hand.bookings(account, [(IN_OCTOBER, "500", "transfer_in", "online")])
    name_counterparties(account, "one customer")
    # One payer: 100 × 10 ÷ 90; the share of the bank's capital is the unknown half of the component.
    told[supplier] = Told("11.1111", "0.85", concentration="11.1111")

    closed = person("high", closed_on=AS_OF)
    owes(closed, 400, "loss", closed_on=AS_OF - DAY)
    hand.balances(closed.accounts.get(), {AS_OF - DAY: "0"})
    told[closed] = Told("10", "1", kyc="10")

    nothing = firm(None)
    owes(nothing)
    told[nothing] = Told("0", "0.25")  # guarantee 10, warning 15

    fallen = person()
    hand.balances(hand.account(fallen, "demand_deposit", {LONG_AGO: "100000"}), {AS_OF: "50000"})
    told[fallen] = Told("15", "1", warning="15")  # red
    return told


def name_counterparties(account, name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "update customers_transaction set counterparty_name = %s where account_id = %s",
            [name, account.pk],
        )


def test_a_tiny_bank_comes_to_what_was_worked_out_by_hand():
    told = tiny_bank(Hand(AS_OF))
    run = run_night(AS_OF)
    rows = {row.customer_id: row for row in Risk.rows.filter(run_id=run.pk)}
    found = {customer: rows[customer.pk] for customer in told}
    assert {c.pk: (row.score, row.coverage, lines_of(row)) for c, row in found.items()} == {
        c.pk: (wanted.score, wanted.coverage, dict(wanted)) for c, wanted in told.items()
    }
    assert len(told) > 12


def test_a_bank_that_never_told_a_relation_does_not_know_who_guarantees():
    Relation.rows.all().delete()
    hand = Hand(AS_OF)
    customer = hand.customer("individual", kyc_grade="low")
    first = Risk.rows.get(run_id=run_night(AS_OF).pk, customer=customer)
    assert (first.guarantee_sub, first.guarantee_share, first.coverage) == (None, None, Decimal("0.95"))
    later = Hand(AS_OF + DAY, first=False, source=hand.source)
    later.relation(later.customer("individual"), later.customer("individual"), kind="spouse")
    second = Risk.rows.get(run_id=run_night(AS_OF + DAY).pk, customer=customer)
    assert (second.guarantee_sub, second.guarantee_share, second.coverage) == (0, 0, 1)


class RandomBank:
    """Customers with whatever the feed may say or keep to itself, and the same facts as the formulas take them."""

    def __init__(self, seed: int):
        self.rng, self.hand = random.Random(seed), Hand(AS_OF)
        rng, hand = self.rng, self.hand
        hand.rate("fx", "GBP", LONG_AGO, "9.12345678")
        self.customers = [
            hand.customer(
                rng.choice(["individual", "corporate"]), kyc_grade=rng.choice([None, "low", "medium", "high"]),
                annual_income=rng.choice([None, 0, "0.01", "60000", "123456.78"]),
            )
            for _ in range(40)
        ]  # fmt: skip
        self.expired, self.guarantees = set(), set()
        self.debts, self.received = defaultdict(list), {}
        for customer in self.customers:
            self._facts(customer)
        for _ in range(60):
            self._relation(*rng.sample(self.customers[:20], 2))

    def _facts(self, customer) -> None:
        rng, hand = self.rng, self.hand
        if rng.random() < 0.6:
            days = rng.randrange(-50, 50)
            hand.identity(customer, AS_OF + DAY * days)
            if days < 0:
                self.expired.add(customer.pk)
        for _ in range(rng.choice([0, 1, 1, 2])):
            days = rng.choice([None, 0, 1, 30, 31, 90, 91, 271])
            five_class = rng.choice([None, "normal", *risk.CLASSES])
            currency, fx = rng.choice([("CNY", Decimal(1)), ("GBP", Decimal("9.12345678"))])
            owed = Decimal(rng.randrange(-1_000, 10**8)) / 100
            account = hand.account(
                customer, rng.choice(["mortgage", "business_loan", "credit_card"]), {LONG_AGO: owed}, currency=currency,
                days_past_due=days, five_class=five_class, closed_on=rng.choice([None, None, AS_OF]),
            )  # fmt: skip
            if rng.random() < 0.5:
                repaid = str(Decimal(rng.randrange(10**6)) / 100)
                hand.bookings(account, [(IN_OCTOBER, repaid, "loan_repayment", "batch")])
            self.debts[customer.pk].append(risk.Debt(owed * fx, days, five_class))
        self._receive(customer)

    def _receive(self, customer) -> None:
        rng = self.rng
        payers = defaultdict(Decimal)
        for name in rng.choice(
            [[], ["a"], ["a", "b"], list("abcdefgh"), [customer.name, "a"], [customer.name]]
        ):
            account = self.hand.account(customer, "demand_deposit")
            rows = [
                (
                    AS_OF - DAY * rng.randrange(365),
                    str(Decimal(rng.randrange(1, 10**6)) / 100),
                    "transfer_in",
                    "online",
                )
            ]
            rows.append((AS_OF - DAY * 365, "99999", "transfer_in", "online"))  # a day too early
            rows.append((AS_OF - DAY, "88888", "cash_deposit", "counter"))
            self.hand.bookings(account, rows)
            name_counterparties(account, name)
            if name != customer.name:
                payers[name] += Decimal(rows[0][1])
        self.received[customer.pk] = dict(payers)

    def _relation(self, customer, guarantor) -> None:
        rng = self.rng
        since, until = rng.choice([None, LONG_AGO, AS_OF]), rng.choice([None, None, AS_OF + DAY])
        if rng.random() < 0.3:
            since, until = rng.choice([(AS_OF + DAY, None), (LONG_AGO, AS_OF)])
        _, is_new = Relation.rows.get_or_create(
            customer=customer, related=guarantor, kind="guarantor",
            defaults={"since": since, "until": until, "batch": self.hand.batch, "known_on": self.hand.known_on},
        )  # fmt: skip
        if is_new and (since is None or since <= AS_OF) and (until is None or until > AS_OF):
            self.guarantees.add((customer.pk, guarantor.pk))

    def seen(self, customer, run) -> risk.Seen:
        rules = policy.on(AS_OF)
        levels = Signal.rows.filter(run_id=run.pk, customer=customer, kind__in=rules["warning_kinds"])
        guarantors = [g for c, g in sorted(self.guarantees) if c == customer.pk]
        rings = risk.rings(self.guarantees, int(rules["risk_guarantee_ring"]["length"]))
        return risk.Seen(
            kind=customer.kind,
            debts=tuple(self.debts[customer.pk]),
            repaid=Behaviour.rows.get(run_id=run.pk, customer=customer).repaid,
            annual_income=None if customer.annual_income is None else Decimal(customer.annual_income),
            guarantors=tuple(any(debt.is_warned for debt in self.debts[g]) for g in guarantors),
            in_ring=customer.pk in rings,
            received=self.received[customer.pk],
            warnings=tuple(levels.exclude(level="note").values_list("level", flat=True)),
            kyc_grade=customer.kyc_grade,
            identity_expired=customer.pk in self.expired,
        )


OTHER_RULES = {
    "bank_net_capital": "1234567.89",
    "risk_component_weights": {
        "corporate": {"overdue": "7", "probability": "3", "leverage": "11", "concentration": "13", "guarantee": "0", "warning": "17",
                      "kyc": "1"},
        "individual": {"overdue": "3", "probability": "7", "leverage": "9", "concentration": "5", "guarantee": "1", "warning": "2",
                       "kyc": "0.5"},
    },
    "risk_guarantee_ring": {"points": "12.5", "length": 3},
    "warning_kinds": ["class_mismatch", "maturity", "identity_expiring"],
}  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_the_night_says_what_the_formulas_say(seed):
    bank = RandomBank(seed)
    if seed % 2:
        for name, value in OTHER_RULES.items():
            parameters.put(name, value, valid_from=AS_OF, why="test", at=clock.now())
    run, rules = run_night(AS_OF), policy.on(AS_OF)
    rows = {row.customer_id: row for row in Risk.rows.filter(run_id=run.pk)}
    for customer in bank.customers:
        row, wanted = rows[customer.pk], risk.score(bank.seen(customer, run), rules)
        assert {name: getattr(row, f"{name}_sub") for name in risk.COMPONENTS} == wanted.subs
        assert {name: getattr(row, f"{name}_points") for name in risk.COMPONENTS} == wanted.points
        assert (row.score, row.coverage, row.floor_points) == (
            wanted.score,
            wanted.coverage,
            wanted.floor_points,
        )
        assert {name: getattr(row, name) for name in wanted.raws} == {
            name: contribution.rounded(value, 8) if hasattr(value, "numerator") and not isinstance(value, int | bool) else value
            for name, value in wanted.raws.items()
        }  # fmt: skip
    assert any(row.in_guarantee_ring for row in rows.values())
    assert any(row.floor_points for row in rows.values()) and any(row.warning_level for row in rows.values())


@pytest.mark.parametrize(
    "damage",
    ["kyc_points = kyc_points + 0.0001", "floor_points = -0.0001", "kyc_sub = null, kyc_points = 10", None],
)
def test_the_nightly_check_finds_a_score_that_is_not_its_lines(damage):
    hand = Hand(AS_OF)
    customer = hand.customer("individual", kyc_grade="high")
    run = run_night(AS_OF)
    check = sqlrun.load(steps.SQL / "checks" / "risk_adds_up.sql")
    with connection.cursor() as cursor:
        assert sqlrun.run(cursor, check, {"run_id": run.pk}) == 0
        if damage:
            change = f"update segmentation_risk set {damage} where run_id = %s and customer_id = %s"
        else:
            change = "delete from segmentation_risk where run_id = %s and customer_id = %s"
        cursor.execute(change, [run.pk, customer.pk])
        assert sqlrun.run(cursor, check, {"run_id": run.pk}) == 1
        assert cursor.fetchone()[0] == customer.pk
