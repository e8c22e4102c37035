"""The customer list with where each one stands, search from anywhere, and the palette.

The list starts from the customers; sorted or narrowed by what the night worked out it starts from the standings, whose
indexes carry those orders.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from crm.core import places
from crm.core.access import may, needs
from crm.core.listing import Filter, Listing, Page, Sort, respond
from crm.core.models import Post, Staff
from crm.core.scope import branches_for, sees_bank
from customers import facts, search
from customers.models import Customer, QualityIssue
from customers.models.parties import PartyKind
from segmentation import scorecard, selections, standing
from segmentation.models import Life, PublishedNight, Standing, Tier

MOST_MANAGERS = 200
IN_PALETTE = 8


@dataclass(frozen=True)
class Row:
    """One line of the list: the customer, his name as the reader may see it, and his standing if the night knew him."""

    customer: Customer
    name: str
    standing: Standing | None

    @property
    def pk(self) -> int:
        return self.customer.pk


def _managers(request: HttpRequest) -> list[tuple[str, str]]:
    """Managers of the branches a person sees; of the chosen branch where there are too many. A manager sees himself."""
    if request.user.post == Post.RELATIONSHIP_MANAGER:
        return []
    asked = request.POST if request.method == "POST" else request.GET
    branch, wanted = asked.get("branch", ""), asked.get("manager", "")
    rows = Staff.objects.filter(post=Post.RELATIONSHIP_MANAGER, branch__in=branches_for(request.user))
    if branch:
        rows = rows.filter(Q(branch_id__in=places.subtree(request.user, branch)) | Q(employee_no=wanted))
    found = list(rows.order_by("name", "employee_no").values_list("employee_no", "name")[: MOST_MANAGERS + 1])
    if len(found) > MOST_MANAGERS:
        found = list(rows.filter(employee_no=wanted).values_list("employee_no", "name"))
    return [("none", _("no manager")), *found]


# What the night worked out: asked by one of these the list starts from the standings.
FIGURES = {
    "contribution": "-contribution",
    "assets": "-asset_month_sum",
    "deposits": "-deposit_month_sum",
    "loans": "-loan_balance",
    "related": "-related_contribution",
    "points": "-related_deposit_points",
    "loyalty": "-loyalty",
    "risk": "-risk",
}
QUINTILES = [
    (str(n), words) for n, words in ((5, _("5, best")), (4, "4"), (3, "3"), (2, "2"), (1, _("1, weakest")))
]
COLUMNS = {"": _("At a glance"), "money": _("Money"), "scores": _("Scores")}


def _of_standings(night: PublishedNight) -> list[Filter]:
    """Filters by what the night worked out; they narrow standings and leave other rows alone."""

    def on(name: str) -> Callable[[QuerySet, str], QuerySet]:
        return lambda rows, value: rows.filter(**{name: value})

    def near(rows: QuerySet, value: str) -> QuerySet:
        return selections.near(rows, value, scorecard.policy_of(night), night.business_date)

    return [
        Filter("life", _("Life stage"), narrow=on("life"), choices=Life.choices, rare=True),
        Filter("near", _("Near a tier"), narrow=near, choices=selections.NEAR, rare=True),
        Filter(
            "quality",
            _("Quality"),
            narrow=lambda rows, value: selections.high_quality(rows),
            choices=[("high", _("above peers in value and loyalty, below in risk"))],
            rare=True,
        ),
        Filter(
            "enterprise",
            _("Enterprise size"),
            narrow=on("enterprise_size"),
            choices=list(selections.SIZES.items()),
            rare=True,
        ),
        Filter("r", _("Recency"), narrow=on("recency_rank"), choices=QUINTILES, rare=True),
        Filter("f", _("Frequency"), narrow=on("frequency_rank"), choices=QUINTILES, rare=True),
        Filter("m", _("Money"), narrow=on("money_rank"), choices=QUINTILES, rare=True),
    ]


def _of_customers(request: HttpRequest, path: str) -> list[Filter]:
    """Filters by what is fed, for rows that reach the customer over ``path``."""
    user = request.user
    key = "customer_id" if path else "id"

    def by_text(rows: QuerySet, text: str) -> QuerySet:
        if not path:
            return search.matching(rows, text)
        return rows.filter(customer_id__in=search.find(user, text).values("pk"))

    def in_branch(rows: QuerySet, value: str) -> QuerySet:
        return rows.filter(branch_id__in=places.subtree(user, value))

    def by_manager(rows: QuerySet, value: str) -> QuerySet:
        if value == "none":
            return rows.filter(**{f"{path}manager__isnull": True})
        return rows.filter(**{f"{path}manager__employee_no": value})

    def with_issues(rows: QuerySet, value: str) -> QuerySet:
        return rows.filter(Exists(QualityIssue.objects.visible_to(user).filter(customer_id=OuterRef(key))))

    return [
        Filter("q", _("Name, phone, ID, customer or account number"), narrow=by_text, private=True),
        Filter("kind", _("Kind"), narrow=lambda q, v: q.filter(kind=v), choices=PartyKind.choices),
        Filter("tier", _("Tier"), narrow=lambda q, v: q.filter(tier=v) if path else q, choices=Tier.choices),
        Filter("branch", _("Branch"), narrow=in_branch, choices=places.choices),
        Filter("manager", _("Manager"), narrow=by_manager, choices=_managers),
        Filter(
            "open",
            _("Open or closed"),
            narrow=lambda q, v: q.filter(**{f"{path}closed_on__isnull": v == "yes"}),
            choices=[("yes", _("open")), ("no", _("closed"))],
        ),
        Filter("fix", _("Data to fix"), narrow=with_issues, choices=[("yes", _("with data to fix"))]),
    ]


def _listing(request: HttpRequest, night: PublishedNight | None, path: str) -> Listing:
    """The list for one reader, as its rows are reached: ``""`` from customers, ``"customer__"`` from standings.

    At the counter a line says who somebody is, not what he is worth; before the first night there is nothing to sort or
    narrow by.
    """
    user = request.user
    key = "customer_id" if path else "id"
    sorts = {"name": Sort((f"{path}name_sort", key)), "number": Sort((f"{path}customer_no",))}
    filters = _of_customers(request, path)
    with_figures = night is not None and may(user, "customers.view_accounts")
    if with_figures:
        sorts |= {name: Sort((column, f"-{key}")) for name, column in FIGURES.items()}
        if not sees_bank(user):
            # The order would tell what the figure itself keeps back of customers outside his scope.
            del sorts["related"], sorts["points"]
        filters += _of_standings(night)
    if night is None:
        filters = [f for f in filters if f.name != "tier"]
    if not may(user, "customers.view_quality"):
        filters = [f for f in filters if f.name not in ("fix", "manager")]
    elif user.post == Post.RELATIONSHIP_MANAGER:
        filters = [f for f in filters if f.name not in ("manager", "branch")]
    columns = COLUMNS if with_figures else {}
    return Listing(name="customers", sorts=sorts, default="name", filters=filters, columns=columns)


def _asks_standings(request: HttpRequest, night: PublishedNight) -> bool:
    """Whether the list is sorted or narrowed by what the night worked out."""
    asked = request.POST if request.method == "POST" else request.GET
    if asked.get("tier") in Tier.values:
        return True
    by_figures = asked.get("sort", "").lstrip("-") in FIGURES or any(
        asked.get(f.name, "") in dict(f.choices) for f in _of_standings(night)
    )
    return by_figures and may(request.user, "customers.view_accounts")


def _page(request: HttpRequest, night: PublishedNight | None) -> Page:
    if night is not None and _asks_standings(request, night):
        rows = Standing.objects.visible_to(request.user).filter(run_id=night.run_id)
        rows = rows.select_related("customer__branch", "customer__manager")
        rows = rows.annotate(**scorecard.members_seen(request.user))
        page = _listing(request, night, "customer__").page(request, rows)
        page.rows = [Row(s.customer, facts.name_of(s.customer, request.user), s) for s in page.rows]
        return page
    rows = Customer.objects.visible_to(request.user).select_related("branch", "manager")
    page = _listing(request, night, "").page(request, rows)
    known = standing.of_customers(request.user, night, [customer.pk for customer in page.rows])
    page.rows = [Row(c, facts.name_of(c, request.user), known.get(c.pk)) for c in page.rows]
    return page


def _context(request: HttpRequest, night: PublishedNight | None) -> dict[str, Any]:
    own = request.user.post == Post.RELATIONSHIP_MANAGER
    return {"night": night, "own": own, "with_figures": may(request.user, "customers.view_accounts")}


@needs("customers.view")
@require_http_methods(["GET", "POST"])
def customer_list(request: HttpRequest) -> HttpResponse:
    night = standing.night_of(request)
    page = _page(request, night)
    return respond(request, page, "customers/list.html", "customers/_list.html", _context(request, night))


@needs("customers.view")
@require_POST
def search_anywhere(request: HttpRequest) -> HttpResponse:
    """The search box of every page: a few lines for the palette, otherwise the list. What was typed stays in the form."""
    text = request.POST.get("q", "").replace("\x00", "").strip()[:100]
    if request.htmx and request.htmx.target == "palette-found":
        return render(request, "customers/_palette.html", {"rows": _first(request, text), "text": text})
    if not text:
        return redirect("customers")
    night = standing.night_of(request)
    page = _page(request, night)
    page.path = reverse("customers")
    response = render(request, "customers/list.html", {"page": page, **_context(request, night)})
    # The way back leads to the list, not to a form that would have to be sent again.
    response["HX-Push-Url"] = page.address
    return response


def _first(request: HttpRequest, text: str) -> list[Row]:
    if not text:
        return []
    rows = search.find(request.user, text).select_related("branch")
    found = list(rows.order_by("name_sort", "id")[:IN_PALETTE])
    known = standing.of_customers(request.user, standing.night_of(request), [row.pk for row in found])
    return [Row(row, facts.name_of(row, request.user), known.get(row.pk)) for row in found]
