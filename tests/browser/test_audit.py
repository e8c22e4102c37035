"""The auditor at his desk, and four eyes on a proposal."""

import pytest
from django.urls import reverse

from crm.core import approvals, audit
from crm.core.models import Approval, Staff, User
from tests.core.somebody import place, somebody


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_auditor_finds_an_entry_opens_it_and_verifies_the_chain(reader, language):
    auditor = reader("audi", language=language)
    audit.record(
        somebody("ann"), "customers.assign", ("customers.customer", 12), outcome="denied", payload={"to": 3}
    )
    auditor.goto(reverse("audit"))
    auditor.choose("select[name=verb]", "customers.assign")
    auditor.page.locator("#list-audit .chips").wait_for()
    rows = auditor.page.locator("#list-audit tbody tr")
    assert all("customers.assign" in row for row in rows.all_inner_texts())
    assert not auditor.breaks_accessibility()
    auditor.click("#list-audit tbody th a")
    auditor.page.locator("#seal-title").wait_for()
    assert "customers.customer 12" in auditor.page.inner_text("main")
    assert not auditor.breaks_accessibility()
    auditor.goto(reverse("audit_chain"))
    auditor.click("form[action$='/audit/verify/'] button")
    auditor.page.locator(".banner-good").wait_for()
    assert not auditor.breaks_accessibility()
    auditor.took_at_most(5)


def test_a_proposal_is_asked_about_once_more_and_then_carried_out(reader, monkeypatch):
    done = []
    carry_out = approvals.Action(
        lambda payload, **who: done.append(payload), lambda payload: list(payload.items())
    )
    monkeypatch.setitem(approvals._actions, "feeds.override", carry_out)
    checker = reader("adam", phone=True)
    staff = Staff.objects.create(employee_no="X7", name="另一位", branch=place("HO"), post="administrator")
    maker = User.objects.create(username="x7", staff=staff)
    proposal = approvals.propose(
        maker, "feeds.override", {"batch": 7}, ("feed", "core"), reason="the core was late"
    )
    checker.goto(reverse("approvals"))
    assert not checker.overflows() and not checker.breaks_accessibility()
    checker.click(f"main a[href='{reverse('approval', args=[proposal.pk])}']")
    checker.page.locator("button[value=approve]").wait_for()
    assert not checker.overflows() and not checker.breaks_accessibility()
    checker.click("button[value=approve]")
    checker.page.locator("#confirm[open]").wait_for()
    assert not done
    checker.click("#confirm-yes")
    checker.page.locator(".page-head .mark-good").wait_for()
    assert done == [{"batch": 7}] and Approval.objects.get(pk=proposal.pk).state == "executed"
