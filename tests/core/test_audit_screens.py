"""What the auditor sees: the trail with its filters, one entry with its seal, and whether the chain holds."""

import datetime

import pytest
from django.db import connection
from django.urls import reverse

from crm.core import anchors, audit, audit_chain
from crm.core.models import AuditEntry
from tests.core.somebody import somebody

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_folders(settings, tmp_path):
    settings.AUDIT_ANCHOR_DIR, settings.AUDIT_ANCHOR_DIR_2 = tmp_path / "a", tmp_path / "b"


@pytest.fixture
def auditor(client):
    client.force_login(somebody("audi"))
    return client


def numbers(response):
    return [entry.pk for entry in response.context["page"].rows]


def test_the_trail_is_for_the_auditor_alone(client):
    for username in ("adam", "sean", "han", "cai"):
        client.force_login(somebody(username))
        for name in ("audit", "audit_chain"):
            assert client.get(reverse(name)).status_code == 403, (username, name)
    client.force_login(somebody("audi"))
    assert client.get(reverse("audit")).status_code == 200
    assert client.get(reverse("audit_entry", args=[10**12])).status_code == 404


def test_each_filter_finds_its_entries_and_nonsense_finds_all_or_nothing(auditor):
    ann, bob = somebody("ann"), somebody("bob")
    one = audit.record(ann, "customers.assign", ("customers.customer", 12), customer_id=12, payload={"to": 3})
    two = audit.record(bob, "customers.assign", ("customers.customer", 13), outcome="denied")
    three = audit.record(None, "audit.verified")
    url = reverse("audit")

    def shown(**query):
        return {number for number in numbers(auditor.get(url, query)) if number >= one}

    today = (
        AuditEntry.objects.get(pk=one).at.astimezone(datetime.timezone(datetime.timedelta(hours=8))).date()
    )
    assert shown() >= {one, two, three}
    assert shown(actor="ann") == shown(actor="E001") == {one}
    assert shown(verb="customers.assign") == {one, two}
    assert shown(verb="customers.assign", outcome="denied") == {two}
    assert shown(object="customers.customer 12") == {one}
    assert shown(object="customers.customer") == {one, two}
    assert shown(day=today.isoformat()) >= {one, two, three}
    assert shown(day=(today - datetime.timedelta(days=1)).isoformat()) == set()
    assert shown(day="2026-02-31") >= {one, two, three} and shown(verb="x.y") >= {one}
    assert shown(actor="nobody") == set() and shown(actor="'; drop") == set()


def test_the_list_goes_on_page_by_page_newest_first(auditor):
    written = [audit.record(None, "audit.verified") for _ in range(7)]
    first = auditor.get(reverse("audit"), {"verb": "audit.verified", "size": 3})
    assert numbers(first) == written[:3:-1]
    step = first.context["page"].next
    second = auditor.get(reverse("audit") + step.query)
    assert numbers(second) == written[3:0:-1]


def test_the_number_of_queries_does_not_grow_with_the_rows(auditor, django_assert_num_queries):
    from django.test.utils import CaptureQueriesContext

    counts = []
    for rows in (3, 30):
        for _ in range(rows):
            audit.record(somebody("ann"), "customers.assign", ("customers.customer", rows))
        with CaptureQueriesContext(connection) as captured:
            auditor.get(reverse("audit"), {"object": f"customers.customer {rows}"})
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_an_entry_shows_its_payload_and_its_place(auditor):
    number = audit.record(
        somebody("ann"), "customers.assign", ("customers.customer", 12), payload={"to": 3, "why": "<b>x</b>"}
    )
    page = auditor.get(reverse("audit_entry", args=[number]))
    assert page.status_code == 200
    text = page.content.decode()
    assert "customers.assign" in text and "&lt;b&gt;x&lt;/b&gt;" in text and "<b>x</b>" not in text


def test_the_chain_is_verified_at_a_press_and_the_press_is_recorded(auditor):
    page = auditor.get(reverse("audit_chain"))
    assert (page.status_code == 200 and page.context["last"] is None) or page.context["last"].verb in (
        "audit.verified",
        "audit.verify",
    )
    page = auditor.post(reverse("audit_verify"))
    assert page.status_code == 200 and page.context["result"].ok
    entry = AuditEntry.objects.latest("id")
    assert (entry.verb, entry.actor.username, entry.outcome) == ("audit.verify", "audi", "ok")
    assert auditor.get(reverse("audit_verify")).status_code == 405


def test_a_broken_chain_says_where_and_whom_to_call(auditor, monkeypatch):
    def broken():
        result = audit_chain.Verification(entries=10)
        result.found("changed", 7, 4711, "the entry is not what was sealed")
        return result

    monkeypatch.setattr(audit_chain, "verify", broken)
    page = auditor.post(reverse("audit_verify"))
    assert "4711" in page.content.decode()
    assert AuditEntry.objects.latest("id").outcome == "failed"


def test_a_long_chain_is_left_to_the_command(auditor, monkeypatch):
    monkeypatch.setattr(anchors, "head", lambda: anchors.Head(10**9, b"x" * 32, b"y" * 32))
    page = auditor.post(reverse("audit_verify"))
    assert page.status_code == 422 and "verify_audit" in page.content.decode()


def test_the_list_alone_is_a_fragment_for_htmx(auditor):
    page = auditor.get(reverse("audit"), headers={"HX-Request": "true", "HX-Target": "list-audit"})
    assert page.content.decode().lstrip().startswith('<div id="list-audit">')
