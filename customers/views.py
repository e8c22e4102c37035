"""Screens of one customer: his facts, relations and history, an account with its bookings, and the data to fix."""

import datetime

from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from crm.core import clock, places
from crm.core.access import needs
from crm.core.listing import Filter, Listing, Sort, respond
from crm.core.privacy.masks import mask
from customers import facts, reads
from customers.models import Account, Customer, QualityIssue
from customers.models.quality import QualityRule


def customer_for(request: HttpRequest, customer_id: int) -> Customer:
    """Return the customer of a page with what its head shows. Out of scope is 404, as if there were none."""
    rows = Customer.objects.visible_to(request.user)
    customer = get_object_or_404(
        rows.select_related("branch", "manager", "feed_manager", "merged_into", "quality", "batch"),
        pk=customer_id,
    )
    customer.shown_name = facts.name_of(customer, request.user)
    return customer


def page(request: HttpRequest, customer: Customer, tab: str, template: str, **context) -> HttpResponse:
    """Render one tab of a customer's page. The tabs are addresses of their own; htmx takes ``#customer-tab`` out."""
    return render(request, template, {"customer": customer, "tab": tab, **context})


@needs("customers.view")
@require_GET
def customer_facts(request: HttpRequest, customer_id: int) -> HttpResponse:
    customer = customer_for(request, customer_id)
    today = clock.business_date(clock.now())
    identities = list(customer.identities.select_related("batch").order_by("-is_primary", "id"))
    contacts = (
        list(customer.contact_persons.order_by("starts_on", "id")) if customer.kind == "corporate" else []
    )
    for contact in contacts:
        contact.shown_name = facts.person_of(contact.name, request.user)
    batches = facts.batches_of(customer)
    for identity in identities:
        identity.document = facts.DOCUMENTS.get(identity.id_type, identity.id_type)
        identity.has_expired = identity.expires_on is not None and identity.expires_on < today
    return page(
        request,
        customer,
        "facts",
        "customers/customer_facts.html",
        groups=facts.groups(customer, request.user, today, batches),
        identities=identities,
        contacts=contacts,
        issues=list(customer.quality_issues.order_by("since", "rule")),
        quality=getattr(customer, "quality", None),
    )


@needs("customers.view")
@require_GET
def customer_relations(request: HttpRequest, customer_id: int) -> HttpResponse:
    customer = customer_for(request, customer_id)
    related = reads.relations(customer, request.user)
    for pair in related:
        if pair.other is not None:
            pair.other.shown_name = facts.name_of(pair.other, request.user)
    # What he holds at other banks, the newest word on each first; counted in no figure of this bank.
    elsewhere = list(customer.outside_holdings.order_by("-as_of", "bank_name", "family"))
    return page(
        request,
        customer,
        "relations",
        "customers/customer_relations.html",
        related=related,
        elsewhere=elsewhere,
    )


@needs("customers.view")
@require_GET
def customer_history(request: HttpRequest, customer_id: int) -> HttpResponse:
    """Who looked after the customer from when to when, what he agreed to, and the numbers he was known by."""
    customer = customer_for(request, customer_id)
    return page(
        request,
        customer,
        "history",
        "customers/customer_history.html",
        assignments=list(
            customer.assignments.select_related("manager__branch").order_by("-starts_on", "role", "-id")
        ),
        consents=list(customer.consents.order_by("-given_at", "-id")),
        numbers=list(customer.numbers.order_by("since")),
    )


@needs("customers.view_accounts")
@require_GET
def account_page(request: HttpRequest, account_id: int) -> HttpResponse:
    """An account with one month of its bookings; ``?month=2026-10`` and a cursor within the month."""
    first = _month(request.GET.get("month", ""))
    accounts = Account.objects.visible_to(request.user).select_related("customer", "product", "branch")
    account = _with_others(
        reads.for_its_page(accounts.filter(pk=account_id), request.user, first), request.user
    )
    account.customer.shown_name = facts.name_of(account.customer, request.user)
    account.mask = mask("account", account.account_no)
    month = reads.month_of(account, request.user, first, request.GET.get("after", ""))
    context = {"account": account, "month": month}
    fragment = request.htmx and request.htmx.target == "bookings"
    return render(request, "customers/_bookings.html" if fragment else "customers/account.html", context)


def _with_others(accounts: QuerySet[Account], user) -> Account:
    found = reads.with_holders(accounts, user)
    if not found:
        raise Http404
    for holder in found[0].others:
        if holder.customer is not None:
            holder.customer.shown_name = facts.name_of(holder.customer, user)
    return found[0]


def _month(text: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(f"{text}-01")
    except ValueError:
        return None


def _issue_by_text(queryset: QuerySet, text: str) -> QuerySet:
    return queryset.filter(Q(customer__name__contains=text) | Q(customer__customer_no=text))


def _quality(user) -> Listing:
    def in_branch(rows: QuerySet, value: str) -> QuerySet:
        return rows.filter(customer__branch_id__in=places.subtree(user, value))

    return Listing(
        name="quality",
        sorts={
            "since": Sort(("since", "id")),
            "name": Sort(("customer__name_sort", "customer_id", "id")),
            "rule": Sort(("rule", "customer__name_sort", "id")),
        },
        default="name",
        filters=(
            Filter("q", _("Name or customer number"), narrow=_issue_by_text, private=True),
            Filter(
                "rule", _("What to fix"), narrow=lambda q, v: q.filter(rule=v), choices=QualityRule.choices
            ),
            Filter("branch", _("Branch"), narrow=in_branch, choices=places.choices),
        ),
    )


@needs("customers.view_quality")
def quality_list(request: HttpRequest) -> HttpResponse:
    """The fix list of everybody in the reader's scope, one line a thing to fix."""
    rows = QualityIssue.objects.visible_to(request.user).select_related(
        "customer__branch", "customer__manager"
    )
    shown = _quality(request.user).page(request, rows)
    for row in shown.rows:
        row.customer.shown_name = facts.name_of(row.customer, request.user)
    return respond(request, shown, "customers/quality.html", "customers/_quality.html")
