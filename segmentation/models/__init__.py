"""What the night keeps: accumulators, measures of accounts, standings, contributions, summaries, the published pointer."""

from segmentation.models.accumulators import Absorbed, AccountMonth
from segmentation.models.measures import AccountMeasure
from segmentation.models.nights import BranchSummary, PublishedNight
from segmentation.models.standings import Contribution, Period, Standing, Tier

__all__ = [
    "Absorbed", "AccountMeasure", "AccountMonth", "BranchSummary", "Contribution", "Period", "PublishedNight",
    "Standing", "Tier",
]  # fmt: skip
