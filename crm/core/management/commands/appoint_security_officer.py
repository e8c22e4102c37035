"""Appoint a security officer: the one post that no feed may bring. His one-time link comes from ``invite_staff``."""

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from crm.core import clock, staffing
from crm.core.models.people import Branch, BranchKind


class Command(BaseCommand):
    help = "Make a staff row with the security officer's post; invite_staff then prints the one-time link."

    def add_arguments(self, parser) -> None:
        parser.add_argument("employee_no", help="a number that no feed uses")
        parser.add_argument("name", help="the person's name")

    def handle(self, *args, employee_no: str, name: str, **options) -> None:
        head_office = Branch.objects.filter(kind=BranchKind.HEAD_OFFICE).order_by("pk").first()
        if head_office is None:
            raise CommandError("There is no head office yet: load the first batch of the feed.")
        try:
            staff = staffing.appoint_security_officer(
                employee_no=employee_no, name=name, branch=head_office, at=clock.now()
            )
        except ValidationError as error:
            raise CommandError(error.messages[0]) from None
        self.stdout.write(
            f"{staff.employee_no} is a security officer. Next: manage.py invite_staff {staff.employee_no}"
        )
