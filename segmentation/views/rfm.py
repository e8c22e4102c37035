"""The value matrix: how recently and how often customers act, and what they hold."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from crm.core import places
from crm.core.access import needs
from segmentation import rfm as reads
from segmentation import standing
from segmentation.views import chosen


@needs("overview.view")
@require_GET
def rfm(request: HttpRequest) -> HttpResponse:
    night = standing.night_of(request)
    context: dict[str, Any] = {"night": night, **chosen.frame(request, "rfm")}
    choice = context["choice"]
    if night is not None:
        below = places.subtree(request.user, choice.branch) if choice.branch else None
        context["matrix"] = reads.matrix(
            request.user, night, places=below, branch=choice.branch, kind=choice.kind
        )
    return render(request, "segmentation/rfm.html", context)
