"""Screens of the nightly runs: the list, one run with its steps, live while it works, and the button that orders one."""

import datetime
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from crm.core import clock, parameters
from crm.core.access import needs
from crm.core.listing import Filter, Listing, Sort, respond
from crm.core.models import Chunk, Parameter, Run, RunState
from customers.models import FeedBatch
from segmentation import nights, ordering, policy, staleness
from segmentation.models import PublishedNight
from segmentation.steps import STEPS

SHOWN_BATCHES = 12
SHOWN_GAPS = 8
# What each step does, beside the name it has in the log.
STEP_WORDS = {
    "open": _("Make room for the run"),
    "accumulators": _("Add up months"),
    "account_measures": _("Measure accounts"),
    "contributions": _("Work out contributions"),
    "behaviour": _("Say what customers do and hold"),
    "related": _("Join related customers"),
    "signals": _("Note what needs attention"),
    "loyalty": _("Score loyalty"),
    "risk": _("Score risk"),
    "standings": _("Place customers in tiers and among peers"),
    "peers": _("Average the peers"),
    "branch_summary": _("Sum up by branch"),
    "alerts": _("Raise alerts"),
    "past_scores": _("Remember the scores"),
    "checks": _("Check the results"),
    "publish": _("Publish"),
}
EVERY_ATTEMPT = "all"
RUNS = Listing(
    name="nights",
    sorts={"date": Sort(("-business_date", "-attempt", "-id")), "started": Sort(("-created_at", "-id"))},
    default="date",
    filters=(
        Filter("state", _("State"), narrow=lambda q, v: q.filter(state=v), choices=RunState.choices),
        # Without it a date stands once, with its newest attempt: the rows are chosen before the list narrows them.
        Filter(
            "attempts", _("Attempts"), narrow=lambda q, v: q, choices=[(EVERY_ATTEMPT, _("every attempt"))]
        ),
    ),
)


class OrderForm(forms.Form):
    date = forms.DateField(
        label=_("Business date"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )


@dataclass(frozen=True)
class StepLine:
    """One step of a run, done or still to do, beside the same step of the night before. Times in milliseconds."""

    position: int
    name: str
    words: Any
    rows: int | None
    ms: int | None
    share: int
    before_ms: int | None

    @property
    def slower_ms(self) -> int | None:
        """How much longer it took than the night before, where that is worth a look: by half and by more than a second."""
        if self.ms is None or self.before_ms is None:
            return None
        more = self.ms - self.before_ms
        return more if more > 1000 and more * 2 > self.before_ms else None


@dataclass(frozen=True)
class Moment:
    """One point on the way of a night: what happened, when, and how long after the point before, in milliseconds."""

    words: Any
    at: datetime.datetime
    after_ms: float | None


def _runs() -> QuerySet[Run]:
    return Run.objects.filter(kind=nights.KIND).annotate(
        step_count=Count("chunks"), step_rows=Sum("chunks__rows"), step_ms=Sum("chunks__ms")
    )


def _listed(request: HttpRequest) -> QuerySet[Run]:
    """Return each date's newest attempt, or every attempt where the reader asks for them."""
    if request.GET.get("attempts") == EVERY_ATTEMPT:
        return _runs()
    later = Run.objects.filter(
        kind=nights.KIND, business_date=OuterRef("business_date"), attempt__gt=OuterRef("attempt")
    )
    return _runs().filter(~Exists(later))


@needs("nights.view")
@require_GET
def night_list(request: HttpRequest) -> HttpResponse:
    return _list(request, None)


def _list(request: HttpRequest, form: OrderForm | None) -> HttpResponse:
    """Answer with the list; with the form of an order that could not be, as 422."""
    page = RUNS.page(request, _listed(request))
    published = _published([run.business_date for run in page.rows])
    changed = _batches(pk for night in published.values() for pk in staleness.changed_batches(night))
    for run in page.rows:
        run.night = published.get(run.pk)
        run.reasons = staleness.reasons(run.night, run.created_at, changed) if run.night else []
    state = ordering.loaded()
    context = {
        "loaded": state,
        "gaps": state.gaps[:SHOWN_GAPS],
        "more_gaps": max(0, len(state.gaps) - SHOWN_GAPS),
        "form": form or OrderForm(initial={"date": state.newest}),
    }
    if form is not None:
        return render(request, "segmentation/nights.html", context | {"page": page}, status=422)
    return respond(request, page, "segmentation/nights.html", "segmentation/_nights.html", context)


def _published(dates: list[datetime.date]) -> dict[int, PublishedNight]:
    rows = PublishedNight.objects.filter(business_date__in=dates).annotate(**nights.basis())
    return {night.run_id: night for night in rows}


def _batches(ids) -> dict[int, FeedBatch]:
    return {batch.pk: batch for batch in FeedBatch.objects.filter(pk__in=set(ids))}


def _one(run_id: int) -> Run:
    """Return a run with what its page tells of its date: the newest other attempt."""
    others = Run.objects.filter(kind=nights.KIND, business_date=OuterRef("business_date"))
    runs = _runs().annotate(newest_attempt=Subquery(others.order_by("-attempt").values("attempt")[:1]))
    return get_object_or_404(runs, pk=run_id)


def _context(run: Run) -> dict[str, Any]:
    night = _published([run.business_date]).get(run.pk)
    changed = staleness.changed_batches(night) if night else set()
    pinned = set(run.inputs.get("batches", []))
    known = _batches(pinned | changed)
    batches = [batch for pk, batch in known.items() if pk in pinned]
    batches.sort(key=lambda batch: (batch.business_date, batch.source), reverse=True)
    moments = _moments(run, night, batches)
    steps = _steps(run)
    return {
        "run": run,
        "steps": steps,
        "done": sum(step.ms is not None for step in steps),
        "total": len(STEPS),
        "night": night,
        "alerts": next((step.rows for step in steps if step.name == "alerts"), None),
        "batches": batches[:SHOWN_BATCHES],
        "more_batches": max(0, len(batches) - SHOWN_BATCHES),
        "moments": moments,
        "running": run.state in (RunState.WAITING, RunState.RUNNING, RunState.FAILED),
        "reasons": staleness.reasons(night, run.created_at, known) if night else [],
        **_parameters(run),
    }


def _steps(run: Run) -> list[StepLine]:
    """Return every step with what the run and the night before it tell of it; one query."""
    before = PublishedNight.objects.filter(business_date__lt=run.business_date).order_by("-business_date")
    chunks = Chunk.objects.filter(Q(run=run) | Q(run_id=Subquery(before.values("run_id")[:1])))
    mine: dict[str, Chunk] = {}
    earlier: dict[str, Chunk] = {}
    for piece in chunks:
        (mine if piece.run_id == run.pk else earlier)[piece.name] = piece
    slowest = max((piece.ms for piece in mine.values()), default=0)
    names = [step.name for step in STEPS] + [name for name in mine if name not in STEP_WORDS]
    lines = []
    for position, name in enumerate(names, 1):
        piece, was = mine.get(name), earlier.get(name)
        lines.append(
            StepLine(
                position,
                name,
                STEP_WORDS.get(name, ""),
                rows=piece.rows if piece else None,
                ms=piece.ms if piece else None,
                share=round(100 * piece.ms / slowest) if piece and slowest else 0,
                before_ms=was.ms if was else None,
            )
        )
    return lines


def _moments(run: Run, night: PublishedNight | None, batches: list[FeedBatch]) -> list[Moment]:
    """Return the way of a night: the batch it waited for longest, made, begun, done, published; each after the one before."""
    of_the_day = [b for b in batches if b.business_date == run.business_date and b.published_at]
    last = max(of_the_day, key=lambda batch: batch.published_at, default=None)
    points = [
        (_("The last batch of the day was loaded: %(source)s") % {"source": last.source}, last.published_at)
        if last
        else (None, None),
        (_("The run was made"), run.created_at),
        (_("A worker began"), run.started_at),
        (_("Done"), run.finished_at),
    ]
    found: list[Moment] = []
    for words, at in points:
        if at is not None:
            after = (at - found[-1].at).total_seconds() * 1000 if found else None
            found.append(Moment(words, at, after if after is None or after >= 0 else None))
    return found


def _parameters(run: Run) -> dict[str, Any]:
    """Return the parameters that were not at their default when the run was made, with who set them; and whether these
    are the values it pinned."""
    rows = Parameter.objects.filter(valid_from__lte=run.business_date, set_at__lte=run.created_at)
    newest = {row.name: row for row in rows.select_related("set_by__staff").order_by(*parameters.IN_ORDER)}
    found = [row for row in newest.values() if row.name in policy.NAMES]
    values = parameters.over_defaults(policy.NAMES, ((row.name, row.value) for row in found))
    for row in found:
        row.title = parameters.defined(row.name).title or row.name
    return {
        "set_parameters": [row for row in found if row.value != parameters.defined(row.name).default],
        "values_are_known": policy.Policy(values).version == run.parameters_version,
    }


@needs("nights.view")
@require_GET
def night_page(request: HttpRequest, run_id: int) -> HttpResponse:
    context = _context(_one(run_id))
    fragment = request.htmx and request.htmx.target == "night"
    return render(request, "segmentation/_night.html" if fragment else "segmentation/night.html", context)


@needs("nights.start")
@require_POST
def night_start(request: HttpRequest) -> HttpResponse:
    """Order the night of a date. One that has run is run again as a further attempt; readers see the newest whole one."""
    form = OrderForm(request.POST)
    if form.is_valid():
        try:
            run = ordering.order(actor=request.user, business_date=form.cleaned_data["date"], at=clock.now())
        except ValidationError as broken:
            form.add_error("date", broken)
        else:
            return redirect("night", run_id=run.pk)
    return _list(request, form)
