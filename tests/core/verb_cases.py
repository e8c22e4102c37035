"""The verbs of the ground floor, each done once."""

import datetime

from django.test import RequestFactory

from crm.core import approvals, audit_chain, clock, language, parameter_desk, sign_in, staffing
from crm.core.models import LiveSession, Staff
from tests.core.somebody import place, somebody
from tests.verbs import verb_case

NEW_PASSWORD = "Kanal-am-Weiher-58"


def _request(client, user):
    """A request as the sign-in middleware hands it on, from the browser of ``client``."""
    client.force_login(user)
    request = RequestFactory().post("/")
    request.session, request.user = client.session, user
    return request


@verb_case("account.sign_out")
def sign_out(client):
    request = _request(client, somebody("ann"))
    return lambda: sign_in.sign_out(request=request)


@verb_case("account.set_language")
def set_language():
    ann = somebody("ann")
    return lambda: language.set_language(actor=ann, language="en")


@verb_case("account.change_password")
def change_password(client):
    ann = somebody("ann")
    ann.set_password("an-old-Password-1")
    ann.save()
    request = _request(client, ann)
    return lambda: sign_in.change_password(
        request=request, current="an-old-Password-1", password=NEW_PASSWORD, at=clock.now()
    )


@verb_case("staff.invite")
def invite():
    sean = somebody("sean")
    newcomer = Staff.objects.create(employee_no="X1", name="新人", branch=place("B1"), post="teller")
    return lambda: staffing.invite(actor=sean, staff=newcomer, at=clock.now())


@verb_case("staff.suspend")
def suspend():
    sean, bob = somebody("sean"), somebody("bob")
    return lambda: staffing.suspend(actor=sean, staff=bob.staff, reason="lost badge")


@verb_case("staff.restore")
def restore():
    sean, bob = somebody("sean"), somebody("bob")
    bob.is_active = False
    bob.save()
    return lambda: staffing.restore(actor=sean, staff=bob.staff, reason="badge found")


@verb_case("staff.end_sessions")
def end_sessions():
    sean, bob = somebody("sean"), somebody("bob")
    LiveSession.objects.filter(user=bob).delete()
    return lambda: staffing.end_sessions(actor=sean, staff=bob.staff)


@verb_case("approvals.decide")
def decide(monkeypatch):
    adam, sean = somebody("adam"), somebody("sean")
    monkeypatch.setitem(approvals._actions, "staff.suspend", approvals.Action(lambda *a, **k: None, list))
    other = Staff.objects.create(employee_no="X2", name="另一人", branch=place("HO"), post="security_officer")
    proposer = type(adam).objects.create(username="x2", staff=other)
    proposal = approvals.propose(proposer, "staff.suspend", {"staff": 1})
    at = datetime.datetime(2026, 11, 24, 8, tzinfo=datetime.UTC)
    return lambda: approvals.reject(sean, proposal, at, decision="no need")


@verb_case("parameters.set")
def set_parameter():
    """Carried out by an approval, whose own entry is the decision's; here only what it carries out."""
    adam, han = somebody("adam"), somebody("han")
    payload = {
        "parameter": "tax_rate",
        "valid_from": "2026-12-01",
        "value": '"0.20"',
        "was": '"0.25"',
        "why": "law",
    }
    return lambda: parameter_desk.carry_out(payload, maker=han, checker=adam, at=clock.now())


@verb_case("audit.verify")
def verify(client, settings, tmp_path):
    settings.AUDIT_ANCHOR_DIR, settings.AUDIT_ANCHOR_DIR_2 = tmp_path / "a", tmp_path / "b"
    audi = somebody("audi")
    return lambda: audit_chain.note(audi, "audit.verify", audit_chain.verify())


@verb_case("privacy.reveal")
def reveal_value():
    from crm.core.privacy import fields, reveal
    from customers.models import Customer

    ann = somebody("ann")
    day = datetime.date(2020, 1, 1)
    customer = Customer(
        customer_no="X-1",
        kind="individual",
        name="某",
        branch=ann.staff.branch,
        manager=ann.staff,
        opened_on=day,
        known_on=day,
    )
    fields.seal(customer, "mobile", "13812345678")
    customer.save()
    return lambda: reveal.reveal(
        actor=ann, instance=customer, field="mobile", purpose="contact", at=clock.now()
    )
