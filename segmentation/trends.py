"""How the figures of a reader's customers came to be what they are: the same sums at past month ends, from the summary
each published night keeps."""

import datetime
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Q

from crm.core.scope import Level, level_of, places_of
from segmentation import nights, periods
from segmentation.models import BranchSummary, PublishedNight, Standing
from segmentation.structure import Cell, hidden_standings, less_hidden, link, of_standings, of_summary

MONTHS = 13  # as far back as the same month a year ago


@dataclass(frozen=True)
class Point:
    """One night's sums. Only the newest night leads to its rows: the list shows no other; ``cell`` is None for a month
    end whose night was never run."""

    day: datetime.date
    cell: Cell | None
    href: str
    is_stale: bool = False  # what that night rested on has changed since


def month_ends(day: datetime.date, months: int = MONTHS) -> list[datetime.date]:
    """Return the last days of the ``months`` months before the month of ``day``, oldest first."""
    found = [day.replace(day=1) - datetime.timedelta(days=1)]
    while len(found) < months:
        found.append(found[-1].replace(day=1) - datetime.timedelta(days=1))
    return found[::-1]


def of_reader(
    user, night: PublishedNight, *, places: list[int] | None, branch: str, kind: str
) -> list[Point]:
    """Return the sums at the month ends of a year and on the night itself, oldest first, from the first month end that
    has a night; two queries. ``places`` are the branches below ``branch``, None for all a reader sees."""
    dates = month_ends(night.business_date)
    published = PublishedNight.objects.filter(Q(business_date__in=dates) | Q(pk=night.pk))
    runs = list(published.annotate(**nights.basis()))
    stale = {run.business_date for run in runs if nights.has_changed(run)}
    cells: dict[datetime.date, Cell] = {}
    for row, sign in _rows(user, [run.run_id for run in runs], places, kind):
        day = row["day"]
        if day not in cells:
            cells[day] = Cell(kind, "", "", periods.of(day))
        cells[day].add(row, sign)
    known = [day for day in dates if day in cells]
    days = [day for day in dates if known and day >= known[0]]
    if night.business_date not in days:
        days.append(night.business_date)
    newest = link(branch=branch, kind=kind)
    return [
        Point(day, cells.get(day), newest if day == night.business_date else "", day in stale) for day in days
    ]


def _rows(user, runs: list[int], places: list[int] | None, kind: str) -> list[tuple[dict[str, Any], int]]:
    """Sums per night: what the summary counts, less what hides from the reader, as on every dashboard."""
    level = level_of(user)
    chosen = Q(run_id__in=runs)
    if kind:
        chosen &= Q(kind=kind)
    if level is Level.NOTHING:
        return []
    if level is Level.OWN:
        own = Standing.objects.visible_to(user).filter(chosen).values(day=F("as_of"))
        return [(row, 1) for row in own.annotate(**of_standings())]
    if places is None and level is Level.SUBTREE:
        places = [branch.pk for branch in places_of(user)]
    if places is not None:
        chosen &= Q(branch_id__in=places)
    summary = (
        BranchSummary.objects.filter(chosen).values(day=F("run__business_date")).annotate(**of_summary())
    )
    hidden = hidden_standings(chosen).values(day=F("as_of")).annotate(**of_standings())
    return less_hidden(user, summary, hidden)
