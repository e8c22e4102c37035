"""A tier against the figures: who may propose and decide, what is refused, and the page of a customer's tier."""

import datetime

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.utils import IntegrityError
from django.urls import reverse

from crm.core import approvals, clock
from crm.core.models import Approval, ApprovalState, AuditEntry
from customers.models import Customer
from segmentation import nights, overrides, tiers
from segmentation.models import Standing, TierOverride
from tests.bank import LAST_DAY
from tests.segmentation.rows import run_night

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


def propose(actor, customer, **changes) -> Approval:
    wanted = {
        "tier": "diamond", "starts_on": LAST_DAY, "ends_on": LAST_DAY + 90 * DAY, "reason": "brings his whole family", **changes,
    }  # fmt: skip
    return overrides.propose(actor=actor, customer=customer, at=clock.now(), **wanted)


def test_two_people_decide_and_the_next_night_follows(bank):
    c002 = bank.customer("C002")
    before = Standing.rows.get(run_id=nights.published().run_id, customer=c002)
    approval = propose(bank.cai, c002)
    assert not TierOverride.rows.exists() and not nights.is_stale(nights.published())
    approvals.approve(bank.rita, approval, clock.now(), decision="yes")
    row = TierOverride.rows.get()
    assert (row.customer, row.tier, row.reason) == (c002, "diamond", "brings his whole family")
    assert (row.proposed_by, row.approved_by, row.approval) == (bank.cai, bank.rita, approval)
    assert nights.is_stale(nights.published())
    entry = AuditEntry.objects.filter(verb="tiers.override").latest("id")
    assert entry.actor_id == bank.rita.pk and entry.payload["was"] == before.tier
    standing = Standing.rows.get(run_id=run_night(LAST_DAY).pk, customer=c002)
    assert (standing.tier, standing.tier_by_figures) == ("diamond", before.tier_by_figures)


def test_nobody_decides_his_own_proposal_and_not_everybody_may_propose(bank):
    approval = propose(bank.cai, bank.customer("C002"))
    with pytest.raises(PermissionDenied):
        approvals.approve(bank.cai, approval, clock.now())
    for username in ("ann", "mira", "petra", "adam", "audi", "tess"):
        with pytest.raises(PermissionDenied):
            propose(getattr(bank, username), bank.customer("C001"))
    propose(bank.han, bank.customer("C010"))


def test_out_of_scope_there_is_nobody_to_propose_for(bank):
    with pytest.raises(Customer.DoesNotExist):
        propose(bank.dora, bank.customer("C002"))
    with pytest.raises(Customer.DoesNotExist):
        propose(bank.cai, bank.customer("C008"))  # under a processing stop


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"tier": "strategic"}, "tier"), ({"tier": "nonsense"}, "tier"), ({"reason": "  "}, "reason"),
        ({"starts_on": LAST_DAY - DAY}, "starts_on"), ({"ends_on": LAST_DAY}, "ends_on"),
        ({"ends_on": tiers.months_after(LAST_DAY, 12) + DAY}, "ends_on"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_beside_its_field(bank, changes, field):
    with pytest.raises(ValidationError) as broken:
        propose(bank.cai, bank.customer("C002"), **changes)
    assert list(broken.value.message_dict) == [field]
    assert not Approval.objects.filter(verb="tiers.override").exists()


def test_twelve_months_to_the_day_are_allowed(bank):
    assert propose(bank.cai, bank.customer("C002"), ends_on=tiers.months_after(LAST_DAY, 12))


def test_a_customer_who_left_one_with_an_open_proposal_and_an_overlap_are_refused(bank):
    with pytest.raises(ValidationError):
        propose(bank.cai, bank.customer("C006"))
    c002 = bank.customer("C002")
    first = propose(bank.cai, c002)
    with pytest.raises(ValidationError):
        propose(bank.han, c002)
    approvals.approve(bank.rita, first, clock.now())
    with pytest.raises(ValidationError) as broken:
        propose(bank.cai, c002, starts_on=LAST_DAY + 89 * DAY, ends_on=LAST_DAY + 95 * DAY)
    assert list(broken.value.message_dict) == ["starts_on"]
    assert propose(bank.cai, c002, starts_on=LAST_DAY + 90 * DAY, ends_on=LAST_DAY + 95 * DAY)  # half-open


def test_the_database_keeps_two_decisions_from_overlapping(bank):
    c002 = bank.customer("C002")
    approvals.approve(bank.rita, propose(bank.cai, c002), clock.now())
    row = TierOverride.rows.get()
    other = propose(bank.cai, bank.customer("C001"))
    with pytest.raises(IntegrityError):
        TierOverride.rows.create(
            customer=c002, tier="gold", starts_on=row.ends_on - DAY, ends_on=row.ends_on + DAY, reason="x",
            proposed_by=bank.cai, approved_by=bank.rita, approval=other,
        )  # fmt: skip


def test_what_cannot_be_carried_out_any_more_is_told_and_stays_open(bank, client):
    approval = propose(bank.cai, bank.customer("C002"))
    Customer.rows.filter(customer_no="C002").update(closed_on=LAST_DAY)
    client.force_login(bank.rita)
    answer = client.post(reverse("approval_decide", args=[approval.pk]), {"answer": "approve"})
    assert answer.status_code == 422
    approval.refresh_from_db()
    assert approval.state == ApprovalState.PROPOSED and not TierOverride.rows.exists()


def test_who_decides_reads_the_customer_the_tiers_and_the_days(bank, client):
    approval = propose(bank.cai, bank.customer("C002"))
    client.force_login(bank.rita)
    payload = client.get(reverse("approval", args=[approval.pk])).context["payload"]
    told = [str(value) for _label, value in payload]
    assert told[0] == "C002" and told[2:] == ["2026-10-31", "2027-01-29"]


def fields(**changes):
    return {
        "tier": "diamond",
        "starts_on": "2026-10-31",
        "ends_on": "2027-01-31",
        "reason": "his family",
        **changes,
    }


@pytest.mark.parametrize("htmx", [True, False])
def test_the_form_on_the_page_proposes(bank, client, htmx):
    client.force_login(bank.cai)
    c002 = bank.customer("C002")
    page = client.get(reverse("customer_tier", args=[c002.pk]))
    assert page.status_code == 200 and page.context["form"] is not None
    headers = {"HX-Request": "true", "HX-Target": "tier-override"} if htmx else {}
    url = reverse("tier_propose", args=[c002.pk])
    broken = client.post(url, fields(ends_on="2026-10-30", reason=""), headers=headers)
    assert broken.status_code == 422 and broken.context["form"].errors.keys() == {"reason"}
    broken = client.post(url, fields(ends_on="2026-10-30"), headers=headers)
    assert broken.status_code == 422 and broken.context["form"].errors.keys() == {"ends_on"}
    answer = client.post(url, fields(), headers=headers)
    assert answer.status_code == (200 if htmx else 302)
    page = client.get(reverse("customer_tier", args=[c002.pk]))
    assert page.context["form"] is None and len(page.context["waiting"]) == 1


def test_the_page_says_how_far_it_is_and_how_he_came_here(bank, client):
    client.force_login(bank.ann)
    page = client.get(reverse("customer_tier", args=[bank.customer("C001").pk]))
    [way] = page.context["ways"]
    standing = page.context["at"]
    assert way.lacks == way.next_floor - standing.weighted_month_average > 0
    [stretch] = page.context["stretches"]
    assert (stretch.tier, stretch.since, stretch.until) == (standing.tier, LAST_DAY, None)
    assert page.context["form"] is None and client.post(
        reverse("tier_propose", args=[bank.customer("C001").pk]), fields()
    ).status_code == 403  # fmt: skip


@pytest.mark.parametrize("name", ["customer_tier", "tier_propose"])
def test_out_of_scope_the_page_is_not_there(bank, client, name):
    client.force_login(bank.dora)
    url = reverse(name, args=[bank.customer("C002").pk])
    answer = client.get(url) if name == "customer_tier" else client.post(url, fields())
    assert answer.status_code == 404


def test_a_customer_no_night_knows_has_a_page_that_says_so(bank, client):
    late = Customer.rows.get(customer_no="C011")
    Standing.rows.filter(customer=late).delete()
    client.force_login(bank.han)
    page = client.get(reverse("customer_tier", args=[late.pk]))
    assert page.status_code == 200 and page.context["at"] is None and page.context["night"] is not None
    assert client.post(reverse("tier_propose", args=[late.pk]), fields()).status_code == 422
