"""The overview of the bank, or of a supervisor's subtree: the first by any indicator, the tier structure, the branches."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from crm.core import places
from crm.core.access import needs
from crm.core.models.people import BranchKind
from crm.core.scope import places_of, sees_bank
from customers import facts
from customers.models.parties import PartyKind
from segmentation import alerts, scorecard, standing, structure
from segmentation.models import PublishedNight
from segmentation.views import chosen
from segmentation.views.chosen import Choice

SHADES = ("#163757", "#1f4b7a", "#4a76a5", "#8fb0d3", "#b7cbe0", "#d5dfe9")
DAYS_OF_ALERTS = 7


@needs("overview.view")
@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    night = standing.night_of(request)
    context = {"night": night, **chosen.frame(request, "overview")}
    if night is not None:
        context |= figures_of(request, night, context["choice"])
    return render(request, "segmentation/overview.html", context)


def figures_of(request: HttpRequest, night: PublishedNight, choice: Choice) -> dict[str, Any]:
    user = request.user
    all_figures = structure.figures(user, night)
    found = all_figures.structure(branch=choice.branch, kind=choice.kind)
    below = places.subtree(user, choice.branch) if choice.branch else None
    told = alerts.counts(user, night, days=DAYS_OF_ALERTS, places=below, branch=choice.branch, of=choice.kind)
    return {
        "structure": found,
        **first_of(user, night, choice, all_figures),
        "tabs": chosen.tabs(choice),
        "counts": chosen.counts(choice),
        "charts": [chart(kind, found.of_kind(kind)) for kind in PartyKind if found.of_kind(kind)],
        "lines": compared(all_figures, choice),
        "told": told,
        "indicator": dict(chosen.INDICATORS)[choice.by],
    }


def first_of(user, night: PublishedNight, choice: Choice, all_figures: structure.Figures) -> dict[str, Any]:
    """The first customers by a figure of theirs, or the first branches by an average over their customers."""
    if choice.by in chosen.OF_BRANCHES:
        return {
            "first_branches": branches_by_average(all_figures, choice),
            "divisors": chosen.divisors(choice),
            "per": chosen.PER[choice.by][choice.per],
        }
    first = structure.top(
        user, night, by=choice.by, count=choice.count, branch=choice.branch, kind=choice.kind
    )
    for row in first:
        row.shown_name = facts.name_of(row.customer, user)
        may_tell = choice.by not in structure.OF_RELATED or scorecard.tells_related(row)
        row.ranked_by = getattr(row, structure.INDICATORS[choice.by].lstrip("-")) if may_tell else None
    # The list has no order that would tell of related customers outside the reader's scope.
    kept_back = choice.by in structure.OF_RELATED and not sees_bank(user)
    sort = "contribution" if kept_back else choice.by
    return {
        "first": first,
        "all_href": structure.link(branch=choice.branch, kind=choice.kind, sort=sort),
        "extra": choice.by if choice.by in chosen.EXTRA else "",
    }


def branches_by_average(all_figures: structure.Figures, choice: Choice) -> list[dict[str, Any]]:
    """The branches and outlets at or below the chosen place, each with all below it, highest average first."""
    seen = places_of(all_figures.user)
    below = set(places.subtree(all_figures.user, choice.branch)) if choice.branch else None
    ranked = [
        branch
        for branch in seen
        if branch.kind in (BranchKind.BRANCH, BranchKind.OUTLET) and (below is None or branch.pk in below)
    ]
    rows = [
        {
            "line": line,
            "average": line.cell.average(choice.by, choice.per),
            "divisor": line.cell.divisor(choice.by, choice.per),
            "year_average": getattr(line.cell, f"{choice.by}_year_sum") / line.cell.periods.year.days,
        }
        for line in all_figures.by_branch(ranked, kind=choice.kind)
    ]
    rows = [row for row in rows if row["average"] is not None]
    return sorted(rows, key=lambda row: (-row["average"], row["line"].href))[: choice.count]


def compared(found: structure.Figures, choice: Choice) -> list[structure.Line]:
    """The places right below the chosen one, each with all below it."""
    seen = places_of(found.user)
    at = next((b.pk for b in seen if b.branch_no == choice.branch), found.user.branch_id)
    return found.by_branch([branch for branch in seen if branch.parent_id == at], kind=choice.kind)


def chart(kind: str, cells: list[structure.Cell]) -> dict[str, Any]:
    """The tiers of one kind as shares: of customers, assets, and contribution. Its table twin holds the figures."""
    measures = [(_("customers"), "customers"), (_("assets"), "assets"), (_("contribution"), "contribution")]
    totals = {name: sum(max(0, getattr(cell, name)) for cell in cells) or 1 for _label, name in measures}
    series = [
        {
            "name": str(cell.words),
            "type": "bar",
            "stack": "all",
            "itemStyle": {"color": SHADES[structure.TIERS[kind].index(cell.tier)]},
            "data": [
                {
                    "value": round(float(max(0, getattr(cell, name)) / totals[name] * 100), 2),
                    "href": cell.href,
                }
                for _label, name in measures
            ],
        }
        # A tier keeps its shade where others are empty: two that stand side by side are told apart.
        for cell in cells
    ]
    words = PartyKind(kind).label
    return {
        "id": f"tiers-{kind}",
        "question": _("Which tier holds what? (%(kind)s)") % {"kind": words},
        "cells": cells,
        "option": {
            "legend": {"top": 0},
            "tooltip": {"trigger": "item"},
            "xAxis": {"type": "value", "max": 100, "axisLabel": {"formatter": "{value}%"}},
            "yAxis": {"type": "category", "inverse": True, "data": [str(label) for label, _name in measures]},
            "series": series,
        },
    }
