"""The year's average deposit and loan per customer, month end by month end."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from crm.core import places
from crm.core.access import may, needs
from crm.core.templatetags import display
from segmentation import standing
from segmentation import trends as reads
from segmentation.views import chosen

FEWEST = 2  # nights a line can be drawn through


@needs("overview.view")
@require_GET
def trends(request: HttpRequest) -> HttpResponse:
    night = standing.night_of(request)
    context: dict[str, Any] = {"night": night, **chosen.frame(request, "trends")}
    choice = context["choice"]
    if night is not None:
        below = places.subtree(request.user, choice.branch) if choice.branch else None
        points = reads.of_reader(request.user, night, places=below, branch=choice.branch, kind=choice.kind)
        known = [point for point in points if point.cell is not None]
        context |= {
            "divisors": chosen.divisors(choice),
            "drawn": len(known) >= FEWEST,
            "may_start": may(request.user, "nights.view"),
            "charts": [chart(side, choice.per, points) for side in chosen.OF_BRANCHES],
        }
    return render(request, "segmentation/trends.html", context)


def chart(side: str, per: str, points: list[reads.Point]) -> dict[str, Any]:
    """One line through the month ends; its table twin names what was divided by what."""
    questions = {
        "deposit": _("What does a customer keep with us on average this year?"),
        "loan": _("What does a customer owe us on average this year?"),
    }
    rows = [
        {
            "point": point,
            "average": point.cell.average(side, per) if point.cell else None,
            "divisor": point.cell.divisor(side, per) if point.cell else None,
            "year_average": getattr(point.cell, f"{side}_year_sum") / point.cell.periods.year.days
            if point.cell
            else None,
        }
        for point in points
    ]
    return {
        "id": f"trend-{side}",
        "question": questions[side],
        "per": chosen.PER[side][per],
        "rows": rows,
        "option": _option(rows),
    }


def _option(rows: list[dict[str, Any]]) -> dict[str, Any]:
    size, unit = display.column_scale()
    data = [
        {
            "value": None if row["average"] is None else round(float(row["average"] / size), 2),
            "href": row["point"].href,
        }
        for row in rows
    ]
    return {
        "tooltip": {"trigger": "item"},
        "xAxis": {"type": "category", "data": [row["point"].day.isoformat() for row in rows]},
        "yAxis": {"type": "value", "name": unit, "nameTextStyle": {"align": "left"}},
        "series": [{"type": "line", "symbolSize": 8, "itemStyle": {"color": "accent"}, "data": data}],
    }
