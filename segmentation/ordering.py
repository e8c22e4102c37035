"""Ordering a night by hand, and what the operations screen says of nights: what the next one waits for, which are stale."""

import datetime
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from crm.core import audit, jobs
from crm.core.access import require
from crm.core.models import Run
from customers.models import FeedBatch
from segmentation import nightly
from segmentation.models import PublishedNight, TierOverride

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
class Loaded:
    """What is loaded, read once for a page: the published batches in order, the newest published night, and the tiers
    people decided (id, first day, first day after)."""

    batches: list[tuple[int, str, datetime.date, bool]]
    newest_night: datetime.date | None
    overrides: list[tuple[int, datetime.date, datetime.date]]

    @property
    def newest(self) -> datetime.date | None:
        """The newest day any source has delivered."""
        return max((day for _pk, _source, day, _first in self.batches), default=None)

    @property
    def behind(self) -> int:
        """For how many loaded days since the newest published night none has run."""
        night = self.newest_night
        return len({day for _pk, _source, day, _first in self.batches if night is None or day > night})

    @property
    def due(self) -> datetime.date | None:
        """The next date a night is due for; before the first one, the day every source has reached."""
        if self.newest_night is not None:
            return self.newest_night + DAY
        return min(self._newest_by_source().values(), default=None)

    @property
    def missing(self) -> list[str]:
        """The sources whose batch of the due date is not in yet."""
        return sorted(name for name, last in self._newest_by_source().items() if last < self.due)

    def _newest_by_source(self) -> dict[str, datetime.date]:
        found: dict[str, datetime.date] = {}
        for _pk, source, day, _first in self.batches:
            found[source] = max(day, found.get(source, day))
        return found

    def is_stale(self, night: PublishedNight) -> bool:
        """Return whether a published night, read with its run, rests on other batches or decided tiers than hold now."""
        day = night.business_date
        batches = [pk for pk, _source, its_day, first in self.batches if its_day <= day or first]
        overrides = [pk for pk, begins, ends in self.overrides if begins <= day < ends]
        pinned = night.run.inputs
        return pinned.get("batches") != batches or pinned.get("overrides", []) != overrides


def loaded() -> Loaded:
    """Return what is loaded; three queries whatever the number of batches."""
    rows = FeedBatch.objects.filter(state="published").order_by("pk")
    newest = PublishedNight.objects.aggregate(last=Max("business_date"))["last"]
    decided = list(TierOverride.rows.order_by("pk").values_list("pk", "starts_on", "ends_on"))
    return Loaded(list(rows.values_list("pk", "source", "business_date", "is_first")), newest, decided)
