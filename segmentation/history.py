"""How a customer stood before: the nights a page compares with, and the course of his scores over the months."""

import datetime
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q, Subquery

from segmentation import nights
from segmentation.models import PastScore, PublishedNight, Standing

DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Earlier:
    """The standings a customer's page compares with; None where no such night is kept or it did not know him yet.

    ``previous`` is of the published night before, ``month_end`` of the last day of the month before; each with its basis.
    """

    previous: Standing | None
    month_end: Standing | None


def earlier(user, standing: Standing) -> Earlier:
    """Return the standings before ``standing`` whose full rows are kept; one query."""
    last_of_month = standing.as_of.replace(day=1) - DAY
    kept = PublishedNight.objects.filter(kept=True, business_date__lt=standing.as_of)
    newest = Subquery(kept.order_by("-business_date").values("run_id")[:1])
    # Equal to a subquery, not in it: the planner then opens two partitions, not all.
    chosen = Q(run_id=newest) | Q(
        run_id=Subquery(kept.filter(business_date=last_of_month).values("run_id")[:1])
    )
    rows = Standing.objects.visible_to(user).filter(chosen, customer_id=standing.customer_id)
    found = list(rows.annotate(newest_run=newest, **nights.basis("as_of")))
    return Earlier(
        previous=next((row for row in found if row.run_id == row.newest_run), None),
        month_end=next((row for row in found if row.as_of == last_of_month), None),
    )


@dataclass(frozen=True)
class Point:
    """A customer's scores on one night of a trend; ``contribution`` is the year to date, in base currency."""

    on: datetime.date
    contribution: Decimal
    contribution_score: Decimal | None
    loyalty: Decimal | None
    risk: Decimal | None
    tier: str
    is_stale: bool = False  # what that night rested on has changed since


def trend(user, standing: Standing, months: int = 13) -> list[Point]:
    """Return the scores of the last ``months`` month ends before ``standing`` and of its own night, oldest first; two
    queries. Month ends no night was published for are left out."""
    days = [standing.as_of]
    while len(days) <= months:
        days.append(days[-1].replace(day=1) - DAY)
    # Asked first: given as numbers, the planner opens these partitions and not the hundreds that are kept.
    kept = PublishedNight.objects.filter(business_date__in=days).annotate(**nights.basis())
    published = {night.run_id: night for night in kept}
    rows = PastScore.objects.visible_to(user).filter(
        customer_id=standing.customer_id, run_id__in=list(published)
    )
    names = ("run_id", "contribution", "contribution_score", "loyalty", "risk", "tier")
    found = [
        Point(published[run_id].business_date, *values, is_stale=nights.has_changed(published[run_id]))
        for run_id, *values in rows.values_list(*names)
    ]
    return sorted(found, key=lambda point: point.on)
