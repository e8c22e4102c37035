"""Who stays and who goes: by stage of life, by month, and by tier, branch or manager."""

from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from crm.core import places
from crm.core.access import needs
from segmentation import retention as reads
from segmentation import standing, structure, trends
from segmentation.models import PublishedNight
from segmentation.views import chosen
from segmentation.views.chosen import Choice
from segmentation.views.overview import compared


@needs("overview.view")
@require_GET
def retention(request: HttpRequest) -> HttpResponse:
    night = standing.night_of(request)
    context: dict[str, Any] = {"night": night, **chosen.frame(request, "retention")}
    choice = context["choice"]
    if night is not None:
        where = {"branch": choice.branch, "kind": choice.kind}
        below = places.subtree(request.user, choice.branch) if choice.branch else None
        points = trends.of_reader(request.user, night, places=below, **where)
        months = reads.months(points)
        total = points[-1].cell or structure.Cell(choice.kind, "", "", night.periods)
        # The summary knows no managers; their standings are read where they are few enough to look through.
        few = total.customers <= structure.MOST_COMPARED and not choice.branch and not choice.kind
        offered = chosen.SPLITS if few else chosen.SPLITS[:2]
        split = choice.split if choice.split in offered else offered[0]
        context |= {
            "stages": reads.stages(total, **where),
            "months": months,
            "chart": chart(months),
            "splits": chosen.splits(choice, offered),
            "split": split,
            "rows": rows_of(split, request.user, night, choice),
        }
    return render(request, "segmentation/retention.html", context)


def rows_of(split: str, user, night: PublishedNight, choice: Choice) -> list[reads.Split]:
    """One row for each tier, place right below or manager; each leads to exactly its customers."""
    if split == "manager":
        return [
            reads.Split(line.label, "", line.cell, line.chosen) for line in structure.by_manager(user, night)
        ]
    all_figures = structure.figures(user, night)
    if split == "branch":
        return [reads.Split(line.label, "", line.cell, line.chosen) for line in compared(all_figures, choice)]
    cells = all_figures.structure(branch=choice.branch, kind=choice.kind).cells
    return [
        reads.Split(
            cell.words, cell.tier, cell, {"branch": choice.branch, "kind": cell.kind, "tier": cell.tier}
        )
        for cell in cells
    ]


def chart(months: list[reads.Month]) -> dict[str, Any]:
    """Bars: what left each month, net of what came back; line: the share that is lost. The table twin counts both."""
    left = [_percent(month.rate) for month in months]
    lost = [_percent(month.lost_share) for month in months]
    return {
        "id": "churn",
        "question": _("Which share of the customers left each month?"),
        "months": months,
        "option": {
            "legend": {"top": 0},
            "tooltip": {"trigger": "item"},
            "xAxis": {"type": "category", "data": [month.point.day.isoformat() for month in months]},
            "yAxis": {"type": "value", "axisLabel": {"formatter": "{value}%"}},
            "series": [
                {"name": _("left this month, net"), "type": "bar", "barMaxWidth": 32, "data": left},
                {"name": _("lost by now"), "type": "line", "itemStyle": {"color": "bad"}, "data": lost},
            ],
        },
    }


def _percent(share: Decimal | None) -> float | None:
    return None if share is None else round(float(share * 100), 2)
