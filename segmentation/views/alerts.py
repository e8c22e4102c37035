"""The list of what the nights have told: by kind, level, days, branch and manager, the gravest and most valuable first."""

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from crm.core import places
from crm.core.access import needs
from crm.core.listing import Filter, Listing, Sort, respond
from crm.core.models import Post
from customers.models.parties import PartyKind
from segmentation import alerts, standing
from segmentation.models import AlertKind, Level, PublishedNight
from segmentation.views.customers import _managers as managers

DAYS = [("1", _("of the last night")), ("7", _("of the last 7 days"))]


def _listing(user, night: PublishedNight | None) -> Listing:
    """The list for one reader: a manager has one branch and one book, and is not asked for either."""

    def of_days(rows: QuerySet, value: str) -> QuerySet:
        return rows.filter(raised_on__gte=alerts.since(night, int(value))) if night else rows

    def by_manager(rows: QuerySet, value: str) -> QuerySet:
        if value == "none":
            return rows.filter(customer__manager__isnull=True)
        return rows.filter(customer__manager__employee_no=value)

    def in_branch(rows: QuerySet, value: str) -> QuerySet:
        return rows.filter(customer__branch_id__in=places.subtree(user, value))

    filters = [
        Filter("kind", _("Kind of alert"), narrow=lambda q, v: q.filter(kind=v), choices=AlertKind.choices),
        Filter("level", _("Level"), narrow=lambda q, v: q.filter(level=v), choices=Level.choices),
        Filter("days", _("Of the last 30 days"), narrow=of_days, choices=DAYS),
        Filter(
            "of", _("Customers"), narrow=lambda q, v: q.filter(customer__kind=v), choices=PartyKind.choices
        ),
        Filter("branch", _("Branch"), narrow=in_branch, choices=places.choices),
        Filter("manager", _("Manager"), narrow=by_manager, choices=managers),
    ]
    if user.post == Post.RELATIONSHIP_MANAGER:
        filters = [f for f in filters if f.name not in ("manager", "branch")]
    sorts = {
        "gravest": Sort(("gravity", "-stake", "-pk")),
        "newest": Sort(("-raised_on", "gravity", "-stake", "-pk")),
        "amount": Sort(("-stake", "-pk")),
    }
    return Listing(name="alerts", sorts=sorts, default="gravest", filters=filters)


@needs("alerts.view")
@require_GET
def alert_list(request: HttpRequest) -> HttpResponse:
    night = standing.night_of(request)
    page = _listing(request.user, night).page(request, alerts.of_reader(request.user, night))
    page.rows = [alerts.told(alert, request.user) for alert in page.rows]
    context = {"night": night, "own": request.user.post == Post.RELATIONSHIP_MANAGER}
    return respond(request, page, "segmentation/alerts.html", "segmentation/_alerts.html", context)
