"""Which tier a customer stands in: the same verdict as the night's statement, as pure functions."""

from bisect import bisect_right
from decimal import Decimal

from segmentation.policy import Policy


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
