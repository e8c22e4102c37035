"""Why a customer's scores are what they are: the ledgers of loyalty and risk, what changed and how they moved over the
months, and the accounts behind a line. Every part is a page of its own that a page above it can take in."""

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from crm.core.access import needs
from crm.core.privacy.masks import mask
from customers.models import Customer
from customers.views import customer_for, page
from segmentation import explain, nights, scorecard, sentences, standing
from segmentation.models import Standing, Tier

LINES: dict[str, dict[str, tuple]] = {
    "contribution": sentences.CONTRIBUTION,
    "loyalty": sentences.LOYALTY,
    "risk": sentences.RISK,
}
SAYS = {
    "loyalty": gettext_lazy("0–100, higher is more loyal: weighted points of what he does and holds, and adjustments."),
    "risk": gettext_lazy("0–100, higher is riskier: weighted points of what is known, never below the floor of his worst loan class."),
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """A line of a ledger as the page shows it; ``href`` leads to the accounts behind it, empty where there is nothing."""

    line: explain.Line
    href: str

    @property
    def gap(self) -> Decimal | None:
        if self.line.missing or self.line.peer is None:
            return None
        return self.line.points - self.line.peer


def rows(customer: Customer, ledger: explain.Ledger) -> list[Row]:
    """Return the lines of a ledger, each with the way to what is behind it; totals and unknown lines lead nowhere."""
    return [
        Row(line, "" if line.total or line.missing else line_href(customer, ledger.score, line.code))
        for line in ledger.lines
    ]


def line_href(customer: Customer, score: str, code: str) -> str:
    return reverse("customer_score_line", args=[customer.pk, score, code])


@needs("customers.view_accounts")
@require_GET
def customer_loyalty(request: HttpRequest, customer_id: int) -> HttpResponse:
    return _ledger(request, customer_id, "loyalty")


@needs("customers.view_accounts")
@require_GET
def customer_risk(request: HttpRequest, customer_id: int) -> HttpResponse:
    return _ledger(request, customer_id, "risk")


def _ledger(request: HttpRequest, customer_id: int, score: str) -> HttpResponse:
    """The tab of one score: its lines, which add up to it."""
    customer = customer_for(request, customer_id)
    at = standing.of_customer(request, customer.pk)
    ledger = explain.ledger(request.user, at, score) if at else None
    return page(
        request,
        customer,
        score,
        "segmentation/customer_score.html",
        score=score,
        label=scorecard.LABELS[score],
        says=SAYS[score],
        at=at,
        night=None if at else standing.night_of(request),
        ledger=ledger,
        rows=rows(customer, ledger) if ledger else [],
        unknown=[line.label for line in ledger.lines if line.missing] if ledger else [],
    )


@needs("customers.view_accounts")
@require_GET
def customer_score(request: HttpRequest, customer_id: int, score: str) -> HttpResponse:
    """What changed since the night before and since the last month end, line by line, and the course of the months."""
    if score not in LINES:
        raise Http404
    customer = customer_for(request, customer_id)
    at = standing.of_customer(request, customer.pk)
    context: dict[str, Any] = {"score": score, "label": scorecard.LABELS[score], "at": at}
    if at is not None:
        points = explain.trend(request.user, at)
        context |= {
            "since": since(request, customer, at, score),
            "points": points,
            "tiers": {point.on: Tier(point.tier).label for point in points},
            "option": json.dumps(chart(points, score), ensure_ascii=False),
        }
    return _part(
        request,
        customer,
        score,
        "score-story",
        "segmentation/_ledger_story.html",
        "segmentation/customer_story.html",
        context,
    )


@dataclass(frozen=True)
class Since:
    """What changed since another night, ``before`` and ``after`` in points, for the contribution in base currency."""

    words: Any
    on: Any
    before: Decimal | None
    after: Decimal | None
    changes: list[tuple[explain.Change, str]]
    is_stale: bool

    @property
    def change(self) -> Decimal | None:
        return None if self.before is None or self.after is None else self.after - self.before


def since(request: HttpRequest, customer: Customer, at: Standing, score: str) -> list[Since]:
    """Return the comparisons that can be made: with the night before and with the last month end, where kept."""
    column = "contribution" if score == "contribution" else score
    told = explain.moves(request.user, at, score)
    return [
        Since(
            words,
            earlier.as_of,
            getattr(earlier, column),
            getattr(at, column),
            [(change, line_href(customer, score, change.code)) for change in changes],
            nights.has_changed(earlier),
        )
        for words, earlier, changes in (
            (_("Since the night before"), told.earlier.previous, told.since_previous),
            (_("Since the last month end"), told.earlier.month_end, told.since_month_end),
        )
        if earlier is not None
    ]


def chart(points: list[explain.Point], score: str) -> dict[str, Any]:
    """The scores over the months as lines 0–100; the one the page is about is drawn stronger."""
    columns = {"contribution": "contribution_score", "loyalty": "loyalty", "risk": "risk"}

    def series(code: str) -> dict[str, Any]:
        values = [getattr(point, columns[code]) for point in points]
        return {
            "name": str(scorecard.LABELS[code]),
            "type": "line",
            "data": [None if value is None else float(round(value, 1)) for value in values],
            "lineStyle": {
                "width": 3 if code == score else 1.5,
                "type": "solid" if code == score else "dashed",
            },
            "symbolSize": 7 if code == score else 4,
            "connectNulls": False,
        }

    return {
        "legend": {"top": 0},
        "tooltip": {"trigger": "axis"},
        "xAxis": {"type": "category", "data": [point.on.isoformat() for point in points]},
        "yAxis": {"type": "value", "min": 0, "max": 100},
        "series": [series(code) for code in scorecard.SCORES],
    }


@needs("customers.view_accounts")
@require_GET
def customer_score_line(request: HttpRequest, customer_id: int, score: str, code: str) -> HttpResponse:
    """The accounts behind one line of a score."""
    if code not in LINES.get(score, {}):
        raise Http404
    customer = customer_for(request, customer_id)
    at = standing.of_customer(request, customer.pk)
    behind = explain.accounts_behind(request.user, at, score, code) if at else []
    for measure in behind:
        measure.account.mask = mask("account", measure.account.account_no)
    label, note = LINES[score][code][:2]
    context = {
        "score": score,
        "code": code,
        "label": scorecard.LABELS[score],
        "line": label,
        "line_note": note,
        "at": at,
        "behind": behind,
        "total": sum((measure.figure for measure in behind), Decimal(0)) if score == "contribution" else None,
        "ledger_href": reverse(scorecard.TABS[score], args=[customer.pk]),
    }
    return _part(
        request,
        customer,
        score,
        "behind",
        "segmentation/_ledger_accounts.html",
        "segmentation/customer_score_line.html",
        context,
    )


def _part(
    request: HttpRequest,
    customer: Customer,
    tab: str,
    element: str,
    fragment: str,
    template: str,
    context: dict[str, Any],
) -> HttpResponse:
    """Render a part alone where htmx asks for its element, otherwise as a page of its own under the customer's head."""
    if request.htmx and (request.htmx.target or "").startswith(element):
        return render(request, fragment, {"customer": customer, **context})
    return page(request, customer, tab, template, **context)
