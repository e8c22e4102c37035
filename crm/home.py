"""Home: what each person sees first. A page is a few panels; each is filled by the app that owns its tables."""

from collections.abc import Callable
from typing import Any

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from crm.core import approvals, clock
from crm.core.access import may, needs
from crm.core.models import Post, Run
from crm.core.scope import places_of
from customers import facts
from customers.feeds import figures
from customers.models import QualityIssue
from customers.models.quality import QualityRule
from segmentation import alerts, nights, ordering, standing, structure
from segmentation.models import PublishedNight
from segmentation.views.overview import chart, overview

TOP = 10
TODAY = 5  # the things to do that are worth most
DAYS_OF_ALERTS = 7


def _with_names(request: HttpRequest, rows: list) -> list:
    for row in rows:
        row.shown_name = facts.name_of(row.customer, request.user)
    return rows


def _to_fix(request: HttpRequest) -> list[dict[str, Any]]:
    """The fix list of the reader's scope by rule, most first."""
    rows = (
        QualityIssue.objects.visible_to(request.user)
        .values("rule")
        .annotate(n=Count("pk"))
        .order_by("-n", "rule")
    )
    return [{"rule": row["rule"], "words": QualityRule(row["rule"]).label, "count": row["n"]} for row in rows]


def _alerts(request: HttpRequest, night: PublishedNight) -> dict[str, Any]:
    """What was told in a week, last night's first and the most valuable first, and how much of it; two queries."""
    return {
        "today": alerts.first_of_today(request.user, night, days=DAYS_OF_ALERTS, count=TODAY),
        "told": alerts.counts(request.user, night, days=DAYS_OF_ALERTS),
    }


def manager_home(request: HttpRequest) -> HttpResponse:
    """What last night tells of a manager's customers, his book in figures, his first customers by contribution, and the
    data he should fix."""
    night = standing.night_of(request)
    context: dict[str, Any] = {"night": night, "fix": _to_fix(request)}
    if night is not None:
        context |= _alerts(request, night)
        context["structure"] = structure.figures(request.user, night).structure()
        context["first"] = _with_names(
            request, structure.top(request.user, night, by="contribution", count=TOP)
        )
        context["all_href"] = structure.link()
    return render(request, "crm/home_manager.html", context)


def supervisor_home(request: HttpRequest) -> HttpResponse:
    """What last night tells of the branch, the branch from the summary, its tiers, and its managers side by side."""
    night = standing.night_of(request)
    context: dict[str, Any] = {"night": night, "fix": _to_fix(request), "branch": request.user.staff.branch}
    if night is not None:
        context |= _alerts(request, night)
        all_figures = structure.figures(request.user, night)
        found = all_figures.structure()
        context["structure"] = found
        context["charts"] = [chart(kind, cells) for kind in structure.TIERS if (cells := found.of_kind(kind))]
        if found.total.customers <= structure.MOST_COMPARED:
            context["managers"] = structure.by_manager(request.user, night)
        below = [branch for branch in places_of(request.user) if branch.parent_id == request.user.branch_id]
        context["branches"] = all_figures.by_branch(below)
    return render(request, "crm/home_supervisor.html", context)


def counter_home(request: HttpRequest) -> HttpResponse:
    """At the counter: who stands before me? One box, nothing else in the way."""
    return render(request, "crm/home_counter.html", {"branch": request.user.staff.branch})


def administrator_home(request: HttpRequest) -> HttpResponse:
    """Did everything come, did the night run, and what waits for somebody."""
    at = clock.now()
    runs = (
        Run.objects.filter(kind=nights.KIND)
        .annotate(step_count=Count("chunks"))
        .order_by("-business_date", "-attempt")
    )
    context = {
        "sources": figures.sources(at),
        "runs": list(runs[:7]),
        "loaded": ordering.loaded(),
        "stuck": list(Run.objects.filter(state__in=["failed", "dead"]).order_by("-created_at")[:10]),
        "waiting": approvals.waiting_for(request.user).count() if may(request.user, "approvals.view") else 0,
    }
    return render(request, "crm/home_administrator.html", context)


def officer_home(request: HttpRequest) -> HttpResponse:
    """Complaint officers: their customers by search, and the data to fix."""
    return render(request, "crm/home_officer.html", {"fix": _to_fix(request)})


def _go_to(name: str) -> Callable[[HttpRequest], HttpResponse]:
    return lambda request: redirect(name)


HOMES: dict[str, Callable[[HttpRequest], HttpResponse]] = {
    Post.RELATIONSHIP_MANAGER: manager_home,
    Post.BRANCH_SUPERVISOR: supervisor_home,
    Post.ANALYST: overview,
    Post.PRODUCT_MANAGER: overview,
    Post.COMPLIANCE_OFFICER: overview,
    Post.COMPLAINT_OFFICER: officer_home,
    Post.TELLER: counter_home,
    Post.LOBBY_MANAGER: counter_home,
    Post.ADMINISTRATOR: administrator_home,
    Post.AUDITOR: _go_to("audit"),
    Post.SECURITY_OFFICER: _go_to("staff"),
}


@needs("home.view")
def home(request: HttpRequest) -> HttpResponse:
    return HOMES[request.user.post](request)
