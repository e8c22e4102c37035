"""The org tree and the staff list as a feed brings them: rows by number, dated placements, paths kept true."""

import datetime
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q

from crm.core.models.people import Branch, BranchPlacement, Staff

Row = dict[str, Any]  # column of the feed → typed value; absent columns are absent
UNKNOWN, CIRCLE, BACKWARDS = "unknown_key", "circle", "out_of_order"


@dataclass
class Outcome:
    """What a file did: numbers that are new, changed, the same, or left alone because a later batch wrote them.
    ``before``: the old version of each changed row, as a dict of its columns."""

    new: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    later: list[str] = field(default_factory=list)
    before: list[Row] = field(default_factory=list)


@dataclass(frozen=True)
class Delivery:
    """Whose rows these are: ``known_on`` is stamped on new rows, ``on`` is the business date on which changes hold;
    ``replaces``: the batch that this one corrects."""

    source: str
    batch_no: int
    known_on: datetime.date
    on: datetime.date
    replaces: int | None = None


def misplaced(rows: Sequence[Row]) -> dict[int, tuple[str, str]]:
    """Return {index: (column, reason)} of branch rows that cannot stand: unknown parent, a circle, ends before it begins."""
    known = {branch.branch_no: branch for branch in Branch.objects.select_related("parent")}
    bad = _backwards(rows, known, "branch_no", "opened_on", "closed_on")
    while True:
        standing = {
            row["branch_no"]: row.get("parent_no")
            for i, row in enumerate(rows)
            if i not in bad and "parent_no" in row
        }
        numbers = known.keys() | {row["branch_no"] for i, row in enumerate(rows) if i not in bad}
        parents = {
            number: branch.parent.branch_no if branch.parent else None for number, branch in known.items()
        } | standing
        found: dict[int, tuple[str, str]] = {}
        for index, row in enumerate(rows):
            if index in bad:
                continue
            parent = row.get("parent_no")
            if parent is not None and parent not in numbers:
                found[index] = ("parent_no", UNKNOWN)
            elif _circles(row["branch_no"], parents):
                found[index] = ("parent_no", CIRCLE)
        if not found:
            return bad
        bad |= found  # whoever stood below a row that fell falls in the next round


def _circles(number: str, parents: dict[str, str | None]) -> bool:
    seen = {number}
    above = parents.get(number)
    while above is not None:
        if above == number:
            return True
        if above in seen:
            return False  # a circle further up: its own members answer for it
        seen.add(above)
        above = parents.get(above)
    return False


def _backwards(
    rows: Sequence[Row], known: dict[str, Any], key: str, first: str, last: str
) -> dict[int, tuple[str, str]]:
    bad = {}
    for index, row in enumerate(rows):
        old = known.get(row[key])
        start = row[first] if first in row else getattr(old, first, None)
        end = row[last] if last in row else getattr(old, last, None)
        if start and end and end < start:
            bad[index] = (last if last in row else first, BACKWARDS)
    return bad


def backwards_staff(rows: Sequence[Row]) -> dict[int, tuple[str, str]]:
    """Return the staff rows that would leave before they join, with what is already known of them."""
    known = Staff.objects.in_bulk([row["employee_no"] for row in rows], field_name="employee_no")
    return _backwards(rows, known, "employee_no", "joined_on", "left_on")


def take_branches(rows: Sequence[Row], delivery: Delivery) -> Outcome:
    """Write branch rows (already judged by :func:`misplaced`), their dated placements and every path. In one transaction."""
    known = {branch.branch_no: branch for branch in Branch.objects.select_for_update()}
    fresh = [row for row in rows if row["branch_no"] not in known]
    made = Branch.objects.bulk_create(
        Branch(
            **{name: value for name, value in row.items() if name != "parent_no"},
            source=delivery.source, batch_no=delivery.batch_no, known_on=delivery.known_on,
        )
        for row in fresh
    )  # fmt: skip
    known |= {branch.branch_no: branch for branch in made}
    outcome = Outcome(new=[row["branch_no"] for row in fresh])
    moved: list[Branch] = []
    changed: list[Branch] = []

    def wanted(row: Row) -> Row:
        values = {name: value for name, value in row.items() if name != "parent_no"}
        if "parent_no" in row:
            values["parent_id"] = known[row["parent_no"]].pk if row["parent_no"] else None
        return values

    new = set(outcome.new)
    for row in rows:
        branch = known[row["branch_no"]]
        values = wanted(row)
        if row["branch_no"] in new:
            branch.parent_id = values.get("parent_id")
            changed.append(branch)
            moved.append(branch)
            continue
        old_parent = branch.parent_id
        if _take(branch, values, delivery, outcome, row["branch_no"]):
            changed.append(branch)
            if branch.parent_id != old_parent:
                moved.append(branch)
    fields = [
        "name",
        "kind",
        "parent",
        "region_code",
        "opened_on",
        "closed_on",
        "source",
        "batch_no",
        "known_on",
    ]
    Branch.objects.bulk_update(changed, fields, batch_size=1000)
    _place(moved, new, delivery)
    keep_paths(known.values())
    return outcome


def _take(row: Branch | Staff, values: Row, delivery: Delivery, outcome: Outcome, number: str) -> bool:
    """Put changed values on a row; say whether anything changed."""
    if all(getattr(row, name) == value for name, value in values.items()):
        outcome.same.append(number)
        return False
    if row.known_on is not None and row.known_on > delivery.on and row.batch_no != delivery.replaces:
        outcome.later.append(number)
        return False
    before = {f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields}
    outcome.before.append(before)
    outcome.changed.append(number)
    for name, value in values.items():
        setattr(row, name, value)
    row.source, row.batch_no = delivery.source, delivery.batch_no
    if before["batch_no"] is None or before["batch_no"] != delivery.replaces:
        row.known_on = max(delivery.on, before["known_on"] or delivery.on)
    return True


def _place(moved: Iterable[Branch], new: set[str], delivery: Delivery) -> None:
    """Date where branches stand: a new one since it opened, a moved one since the business date."""
    moved = list(moved)
    standing = {
        placement.branch_id: placement
        for placement in BranchPlacement.objects.filter(branch__in=moved, ends_on__isnull=True)
    }
    ended, corrected, opened = [], [], []
    for branch in moved:
        placement = standing.get(branch.pk)
        if placement is not None and placement.starts_on >= delivery.on:
            placement.parent_id = branch.parent_id
            corrected.append(placement)
            continue
        if placement is not None:
            placement.ends_on = delivery.on
            ended.append(placement)
        since = (branch.opened_on or delivery.known_on) if branch.branch_no in new else delivery.on
        opened.append(BranchPlacement(branch=branch, parent_id=branch.parent_id, starts_on=since))
    BranchPlacement.objects.bulk_update(ended, ["ends_on"])
    BranchPlacement.objects.bulk_update(corrected, ["parent"])
    BranchPlacement.objects.bulk_create(opened)


def keep_paths(branches: Iterable[Branch]) -> None:
    """Make every ``path`` the ids from the root down to the branch. ``branches`` is the whole tree."""
    by_id = {branch.pk: branch for branch in branches}
    paths: dict[int, str] = {}

    def path_of(pk: int) -> str:
        below: list[int] = []
        while pk not in paths:
            below.append(pk)
            parent = by_id[pk].parent_id
            if parent is None:
                break
            pk = parent
        path = paths.get(pk, "/")
        for step in reversed(below):
            path = paths[step] = f"{path}{step}/"
        return path

    wrong = []
    for pk, branch in by_id.items():
        path = path_of(pk)
        if branch.path != path:
            branch.path = path
            wrong.append(branch)
    Branch.objects.bulk_update(wrong, ["path"], batch_size=1000)


def take_staff(rows: Sequence[Row], delivery: Delivery) -> Outcome:
    """Write staff rows; ``branch_no`` is known to exist. Accounts to sign in with are another matter (a command)."""
    branches = dict(Branch.objects.values_list("branch_no", "pk"))
    known = {staff.employee_no: staff for staff in Staff.objects.select_for_update()}
    outcome = Outcome()
    fresh, changed = [], []
    for row in rows:
        values = {name: value for name, value in row.items() if name != "branch_no"}
        values["branch_id"] = branches[row["branch_no"]]
        staff = known.get(row["employee_no"])
        if staff is None:
            outcome.new.append(row["employee_no"])
            fresh.append(
                Staff(
                    **values, source=delivery.source, batch_no=delivery.batch_no, known_on=delivery.known_on
                )
            )
        elif staff.source == "crm":
            # Appointed here (the security officer): no feed may give him another post.
            outcome.same.append(row["employee_no"])
        elif _take(staff, values, delivery, outcome, row["employee_no"]):
            changed.append(staff)
    Staff.objects.bulk_create(fresh, batch_size=1000)
    fields = ["name", "branch", "post", "joined_on", "left_on", "source", "batch_no", "known_on"]
    Staff.objects.bulk_update(changed, fields, batch_size=1000)
    return outcome


def missing(
    model: type[Branch] | type[Staff], key: str, source: str, delivered: Callable[[], set[str]]
) -> list[str]:
    """Return the numbers that ``source`` once delivered and that a full file no longer holds."""
    return sorted(set(model.objects.filter(Q(source=source)).values_list(key, flat=True)) - delivered())
