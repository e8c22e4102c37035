"""What a night notices about a customer, and when it tells somebody: rules, levels, cool-downs. The rules are pure
functions, the oracle of the night's statements; each returns what it found, or nothing."""

from __future__ import annotations

import calendar
import datetime
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from customers.models.accounts import FiveClass
from segmentation import periods
from segmentation.behaviour import BANK_MADE
from segmentation.contribution import rounded

if TYPE_CHECKING:
    from segmentation.policy import Policy

CLASSES = [str(value) for value in FiveClass.values]  # mildest first
# Money that only changes its form within the bank: lent, paid back, invested, sold, exchanged.
WITHIN_THE_BANK = ["loan_disbursement", "loan_repayment", "purchase", "redemption", "fx"]

CHOICES = {
    "deposits_down_shares": (
        {"yellow": "0.20", "orange": "0.30", "red": "0.50"}, "share", "D", "Fall against the average of the three months before.",
    ),
    "deposits_down_from": ("10000", "base currency", "D", "Smaller averages raise no alert."),
    "large_move": ({"individual": "500000", "corporate": "5000000"}, "base currency a day", "D", "Money out or in on one day."),
    "large_outflow_share": (
        "0.50", "share", "D", "Money out on one day, of the deposits before it; from deposits_down_from on.",
    ),
    "maturity_days": ([7, 30], "days", "D", "Before a deposit, an investment or a loan falls due."),
    "document_days": (30, "days", "D", "Before an identity document or a risk assessment expires."),
    "risk_assessment_months": (12, "months", "V", "How long a risk assessment holds."),
    "overdue_classes": (
        {
            "loan": {"special_mention": 1, "substandard": 91, "doubtful": 271, "loss": 361},
            "card": {"special_mention": 1, "substandard": 91, "doubtful": 121, "loss": 181},
        },
        "class, days past due from", "M", "The mildest class the rules for classifying financial assets allow; cards: V.",
    ),
    "warning_kinds": (
        ["deposits_down", "large_outflow", "first_overdue", "class_downgraded", "class_mismatch"],
        "kinds of signals", "D", "Those that count as early warnings in the risk; papers that run out count by themselves.",
    ),
    "near_threshold_share": ("0.10", "share", "D", "This close to a tier's floor, from below or from above."),
    "alert_cooldown_days": (
        {
            "deposits_down": 30, "large_outflow": 7, "large_inflow": 7, "maturity": 15, "first_overdue": 30,
            "class_downgraded": 30, "class_mismatch": 30, "identity_expiring": 30, "assessment_expiring": 30, "tier_won": 0,
            "tier_lost": 0, "near_up": 30, "near_down": 30,
        },
        "days", "D", "The same alert of the same customer and account is not told again within so many days, unless it is graver.",
    ),
    "tier_alert_levels": (
        {"tier_won": "note", "tier_lost": "orange", "near_up": "note", "near_down": "blue", "below": "yellow"},
        "level", "D", "How grave what a tier tells is; below: already under the line from which a tier is lost.",
    ),
}  # fmt: skip


def parameters(policy: Policy) -> dict[str, Any]:
    """Return the values the statements take."""
    down, moves = policy["deposits_down_shares"], policy["large_move"]
    soon, ahead = sorted(policy["maturity_days"])
    return {
        "down_from": policy.decimal("deposits_down_from"),
        "down_yellow": Decimal(down["yellow"]),
        "down_orange": Decimal(down["orange"]),
        "down_red": Decimal(down["red"]),
        "move_individual": Decimal(moves["individual"]),
        "move_corporate": Decimal(moves["corporate"]),
        "move_share": policy.decimal("large_outflow_share"),
        "moves_not": BANK_MADE + WITHIN_THE_BANK,
        "maturity_soon": int(soon),
        "maturity_ahead": int(ahead),
        "overdue_classes": json.dumps(
            [
                {"is_card": debt == "card", "class": name, "from_days": days}
                for debt, classes in policy["overdue_classes"].items()
                for name, days in classes.items()
            ]
        ),
        "document_days": int(policy["document_days"]),
        "assessment_months": int(policy["risk_assessment_months"]),
        # What is told of the signals: 80_alerts.
        "near_share": policy.decimal("near_threshold_share"),
        "alert_cooldowns": json.dumps(policy["alert_cooldown_days"]),
        "tier_alert_levels": json.dumps(policy["tier_alert_levels"]),
    }


@dataclass(frozen=True)
class Found:
    """One thing that holds of a customer tonight; the fields of ``models.Signal``."""

    kind: str
    level: str
    account_id: int = 0
    amount: Decimal | None = None
    figure: Decimal | None = None
    due_on: datetime.date | None = None
    was: str = ""
    becomes: str = ""


@dataclass(frozen=True)
class Move:
    """A booking of the night's date on one of the customer's deposit accounts; ``amount`` in the account's currency."""

    account_id: int
    amount: Decimal
    kind: str = "transfer_out"
    currency: str = "CNY"
    fx_rate: Decimal = Decimal(1)


@dataclass(frozen=True)
class Loan:
    """A debt that is open or owed, as known tonight and the day before. ``is_news``: the night's feed told a new version;
    ``known_before``: there was one before it."""

    account_id: int = 1
    amount: Decimal = Decimal(0)  # owed, base currency
    is_card: bool = False
    days_past_due: int | None = None
    five_class: str | None = None
    is_news: bool = False
    known_before: bool = True
    days_before: int | None = None
    class_before: str | None = None


def deposits_down(
    balance: Decimal, sums: list[Decimal], as_of: datetime.date, policy: Policy
) -> Found | None:
    """Return how far the deposits stand below the day-average of the three complete months before. ``sums`` are sums over
    days as in ``models.Behaviour``, the month to date first; all in base currency."""
    days = sum(month.days for month in periods.of(as_of).recent[1:4])
    average = Fraction(sum(sums[1:4], Decimal(0))) / days
    if average <= 0 or average < Fraction(policy.decimal("deposits_down_from")):
        return None
    fall = average - Fraction(balance)
    shares = policy["deposits_down_shares"]
    level = next(
        (name for name in ("red", "orange", "yellow") if fall >= average * Fraction(shares[name])), None
    )
    if level is None:
        return None
    return Found("deposits_down", level, amount=rounded(fall), figure=rounded(fall / average, 4))


def large_moves(kind: str, balance: Decimal, moves: list[Move], policy: Policy) -> list[Found]:
    """Return money out and in that is large on one day. ``balance``: the deposits tonight, base currency; those before
    are what they were without the day's bookings."""
    own = [move for move in moves if move.kind not in BANK_MADE + WITHIN_THE_BANK]
    within = between_own_accounts(own)
    out_sum = sum((_in_base(move, -1) for move in own if move.amount < 0), Fraction(0)) - within
    in_sum = sum((_in_base(move) for move in own if move.amount > 0), Fraction(0)) - within
    before = Fraction(balance) - sum((_in_base(move) for move in moves), Fraction(0))
    limit = Fraction(policy["large_move"]["individual" if kind == "individual" else "corporate"])
    judged = before >= max(Fraction(policy.decimal("deposits_down_from")), 1)
    found = []
    if out_sum > 0 and (
        out_sum >= limit or (judged and out_sum >= before * Fraction(policy.decimal("large_outflow_share")))
    ):
        share = rounded(out_sum / before, 4) if judged else None
        found.append(Found("large_outflow", "orange", amount=rounded(out_sum), figure=share))
    if in_sum > 0 and in_sum >= limit:
        found.append(Found("large_inflow", "note", amount=rounded(in_sum)))
    return found


def between_own_accounts(moves: Iterable[Move]) -> Fraction:
    """Return what left one account and came into another of the customer, in base currency: equal amounts on one day are
    taken for one transfer, as many pairs as can be made. The account on the other side is encrypted, its owner unknown."""
    outs: dict[tuple[str, Decimal], Counter] = {}
    ins: dict[tuple[str, Decimal], Counter] = {}
    rates = {}
    for move in moves:
        legs = outs if move.amount < 0 else ins
        legs.setdefault((move.currency, abs(move.amount)), Counter())[move.account_id] += 1
        rates[move.currency] = Fraction(move.fx_rate)
    total = Fraction(0)
    for currency, size in outs.keys() & ins.keys():
        out, into = outs[currency, size], ins[currency, size]
        legs_of_one = max(out[account] + into[account] for account in out.keys() | into.keys())
        pairs = min(out.total(), into.total(), out.total() + into.total() - legs_of_one)
        total += pairs * Fraction(size) * rates[currency]
    return total


def maturity(
    account_id: int, balance: Decimal, matures_on: datetime.date, as_of: datetime.date, policy: Policy
) -> Found | None:
    """Return whether an open deposit, investment or loan falls due soon; ``balance`` in base currency."""
    soon, ahead = sorted(policy["maturity_days"])
    days = (matures_on - as_of).days
    if balance <= 0 or not 0 <= days <= ahead:
        return None
    level = "yellow" if days <= soon else "blue"
    return Found("maturity", level, account_id, rounded(Fraction(balance)), Decimal(days), matures_on)


def demanded_class(days: int | None, is_card: bool, policy: Policy) -> str:
    """Return the mildest class that so many days past due allow."""
    limits = policy["overdue_classes"]["card" if is_card else "loan"]
    reached = [name for name, since in limits.items() if days is not None and days >= since]
    return max(reached, key=CLASSES.index, default=CLASSES[0])


def of_loan(loan: Loan, policy: Policy) -> list[Found]:
    """Return what is new of a loan tonight, and whether its class is milder than its days past due demand."""
    found = []
    days = loan.days_past_due
    facts: dict[str, Any] = {"account_id": loan.account_id, "amount": rounded(Fraction(loan.amount))}
    facts["figure"] = None if days is None else Decimal(days)
    given, before = loan.five_class, loan.class_before if loan.known_before else None
    if loan.is_news and days and not (loan.known_before and loan.days_before):
        found.append(Found("first_overdue", "orange", **facts))
    if loan.is_news and given and before and CLASSES.index(given) > CLASSES.index(before):
        level = "red" if CLASSES.index(given) >= CLASSES.index("substandard") else "orange"
        found.append(Found("class_downgraded", level, was=before, becomes=given, **facts))
    demanded = demanded_class(days, loan.is_card, policy)
    if given and CLASSES.index(demanded) > CLASSES.index(given):
        found.append(Found("class_mismatch", "yellow", was=given, becomes=demanded, **facts))
    return found


def identity_expiring(expires_on: datetime.date | None, as_of: datetime.date, policy: Policy) -> Found | None:
    """Return whether the primary document runs out soon, or ran out lately: nobody may have looked in time."""
    if expires_on is None or abs((expires_on - as_of).days) > int(policy["document_days"]):
        return None
    left = Decimal((expires_on - as_of).days)
    return Found("identity_expiring", "blue", figure=left, due_on=expires_on)


def assessment_expiring(
    assessed_on: datetime.date | None, as_of: datetime.date, policy: Policy
) -> Found | None:
    if assessed_on is None:
        return None
    until = _months_later(assessed_on, int(policy["risk_assessment_months"]))
    left = (until - as_of).days
    if not 0 <= left <= int(policy["document_days"]):
        return None
    return Found("assessment_expiring", "note", figure=Decimal(left), due_on=until)


def _in_base(move: Move, sign: int = 1) -> Fraction:
    return sign * Fraction(move.amount) * Fraction(move.fx_rate)


def _months_later(day: datetime.date, months: int) -> datetime.date:
    """Return the same day of a later month, or that month's last day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return datetime.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
