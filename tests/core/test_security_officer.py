"""The post no feed may bring: appointed on the server, and no feed takes it away."""

import pytest
from django.core.management import CommandError, call_command

from crm.core import clock, org
from crm.core.models import AuditEntry, Staff, User


def appoint(employee_no: str) -> None:
    call_command("appoint_security_officer", employee_no, "甘守则", verbosity=0)


def test_he_is_appointed_once_and_invited_by_a_link(bank, capsys):
    appoint("S100")
    appoint("S100")
    staff = Staff.objects.get(employee_no="S100")
    assert (staff.post, staff.source, staff.branch.branch_no) == ("security_officer", "crm", "HO")
    assert AuditEntry.objects.filter(verb="staff.appointed", object_id=str(staff.pk)).count() == 1
    call_command("invite_staff", "S100")
    assert "/welcome/" in capsys.readouterr().out and User.objects.filter(staff=staff).exists()


def test_nobody_gets_a_second_post(bank):
    with pytest.raises(CommandError):
        appoint("E012")  # the auditor
    assert Staff.objects.get(employee_no="E012").post == "auditor"


def test_a_feed_that_names_his_number_changes_nothing(bank):
    appoint("S100")
    row = {
        "employee_no": "S100",
        "name": "别人",
        "branch_no": "B1",
        "post": "administrator",
        "joined_on": None,
        "left_on": None,
    }
    day = clock.business_date(clock.now())
    outcome = org.take_staff(
        [row], org.Delivery(source="core", batch_no=1, known_on=day, on=day, replaces=None)
    )
    assert outcome.same == ["S100"]
    assert Staff.objects.get(employee_no="S100").post == "security_officer"
