"""Ordering a night by hand, and what the operations screen says of nights: what the next one waits for, which are stale."""

import datetime
from dataclasses import dataclass, replace

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from crm.core import audit, jobs
from crm.core.access import require
from crm.core.models import Run
from customers.models import FeedBatch
from segmentation import nightly
from segmentation.models import PublishedNight

DAY = datetime.timedelta(days=1)


@transaction.atomic
def order(*, actor, business_date: datetime.date, at: datetime.datetime) -> Run:
    """Have the night of a date run; return the run: the one that holds already where nothing has changed since.

    Raises ValidationError for a date the bank has no data of yet.
    """
    require(actor, "nights.start")
    known = FeedBatch.objects.filter(state="published").aggregate(last=Max("business_date"))["last"]
    if known is None:
        raise ValidationError(_("No batch is loaded yet: there is nothing to work on."))
    if business_date > known:
        raise ValidationError(
            _("The newest data is of %(day)s; choose that day or an earlier one.")
            % {"day": known.isoformat()}
        )
    run = nightly.run_for(business_date, at=at)
    audit.record(
        actor,
        "nights.start",
        run,
        payload={"business_date": business_date.isoformat(), "attempt": run.attempt},
    )
    jobs.ring(run.pk)
    return run


@dataclass(frozen=True)
class Gap:
    """A stretch of days without a night: ``missing`` are the sources whose batch is not in; empty: fed, and none was run."""

    first: datetime.date
    last: datetime.date
    missing: tuple[str, ...]

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


@dataclass(frozen=True)
class Loaded:
    """What is loaded, read once for a page: the published batches by id, and the dates of the published nights."""

    batches: dict[int, FeedBatch]
    nights: frozenset[datetime.date]

    @property
    def newest(self) -> datetime.date | None:
        """The newest day any source has delivered."""
        return max((batch.business_date for batch in self.batches.values()), default=None)

    @property
    def newest_night(self) -> datetime.date | None:
        return max(self.nights, default=None)

    @property
    def behind(self) -> int:
        """For how many loaded days since the newest published night none has run."""
        night = self.newest_night
        days = {batch.business_date for batch in self.batches.values()}
        return len({day for day in days if night is None or day > night})

    @property
    def due(self) -> datetime.date | None:
        """The next date a night is due for; before the first one, the day every source has reached."""
        if self.newest_night is not None:
            return self.newest_night + DAY
        return min(self._of_sources(max).values(), default=None)

    @property
    def missing(self) -> list[str]:
        """The sources whose batch of the due date is not in yet."""
        return sorted(name for name, last in self._of_sources(max).items() if last < self.due)

    @property
    def gaps(self) -> list[Gap]:
        """The stretches of days since the first night that have none, newest first; what is due next is no gap yet."""
        if not self.nights:
            return []
        delivered = {(batch.source, batch.business_date) for batch in self.batches.values()}
        begun = self._of_sources(min)
        found: list[Gap] = []
        day = min(self.nights)
        while day < max(self.nights):
            day += DAY
            if day in self.nights:
                continue
            missing = tuple(
                sorted(
                    source
                    for source, first in begun.items()
                    if first <= day and (source, day) not in delivered
                )
            )
            if found and found[-1].last == day - DAY and found[-1].missing == missing:
                found[-1] = replace(found[-1], last=day)
            else:
                found.append(Gap(day, day, missing))
        return found[::-1]

    def _of_sources(self, pick) -> dict[str, datetime.date]:
        days: dict[str, list[datetime.date]] = {}
        for batch in self.batches.values():
            days.setdefault(batch.source, []).append(batch.business_date)
        return {source: pick(found) for source, found in days.items()}


def loaded() -> Loaded:
    """Return what is loaded; two queries whatever the number of batches."""
    rows = FeedBatch.objects.filter(state="published").order_by("pk")
    rows = rows.only("source", "business_date", "is_first", "replaces_id", "published_at")
    dates = PublishedNight.objects.values_list("business_date", flat=True)
    return Loaded({batch.pk: batch for batch in rows}, frozenset(dates))
