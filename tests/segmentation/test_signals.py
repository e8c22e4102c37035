"""What a night notices of a customer: each rule at its limit, just below and just above, and the statements against the
rules on a bank of awkward customers and on random ones."""

import datetime
import random
from decimal import Decimal

import pytest

from customers.models import Account, Customer, Rate
from segmentation import policy, signals
from segmentation.behaviour import BANK_MADE
from segmentation.models import Behaviour, Signal
from tests.segmentation.rows import Hand, run_night

DAY = datetime.timedelta(days=1)
AS_OF = datetime.date(2026, 11, 18)
LONG_AGO = datetime.date(2026, 1, 1)
RULES = policy.Policy({**{name: choice[0] for name, choice in signals.CHOICES.items()}})
CENT = Decimal("0.01")
# 92 days of August, September and October at one balance.
FLAT = [Decimal(0), *(Decimal(days) * 100_000 for days in (31, 30, 31)), *[Decimal(0)] * 8]


@pytest.mark.parametrize(
    ("balance", "level", "share"),
    [
        ("80000.01", None, None), ("80000", "yellow", "0.2000"), ("70000.01", "yellow", "0.3000"), ("70000", "orange", "0.3000"),
        ("50000.01", "orange", "0.5000"), ("50000", "red", "0.5000"), ("0", "red", "1.0000"), ("-100000", "red", "2.0000"),
        ("120000", None, None),
    ],
)  # fmt: skip
def test_deposits_are_held_against_the_three_months_before(balance, level, share):
    found = signals.deposits_down(Decimal(balance), FLAT, AS_OF, RULES)
    assert (found and (found.level, found.figure)) == (level and (level, Decimal(share)))
    if found:
        assert found.amount == 100_000 - Decimal(balance)


def test_small_deposits_are_nobodys_news():
    at = [Decimal(0), Decimal(920_000), *[Decimal(0)] * 10]
    assert signals.deposits_down(Decimal(0), at, AS_OF, RULES).level == "red"
    below = [Decimal(0), Decimal(920_000) - CENT, *[Decimal(0)] * 10]
    assert signals.deposits_down(Decimal(0), below, AS_OF, RULES) is None


def moved(kind, balance, *moves) -> list[tuple]:
    """Moves of (account, amount) or (account, amount, booking kind)."""
    rows = [signals.Move(account, Decimal(amount), *more) for account, amount, *more in moves]
    return [
        (found.kind, found.level, found.amount, found.figure)
        for found in signals.large_moves(kind, Decimal(balance), rows, RULES)
    ]


@pytest.mark.parametrize(("kind", "limit"), [("individual", 500_000), ("corporate", 5_000_000)])
def test_money_out_or_in_is_large_from_the_limit_of_the_kind(kind, limit):
    rich = 100 * limit
    assert moved(kind, rich - limit, (1, -limit)) == [("large_outflow", "orange", limit, Decimal("0.0100"))]
    assert moved(kind, rich, (1, -limit + CENT)) == []
    assert moved(kind, rich, (1, limit)) == [("large_inflow", "note", limit, None)]
    assert moved(kind, rich, (1, limit - CENT)) == []
    # Several bookings of a day are one movement.
    assert moved(kind, rich, (1, limit - 1), (2, 1)) == [("large_inflow", "note", limit, None)]


def test_half_of_what_there_was_is_large_unless_there_was_little():
    assert moved("individual", 10_000, (1, -10_000)) == [
        ("large_outflow", "orange", 10_000, Decimal("0.5000"))
    ]
    assert moved("individual", "10000.01", (1, "-9999.99")) == []
    assert moved("individual", 0, (1, -10_000)) == [("large_outflow", "orange", 10_000, Decimal("1.0000"))]
    assert moved("individual", 0, (1, "-9999.99")) == []


def test_what_stays_within_the_bank_does_not_move():
    for kind in [*BANK_MADE, *signals.WITHIN_THE_BANK]:
        assert moved("individual", 900_000, (1, -900_000, kind)) == []
        assert moved("individual", 900_000, (1, 900_000, kind)) == []


def test_the_same_amount_out_of_one_account_and_into_another_is_one_transfer():
    assert moved("individual", 900_000, (1, -600_000), (2, 600_000)) == []
    twice = moved("individual", 900_000, (1, -600_000), (2, 600_000), (1, -600_000))
    assert twice == [("large_outflow", "orange", 600_000, Decimal("0.4000"))]
    # In and out of one account is money passing through.
    through = moved("individual", 900_000, (1, 600_000), (1, -600_000))
    assert [kind for kind, *_ in through] == ["large_outflow", "large_inflow"]
    # One leg of the account that passes through may still be the other's.
    assert [kind for kind, *_ in moved("individual", 0, (1, 600_000), (1, -600_000), (2, 600_000))] == [
        "large_inflow"
    ]


@pytest.mark.parametrize(
    ("days", "level"),
    [(-1, None), (0, "yellow"), (7, "yellow"), (8, "blue"), (30, "blue"), (31, None)],
)
def test_an_account_is_told_before_it_falls_due(days, level):
    found = signals.maturity(7, Decimal("123.455"), AS_OF + DAY * days, AS_OF, RULES)
    assert (found and found.level) == level
    if found:
        assert (found.account_id, found.amount, found.figure) == (7, Decimal("123.46"), days)
    assert signals.maturity(7, Decimal(0), AS_OF, AS_OF, RULES) is None


@pytest.mark.parametrize(
    ("days", "loan", "card"),
    [
        (None, "normal", "normal"), (0, "normal", "normal"), (1, "special_mention", "special_mention"),
        (90, "special_mention", "special_mention"), (91, "substandard", "substandard"), (120, "substandard", "substandard"),
        (121, "substandard", "doubtful"), (180, "substandard", "doubtful"), (181, "substandard", "loss"),
        (270, "substandard", "loss"), (271, "doubtful", "loss"), (360, "doubtful", "loss"), (361, "loss", "loss"),
    ],
)  # fmt: skip
def test_days_past_due_demand_a_class(days, loan, card):
    assert signals.demanded_class(days, False, RULES) == loan
    assert signals.demanded_class(days, True, RULES) == card
    milder = {"special_mention": "normal", "substandard": "special_mention"}.get(loan)
    if milder:
        told = signals.of_loan(signals.Loan(days_past_due=days, five_class=milder), RULES)
        assert [(one.kind, one.level, one.was, one.becomes) for one in told] == [
            ("class_mismatch", "yellow", milder, loan)
        ]
    assert signals.of_loan(signals.Loan(days_past_due=days, five_class=loan), RULES) == []
    assert signals.of_loan(signals.Loan(days_past_due=days, five_class=None), RULES) == []


def kinds_of(**facts) -> list[tuple[str, str]]:
    loan = signals.Loan(is_news=True, **facts)
    return [
        (found.kind, found.level) for found in signals.of_loan(loan, RULES) if found.kind != "class_mismatch"
    ]


def test_only_the_first_day_overdue_is_news():
    overdue = [("first_overdue", "orange")]
    assert kinds_of(days_past_due=1, days_before=0) == overdue
    assert kinds_of(days_past_due=1, days_before=None) == overdue
    assert kinds_of(days_past_due=40, known_before=False) == overdue
    assert kinds_of(days_past_due=0, days_before=0) == []
    assert kinds_of(days_past_due=2, days_before=1) == []
    assert signals.of_loan(signals.Loan(days_past_due=1, days_before=0, is_news=False), RULES) == []


def test_a_worse_class_is_grave_from_substandard_on():
    assert kinds_of(five_class="special_mention", class_before="normal") == [("class_downgraded", "orange")]
    assert kinds_of(five_class="substandard", class_before="special_mention") == [("class_downgraded", "red")]
    assert kinds_of(five_class="loss", class_before="doubtful") == [("class_downgraded", "red")]
    assert kinds_of(five_class="normal", class_before="special_mention") == []
    assert kinds_of(five_class="loss", class_before="loss") == []
    # Nobody knows what it was before.
    assert kinds_of(five_class="loss", class_before=None) == []
    assert kinds_of(five_class="loss", known_before=False) == []


@pytest.mark.parametrize(("days", "told"), [(-31, False), (-30, True), (0, True), (30, True), (31, False)])
def test_an_identity_document_is_told_before_and_shortly_after_it_runs_out(days, told):
    found = signals.identity_expiring(AS_OF + DAY * days, AS_OF, RULES)
    assert bool(found) == told
    if found:
        assert (found.level, found.figure, found.due_on) == ("blue", days, AS_OF + DAY * days)
    assert signals.identity_expiring(None, AS_OF, RULES) is None


@pytest.mark.parametrize(
    ("assessed_on", "left"),
    [
        ("2025-11-17", None), ("2025-11-18", 0), ("2025-12-18", 30), ("2025-12-19", None),
        # A year after 29 February is the 28th.
        ("2024-02-29", None),
    ],
)  # fmt: skip
def test_a_risk_assessment_holds_a_year_and_is_told_before(assessed_on, left):
    found = signals.assessment_expiring(datetime.date.fromisoformat(assessed_on), AS_OF, RULES)
    assert (found and (found.level, found.figure)) == (None if left is None else ("note", left))
    assert signals.assessment_expiring(None, AS_OF, RULES) is None
    leap = signals.assessment_expiring(datetime.date(2024, 2, 29), datetime.date(2025, 2, 1), RULES)
    assert leap.due_on == datetime.date(2025, 2, 28)


def test_what_counts_as_a_warning_is_a_kind_of_signal():
    kinds = {
        "deposits_down", "large_outflow", "large_inflow", "maturity", "first_overdue", "class_downgraded", "class_mismatch",
        "identity_expiring", "assessment_expiring",
    }  # fmt: skip
    assert set(RULES["warning_kinds"]) <= kinds <= set(RULES["alert_cooldown_days"])


class Bank:
    """A feed of the day before and one of the night's date."""

    def __init__(self):
        self.before = Hand(AS_OF - DAY)
        self.tonight = Hand(AS_OF, first=False, source=self.before.source)

    def deposits(self, customer: Customer, was: str, becomes: str | None = None, **facts) -> Account:
        account = self.before.account(customer, "demand_deposit", {LONG_AGO: was}, **facts)
        if becomes is not None:
            self.tonight.balances(account, {AS_OF: becomes})
        return account

    def books(self, account: Account, amount: str, kind: str = "transfer_out") -> None:
        self.tonight.bookings(account, [(AS_OF, amount, kind, "mobile")])

    def loan(self, customer: Customer, family: str = "mortgage", owed: str = "1000.00", **facts) -> Account:
        return self.before.account(customer, family, {LONG_AGO: owed}, **facts)

    def night(self) -> dict[int, list[tuple]]:
        """Run the night; return per customer what was found, in a fixed order."""
        self.run = run_night(AS_OF)
        found: dict[int, list[tuple]] = {}
        for one in Signal.rows.filter(run_id=self.run.pk):
            found.setdefault(one.customer_id, []).append(as_row(one))
        return {customer: sorted(rows, key=str) for customer, rows in found.items()}


def as_row(one) -> tuple:
    return (
        one.kind, one.level, one.account_id, one.amount, None if one.figure is None else Decimal(one.figure), one.due_on, one.was,
        one.becomes,
    )  # fmt: skip


@pytest.mark.django_db
def test_a_night_notes_exactly_what_holds_of_each_awkward_customer():
    bank = Bank()
    person = lambda **facts: bank.before.customer("individual", **facts)  # noqa: E731
    firm = bank.before.customer("corporate")
    wanted: dict[int, list[tuple]] = {}

    down = person()
    bank.deposits(down, "100000", "70000")
    wanted[down.pk] = [("deposits_down", "orange", 0, Decimal(30_000), Decimal("0.3"), None, "", "")]
    hardly_down = person()
    bank.deposits(hardly_down, "100000", "80000.01")
    closed = person(closed_on=AS_OF)
    bank.deposits(closed, "100000", "0")
    bank.before.identity(closed, AS_OF)
    foreign = person()
    bank.before.rate("fx", "USD", LONG_AGO, "7.2")
    dollars = bank.deposits(foreign, "1000000", "900000", currency="USD")
    bank.books(dollars, "-100000")
    wanted[foreign.pk] = [("large_outflow", "orange", 0, Decimal(720_000), Decimal("0.1"), None, "", "")]
    saver = person()
    bank.books(bank.deposits(saver, "900000", "200000"), "-700000", "purchase")
    wanted[saver.pk] = [("deposits_down", "red", 0, Decimal(700_000), Decimal("0.7778"), None, "", "")]
    mover = person()
    bank.books(bank.deposits(mover, "700000", "0"), "-700000")
    bank.books(bank.deposits(mover, "0", "700000"), "700000", "transfer_in")
    bank.books(bank.deposits(firm, "50000000", "55000000"), "5000000", "transfer_in")
    wanted[firm.pk] = [("large_inflow", "note", 0, Decimal(5_000_000), None, None, "", "")]

    due = person()
    term = bank.before.account(due, "term_deposit", {LONG_AGO: "5000"}, matures_on=AS_OF + DAY * 7)
    bank.before.account(due, "wealth", {LONG_AGO: "5000"}, matures_on=AS_OF + DAY * 31)
    bank.before.account(due, "wealth", {LONG_AGO: "0"}, matures_on=AS_OF + DAY * 7)
    bank.before.account(due, "wealth", {LONG_AGO: "5"}, matures_on=AS_OF + DAY, closed_on=AS_OF)
    bank.before.account(due, "debit_card", matures_on=AS_OF + DAY)
    wanted[due.pk] = [("maturity", "yellow", term.pk, Decimal(5_000), Decimal(7), AS_OF + DAY * 7, "", "")]

    late = person()
    loan = bank.loan(late, days_past_due=0, five_class="normal")
    bank.tonight.change(loan, days_past_due=1, five_class="special_mention")
    wanted[late.pk] = [
        (
            "class_downgraded",
            "orange",
            loan.pk,
            Decimal(1_000),
            Decimal(1),
            None,
            "normal",
            "special_mention",
        ),
        ("first_overdue", "orange", loan.pk, Decimal(1_000), Decimal(1), None, "", ""),
    ]
    later = person()
    loan = bank.loan(later, days_past_due=90, five_class="special_mention")
    bank.tonight.change(loan, days_past_due=91)
    wanted[later.pk] = [
        (
            "class_mismatch",
            "yellow",
            loan.pk,
            Decimal(1_000),
            Decimal(91),
            None,
            "special_mention",
            "substandard",
        )
    ]
    as_before = person()
    bank.loan(as_before, days_past_due=5, five_class="special_mention")
    paid = person()
    loan = bank.loan(paid, days_past_due=0, owed="0", closed_on=AS_OF)
    bank.tonight.change(loan, days_past_due=9)
    card = person()
    loan = bank.loan(card, "credit_card", days_past_due=200, five_class="doubtful")
    wanted[card.pk] = [
        ("class_mismatch", "yellow", loan.pk, Decimal(1_000), Decimal(200), None, "doubtful", "loss")
    ]
    taken = person()
    loan = bank.tonight.account(taken, "mortgage", {AS_OF: "9"}, days_past_due=30, five_class="loss")
    wanted[taken.pk] = [("first_overdue", "orange", loan.pk, Decimal(9), Decimal(30), None, "", "")]

    expired = person(risk_assessed_on=datetime.date(2025, 12, 1))
    bank.before.identity(expired, AS_OF - DAY * 30)
    wanted[expired.pk] = [
        ("assessment_expiring", "note", 0, None, Decimal(13), datetime.date(2026, 12, 1), "", ""),
        ("identity_expiring", "blue", 0, None, Decimal(-30), AS_OF - DAY * 30, "", ""),
    ]
    renewed = person()
    bank.tonight.change(bank.before.identity(renewed, AS_OF + DAY), expires_on=AS_OF + DAY * 3_650)
    corrected = person()
    bank.tonight.change(bank.before.identity(corrected, AS_OF + DAY * 3_650), expires_on=AS_OF + DAY)
    wanted[corrected.pk] = [("identity_expiring", "blue", 0, None, Decimal(1), AS_OF + DAY, "", "")]

    found = bank.night()
    mine = [down, hardly_down, closed, foreign, saver, mover, firm, due, late, later, as_before, paid, card, taken, expired,
            renewed, corrected]  # fmt: skip
    assert {customer.pk: found.get(customer.pk, []) for customer in mine} == {
        customer.pk: sorted(wanted.get(customer.pk, []), key=str) for customer in mine
    }


@pytest.mark.django_db
def test_a_past_date_notes_what_was_known_then():
    bank = Bank()
    customer = bank.before.customer("individual")
    identity = bank.before.identity(customer, AS_OF + DAY)
    loan = bank.loan(customer, days_past_due=0)
    bank.tonight.change(loan, days_past_due=1)
    first = bank.night()[customer.pk]
    after = Hand(AS_OF + DAY, first=False, source=bank.before.source)
    after.change(identity, expires_on=AS_OF + DAY * 999)
    loan.refresh_from_db()
    after.change(loan, days_past_due=0)
    again = run_night(AS_OF)
    assert (
        sorted((as_row(one) for one in Signal.rows.filter(run_id=again.pk, customer=customer)), key=str)
        == first
    )
    assert [kind for kind, *_ in first] == ["first_overdue", "identity_expiring"]
    assert not Signal.rows.filter(run_id=run_night(AS_OF + DAY).pk, customer=customer).exists()


class RandomCustomer:
    """Facts drawn close to the limits, as rows of the feed and as the rules take them."""

    def __init__(self, bank: Bank, rng: random.Random):
        self.bank, self.rng, self.wanted = bank, rng, []
        self.kind = rng.choice(["individual", "individual", "corporate"])
        assessed = AS_OF - DAY * rng.randrange(330, 370)
        self.row = bank.before.customer(self.kind, risk_assessed_on=rng.choice([None, assessed]))
        self.note(signals.assessment_expiring(self.row.risk_assessed_on, AS_OF, RULES))
        if rng.random() < 0.7:
            expires = AS_OF + DAY * rng.randrange(-34, 34)
            bank.before.identity(self.row, expires)
            self.note(signals.identity_expiring(expires, AS_OF, RULES))
        self._deposits()
        for _ in range(rng.randrange(3)):
            self._loan()

    def note(self, found: signals.Found | None) -> None:
        if found:
            self.wanted.append(as_row(found))

    def _deposits(self) -> None:
        rng, scale = self.rng, 1 if self.kind == "individual" else 10
        self.tonight, self.moves = Decimal(0), []
        for _ in range(rng.randrange(3)):
            currency, fx = rng.choice([("CNY", Decimal(1)), ("GBP", Decimal("9.12345678"))])
            was = Decimal(rng.choice([5_000, 20_000, 900_000]) * scale)
            becomes = was * rng.choice([1, Decimal("0.8"), Decimal("0.7"), Decimal("0.5"), 0]) + rng.choice(
                [0, CENT, -CENT]
            )
            account = self.bank.deposits(self.row, str(was), str(becomes), currency=currency)
            self.tonight += becomes * fx
            for _ in range(rng.randrange(5)):
                amount = rng.choice([10_000, 250_000, 500_000]) * scale * rng.choice([1, -1]) + rng.choice(
                    [0, 0, CENT]
                )
                kind = rng.choice(["transfer_out", "transfer_in", "other", "fee", "purchase"])
                self.bank.books(account, str(amount), kind)
                self.moves.append(signals.Move(account.pk, Decimal(amount), kind, currency, fx))
            self._due(account, becomes * fx)

    def _due(self, account: Account, balance: Decimal) -> None:
        if self.rng.random() < 0.5:
            matures = AS_OF + DAY * self.rng.randrange(-2, 34)
            Account.rows.filter(pk=account.pk).update(matures_on=matures)
            self.note(signals.maturity(account.pk, balance, matures, AS_OF, RULES))

    def _loan(self) -> None:
        rng = self.rng
        classes, days = [None, *signals.CLASSES], [None, 0, 1, 90, 91, 120, 121, 181, 271, 361]
        family = rng.choice(["mortgage", "credit_card"])
        before = {"days_past_due": rng.choice(days[:4]), "five_class": rng.choice(classes)}
        after = {"days_past_due": rng.choice(days), "five_class": rng.choice(classes)}
        account = self.bank.loan(self.row, family, "1234.56", **before)
        is_news = rng.random() < 0.7
        if is_news:
            self.bank.tonight.change(account, **after)
        else:
            after = before
        loan = signals.Loan(
            account.pk, Decimal("1234.56"), family == "credit_card", **after, is_news=is_news,
            days_before=before["days_past_due"], class_before=before["five_class"],
        )  # fmt: skip
        for found in signals.of_loan(loan, RULES):
            self.note(found)

    def rest(self, behaviour: Behaviour) -> list[tuple]:
        """Return all that must be found, given the day sums the night measured."""
        self.note(signals.deposits_down(self.tonight, behaviour.deposit_sums, AS_OF, RULES))
        for found in signals.large_moves(self.kind, self.tonight, self.moves, RULES):
            self.note(found)
        return sorted(self.wanted, key=str)


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(3))
def test_the_night_finds_what_the_rules_find(seed):
    rng, bank = random.Random(seed), Bank()
    bank.before.rate("fx", "GBP", LONG_AGO, "9.12345678")
    assert Rate.objects.filter(currency="GBP").exists()
    customers = [RandomCustomer(bank, rng) for _ in range(40)]
    found = bank.night()
    behaviours = {one.customer_id: one for one in Behaviour.rows.filter(run_id=bank.run.pk)}
    assert {one.row.pk: found.get(one.row.pk, []) for one in customers} == {
        one.row.pk: one.rest(behaviours[one.row.pk]) for one in customers
    }
    seen = {kind for rows in found.values() for kind, *_ in rows}
    assert len(seen) >= 8, seen
