"""Ordering a night by hand, and what the operations screen says of one: waiting for what, from which batches, stale or not."""

import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max, Q
from django.utils.translation import gettext as _

from crm.core import audit, jobs
from crm.core.access import require
from crm.core.models import Run, RunState
from customers.models import FeedBatch
from segmentation.models import PublishedNight

KIND = "night"


@transaction.atomic
def order(*, actor, business_date: datetime.date, at: datetime.datetime) -> Run:
    """Have the night of a date run; return the run. A date that is being worked on gets no second run.

    Raises ValidationError for a date the bank has no data of yet.
    """
    require(actor, "nights.start")
    known = FeedBatch.objects.filter(state="published").aggregate(last=Max("business_date"))["last"]
    if known is None:
        raise ValidationError(_("No batch is loaded yet: there is nothing to work on."))
    if business_date > known:
        raise ValidationError(_("The newest data is of %(day)s; choose that day or an earlier one.") % {"day": known.isoformat()})
    newest = Run.objects.filter(kind=KIND, business_date=business_date).order_by("-attempt").first()
    attempt = 1 if newest is None else newest.attempt
    if newest is not None and newest.state in (RunState.DONE, RunState.DEAD):
        attempt += 1
    run = jobs.ensure_run(KIND, business_date, attempt=attempt, at=at)
    audit.record(actor, "nights.start", run, payload={"business_date": business_date.isoformat(), "attempt": attempt})
    jobs.ring(run.pk)
    return run


def batches_of(run: Run) -> list[int]:
    """Return the ids of the batches a run read, as it noted them down."""
    noted = run.inputs.get("batches", [])
    return [number for number in (noted if isinstance(noted, list) else []) if isinstance(number, int)]


def step_count() -> int:
    """Return how many steps a night has, for its progress."""
    return 0


def is_stale(run: Run) -> bool:
    """Return whether data of the run's date or earlier was loaded after it ran: its figures are no longer the newest."""
    if run.finished_at is None:
        return False
    later = Q(state="published", published_at__gt=run.started_at, business_date__lte=run.business_date)
    return FeedBatch.objects.filter(later).exists()


def days_without_night() -> int:
    """Return for how many loaded days since the newest published night none has run."""
    newest = PublishedNight.objects.aggregate(last=Max("business_date"))["last"]
    rows = FeedBatch.objects.filter(state="published")
    if newest is not None:
        rows = rows.filter(business_date__gt=newest)
    return rows.values("business_date").distinct().count()
