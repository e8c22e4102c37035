"""Screens of the nightly runs: the list, one run with its steps, live while it works, and the button that orders one."""

import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Count, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from crm.core import clock
from crm.core.access import needs
from crm.core.listing import Filter, Listing, Sort, respond
from crm.core.models import Run, RunState
from customers.models import FeedBatch
from segmentation import nights, ordering
from segmentation.models import PublishedNight
from segmentation.steps import STEPS

SHOWN_BATCHES = 12
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
RUNS = Listing(
    name="nights",
    sorts={"date": Sort(("-business_date", "-attempt", "-id")), "started": Sort(("-created_at", "-id"))},
    default="date",
    filters=(Filter("state", _("State"), narrow=lambda q, v: q.filter(state=v), choices=RunState.choices),),
)


class OrderForm(forms.Form):
    date = forms.DateField(
        label=_("Business date"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )


def _runs():
    return Run.objects.filter(kind=nights.KIND).annotate(
        step_count=Count("chunks"), step_rows=Sum("chunks__rows"), step_ms=Sum("chunks__ms")
    )


@needs("nights.view")
@require_GET
def night_list(request: HttpRequest) -> HttpResponse:
    page = RUNS.page(request, _runs())
    published = _published([run.business_date for run in page.rows])
    state = ordering.loaded()
    for run in page.rows:
        run.night = published.get(run.pk)
        run.is_stale = run.night is not None and state.is_stale(run.night)
    context = {"loaded": state, "form": OrderForm(initial={"date": state.newest})}
    return respond(request, page, "segmentation/nights.html", "segmentation/_nights.html", context)


def _published(dates: list[datetime.date]) -> dict[int, PublishedNight]:
    rows = PublishedNight.objects.filter(business_date__in=dates).select_related("run")
    return {night.run_id: night for night in rows}


def _one(run_id: int) -> Run:
    return get_object_or_404(_runs(), pk=run_id)


def _context(run: Run) -> dict[str, Any]:
    steps = list(run.chunks.order_by("position"))
    night = _published([run.business_date]).get(run.pk)
    ids = run.inputs.get("batches", [])[-SHOWN_BATCHES:]
    slowest = max((step.ms for step in steps), default=0)
    for step in steps:
        step.words = STEP_WORDS.get(step.name, "")
        step.share = round(100 * step.ms / slowest) if slowest else 0
    return {
        "run": run,
        "steps": steps,
        "total": len(STEPS),
        "night": night,
        "batches": list(FeedBatch.objects.filter(pk__in=ids).order_by("-business_date", "source")),
        "more_batches": max(0, len(run.inputs.get("batches", [])) - len(ids)),
        "running": run.state in (RunState.WAITING, RunState.RUNNING, RunState.FAILED),
        "stale": night is not None and nights.is_stale(night),
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
    page = RUNS.page(request, _runs())
    return render(
        request,
        "segmentation/nights.html",
        {"loaded": ordering.loaded(), "page": page, "form": form},
        status=422,
    )
