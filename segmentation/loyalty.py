"""Loyalty of a customer as pure functions, 0–100, higher = more loyal: the formulas to read, and the oracle the night's
statement is held against. Exact fractions inside; roots and powers of e are taken to 60 digits."""

from __future__ import annotations

import datetime
import decimal
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from segmentation.contribution import rounded

if TYPE_CHECKING:
    from segmentation.policy import Policy

COMPONENTS = ["tenure", "holdings", "wallet", "activity", "stability", "advocacy"]
ADJUSTMENTS = ["complaint", "dissatisfied", "outflow", "payroll"]
STABILITY_MONTHS = 6  # the month to date and the five complete months before it
MOST_VARIATION = Decimal(1000)  # beyond says nothing more: stability is 0 from 1 on

CHOICES = {
    "loyalty_weights": (
        {"tenure": "15", "holdings": "25", "wallet": "15", "activity": "10", "stability": "25", "advocacy": "10"},
        # Ten points fewer of activity and as many more of stability than the handbook's table: who moves his money most also
        # takes it away most, and with the table's weights the score foresaw losses worse on every bank it was tried on
        # (docs/foresight.md).
        "weight", "D", "Weights of missing components are shared out among the others.",
    ),
    "loyalty_adjustments": (
        {"complaint": "-5", "dissatisfied": "-10", "outflow": "-5", "payroll": "3"},
        "points", "D", "Open complaint; complaint closed dissatisfied in 12 months; regular transfers to himself at another "
        "bank; salary in each of six months.",
    ),
    "loyalty_tenure_months": (60, "months", "D", "So long a customer has the full points of tenure."),
    "loyalty_holding_steps": (
        ["0", "20", "40", "60", "80", "100"],
        "sub-score per number of classes", "D", "From no class of products on; the last step holds for more.",
    ),
    "loyalty_activity": (
        {"bookings": "40", "bookings_full": "30", "recency": "30", "recency_days": "60", "logins": "30", "logins_full": "8"},
        "weights within activity, and what is full", "D", "Own bookings in 90 days; e to the minus days since the last one over "
        "recency_days; days with an app login in 30. A part nobody tells is shared out between the others.",
    ),
    "loyalty_stability_least_months": (3, "months", "D", "Fewer whole months with the bank say nothing about stability."),
    "loyalty_advocacy": (
        {"referrals": "60", "referrals_full": "4", "answer": "40", "promoter": "1", "passive": "0.5", "detractor": "0"},
        "weights within advocacy, and what is full", "D", "Successful referrals in 24 months; latest answer 9–10, 7–8, 0–6.",
    ),
    "loyalty_regular_months": (
        {"outflow": 3, "payroll": 6}, "months of the last six", "D", "From how many months on a habit is regular.",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """What the night knows of a customer. ``None``: nobody tells it; a known absence is 0.

    ``asset_sums`` are sums over days of six months, the month to date first; ``since`` is the day his first account was
    opened, or he became a customer if he has none. The masks have one bit for each of the six complete months before.
    """

    tenure_months: int
    class_count: int
    asset_sums: list[Decimal] | None
    since: datetime.date
    outside: Decimal | None = None
    own_90d: int | None = 0
    days_since_own: int | None = None
    login_days: int | None = None
    referrals: int | None = None
    nps: int | None = None
    complaint_open: bool = False
    left_dissatisfied: bool = False
    outflow_mask: int = 0
    salary_mask: int = 0


@dataclass(frozen=True)
class Score:
    """Sub-scores (``None``: missing), points, adjustments and their sum. ``score`` is None where coverage is 0."""

    score: Decimal | None
    coverage: Decimal
    wallet_share: Decimal | None
    variation: Decimal | None
    subs: dict[str, Decimal | None]
    points: dict[str, Decimal]
    adjustments: dict[str, Decimal]
    clamp: Decimal


def parameters(policy: Policy) -> dict[str, Any]:
    """Return the values the statement takes."""
    weights, adjustments = policy["loyalty_weights"], policy["loyalty_adjustments"]
    activity, advocacy, regular = (
        policy["loyalty_activity"],
        policy["loyalty_advocacy"],
        policy["loyalty_regular_months"],
    )
    return {
        **{f"loyalty_w_{name}": Decimal(weights[name]) for name in COMPONENTS},
        **{f"loyalty_{name}_points": Decimal(adjustments[name]) for name in ADJUSTMENTS},
        **{f"loyalty_activity_{name}": Decimal(value) for name, value in activity.items()},
        **{f"loyalty_advocacy_{name}": Decimal(value) for name, value in advocacy.items()},
        **{f"loyalty_{name}_months": int(value) for name, value in regular.items()},
        "loyalty_tenure_full": int(policy["loyalty_tenure_months"]),
        "loyalty_steps": [Decimal(step) for step in policy["loyalty_holding_steps"]],
        "loyalty_least_months": int(policy["loyalty_stability_least_months"]),
    }


def full_months(since: datetime.date, until: datetime.date) -> int:
    """Return the whole months from one day to another; 0 if it lies ahead."""
    months = (until.year - since.year) * 12 + until.month - since.month - (until.day < since.day)
    return max(months, 0)


def tenure(months: int, policy: Policy) -> Decimal:
    return _points(min(Fraction(months, int(policy["loyalty_tenure_months"])), Fraction(1)) * 100)


def holdings(class_count: int, policy: Policy) -> Decimal:
    steps = policy["loyalty_holding_steps"]
    return _points(Fraction(steps[min(class_count, len(steps) - 1)]))


def wallet(average: Fraction, outside: Decimal | None) -> Fraction | None:
    """Return the share of his assets that is here; None if the rest is unknown, or there is nothing to have a share of."""
    here = max(average, Fraction(0))
    if outside is None or here + Fraction(outside) <= 0:
        return None
    return here / (here + Fraction(outside))


def activity(seen: Seen, policy: Policy) -> tuple[Decimal | None, Fraction]:
    """Return the sub-score from the parts that are told, and the share of the parts' weight that is."""
    rule = {name: Fraction(value) for name, value in policy["loyalty_activity"].items()}
    told: list[tuple[Fraction, Fraction]] = []  # (weight, value 0–1)
    if seen.own_90d is not None:
        told.append((rule["bookings"], min(seen.own_90d / rule["bookings_full"], Fraction(1))))
        told.append((rule["recency"], _recency(seen.days_since_own, rule["recency_days"])))
    if seen.login_days is not None:
        told.append((rule["logins"], min(seen.login_days / rule["logins_full"], Fraction(1))))
    return _of_parts(told, rule["bookings"] + rule["recency"] + rule["logins"])


def variation(sums: list[Decimal], since: datetime.date, as_of: datetime.date, least: int) -> Decimal | None:
    """Return σ ÷ μ of the month day-averages, to 8 decimals; None with too few whole months or nothing to vary about."""
    averages = month_averages(sums, since, as_of)
    total = sum(averages, Fraction(0))
    if len(averages) < least or total <= 0:
        return None
    return min(rounded(_root(_squared(averages, total)), 8), MOST_VARIATION)


def stability(sums: list[Decimal], since: datetime.date, as_of: datetime.date, least: int) -> Decimal | None:
    """Return the sub-score; 0 where the average is nothing or less, None with too few whole months."""
    averages = month_averages(sums, since, as_of)
    total = sum(averages, Fraction(0))
    if len(averages) < least:
        return None
    if total <= 0 or (squared := _squared(averages, total)) >= 1:
        return Decimal("0.0000")
    return _points(100 * (1 - _root(squared)))


def month_averages(sums: list[Decimal], since: datetime.date, as_of: datetime.date) -> list[Fraction]:
    """Return the day-averages of the months that lie wholly after ``since``, newest first. A first part of a month would
    look like a rise that never was."""
    averages, first, days = [], as_of.replace(day=1), as_of.day
    for day_sum in sums[:STABILITY_MONTHS]:
        if since > first:
            break
        averages.append(Fraction(day_sum) / days)
        before = first - datetime.timedelta(days=1)
        first, days = before.replace(day=1), before.day
    return averages


def advocacy(seen: Seen, policy: Policy) -> tuple[Decimal | None, Fraction]:
    """Return the sub-score from the parts that are told, and the share of the parts' weight that is."""
    rule = {name: Fraction(value) for name, value in policy["loyalty_advocacy"].items()}
    told: list[tuple[Fraction, Fraction]] = []
    if seen.referrals is not None:
        told.append((rule["referrals"], min(seen.referrals / rule["referrals_full"], Fraction(1))))
    if seen.nps is not None:
        said = "promoter" if seen.nps >= 9 else "passive" if seen.nps >= 7 else "detractor"
        told.append((rule["answer"], rule[said]))
    return _of_parts(told, rule["referrals"] + rule["answer"])


def adjustments(seen: Seen, policy: Policy) -> dict[str, Decimal]:
    points, regular = policy["loyalty_adjustments"], policy["loyalty_regular_months"]
    holds = {
        "complaint": seen.complaint_open,
        "dissatisfied": seen.left_dissatisfied,
        "outflow": seen.outflow_mask.bit_count() >= int(regular["outflow"]),
        "payroll": seen.salary_mask.bit_count() >= int(regular["payroll"]),
    }
    return {name: _points(Fraction(points[name])) if holds[name] else Decimal(0) for name in ADJUSTMENTS}


def shares(weights: dict[str, Fraction], present: set[str]) -> dict[str, Fraction]:
    """Return what each component weighs of 100 once the weights of missing ones are shared out; {} if nothing is left."""
    whole = sum((weights[name] for name in present), Fraction(0))
    return {name: 100 * weights[name] / whole for name in present} if whole else {}


def score(seen: Seen, as_of: datetime.date, policy: Policy) -> Score:
    """Return the loyalty of a customer on a day, line by line."""
    least = int(policy["loyalty_stability_least_months"])
    sums = seen.asset_sums
    share = wallet(Fraction(sums[0]) / as_of.day, seen.outside) if sums is not None else None
    active, told_activity = activity(seen, policy)
    engaged, told_advocacy = advocacy(seen, policy)
    subs = {
        "tenure": tenure(seen.tenure_months, policy),
        "holdings": holdings(seen.class_count, policy),
        "wallet": None if share is None else _points(100 * share),
        "activity": active,
        "stability": None if sums is None else stability(sums, seen.since, as_of, least),
        "advocacy": engaged,
    }
    weights = {name: Fraction(policy["loyalty_weights"][name]) for name in COMPONENTS}
    told = {"activity": told_activity, "advocacy": told_advocacy}
    weighs = shares(weights, {name for name in COMPONENTS if subs[name] is not None})
    known = sum(
        (weights[name] * told.get(name, 1) for name in COMPONENTS if subs[name] is not None), Fraction(0)
    )
    points = {
        name: _points(weighs[name] * Fraction(subs[name] or 0) / 100) if name in weighs else Decimal(0)
        for name in COMPONENTS
    }
    adjusted = adjustments(seen, policy) if weighs else dict.fromkeys(ADJUSTMENTS, Decimal(0))
    total = sum(points.values(), Decimal(0)) + sum(adjusted.values(), Decimal(0))
    clamped = min(max(total, Decimal(0)), Decimal(100))
    return Score(
        score=clamped if weighs else None,
        coverage=_points(known / whole) if (whole := sum(weights.values())) else Decimal(0),
        wallet_share=None if share is None else rounded(share, 8),
        variation=None if sums is None else variation(sums, seen.since, as_of, least),
        subs=subs,
        points=points,
        adjustments=adjusted,
        clamp=clamped - total,
    )


def _of_parts(told: list[tuple[Fraction, Fraction]], whole: Fraction) -> tuple[Decimal | None, Fraction]:
    known = sum((weight for weight, _ in told), Fraction(0))
    if not known:
        return None, Fraction(0)
    return _points(100 * sum((weight * value for weight, value in told), Fraction(0)) / known), known / whole


def _recency(days: int | None, fading: Fraction) -> Fraction:
    """Return e^(−days ÷ fading); 0 where there was no booking in the year that is looked at."""
    if days is None:
        return Fraction(0)
    with decimal.localcontext(prec=60):
        power = Fraction(days) / fading
        return Fraction((-Decimal(power.numerator) / Decimal(power.denominator)).exp())


def _squared(averages: list[Fraction], total: Fraction) -> Fraction:
    """Return (σ ÷ μ)², exactly."""
    return (len(averages) * sum((average**2 for average in averages), Fraction(0)) - total**2) / total**2


def _root(value: Fraction) -> Fraction:
    with decimal.localcontext(prec=60):
        return Fraction((Decimal(value.numerator) / Decimal(value.denominator)).sqrt())


def _points(amount: Fraction) -> Decimal:
    return rounded(amount, 4)
