"""The named people of the small bank, one at a time: for tests that need somebody with a post and nothing else."""

from crm.core.models import Branch, Staff, User
from tests.bank import BRANCHES, PEOPLE

ROWS = {row[0]: row for row in [*PEOPLE, ("sean", "S001", "沈安全", "HO", "security_officer")]}


def somebody(username: str) -> User:
    """Return the person of the small bank; make account, staff row and branches where the bank is not loaded."""
    found = User.objects.filter(username=username).first()
    if found:
        return found
    _username, employee_no, name, branch_no, post = ROWS[username]
    staff, _ = Staff.objects.get_or_create(
        employee_no=employee_no, defaults={"name": name, "branch": place(branch_no), "post": post}
    )
    return User.objects.create(username=username, staff=staff)


def place(branch_no: str) -> Branch:
    row = next(row for row in BRANCHES if row["branch_no"] == branch_no)
    above = place(row["parent_no"]) if row["parent_no"] else None
    branch, made = Branch.objects.get_or_create(
        branch_no=branch_no, defaults={"name": row["name"], "kind": row["kind"], "parent": above}
    )
    if made:
        branch.path = f"{above.path if above else '/'}{branch.pk}/"
        branch.save(update_fields=["path"])
    return branch
