"""Staff list, a colleague's page with the security officer's verbs, the org tree on any day, and the table of rights."""

import datetime
import re

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from crm.core import clock, rights, staffing
from crm.core.access import VERBS
from crm.core.models import AuditEntry, Branch, BranchPlacement, LiveSession, Post, Staff, User

pytestmark = pytest.mark.django_db


def names(response) -> set[str]:
    return {row.employee_no for row in response.context["page"].rows}


def test_a_branch_looks_up_its_own_and_those_who_keep_the_system_look_up_everybody(bank, client):
    client.force_login(bank.cai)
    assert names(client.get(reverse("staff"))) == set(
        Staff.objects.filter(branch__branch_no__in=["B1", "B11"]).values_list("employee_no", flat=True)
    )
    assert client.get(reverse("staff_page", args=[bank.dora.staff_id])).status_code == 404
    client.force_login(bank.sean)
    assert names(client.get(reverse("staff"))) == set(Staff.objects.values_list("employee_no", flat=True))
    client.force_login(bank.tess)
    assert client.get(reverse("staff")).status_code == 403


def test_filters_by_name_branch_post_and_account(bank, client):
    client.force_login(bank.sean)
    url = reverse("staff")
    assert names(client.post(url, {"q": "安"})) == {"E001", "S001"}
    assert names(client.post(url, {"q": "E00"})) == {f"E{n:03}" for n in range(1, 10)}
    assert names(client.get(url, {"branch": "B2"})) == {"E004", "E005"}
    assert names(client.get(url, {"branch": "R1"})) >= {"E001", "E004", "E016"}
    assert names(client.get(url, {"post": "auditor"})) == {"E012"}
    assert names(client.get(url, {"account": "left"})) == {"E014"}
    assert names(client.get(url, {"account": "suspended"})) == {"E015"}
    Staff.objects.create(employee_no="E990", name="新来", branch=bank.ann.staff.branch, post="teller")
    assert names(client.get(url, {"account": "none"})) == {"E990"}
    assert "q=" not in client.post(url, {"q": "安"}).context["page"].address


def test_a_one_time_link_is_shown_once_and_opens(bank, client):
    staff = Staff.objects.create(employee_no="E990", name="新来", branch=bank.ann.staff.branch, post="teller")
    client.force_login(bank.sean)
    page = client.post(reverse("staff_invite", args=[staff.pk])).content.decode()
    link = re.search(r'value="(https?://[^"]+/welcome/[^"]+)"', page)[1]
    assert "/welcome/" not in client.get(reverse("staff_page", args=[staff.pk])).content.decode()
    client.logout()
    path = "/" + link.split("/", 3)[3]
    assert client.get(path).status_code == 200
    assert Staff.objects.get(pk=staff.pk).user.username == "e990"


def test_the_suspended_and_the_gone_get_no_link(bank, client):
    client.force_login(bank.sean)
    answer = client.post(reverse("staff_invite", args=[bank.idle.staff_id]))
    assert answer.status_code == 422 and "/welcome/" not in answer.content.decode()
    assert client.post(reverse("staff_invite", args=[bank.gone.staff_id])).status_code == 404


def test_a_suspended_person_is_out_at_once_and_back_when_it_is_lifted(bank, client, django_user_model):
    from django.test import Client

    hers = Client()
    hers.force_login(bank.ann)
    assert hers.get("/").status_code == 200
    client.force_login(bank.sean)
    url = reverse("staff_suspend", args=[bank.ann.staff_id])
    bare = client.post(url, {"reason": ""})
    assert bare.status_code == 422 and bare.context["form"].errors["reason"] and bank.ann.is_active
    assert client.post(url, {"reason": "left her desk open"}).status_code == 302
    assert not bank.ann.is_active and not LiveSession.objects.filter(user=bank.ann).exists()
    assert hers.get("/").status_code == 302
    assert client.post(url, {"reason": "again"}).status_code == 422
    assert (
        client.post(reverse("staff_restore", args=[bank.ann.staff_id]), {"reason": "talked"}).status_code
        == 302
    )
    assert bank.ann.is_active
    assert list(
        AuditEntry.objects.filter(verb__in=["staff.suspend", "staff.restore"])
        .order_by("id")
        .values_list("verb", flat=True)
    ) == ["staff.suspend", "staff.restore"]


def test_the_security_officer_cannot_lock_himself_out(bank, client):
    client.force_login(bank.sean)
    assert (
        client.post(reverse("staff_suspend", args=[bank.sean.staff_id]), {"reason": "x"}).status_code == 422
    )
    assert bank.sean.is_active
    with pytest.raises(ValidationError):
        staffing.restore(actor=bank.sean, staff=bank.sean.staff, reason="x")


def test_sessions_end_everywhere_at_one_click(bank, client):
    from django.test import Client

    hers = Client()
    hers.force_login(bank.ann)
    client.force_login(bank.sean)
    assert client.post(reverse("staff_end_sessions", args=[bank.ann.staff_id])).status_code == 302
    assert hers.get("/").status_code == 302 and bank.ann.is_active


def test_these_verbs_are_the_security_officers_alone(bank, client):
    for username in ("adam", "audi", "cai", "han"):
        client.force_login(getattr(bank, username))
        for name in ("staff_invite", "staff_suspend", "staff_restore", "staff_end_sessions"):
            assert client.post(reverse(name, args=[bank.ann.staff_id]), {"reason": "x"}).status_code == 403, (
                username,
                name,
            )


def shape(nodes) -> list:
    return [(node.branch.branch_no, shape(node.children)) for node in nodes]


def test_the_tree_stands_as_it_stood_on_the_day(bank, client):
    client.force_login(bank.han)
    url = reverse("org")
    assert shape(client.get(url).context["tree"]) == [("HO", [("R1", [("B1", [("B11", [])]), ("B2", [])])])]
    assert shape(client.get(url, {"on": "2002-01-01"}).context["tree"]) == [
        ("HO", [("R1", [("B1", []), ("B2", [])])])
    ]
    outlet, before = Branch.objects.get(branch_no="B11"), Branch.objects.get(branch_no="B2")
    BranchPlacement.objects.filter(branch=outlet).delete()
    moved = datetime.date(2020, 1, 1)
    BranchPlacement.objects.create(branch=outlet, parent=before, starts_on="2003-03-03", ends_on=moved)
    BranchPlacement.objects.create(branch=outlet, parent=outlet.parent, starts_on=moved)
    assert shape(client.get(url, {"on": "2019-12-31"}).context["tree"]) == [
        ("HO", [("R1", [("B1", []), ("B2", [("B11", [])])])])
    ]
    assert shape(client.get(url, {"on": "2020-01-01"}).context["tree"]) == [
        ("HO", [("R1", [("B1", [("B11", [])]), ("B2", [])])])
    ]


def test_the_tree_of_a_branch_begins_at_the_branch_and_a_closed_one_is_marked(bank, client):
    Branch.objects.filter(branch_no="B11").update(
        closed_on="2026-01-01", merged_into=Branch.objects.get(branch_no="B1")
    )
    client.force_login(bank.cai)
    (root,) = client.get(reverse("org")).context["tree"]
    assert root.branch.branch_no == "B1" and not root.children[0].is_open
    assert root.staff_below == Staff.objects.filter(branch__branch_no="B1", left_on__isnull=True).count()


@pytest.mark.parametrize("on", ["x", "2026-02-30", "99999-01-01"])
def test_what_is_no_date_is_told_so(bank, client, on):
    client.force_login(bank.han)
    answer = client.get(reverse("org"), {"on": on})
    assert answer.status_code == 422 and answer.context["on"] == clock.business_date(clock.now())


def test_the_table_of_rights_leaves_no_verb_and_no_post_out(bank, client):
    client.force_login(bank.audi)
    page = client.get(reverse("rights"))
    shown = {row.verb: row for group in page.context["groups"] for row in group.rows}
    assert set(shown) == set(VERBS) and len(page.context["posts"]) == len(Post)
    for verb, row in shown.items():
        assert {post for post, (_label, ok) in zip(Post, row.allowed, strict=True) if ok} == set(VERBS[verb])
    assert set(VERBS) <= set(rights.WORDS), "a verb without words"


def test_the_staff_list_asks_as_many_questions_for_thirty_people_as_for_three(bank, client):
    client.force_login(bank.sean)
    counts: dict[str, list[int]] = {}
    for rows in (3, 30):
        for n in range(rows):
            staff = Staff.objects.create(
                employee_no=f"Z{rows}-{n}", name="众", branch=bank.eva.staff.branch, post="teller"
            )
            User.objects.create(username=f"z{rows}-{n}", staff=staff)
        for url in (reverse("staff"), reverse("staff_page", args=[staff.pk]), reverse("org")):
            with CaptureQueriesContext(connection) as queries:
                assert client.get(url).status_code == 200
            counts.setdefault(url.split("/")[1] + str(len(url.split("/"))), []).append(len(queries))
    assert all(len(set(found)) == 1 and found[0] <= 12 for found in counts.values()), counts
