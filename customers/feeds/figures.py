"""The figures of a batch as people read them: control totals side by side, sources and how late they are, the report."""

import datetime
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings
from django.db.models import Count, Max, Q, QuerySet
from django.utils.dateparse import parse_date

from crm.core import clock
from customers.models import FeedBatch, FeedFile


@dataclass(frozen=True)
class Control:
    """One controlled sum of a file in one currency: what the manifest declared = what was loaded + what was rejected."""

    file: str
    column: str
    currency: str
    declared: Decimal | None
    loaded: Decimal
    rejected: Decimal

    @property
    def difference(self) -> Decimal | None:
        return None if self.declared is None else self.loaded + self.rejected - self.declared


@dataclass(frozen=True)
class Source:
    """A source of batches: its newest published day, the day that should have come by now, and what is wrong."""

    name: str
    newest: datetime.date | None
    expected: datetime.date
    refused: int

    @property
    def days_late(self) -> int:
        return max(0, (self.expected - self.newest).days) if self.newest else 0


def tolerance() -> Decimal:
    return Decimal(settings.FEED_BREAK_TOLERANCE)


def since(queryset: QuerySet, text: str) -> QuerySet:
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    return queryset.filter(business_date__gte=day) if day else queryset


def by_size(queryset: QuerySet, value: str) -> QuerySet:
    """Narrow breaks annotated with their ``size`` to those above or within the tolerance."""
    return (
        queryset.filter(size__gt=tolerance()) if value == "large" else queryset.filter(size__lte=tolerance())
    )


def controls(files: list[FeedFile]) -> list[Control]:
    """Return every controlled sum of the files, in the order of the manifest."""
    found = []
    for file in files:
        columns = {**file.control_declared, **file.control_loaded}
        for column in columns:
            declared, loaded, rejected = (
                part.get(column) or {}
                for part in (file.control_declared, file.control_loaded, file.control_rejected)
            )
            for currency in sorted({*declared, *loaded, *rejected}):
                found.append(
                    Control(
                        file.name,
                        column,
                        currency,
                        _amount(declared.get(currency)),
                        _amount(loaded.get(currency)) or Decimal(0),
                        _amount(rejected.get(currency)) or Decimal(0),
                    )
                )
    return found


def _amount(text: Any) -> Decimal | None:
    try:
        return None if text is None else Decimal(str(text))
    except InvalidOperation:
        return None


def sources(at: datetime.datetime) -> list[Source]:
    """Return every source that ever delivered. By now the batch of yesterday should be here."""
    yesterday = clock.business_date(at) - datetime.timedelta(days=1)
    rows = FeedBatch.objects.values("source").annotate(
        newest=Max("business_date", filter=Q(state="published")),
        refused=Count("pk", filter=Q(state="refused")),
    )
    return [
        Source(row["source"], row["newest"], yesterday, row["refused"]) for row in rows.order_by("source")
    ]


def report(batch: FeedBatch) -> dict[str, Any]:
    """Return the batch's report: what a correction changed, keys missing from a full file, managers that differ."""
    return batch.report or {}
