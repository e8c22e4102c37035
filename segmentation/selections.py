"""Customers people ask for by name: of high quality among their peers, close to the next tier, about to lose their own."""

import datetime
from collections.abc import Iterator
from decimal import Decimal

from django.db.models import ExpressionWrapper, F, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from segmentation import periods
from segmentation.models import PeerFigure, Standing
from segmentation.models.measures import DaySumField
from segmentation.policy import Policy

UP, DOWN = "up", "down"
NEAR = ((UP, _("close to the next tier")), (DOWN, _("tier at risk")))
SIZES = {
    "large": pgettext_lazy("enterprise", "large"),
    "medium": pgettext_lazy("enterprise", "medium"),
    "small": pgettext_lazy("enterprise", "small"),
    "micro": pgettext_lazy("enterprise", "micro"),
    "unknown": pgettext_lazy("enterprise", "size not known"),
}
CENT = Decimal("0.01")
# Corporates have a second ladder: the verdict of the deposits counts where it is higher.
LADDERS = {
    "individual": ["personal_tiers"],
    "corporate": ["corporate_tiers_by_contribution", "corporate_tiers_by_deposit"],
}


def _peers(figure: str) -> Subquery:
    found = PeerFigure.objects.filter(run_id=OuterRef("run_id"), peer_id=OuterRef("peer_id"), figure=figure)
    return Subquery(found.values("mean")[:1])


def high_quality(rows: QuerySet[Standing]) -> QuerySet[Standing]:
    """Narrow standings to open customers who bring more and are more loyal than their peers' mean, at less risk."""
    return rows.filter(
        is_closed=False,
        contribution__gt=_peers("contribution"),
        loyalty__gt=_peers("loyalty"),
        risk__lt=_peers("risk"),
    )


def near(rows: QuerySet[Standing], which: str, policy: Policy, as_of: datetime.date) -> QuerySet[Standing]:
    """Narrow standings to open customers as close to a tier's floor as the night tells it: below the next tier's
    (``UP``), or little above their own, even below it (``DOWN``); who won his tier lately cannot lose it yet."""
    share, days = policy.decimal("near_threshold_share"), periods.of(as_of).year.days
    keep = policy.decimal("tier_downgrade_share")
    found = Q(pk__in=[])
    for kind, tier, floor, of_deposits in _floors(policy):
        if which == UP:
            within = Q(kind=kind, next_tier=tier, next_gap__lte=share * floor)
            if of_deposits:
                # The gap is the deposits' where it leads to their floor exactly.
                within &= Q(reach__gt=(floor - CENT) * days, reach__lt=(floor + CENT) * days)
        else:
            within = Q(kind=kind, tier=tier, drop_gap__lte=share * floor)
            within &= Q(protected_until__isnull=True) | Q(protected_until__lte=as_of)
            if of_deposits:
                within &= Q(line__gt=(keep * floor - CENT) * days, line__lt=(keep * floor + CENT) * days)
        found |= within
    reach = ExpressionWrapper(F("deposit_year_sum") + F("next_gap") * days, DaySumField())
    line = ExpressionWrapper(F("deposit_year_sum") - F("drop_gap") * days, DaySumField())
    return rows.alias(reach=reach, line=line).filter(found, is_closed=False)


def _floors(policy: Policy) -> Iterator[tuple[str, str, Decimal, bool]]:
    """Kind, tier, its floor, and whether it is the floor of the deposits; the first tier of a ladder has none."""
    for kind, names in LADDERS.items():
        for number, name in enumerate(names):
            for tier, floor in policy[name][0 if number else 1 :]:
                if Decimal(floor) > 0:
                    yield kind, tier, Decimal(floor), bool(number)
