"""Who can sign in to the demo: one person of each kind, with passwords drawn for this installation alone.

Nothing here runs outside the demo: a real bank has no account that its security officer did not open.
"""

import datetime
import json
import os
import secrets
import string

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, QuerySet

from crm.core import sign_in
from crm.core.models import Branch, BranchKind, Post, Staff, User

FILE = "demo-accounts.json"
# User name, post, and what such a person sees; in the order in which the demo prints them.
PEOPLE = (
    ("analyst", Post.ANALYST, "every customer of the bank, overviews and structure"),
    ("supervisor", Post.BRANCH_SUPERVISOR, "the customers of one branch and its outlets"),
    ("manager1", Post.RELATIONSHIP_MANAGER, "the customers in his own book"),
    ("manager2", Post.RELATIONSHIP_MANAGER, "the customers in his own book, a desk away"),
    ("teller", Post.TELLER, "the customers of one branch, masked until a purpose is given"),
    ("complaints", Post.COMPLAINT_OFFICER, "every customer, for complaints"),
    ("compliance", Post.COMPLIANCE_OFFICER, "every customer, those under a processing stop included"),
    ("auditor", Post.AUDITOR, "the audit trail, no customer"),
    ("security", Post.SECURITY_OFFICER, "staff and their rights, no customer"),
    ("sysadmin", Post.ADMINISTRATOR, "feeds, nights and the system, no customer"),
)
_ALPHABET = string.ascii_letters.translate(str.maketrans("", "", "lIO")) + "23456789" + "-+="


def create_demo_accounts(*, at: datetime.datetime) -> list[dict[str, str]]:
    """Open an account for one person of each kind; return and keep who they are.

    Each is ``{username, password, post, name, branch, sees, what}``; the list stands, readable by this installation
    alone, in ``settings.DATA_DIR/demo-accounts.json``. A second call gives the same people new passwords.
    """
    found = []
    with transaction.atomic():
        # Books change, people stay who they are.
        known = {user.username: user.staff for user in User.objects.select_related("staff__branch")}
        people = _people()
        for username, post, sees in PEOPLE:
            staff = known.get(username) or people.get(username)
            if staff is not None:
                found.append(_open(username, staff, post, sees, at))
        # Inside the transaction: accounts nobody can open are worse than none.
        _keep(found)
    return found


def _people() -> dict[str, Staff]:
    """Pick the staff: head office for what looks over the bank, and the largest branch for those who serve it."""
    working = Staff.objects.filter(left_on__isnull=True).order_by("employee_no")
    managers = (
        working.filter(post=Post.RELATIONSHIP_MANAGER)
        .annotate(book=Count("customers"))
        .order_by("-book", "employee_no")
    )
    people: dict[str, Staff | None] = {"security": _security_officer()}
    for username, post, _sees in PEOPLE:
        if username not in ("supervisor", "manager1", "manager2", "teller", "security"):
            people[username] = working.filter(post=post, branch__kind=BranchKind.HEAD_OFFICE).first()
    first = managers.first()
    if first is not None:
        branch = _branch_of(first)
        here = _under(working, branch)
        people["manager1"] = first
        others = managers.exclude(pk=first.pk)
        people["manager2"] = others.filter(branch=first.branch).first() or others.first()
        people["supervisor"] = here.filter(post=Post.BRANCH_SUPERVISOR, branch=branch).first()
        people["teller"] = here.filter(post=Post.TELLER).first()
    return {username: staff for username, staff in people.items() if staff is not None}


def _branch_of(staff: Staff) -> Branch:
    """The branch he works for: an outlet is run by the branch above it."""
    branch = staff.branch
    return branch.parent if branch.kind == BranchKind.OUTLET and branch.parent else branch


def _under(staff: QuerySet[Staff], branch: Branch) -> QuerySet[Staff]:
    return staff.filter(branch__path__startswith=branch.path)


def _security_officer() -> Staff | None:
    """No feed may bring a security officer, so the demo makes its own."""
    head_office = Branch.objects.filter(kind=BranchKind.HEAD_OFFICE).order_by("pk").first()
    if head_office is None:
        return None
    staff, _made = Staff.objects.get_or_create(
        employee_no="S00001",
        defaults={
            "name": "沈慎言",
            "branch": head_office,
            "post": Post.SECURITY_OFFICER,
            "source": "crm",
            "joined_on": datetime.date(2020, 1, 6),
        },
    )
    return staff


def _open(username: str, staff: Staff, post: Post, sees: str, at: datetime.datetime) -> dict[str, str]:
    user = sign_in.open_account(staff)
    user.username = username
    user.save(update_fields=["username"])
    password = _password(user)
    sign_in.choose_password(user=user, password=password, at=at)
    words = post.value.replace("_", " ")
    return {
        "username": username,
        "password": password,
        "post": post.value,
        "name": staff.name,
        "branch": staff.branch.name,
        "sees": sees,
        "what": f"{words} {staff.name}, {staff.branch.name}: {sees}",
    }


def _password(user: User) -> str:
    """Draw until the bank's own rules are content: some sixteen characters of several kinds."""
    while True:
        password = "".join(secrets.choice(_ALPHABET) for _ in range(16))
        try:
            validate_password(password, user)
        except ValidationError:
            continue
        return password


def _keep(accounts: list[dict[str, str]]) -> None:
    """Write the list whole or not at all, readable by the owner alone."""
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = settings.DATA_DIR / FILE
    draft = path.with_name(f".{FILE}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(accounts, file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
