"""Who may do which verb: one table of dotted verbs, and the two marks every URL must carry one of.

A dotted verb is at once the permission, the audit name and the sentence. *Which rows* a person sees is another
question, answered by ``crm.core.scope`` alone.
"""

import datetime
import functools
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from rest_framework.permissions import BasePermission

from crm.core import clock
from crm.core.models.people import BranchKind, Post

MANAGER, SUPERVISOR, ANALYST = Post.RELATIONSHIP_MANAGER, Post.BRANCH_SUPERVISOR, Post.ANALYST
TELLER, LOBBY = Post.TELLER, Post.LOBBY_MANAGER
COMPLAINTS, PRODUCTS, COMPLIANCE = Post.COMPLAINT_OFFICER, Post.PRODUCT_MANAGER, Post.COMPLIANCE_OFFICER
AUDITOR, ADMINISTRATOR, SECURITY = Post.AUDITOR, Post.ADMINISTRATOR, Post.SECURITY_OFFICER

EVERYONE = frozenset(Post)
BUSINESS = frozenset({MANAGER, SUPERVISOR, ANALYST, COMPLAINTS, PRODUCTS, COMPLIANCE})
COUNTER = frozenset({TELLER, LOBBY})
DESKS_OF_DATA = frozenset({ANALYST, COMPLIANCE, ADMINISTRATOR})

# The table. A verb that is not in it may be done by nobody.
VERBS: dict[str, frozenset] = {
    "home.view": EVERYONE,
    "account.sign_out": EVERYONE,
    "account.set_language": EVERYONE,
    "account.change_password": EVERYONE,
    # customers
    "customers.view": BUSINESS | COUNTER,
    "customers.view_accounts": BUSINESS,
    "customers.view_quality": BUSINESS,
    "privacy.reveal": BUSINESS,
    "customers.assign": frozenset({SUPERVISOR}),
    # the feed
    "feeds.view": DESKS_OF_DATA,
    "feeds.upload": frozenset({ADMINISTRATOR}),
    "feeds.override": frozenset({ADMINISTRATOR}),
    "feeds.download_rejects": frozenset({ANALYST, COMPLIANCE}),
    # the night
    "nights.view": DESKS_OF_DATA,
    "nights.start": frozenset({ADMINISTRATOR}),
    "overview.view": frozenset({ANALYST, SUPERVISOR, PRODUCTS, COMPLIANCE}),
    "alerts.view": frozenset({MANAGER, SUPERVISOR, ANALYST, PRODUCTS, COMPLIANCE}),
    "parameters.view": frozenset({ANALYST, ADMINISTRATOR, COMPLIANCE, AUDITOR}),
    "parameters.set": frozenset({ANALYST, ADMINISTRATOR}),
    "tiers.override": frozenset({SUPERVISOR, ANALYST}),
    # people and places
    "org.view": EVERYONE - COUNTER,
    "staff.view": EVERYONE - COUNTER,
    "staff.invite": frozenset({SECURITY}),
    "staff.suspend": frozenset({SECURITY}),
    "staff.restore": frozenset({SECURITY}),
    "staff.end_sessions": frozenset({SECURITY}),
    "rights.view": frozenset({SECURITY, AUDITOR}),
    # four eyes
    "approvals.view": frozenset({ADMINISTRATOR, ANALYST, SECURITY, SUPERVISOR, COMPLIANCE}),
    "approvals.decide": frozenset({ADMINISTRATOR, ANALYST, SECURITY, SUPERVISOR, COMPLIANCE}),
    # the auditor's desk
    "audit.view": frozenset({AUDITOR}),
    "audit.verify": frozenset({AUDITOR}),
}


# Batches and nights are the whole bank's, control totals and rejected rows included: they are for head office, and for
# whoever runs the machines wherever he sits.
WHOLE_BANK = frozenset(
    {"feeds.view", "feeds.download_rejects", "nights.view", "parameters.view", "parameters.set"}
)


def works_here(user, on: datetime.date) -> bool:
    """Return whether the account is live: active, linked to a staff row, joined and not left on the day."""
    if not getattr(user, "is_authenticated", False) or not user.is_active or user.staff_id is None:
        return False
    staff = user.staff
    return (staff.joined_on is None or staff.joined_on <= on) and (
        staff.left_on is None or staff.left_on > on
    )


def may(user, verb: str, *, on: datetime.date | None = None) -> bool:
    """Return whether the person holds a post that may do ``verb`` today (``on`` for tests of other days)."""
    if not works_here(user, on or clock.business_date(clock.now())) or user.post not in VERBS.get(verb, ()):
        return False
    at_head_office = user.staff.branch.kind == BranchKind.HEAD_OFFICE
    return verb not in WHOLE_BANK or at_head_office or user.post == ADMINISTRATOR


def require(user, verb: str) -> None:
    """Raise PermissionDenied unless the person may do ``verb``. The first line of every verb."""
    if not may(user, verb):
        raise PermissionDenied(verb)


def who_may(verb: str) -> list[str]:
    """Return the names of the posts that may: what a 403 page tells, so that people know whom to ask."""
    return [str(Post(post).label) for post in Post if post in VERBS.get(verb, frozenset())]


def needs(verb: str) -> Callable:
    """Declare the right a view needs. Signed out → sign-in page; signed in without the right → 403."""
    if verb not in VERBS:
        raise ValueError(f"{verb} is not in the table of verbs")

    def declare(view: Callable) -> Callable:
        @functools.wraps(view)
        def guarded(request: HttpRequest, *args, **kwargs) -> HttpResponse:
            if not works_here(request.user, clock.business_date(clock.now())):
                return _to_sign_in(request)
            require(request.user, verb)
            return view(request, *args, **kwargs)

        guarded.verb = verb
        return guarded

    return declare


def public(why: str) -> Callable:
    """Declare a view open to the world, with the reason. There are few, and a test lists them."""

    def declare(view: Callable) -> Callable:
        @functools.wraps(view)
        def opened(*args, **kwargs) -> HttpResponse:
            return view(*args, **kwargs)

        opened.public = why
        return opened

    return declare


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    if getattr(request, "htmx", False):
        # A sign-in page swapped into a fragment would look like part of the screen.
        response = HttpResponse(status=401)
        response["HX-Redirect"] = (
            str(settings.LOGIN_URL) if str(settings.LOGIN_URL).startswith("/") else "/sign-in/"
        )
        return response
    # Imported late: the auth views need the user model, and the models need this table.
    from django.contrib.auth.views import redirect_to_login

    return redirect_to_login(request.get_full_path() if request.method == "GET" else "/")


class DeclaredRight(BasePermission):
    """DRF's default answer: no, unless the view names its verb and the person may do it."""

    def has_permission(self, request, view) -> bool:
        verb = getattr(view, "verb", None)
        return verb is not None and may(request.user, verb)
