"""Which tier a customer stands in: the same verdict as the night's statement, as pure functions."""

from __future__ import annotations

from bisect import bisect_right
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from segmentation.policy import Policy

CHOICES = {
    "tier_downgrade_months": (3, "months", "D", "Complete months in a row below the share before a tier is lost."),
    "tier_downgrade_share": ("0.90", "share", "D", "Of the held tier's floor."),
    "tier_protection_months": (3, "months", "D", "After a tier was won it cannot be lost for so long."),
    "top_tier_at_once": (True, "yes or no", "D", "The top tier is won on the day, every other at month end."),
}  # fmt: skip


def parameters(policy: Policy) -> dict[str, Any]:
    """Return the values the statements take."""
    return {}


def personal(month_average: Decimal, policy: Policy) -> str:
    """Return the tier of an individual by the month day-average of his comprehensive assets; intervals ``[low, high)``."""
    tiers = policy["personal_tiers"]
    return tiers[bisect_right([Decimal(floor) for _, floor in tiers[1:]], month_average)][0]


def corporate(
    contribution: Decimal, deposit_average: Decimal, policy: Policy, *, strategic: bool = False
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
