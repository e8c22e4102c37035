"""Which night people read: the published pointer, what a night depends on, and whether that has changed since."""

import datetime
import functools
import hashlib
from pathlib import Path
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import JSONObject

from crm.core import parameters
from crm.core.models import Parameter, Run
from customers.models import FeedBatch
from customers.models.batches import BatchState
from segmentation import policy
from segmentation.models import PublishedNight, TierOverride

KIND = "night"
_ROOM = Path(__file__).parent
_RULES = [
    "behaviour.py", "loyalty.py", "peers.py", "periods.py", "policy.py", "related.py", "risk.py", "signals.py", "sizes.py",
    "steps.py", "tiers.py",
]  # fmt: skip


def published(as_of: datetime.date | None = None) -> PublishedNight | None:
    """Return the newest published night (on or before ``as_of``) whose rows are kept. Ask once per request: everything
    on a page must come from one night."""
    nights = PublishedNight.objects.filter(kept=True).select_related("run").annotate(**basis())
    if as_of is not None:
        nights = nights.filter(business_date__lte=as_of)
    return nights.order_by("-business_date").first()


def published_batches(as_of: Any) -> QuerySet[FeedBatch]:
    """Return the published batches a night of ``as_of`` (a date, or an expression giving one) rests on: those up to that
    date, and the first of every source, whose rows were known from their own dates on."""
    upto = Q(business_date__lte=as_of) | Q(is_first=True)
    return FeedBatch.objects.filter(upto, state=BatchState.PUBLISHED).order_by("pk")


def batches_of(as_of: datetime.date) -> list[int]:
    """Return their ids."""
    return list(published_batches(as_of).values_list("pk", flat=True))


def overrides_on(as_of: Any) -> QuerySet[TierOverride]:
    """Return the tiers people decided that are in force on a date (or an expression giving one). One that begins later
    makes no night of today stale."""
    return TierOverride.rows.filter(starts_on__lte=as_of, ends_on__gt=as_of).order_by("pk")


def inputs_of(as_of: datetime.date, base_currency: str) -> dict[str, Any]:
    """Return what a run pins: batches, tiers decided by people, and base currency."""
    overrides = list(overrides_on(as_of).values_list("pk", flat=True))
    return {"batches": batches_of(as_of), "overrides": overrides, "base_currency": base_currency}


@functools.cache
def code_version() -> str:
    """Return what identifies the rules in code: a digest of the night's statements and formulas, not of the whole product,
    so that a new screen makes no night old."""
    digest = hashlib.sha256()
    for path in [*sorted((_ROOM / "sql").rglob("*.sql")), *(_ROOM / name for name in _RULES)]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def basis(day: str = "business_date") -> dict[str, Any]:
    """Return annotations for rows of a run (``run_id``) and a date (the column ``day``): what the run pinned, and what a
    night of the date would rest on now. Asked together with the rows, they cost a page no question of their own."""
    run = Run.objects.filter(pk=OuterRef("run_id"))
    values = Parameter.objects.filter(name__in=policy.NAMES, valid_from__lte=OuterRef(day))
    pair = JSONObject(name="name", value="value", set_at="set_at")
    return {
        "pinned_batches": Subquery(run.values(pinned=F("inputs__batches"))[:1]),
        "pinned_parameters": Subquery(run.values("parameters_version")[:1]),
        "pinned_overrides": Subquery(run.values(pinned=F("inputs__overrides"))[:1]),
        "batches_now": ArraySubquery(published_batches(OuterRef(day)).values("pk")),
        "overrides_now": ArraySubquery(overrides_on(OuterRef(day)).values("pk")),
        "values_now": ArraySubquery(values.order_by(*parameters.IN_ORDER).values(pair=pair)),
    }


def has_changed(row: Any) -> bool:
    """Return whether a row read with its :func:`basis` rests on other batches, decided tiers or parameters than hold for
    its date now."""
    pairs = ((pair["name"], pair["value"]) for pair in row.values_now)
    now = policy.Policy(parameters.over_defaults(policy.NAMES, pairs))
    return (
        row.pinned_batches != row.batches_now
        or (row.pinned_overrides or []) != row.overrides_now
        or row.pinned_parameters != now.version
    )


def is_stale(night: PublishedNight) -> bool:
    """Return whether what the night of a date rests on has changed since it ran: late or corrected feeds, parameters."""
    return has_changed(PublishedNight.objects.annotate(**basis()).get(pk=night.pk))
