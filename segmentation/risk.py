"""Risk of a customer as pure functions, 0–100, higher = riskier: the formulas to read, and the oracle the night's
statements are held against. Exact fractions inside; logarithms are taken to 60 digits."""

from __future__ import annotations

import decimal
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from segmentation.contribution import rounded
from segmentation.signals import CLASSES

if TYPE_CHECKING:
    from segmentation.policy import Policy

COMPONENTS = ["overdue", "probability", "leverage", "concentration", "guarantee", "warning", "kyc"]
MOST_RATIO = Fraction(1_000_000)  # beyond says nothing more: an income of one cent must not burst the column

CHOICES = {
    "risk_component_weights": (
        {
            "corporate": {"overdue": "25", "probability": "25", "leverage": "10", "concentration": "10", "guarantee": "10",
                          "warning": "15", "kyc": "5"},
            "individual": {"overdue": "30", "probability": "30", "leverage": "10", "concentration": "0", "guarantee": "5",
                           "warning": "15", "kyc": "10"},
        },
        "weight", "D", "Weights of missing components are shared out among the others.",
    ),
    "risk_floors": (
        {"normal": "0", "special_mention": "40", "substandard": "70", "doubtful": "85", "loss": "95"},
        "points", "D", "A customer is at least as risky as the worst class of his loans.",
    ),
    "bank_net_capital": (None, "base currency", "D", "Unset: the share of net capital is not judged."),
    "risk_overdue_bands": (
        [[0, "0"], [30, "25"], [60, "45"], [90, "60"], [270, "80"], [None, "95"]],
        "days past due up to, sub-score", "D", "Of the most overdue loan, fewest days first; the last band has no end.",
    ),
    "risk_lowest_probability": (
        "0.0003", "probability a year", "D", "Sub-score 0; certain default is 100, between them by the logarithm.",
    ),
    "risk_anchors": (
        {"debt_ratio": ["0.30", "0.70"], "capital_share": ["0", "0.10"], "counterparties": ["0.1", "0.5"]},
        "share with sub-score 0, and with 100", "D", "Repayment of income; exposure of the bank's net capital; Σ share² of the "
        "payers of a firm.",
    ),
    "risk_guarantee_ring": (
        {"points": "30", "length": 6}, "sub-score, guarantees", "D", "Added where guarantees lead back in so many steps or fewer.",
    ),
    "risk_warning_points": (
        {"red": "100", "orange": "70", "yellow": "40", "blue": "15"}, "sub-score", "D", "Of the gravest warning of the night.",
    ),
    "risk_kyc_points": (
        {"high": "100", "medium": "40", "low": "0", "expired": "20"},
        "sub-score", "D", "By grade; expired is added where the identity document has run out.",
    ),
}  # fmt: skip


def parameters(policy: Policy) -> dict[str, Any]:
    """Return the values the statements take."""
    anchors, ring = policy["risk_anchors"], policy["risk_guarantee_ring"]
    named = {"debt_ratio": "debt_ratio", "capital_share": "capital_share", "hhi": "counterparties"}
    return {
        **{f"{name}_low": Decimal(anchors[anchor][0]) for name, anchor in named.items()},
        **{f"{name}_high": Decimal(anchors[anchor][1]) for name, anchor in named.items()},
        "risk_weights": json.dumps(
            [{"kind": kind, **weights} for kind, weights in policy["risk_component_weights"].items()]
        ),
        "risk_band_limits": [int(upto) for upto, _ in policy["risk_overdue_bands"] if upto is not None],
        "risk_band_points": [Decimal(points) for _, points in policy["risk_overdue_bands"]],
        "risk_floors": json.dumps(policy["risk_floors"]),
        "risk_level_points": json.dumps(policy["risk_warning_points"]),
        "risk_kyc_points": json.dumps(policy["risk_kyc_points"]),
        "warning_kinds": list(policy["warning_kinds"]),
        "probability_lowest": policy.decimal("risk_lowest_probability"),
        "ring_points": Decimal(ring["points"]),
        "ring_length": int(ring["length"]),
        "net_capital": _net_capital(policy),
    }


@dataclass(frozen=True)
class Debt:
    """A loan that is open or owed; ``exposure`` in base currency. None: the feed does not say."""

    exposure: Decimal = Decimal(0)
    days_past_due: int | None = None
    five_class: str | None = None

    @property
    def overdue_days(self) -> int | None:
        """A loan whose class is normal is not overdue: overdue ones are special mention at least."""
        return 0 if self.days_past_due is None and self.five_class == "normal" else self.days_past_due

    @property
    def is_warned(self) -> bool:
        return bool(self.overdue_days) or CLASSES.index(self.five_class or "normal") > 0


@dataclass(frozen=True)
class Seen:
    """What the night knows of a customer. ``guarantors`` says of each whether he is in trouble himself; None: nobody ever
    told a relation. ``received`` is what a firm got from each counterparty in the rolling year, base currency."""

    kind: str
    debts: tuple[Debt, ...] = ()
    repaid: Decimal = Decimal(0)  # in the three complete months before
    annual_income: Decimal | None = None
    guarantors: tuple[bool, ...] | None = None
    in_ring: bool = False
    received: Mapping[str, Decimal] | None = None
    warnings: tuple[str, ...] = ()  # levels
    kyc_grade: str | None = None
    identity_expired: bool = False


@dataclass(frozen=True)
class Score:
    """The fields of ``models.Risk``; sub-scores are None where the input is missing or the component weighs nothing."""

    score: Decimal | None
    coverage: Decimal
    raws: dict[str, Any]
    subs: dict[str, Decimal | None]
    points: dict[str, Decimal]
    floor_points: Decimal


def overdue(days: int, policy: Policy) -> Decimal | None:
    for upto, points in policy["risk_overdue_bands"]:
        if upto is None or days <= upto:
            return _points(Fraction(points))
    return None


def probability(default: Decimal, policy: Policy) -> Decimal:
    """Return 100·ln(PD ÷ lowest) ÷ ln(1 ÷ lowest), clamped."""
    lowest = policy.decimal("risk_lowest_probability")
    if default <= lowest:
        return _points(Fraction(0))
    if default >= 1:
        return _points(Fraction(100))
    with decimal.localcontext(prec=60):
        return _points(Fraction(100 * (default / lowest).ln() / (1 / lowest).ln()))


def between(value: Fraction, anchor: str, policy: Policy) -> Fraction:
    """Return 0 up to the lower anchor, 100 from the upper one on, and the straight line between them."""
    low, high = (Fraction(edge) for edge in policy["risk_anchors"][anchor])
    if value <= low:
        return Fraction(0)
    return Fraction(100) if value >= high else 100 * (value - low) / (high - low)


def debt_ratio(seen: Seen) -> Fraction | None:
    """Return a month's repayment ÷ a month's income; firms: None, the feed has no liabilities."""
    if seen.kind == "corporate":
        return None
    if not seen.debts:
        return Fraction(0)
    if seen.annual_income is None or seen.annual_income <= 0:
        return None
    return min(Fraction(max(seen.repaid, Decimal(0))) / 3 / (Fraction(seen.annual_income) / 12), MOST_RATIO)


def capital_share(seen: Seen, policy: Policy) -> Fraction | None:
    capital = _net_capital(policy)
    if seen.kind != "corporate" or capital is None:
        return None
    exposure = sum((max(debt.exposure, Decimal(0)) for debt in seen.debts), Decimal(0))
    return min(Fraction(exposure) / Fraction(capital), MOST_RATIO)


def concentration_of(received: Mapping[str, Decimal] | None) -> Fraction | None:
    """Return Σ (share of a counterparty)²; None where nobody named paid anything."""
    total = sum((received or {}).values(), Decimal(0))
    if not received or not total:
        return None
    return sum((Fraction(amount) ** 2 for amount in received.values()), Fraction(0)) / Fraction(total) ** 2


def rings(guarantees: Iterable[tuple[int, int]], longest: int) -> set[int]:
    """Return who stands in a ring of at most ``longest`` guarantees, given as (customer, his guarantor)."""
    guarantors: dict[int, set[int]] = {}
    for customer, guarantor in guarantees:
        guarantors.setdefault(customer, set()).add(guarantor)
    found = set()
    for start in guarantors:
        reached = {start}
        for _ in range(longest):
            reached = {guarantor for customer in reached for guarantor in guarantors.get(customer, ())}
            if start in reached:
                found.add(start)
                break
    return found


def score(seen: Seen, policy: Policy) -> Score:
    """Return the risk of a customer, line by line."""
    raws, parts = _components(seen, policy)
    weights = {name: Fraction(policy["risk_component_weights"][seen.kind][name]) for name in COMPONENTS}
    subs = {name: sub if weights[name] else None for name, (sub, _) in parts.items()}
    present = [name for name in COMPONENTS if subs[name] is not None]
    whole = sum((weights[name] for name in present), Fraction(0))
    points = {
        name: _points(weights[name] * Fraction(subs[name] or 0) / whole) if whole else Decimal(0)
        for name in COMPONENTS
    }
    if not whole:
        return Score(None, Decimal(0), raws, subs, points, Decimal(0))
    known = sum((weights[name] * parts[name][1] for name in present), Fraction(0))
    total = sum(points.values(), Decimal(0))
    floor = _points(Fraction(policy["risk_floors"].get(raws["worst_class"], "0")))
    # Seven roundings up may reach a hair above the scale.
    result = min(max(total, floor), Decimal(100))
    coverage = max(_points(known / sum(weights.values())), Decimal("0.0001"))
    return Score(result, coverage, raws, subs, points, result - total)


def _components(
    seen: Seen, policy: Policy
) -> tuple[dict[str, Any], dict[str, tuple[Decimal | None, Fraction]]]:
    """Return what was measured, and per component its sub-score and the share of its inputs that was told."""
    days = [debt.overdue_days for debt in seen.debts if debt.overdue_days is not None]
    classes = [debt.five_class for debt in seen.debts if debt.five_class is not None]
    defaults = [Decimal(policy["default_probability"][name]) for name in classes]
    # Nothing owed is known: no days overdue, no default.
    worst_days = max(days, default=None) if seen.debts else 0
    worst_default = max(defaults, default=None) if seen.debts else Decimal(0)
    ratio, share, hhi = debt_ratio(seen), capital_share(seen, policy), concentration_of(seen.received)
    hhi = hhi if seen.kind == "corporate" else None
    guaranteed = _guarantee_share(seen)
    level = max(seen.warnings, key=lambda name: Decimal(policy["risk_warning_points"][name]), default="")
    concentrated = [
        between(value, anchor, policy)
        for value, anchor in ((share, "capital_share"), (hhi, "counterparties"))
        if value is not None
    ]
    raws = {
        "overdue_days": worst_days,
        "default_probability": worst_default,
        "debt_ratio": ratio,
        "capital_share": share,
        "counterparty_hhi": hhi,
        "guarantee_share": guaranteed,
        "in_guarantee_ring": seen.in_ring and seen.guarantors is not None,
        "warning_level": level,
        "kyc_grade": seen.kyc_grade,
        "identity_expired": seen.identity_expired,
        "worst_class": max(classes, key=CLASSES.index, default=None),
    }
    one, debts = Fraction(1), len(seen.debts)
    warned = Fraction(policy["risk_warning_points"][level]) if level else Fraction(0)
    parts = {
        "overdue": (
            None if worst_days is None else overdue(worst_days, policy),
            Fraction(len(days), debts) if debts else one,
        ),
        "probability": (
            None if worst_default is None else probability(worst_default, policy),
            Fraction(len(classes), debts) if debts else one,
        ),
        "leverage": (None if ratio is None else _points(between(ratio, "debt_ratio", policy)), one),
        "concentration": (
            _points(max(concentrated)) if concentrated else None,
            Fraction(len(concentrated), 2),
        ),
        "guarantee": (_guarantee(guaranteed, seen.in_ring, policy), one),
        "warning": (_points(warned), one),
        "kyc": (_kyc(seen, policy), one),
    }
    return raws, parts


def _guarantee_share(seen: Seen) -> Fraction | None:
    if seen.guarantors is None:
        return None
    return Fraction(sum(seen.guarantors), len(seen.guarantors)) if seen.guarantors else Fraction(0)


def _guarantee(share: Fraction | None, in_ring: bool, policy: Policy) -> Decimal | None:
    if share is None:
        return None
    ring = Fraction(policy["risk_guarantee_ring"]["points"]) if in_ring else Fraction(0)
    return _points(min(100 * share + ring, Fraction(100)))


def _kyc(seen: Seen, policy: Policy) -> Decimal | None:
    if seen.kyc_grade is None:
        return None
    rule = policy["risk_kyc_points"]
    expired = Fraction(rule["expired"]) if seen.identity_expired else Fraction(0)
    return _points(min(Fraction(rule[seen.kyc_grade]) + expired, Fraction(100)))


def _net_capital(policy: Policy) -> Decimal | None:
    """Return the bank's net capital; None where it is unset or nothing to be a share of."""
    given = policy["bank_net_capital"]
    return Decimal(str(given)) if given is not None and Decimal(str(given)) > 0 else None


def _points(amount: Fraction) -> Decimal:
    return rounded(amount, 4)
