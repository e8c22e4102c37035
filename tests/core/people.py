"""A branch and a few people of it, for tests of signing in: independent of what any feed brought."""

import datetime

from django.contrib.auth.hashers import make_password

from crm.core.models import Branch, Staff, User

PASSWORD = "Weide-am-Kanal-37"
AT = datetime.datetime(2026, 11, 2, 1, 0, tzinfo=datetime.UTC)


def make_staff(employee_no="X900", post="relationship_manager", **facts) -> Staff:
    """A member of staff at a branch of its own kind (``X9``)."""
    branch, _made = Branch.objects.get_or_create(
        branch_no="X9", defaults={"name": "测试支行", "kind": "branch"}
    )
    if not branch.path:
        branch.path = f"/{branch.pk}/"
        branch.save(update_fields=["path"])
    return Staff.objects.create(employee_no=employee_no, name="金一", branch=branch, post=post, **facts)


def make_user(employee_no="X900", post="relationship_manager", password=PASSWORD, set_at=AT, **facts) -> User:
    """An account whose name is the employee number in small letters."""
    staff = make_staff(employee_no, post, **facts)
    return User.objects.create(
        username=employee_no.lower(), staff=staff, password=make_password(password), password_set_at=set_at
    )
