"""Which rows a person sees: the only module that turns a person into a filter.

It serves list, count, chart, export, API, search and autocomplete alike, and it fails closed: no post, no branch, left,
suspended or unknown → nothing. Head office sees the bank, a branch its subtree, a manager his own and shared customers.
"""

import datetime
from enum import Enum

from django.db import models
from django.db.models import Q

from crm.core import clock
from crm.core.access import works_here
from crm.core.models.people import Branch, BranchKind, Post, Staff

NO_ROWS = Q(pk__in=[])  # never sent to the database


class Level(Enum):
    BANK = "bank"
    SUBTREE = "subtree"
    OWN = "own"
    NOTHING = "nothing"


_LEVEL_OF_POST = {
    Post.RELATIONSHIP_MANAGER: Level.OWN,
    Post.BRANCH_SUPERVISOR: Level.SUBTREE,
    Post.ANALYST: Level.SUBTREE,
    Post.TELLER: Level.SUBTREE,
    Post.LOBBY_MANAGER: Level.SUBTREE,
    Post.COMPLAINT_OFFICER: Level.SUBTREE,
    Post.PRODUCT_MANAGER: Level.SUBTREE,
    Post.COMPLIANCE_OFFICER: Level.SUBTREE,
    # Three who look after the system and see no customer: audit only, rights only, machines only.
    Post.AUDITOR: Level.NOTHING,
    Post.ADMINISTRATOR: Level.NOTHING,
    Post.SECURITY_OFFICER: Level.NOTHING,
}


def level_of(user, *, on: datetime.date | None = None) -> Level:
    """Return how far the person sees today."""
    if not works_here(user, on or clock.business_date(clock.now())) or user.branch_id is None:
        return Level.NOTHING
    level = _LEVEL_OF_POST.get(user.post, Level.NOTHING)
    if (
        level is Level.SUBTREE
        and user.staff.branch.kind == BranchKind.HEAD_OFFICE
        and user.post not in (Post.TELLER, Post.LOBBY_MANAGER)
    ):
        return Level.BANK
    return level


def sees_bank(user) -> bool:
    return level_of(user) is Level.BANK


def sees_restricted(user) -> bool:
    """Customers under a processing stop (PIPL Art. 47) exist for compliance alone."""
    return user.post == Post.COMPLIANCE_OFFICER


def branches_for(user) -> models.QuerySet[Branch]:
    """Return the branches whose customers the person may see. For a manager: his own branch."""
    level = level_of(user)
    if level is Level.BANK:
        return Branch.objects.all()
    if level is Level.SUBTREE:
        return (
            Branch.objects.filter(path__startswith=user.staff.branch.path)
            if user.staff.branch.path
            else Branch.objects.none()
        )
    if level is Level.OWN:
        return Branch.objects.filter(pk=user.branch_id)
    return Branch.objects.none()


def places_of(user) -> list[Branch]:
    """Return the branches of :func:`branches_for` as a list in tree order, asked once for a loaded person.

    A request loads its person anew, so a change of the tree shows on the next one.
    """
    key = (user.post, user.branch_id)
    if getattr(user, "_places", (None, []))[0] != key:
        user._places = (key, list(branches_for(user).order_by("path", "pk")))
    return user._places[1]


def staff_for(user) -> models.QuerySet[Staff]:
    """Return the colleagues the person may look up. Those who look after the system see the whole staff list."""
    if not works_here(user, clock.business_date(clock.now())):
        return Staff.objects.none()
    if level_of(user) is Level.NOTHING:
        return Staff.objects.all()
    return Staff.objects.filter(branch__in=branches_for(user))


def rows_for(user, path: str = "") -> Q:
    """Return the filter for rows whose customer is reached by the lookup ``path`` (``""`` on the customer itself).

    >>> Account.rows.filter(rows_for(user, "customer"))
    """
    level = level_of(user)
    if level is Level.NOTHING:
        return NO_ROWS
    to = f"{path}__" if path else ""
    unrestricted = Q() if sees_restricted(user) else Q(**{f"{to}restricted_on__isnull": True})
    if level is Level.BANK:
        return unrestricted
    if level is Level.SUBTREE:
        # The ids, not a join: the org tree is small and the planner then uses the index on the customer's branch.
        return unrestricted & Q(**{f"{to}branch_id__in": [branch.pk for branch in places_of(user)]})
    own = Q(**{f"{to}manager_id": user.staff_id})
    shared = Q(**{f"{to}shares__contains": [user.staff_id]})
    return unrestricted & (own | shared)


class ScopeRequired(TypeError):
    """Somebody asked for customer data without saying for whom."""


class ScopedManager(models.Manager):
    """The manager of every customer-owned model: it knows one question, ``visible_to(user)``."""

    use_in_migrations = False

    def __init__(self, path: str = "customer") -> None:
        super().__init__()
        self.path = path

    def visible_to(self, user) -> models.QuerySet:
        """Return the rows ``user`` may see."""
        return super().get_queryset().filter(rows_for(user, self.path))

    def get_queryset(self) -> models.QuerySet:
        raise ScopeRequired(f"{self.model.__name__}.objects needs visible_to(user)")
