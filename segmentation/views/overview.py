"""The overview of the bank, or of a supervisor's subtree: the first by any indicator, the tier structure, the branches."""

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from crm.core import places
from crm.core.access import needs
from crm.core.scope import places_of, sees_bank
from customers import facts
from customers.models.parties import PartyKind
from segmentation import standing, structure

INDICATORS = (
    ("contribution", gettext_lazy("Contribution, year to date")),
    ("assets", gettext_lazy("Assets, month's day average")),
    ("deposits", gettext_lazy("Deposits, month's day average")),
    ("loans", gettext_lazy("Loans")),
)
COUNTS = (5, 10, 20)
SHADES = ("#163757", "#1f4b7a", "#4a76a5", "#8fb0d3", "#b7cbe0", "#d5dfe9")


@dataclass(frozen=True)
class Choice:
    """What the reader chose, all of it codes in the address: an indicator, how many, a branch, a kind."""

    by: str = "contribution"
    count: int = 5
    branch: str = ""
    kind: str = ""

    def query(self, **changes: Any) -> str:
        chosen = replace(self, **changes)
        values = {
            "by": chosen.by if chosen.by != "contribution" else "",
            "top": chosen.count if chosen.count != 5 else "",
            "branch": chosen.branch,
            "kind": chosen.kind,
        }
        return "?" + urlencode({name: value for name, value in values.items() if value})


def read_choice(request: HttpRequest, branches: list[tuple[str, str]]) -> Choice:
    """Return the choice of the address; what is unknown or out of scope is ignored."""
    asked = request.GET
    by, kind, branch, count = (
        asked.get("by", ""),
        asked.get("kind", ""),
        asked.get("branch", ""),
        asked.get("top", ""),
    )
    return Choice(
        by=by if by in structure.INDICATORS else "contribution",
        count=int(count) if count in map(str, COUNTS) else 5,
        branch=branch if branch in dict(branches) else "",
        kind=kind if kind in PartyKind.values else "",
    )


@needs("overview.view")
@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    branches = places.choices(request)
    choice = read_choice(request, branches)
    night = standing.night_of(request)
    own = "" if sees_bank(request.user) else request.user.staff.branch.name
    context: dict[str, Any] = {
        "night": night,
        "place": dict(branches)[choice.branch].strip() if choice.branch else own,
        "choice": choice,
        "branches": branches,
        "counts": COUNTS,
    }
    if night is not None:
        all_figures = structure.figures(request.user, night)
        found = all_figures.structure(branch=choice.branch, kind=choice.kind)
        first = structure.top(
            request.user, night, by=choice.by, count=choice.count, branch=choice.branch, kind=choice.kind
        )
        for row in first:
            row.shown_name = facts.name_of(row.customer, request.user)
        context |= {
            "structure": found,
            "first": first,
            "tabs": tabs(choice),
            "kinds": kinds(choice),
            "charts": [chart(kind, found.of_kind(kind)) for kind in PartyKind if found.of_kind(kind)],
            "lines": compared(all_figures, choice),
            "indicator": dict(INDICATORS)[choice.by],
            "all_href": structure.link(branch=choice.branch, kind=choice.kind, sort=choice.by),
        }
    return render(request, "segmentation/overview.html", context)


def tabs(choice: Choice) -> list[dict[str, Any]]:
    return [
        {"label": label, "query": choice.query(by=by), "active": by == choice.by} for by, label in INDICATORS
    ]


def kinds(choice: Choice) -> list[dict[str, Any]]:
    pairs = [
        ("", _("together")),
        (PartyKind.INDIVIDUAL, _("individuals")),
        (PartyKind.CORPORATE, _("corporates")),
    ]
    return [
        {"label": label, "query": choice.query(kind=kind), "active": kind == choice.kind}
        for kind, label in pairs
    ]


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
