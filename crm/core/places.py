"""The org tree as people read it: on any day, within what a person may see, and as choices of a filter."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest

from crm.core.models.people import Branch, BranchPlacement, Post
from crm.core.scope import places_of

# A manager or teller looks at the tree of his own place; everybody else may know where the branches are.
POSTS_OF_A_PLACE = frozenset(
    {Post.RELATIONSHIP_MANAGER, Post.BRANCH_SUPERVISOR, Post.TELLER, Post.LOBBY_MANAGER}
)
MOST_CHOICES = 200


@dataclass
class Node:
    """One place of the tree with those under it. ``depth`` counts from 0."""

    branch: Branch
    depth: int = 0
    children: list["Node"] = field(default_factory=list)
    is_open: bool = True

    @property
    def staff_below(self) -> int:
        return self.branch.people + sum(child.staff_below for child in self.children)


def tree(on: datetime.date, *, places: QuerySet[Branch] | None = None) -> list[Node]:
    """Return the roots of the tree as it stood on a day; ``places`` limits it to some branches. Two queries.

    A branch that had not opened yet is left out; one that has closed stays, marked.
    """
    joined = Q(staff__joined_on__isnull=True) | Q(staff__joined_on__lte=on)
    not_left = Q(staff__left_on__isnull=True) | Q(staff__left_on__gt=on)
    rows = places if places is not None else Branch.objects.all()
    found = rows.annotate(people=Count("staff", filter=joined & not_left)).select_related("merged_into")
    parents = _parents(on)
    nodes = {
        branch.pk: Node(branch, is_open=branch.closed_on is None or branch.closed_on > on)
        for branch in found.order_by("branch_no")
        if branch.opened_on is None or branch.opened_on <= on
    }
    top: list[Node] = []
    for pk, node in nodes.items():
        above = nodes.get(parents.get(pk, node.branch.parent_id))
        (above.children if above else top).append(node)
    for node in top:
        _count_depth(node, 0)
    return top


def _parents(on: datetime.date) -> dict[int, int | None]:
    """Return branch → parent as dated; a branch without a placement for the day is not in it."""
    dated = BranchPlacement.objects.filter(starts_on__lte=on).filter(
        Q(ends_on__isnull=True) | Q(ends_on__gt=on)
    )
    return dict(dated.values_list("branch_id", "parent_id"))


def _count_depth(node: Node, depth: int) -> None:
    node.depth = depth
    for child in node.children:
        _count_depth(child, depth + 1)


def size(nodes: Iterable[Node]) -> int:
    return sum(1 + size(node.children) for node in nodes)


def subtree(user, branch_no: str) -> list[int]:
    """Return the ids of a branch the person sees and all below it; unknown or out of scope → none. Asks nothing new."""
    seen = places_of(user)
    path = next((branch.path for branch in seen if branch.branch_no == branch_no), "")
    return [branch.pk for branch in seen if path and branch.path.startswith(path)]


def choices(request: HttpRequest) -> list[tuple[str, str]]:
    """Return (number, indented name) of the branches a person sees customers of, for a filter.

    A large bank has a thousand outlets: past MOST_CHOICES only those above the outlets are offered. The one asked for
    is always among them, so that a link to an outlet keeps working.
    """
    return _indented(places_of(request.user), request)


def staff_places(user) -> list[Branch]:
    """Return the branches whose colleagues a person may look up, in tree order."""
    return places_of(user) if user.post in POSTS_OF_A_PLACE else list(Branch.objects.order_by("path", "pk"))


def choices_for_staff(request: HttpRequest) -> list[tuple[str, str]]:
    return _indented(staff_places(request.user), request)


def _indented(rows: list[Branch], request: HttpRequest) -> list[tuple[str, str]]:
    asked = request.POST.get("branch") or request.GET.get("branch") or ""
    if len(rows) > MOST_CHOICES:
        rows = [row for row in rows if row.kind != "outlet" or row.branch_no == asked]
    top = min((row.path.count("/") for row in rows), default=0)
    return [(row.branch_no, "　" * (row.path.count("/") - top) + row.name) for row in rows]
