"""Screens of people and places: the staff list, one colleague, the org tree on any day, and the table of rights."""

import datetime

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm.core import clock, places, rights, staffing
from crm.core.access import needs
from crm.core.listing import Filter, Listing, Sort, respond
from crm.core.models import Branch, LiveSession, Post, Staff
from crm.core.scope import branches_for, staff_for

ACCOUNT_STATES = [
    ("active", gettext_lazy("can sign in")),
    ("invited", gettext_lazy("invited")),
    ("none", gettext_lazy("no account")),
    ("suspended", gettext_lazy("suspended")),
    ("left", gettext_lazy("left the bank")),
]


class ReasonForm(forms.Form):
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=200)


def _today() -> datetime.date:
    return clock.business_date(clock.now())


def _by_text(queryset, text: str):
    return queryset.filter(Q(name__contains=text) | Q(employee_no__istartswith=text))


def _by_branch(queryset, branch_no: str):
    path = Branch.objects.filter(branch_no=branch_no).values_list("path", flat=True).first()
    return queryset.filter(branch__path__startswith=path) if path else queryset.none()


def _by_account(queryset, state: str):
    here = Q(left_on__isnull=True) | Q(left_on__gt=_today())
    opened = Q(user__password_set_at__isnull=False)
    match state:
        case "left":
            return queryset.exclude(here)
        case "suspended":
            return queryset.filter(here, user__is_active=False)
        case "none":
            return queryset.filter(here, user__isnull=True)
        case "invited":
            return queryset.filter(here, user__is_active=True).exclude(opened)
    return queryset.filter(here, opened, user__is_active=True)


STAFF = Listing(
    name="staff",
    sorts={
        "number": Sort(("employee_no", "id")),
        "name": Sort(("name", "id")),
        "branch": Sort(("branch__path", "employee_no", "id")),
        "post": Sort(("post", "employee_no", "id")),
    },
    default="branch",
    filters=(
        Filter("q", gettext_lazy("Name or employee number"), narrow=_by_text, private=True),
        Filter("branch", gettext_lazy("Branch"), narrow=_by_branch, choices=places.choices_for_staff),
        Filter(
            "post", gettext_lazy("Post"), narrow=lambda q, post: q.filter(post=post), choices=Post.choices
        ),
        Filter("account", gettext_lazy("Account"), narrow=_by_account, choices=ACCOUNT_STATES),
    ),
)


def account_state(staff: Staff, on: datetime.date) -> str:
    """Return one of ACCOUNT_STATES for a staff row read with its ``user``."""
    user = getattr(staff, "user", None)
    if staff.left_on is not None and staff.left_on <= on:
        return "left"
    if user is None:
        return "none"
    if not user.is_active:
        return "suspended"
    return "active" if user.password_set_at else "invited"


def _with_state(staff: Staff) -> Staff:
    staff.account_state = account_state(staff, _today())
    staff.account_state_label = dict(ACCOUNT_STATES)[staff.account_state]
    return staff


@needs("staff.view")
@require_http_methods(["GET", "POST"])
def staff_list(request: HttpRequest) -> HttpResponse:
    page = STAFF.page(request, staff_for(request.user).select_related("branch", "user"))
    for row in page.rows:
        _with_state(row)
    return respond(request, page, "core/staff_list.html", "core/_staff_list.html")


def _colleague(request: HttpRequest, staff_id: int) -> Staff:
    # The user's manager would join the staff row once more; the list above already reads both.
    return _with_state(
        get_object_or_404(staff_for(request.user).select_related("branch", "user"), pk=staff_id)
    )


def _staff_page(request: HttpRequest, staff: Staff, status: int = 200, **extra) -> HttpResponse:
    user = getattr(staff, "user", None)
    live = LiveSession.objects.filter(user=user).order_by("-last_seen_at") if user else []
    return render(
        request,
        "core/staff.html",
        {
            "staff": staff,
            "sessions": list(live),
            "verbs": rights.of_post(staff.post),
            "is_self": request.user.staff_id == staff.pk,
            **extra,
        },
        status=status,
    )


@needs("staff.view")
@require_GET
def staff_page(request: HttpRequest, staff_id: int) -> HttpResponse:
    return _staff_page(request, _colleague(request, staff_id))


@needs("staff.invite")
@require_POST
def staff_invite(request: HttpRequest, staff_id: int) -> HttpResponse:
    """Draw a one-time link. It stands in this one answer and nowhere else, so a reload does not show it again."""
    staff = _colleague(request, staff_id)
    if staff.account_state == "left":
        raise Http404
    try:
        token = staffing.invite(actor=request.user, staff=staff, at=clock.now())
    except ValidationError as broken:
        return _staff_page(request, staff, 422, problem=broken.messages[0])
    link = request.build_absolute_uri(reverse("welcome", args=[token]))
    return _staff_page(request, _colleague(request, staff_id), link=link)


@needs("staff.suspend")
@require_POST
def staff_suspend(request: HttpRequest, staff_id: int) -> HttpResponse:
    return _with_reason(request, staff_id, staffing.suspend)


@needs("staff.restore")
@require_POST
def staff_restore(request: HttpRequest, staff_id: int) -> HttpResponse:
    return _with_reason(request, staff_id, staffing.restore)


def _with_reason(request: HttpRequest, staff_id: int, verb) -> HttpResponse:
    staff = _colleague(request, staff_id)
    form = ReasonForm(request.POST)
    if form.is_valid():
        try:
            verb(actor=request.user, staff=staff, reason=form.cleaned_data["reason"])
        except ValidationError as broken:
            form.add_error(None, broken)
        else:
            return redirect("staff_page", staff_id=staff_id)
    return _staff_page(request, staff, 422, form=form)


@needs("staff.end_sessions")
@require_POST
def staff_end_sessions(request: HttpRequest, staff_id: int) -> HttpResponse:
    staffing.end_sessions(actor=request.user, staff=_colleague(request, staff_id))
    return redirect("staff_page", staff_id=staff_id)


@needs("org.view")
@require_GET
def org_tree(request: HttpRequest) -> HttpResponse:
    """The branches as they stood on a day (``?on=2026-01-31``), each with how many people work there now."""
    asked = request.GET.get("on", "")
    on = _parsed(asked)
    today = _today()
    problem = _("This is not a date.") if asked and on is None else ""
    on = on or today
    seen = branches_for(request.user) if request.user.post in places.POSTS_OF_A_PLACE else None
    tree = places.tree(on, places=seen)
    return render(
        request,
        "core/org.html",
        {"tree": tree, "on": on, "today": today, "problem": problem, "total": places.size(tree)},
        status=422 if problem else 200,
    )


def _parsed(text: str) -> datetime.date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None


@needs("rights.view")
@require_GET
def rights_table(request: HttpRequest) -> HttpResponse:
    return render(request, "core/rights.html", {"posts": rights.posts(), "groups": rights.table()})
