"""What the night keeps: accumulators, measures of accounts, scores with their components, peers, standings, tiers,
signals and alerts, summaries, the published pointer."""

from segmentation.models.accumulators import Absorbed, AccountMonth
from segmentation.models.behaviour import Behaviour, Life
from segmentation.models.history import PastScore
from segmentation.models.measures import AccountMeasure
from segmentation.models.nights import BranchSummary, PublishedNight
from segmentation.models.peers import PeerFigure, PeerGroup
from segmentation.models.related import Related, RelatedShare
from segmentation.models.scores import Loyalty, Risk
from segmentation.models.signals import Alert, AlertKind, Level, Signal
from segmentation.models.standings import Contribution, Period, Standing, Tier
from segmentation.models.tiers import TierChange, TierOverride, TierWhy

__all__ = [
    "Absorbed", "AccountMeasure", "AccountMonth", "Alert", "AlertKind", "Behaviour", "BranchSummary", "Contribution",
    "Level", "Life", "Loyalty", "PastScore", "PeerFigure", "PeerGroup", "Period", "PublishedNight", "Related",
    "RelatedShare", "Risk", "Signal", "Standing", "Tier", "TierChange", "TierOverride", "TierWhy",
]  # fmt: skip
