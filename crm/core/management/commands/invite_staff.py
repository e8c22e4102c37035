"""Print one-time links with which staff choose their own password. Nobody sees a password but its owner."""

import json

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from crm.core import clock
from crm.core import sign_in as signing
from crm.core.models.people import Branch, Staff


class Command(BaseCommand):
    help = (
        "Print a one-time link (24 hours, one use) for each employee; accounts are made where there are none."
    )

    def add_arguments(self, parser) -> None:
        parser.add_argument("employee_no", nargs="*", help="who")
        parser.add_argument(
            "--all-of", metavar="BRANCH", help="everybody who works at this branch or under it"
        )
        parser.add_argument(
            "--site", default="", help="what to put before the path, for instance https://crm.bank.example"
        )
        parser.add_argument("--json", action="store_true", help="print JSON alone")

    def handle(self, *args, employee_no, all_of, site, json: bool, **options) -> None:
        if bool(employee_no) == bool(all_of):
            raise CommandError("Name employees, or a branch with --all-of.")
        at = clock.now()
        links = []
        for staff in self._staff(employee_no, all_of, clock.business_date(at)):
            try:
                token = signing.invite(actor=None, staff=staff, at=at)
            except PermissionDenied:
                raise CommandError(f"{staff.employee_no} has left the bank.") from None
            links.append(
                {
                    "employee_no": staff.employee_no,
                    "username": signing.account_name(staff.employee_no),
                    "link": site.rstrip("/") + reverse("welcome", args=[token]),
                }
            )
        self._print(links, as_json=json)

    def _print(self, links: list[dict], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(links, ensure_ascii=False, indent=1))
            return
        for row in links:
            self.stdout.write(f"{row['employee_no']}  {row['username']}  {row['link']}")

    @staticmethod
    def _staff(numbers: list[str], branch_no: str | None, today) -> list[Staff]:
        if branch_no:
            branch = Branch.objects.filter(branch_no=branch_no).first()
            if branch is None:
                raise CommandError(f"There is no branch {branch_no}.")
            here = Staff.objects.filter(branch__path__startswith=branch.path).exclude(left_on__lte=today)
            return list(here.select_related("branch").order_by("employee_no"))
        found = {staff.employee_no: staff for staff in Staff.objects.filter(employee_no__in=numbers)}
        missing = [number for number in numbers if number not in found]
        if missing:
            raise CommandError(f"Nobody has the number {', '.join(missing)}.")
        return [found[number] for number in numbers]
