"""Which tier a customer stands in: the same verdict as the night's statements, as pure functions.

Figures say a tier; the tier held goes on from the changes published nights wrote. It rises at a month's end (the top tier
of individuals on the day), is lost at a month's end after some complete months below a share of its floor, and follows
what people decided at once. Amounts are base currency; individuals are measured by the month day-average of weighted
assets, firms by annualised related contribution and the year day-average of deposits.
"""

from __future__ import annotations

import calendar
import datetime
import json
import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from segmentation import periods

if TYPE_CHECKING:
    from segmentation.policy import Policy

CHOICES = {
    "tier_downgrade_months": (3, "months", "D", "Complete months in a row below the share before a tier is lost; up to 12."),
    "tier_downgrade_share": ("0.90", "share", "D", "Of the held tier's floor."),
    "tier_protection_months": (3, "months", "D", "After a tier was won it cannot be lost for so long."),
    "top_tier_at_once": (
        True, "yes or no", "D",
        "Individuals win the top tier on the day, every other at month end. Firms at month end: a few days in January, "
        "annualised, say nothing.",
    ),
}  # fmt: skip
WON = ("first", "upgrade")  # by the figures: protected for a while


def parameters(policy: Policy) -> dict[str, Any]:
    """Return the values the statements take."""
    return {
        "tier_ladder": json.dumps(
            [
                {
                    "kind": kind,
                    "place": rung.place,
                    "tier": rung.tier,
                    "floor": None if rung.floor is None else str(rung.floor),
                    "deposit_floor": None if rung.deposit_floor is None else str(rung.deposit_floor),
                }
                for kind in ("individual", "corporate")
                for rung in ladder(kind, policy)
            ]
        ),
        "tier_keep_months": int(policy["tier_downgrade_months"]),
        "tier_keep_share": policy.decimal("tier_downgrade_share"),
        "tier_protection_months": int(policy["tier_protection_months"]),
        "top_tier_at_once": bool(policy["top_tier_at_once"]),
    }


@dataclass(frozen=True)
class Rung:
    """One tier of a kind, ``place`` 0 the lowest. ``floor`` is of assets or of contribution; the lowest has none.

    ``deposit_floor``: what of deposits leads at least here, for firms."""

    place: int
    tier: str
    floor: Decimal | None
    deposit_floor: Decimal | None = None


def ladder(kind: str, policy: Policy) -> list[Rung]:
    """Return the tiers of a kind, lowest first."""
    if kind == "individual":
        return [
            Rung(place, tier, Decimal(floor) if place else None)
            for place, (tier, floor) in enumerate(policy["personal_tiers"])
        ]
    tiers = policy["corporate_tiers_by_contribution"]
    place_of = {tier: place for place, (tier, _) in enumerate(tiers)}
    deposits = sorted(
        (place_of[tier], Decimal(floor)) for tier, floor in policy["corporate_tiers_by_deposit"]
    )
    return [
        Rung(
            place,
            tier,
            Decimal(floor) if place else None,
            next((at for rank, at in deposits if rank >= place), None) if place else None,
        )
        for place, (tier, floor) in enumerate(tiers)
    ]


def personal(month_average: Decimal | Fraction, policy: Policy) -> str:
    """Return the tier of an individual by the month day-average of his comprehensive assets; intervals ``[low, high)``."""
    tiers = policy["personal_tiers"]
    return tiers[bisect_right([Decimal(floor) for _, floor in tiers[1:]], month_average)][0]


def corporate(
    contribution: Decimal | Fraction,
    deposit_average: Decimal | Fraction,
    policy: Policy,
    *,
    strategic: bool = False,
) -> str:
    """Return the tier of a firm by annualised contribution and year day-average deposit: the higher verdict counts."""
    tiers = policy["corporate_tiers_by_contribution"]
    by_deposit = policy["corporate_tiers_by_deposit"]
    names = [tier for tier, _ in tiers]
    if strategic:
        return names[-1]
    rank = bisect_right([Decimal(floor) for _, floor in tiers[1:]], contribution)
    reached = bisect_right([Decimal(floor) for _, floor in by_deposit], deposit_average)
    if reached:
        rank = max(rank, names.index(by_deposit[reached - 1][0]))
    return names[rank]


@dataclass(frozen=True)
class Figures:
    """What a month said of a customer: ``amount`` assets (month day-average) or, for firms, annualised contribution with
    ``deposit`` the year day-average."""

    amount: Fraction
    deposit: Fraction = Fraction(0)


@dataclass(frozen=True)
class Holding:
    """The tier held before tonight, since when and why."""

    tier: str
    since: datetime.date
    why: str


@dataclass(frozen=True)
class Case:
    """What tonight knows. ``earlier``: the complete months before tonight's month, newest first, None: not known.

    ``override``: the tier people decided, in force on the date; ``override_ended``: one was in force on the published night
    before and none is tonight."""

    as_of: datetime.date
    kind: str
    figures: Figures
    earlier: Sequence[Figures | None] = ()
    strategic: bool = False
    override: str | None = None
    override_ended: bool = False
    closed: bool = False


@dataclass(frozen=True)
class Verdict:
    """A row of ``stage_tier`` without the customer; ``was`` and ``next_tier`` are empty where there is none."""

    was: str
    tier: str
    why: str
    tier_by_figures: str
    tier_since: datetime.date
    months_below: int
    protected_until: datetime.date | None
    next_tier: str
    next_gap: Decimal | None
    drop_gap: Decimal | None


def decide(case: Case, held: Holding | None, policy: Policy) -> Verdict:
    """Return tonight's verdict on one customer."""
    rungs = ladder(case.kind, policy)
    place_of = {rung.tier: rung.place for rung in rungs}
    if held is not None and held.tier not in place_of:
        held = None  # a tier of another kind, or one the bank has given up: begin anew
    figures = place_of[by_figures(case.kind, case.figures, policy)]
    months = months_below(case, held, policy) if held else 0
    place, why = _move(case, held, held and place_of[held.tier], figures, months, policy)
    stays = held is not None and place == place_of[held.tier]
    since = held.since if held is not None and stays else case.as_of
    why = held.why if held is not None and stays else why
    protected = _protected_until(since, why, policy)
    return Verdict(
        was=held.tier if held else "",
        tier=rungs[place].tier,
        why=why,
        tier_by_figures=rungs[figures].tier,
        tier_since=since,
        months_below=months if stays else 0,
        protected_until=protected if protected and protected > case.as_of else None,
        next_tier=rungs[place + 1].tier if place + 1 < len(rungs) else "",
        next_gap=next_gap(case.figures, rungs[place + 1]) if place + 1 < len(rungs) else None,
        drop_gap=drop_gap(case.figures, rungs[place], policy) if place else None,
    )


def by_figures(kind: str, figures: Figures, policy: Policy) -> str:
    if kind == "individual":
        return personal(figures.amount, policy)
    return corporate(figures.amount, figures.deposit, policy)


def _move(
    case: Case, held: Holding | None, at: int | None, figures: int, months: int, policy: Policy
) -> tuple[int, str]:
    """Return where he stands after tonight and why; the first rule that speaks decides."""
    rungs = ladder(case.kind, policy)
    top, month_end = len(rungs) - 1, periods.is_month_end(case.as_of)
    if case.closed:
        return (figures, "first") if held is None or at is None else (at, held.why)
    if case.override is not None:
        return next(rung.place for rung in rungs if rung.tier == case.override), "override"
    if case.strategic and case.kind == "corporate":
        return top, "strategic"
    if held is None or at is None:
        return figures, "first"
    if (held.why == "override" and case.override_ended) or held.why == "strategic":
        return figures, "expired"
    at_once = policy["top_tier_at_once"] and case.kind == "individual" and figures == top
    if figures > at and (month_end or at_once):
        return figures, "upgrade"
    protected = _protected_until(held.since, held.why, policy)
    safe = protected is not None and protected > case.as_of
    if month_end and not safe and figures < at and months >= int(policy["tier_downgrade_months"]):
        return figures, "downgrade"
    return at, held.why


def months_below(case: Case, held: Holding, policy: Policy) -> int:
    """Return the complete months in a row, newest first, below the share of the held tier's floor. A month counts once it is
    over, if it ended while the tier was held; a month nobody knows ends the row."""
    rung = next(rung for rung in ladder(case.kind, policy) if rung.tier == held.tier)
    months: list[tuple[datetime.date, Figures | None]] = []
    if periods.is_month_end(case.as_of):
        months.append((case.as_of, case.figures))
    last = case.as_of.replace(day=1) - datetime.timedelta(days=1)
    for figures in list(case.earlier)[:11]:
        months.append((last, figures))
        last = last.replace(day=1) - datetime.timedelta(days=1)
    count = 0
    for ended_on, figures in months:
        if ended_on <= held.since or figures is None or not _is_below(figures, rung, policy):
            break
        count += 1
    return count


def _is_below(figures: Figures, rung: Rung, policy: Policy) -> bool:
    share = Fraction(policy.decimal("tier_downgrade_share"))
    if rung.floor is None or figures.amount >= share * Fraction(rung.floor):
        return False
    return rung.deposit_floor is None or figures.deposit < share * Fraction(rung.deposit_floor)


def next_gap(figures: Figures, rung: Rung) -> Decimal:
    """Return what the measure lacks to a rung, the smaller of a firm's two ways; up to the cent that suffices, 0: reached."""
    gaps = [Fraction(rung.floor or 0) - figures.amount]
    if rung.deposit_floor is not None:
        gaps.append(Fraction(rung.deposit_floor) - figures.deposit)
    return Decimal(max(math.ceil(min(gaps) * 100), 0)).scaleb(-2)


def drop_gap(figures: Figures, rung: Rung, policy: Policy) -> Decimal:
    """Return how far the measure may fall before the held tier is at risk, the larger of a firm's two; negative: below."""
    share = Fraction(policy.decimal("tier_downgrade_share"))
    gaps = [figures.amount - share * Fraction(rung.floor or 0)]
    if rung.deposit_floor is not None:
        gaps.append(figures.deposit - share * Fraction(rung.deposit_floor))
    return Decimal(math.floor(max(gaps) * 100)).scaleb(-2)


def _protected_until(since: datetime.date, why: str, policy: Policy) -> datetime.date | None:
    return months_after(since, int(policy["tier_protection_months"])) if why in WON else None


def months_after(day: datetime.date, months: int) -> datetime.date:
    """Return the same day so many months later, the month's last where it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return datetime.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
