"""What leaves the house: written with its reason, sent once it is committed, and never forgotten without a word."""

import datetime

import pytest
from django.core import mail
from django.db import transaction

from crm.core import audit, outbox, tasks
from crm.core.models import OutboxItem

AT = datetime.datetime(2026, 11, 24, 8, tzinfo=datetime.UTC)
pytestmark = pytest.mark.django_db
SOON = datetime.datetime(2100, 1, 1, tzinfo=datetime.UTC)


@pytest.fixture
def sent(monkeypatch):
    calls = []

    def send(payload, key):
        if payload.get("fails"):
            raise OSError("550 <zhang.wei@example.com> unknown")
        calls.append(key)

    monkeypatch.setitem(outbox._kinds, "sure", outbox.Kind(send, at_least_once=True))
    monkeypatch.setitem(outbox._kinds, "once", outbox.Kind(send, at_least_once=False))
    return calls


def test_it_goes_with_its_transaction(sent):
    with pytest.raises(RuntimeError), transaction.atomic():
        outbox.put("sure", "a", {"id": 1})
        raise RuntimeError
    assert outbox.drain(SOON) == 0 and not sent


@pytest.mark.parametrize("kind", ["sure", "once"])
def test_the_same_key_is_sent_once(sent, kind):
    assert outbox.put(kind, "a", {"id": 1})
    assert not outbox.put(kind, "a", {"id": 2})
    assert outbox.drain(SOON) == 1 and outbox.drain(SOON) == 0
    assert sent == ["a"]
    assert OutboxItem.objects.get(key="a").payload == {"id": 1}


def test_it_waits_until_it_is_due(sent):
    outbox.put("sure", "a", {}, due_at=AT)
    assert outbox.drain(AT - datetime.timedelta(seconds=1)) == 0
    assert outbox.drain(AT) == 1


def test_a_failure_is_tried_again_later_and_told_without_the_address(sent):
    outbox.put("sure", "a", {"fails": 1}, due_at=AT)
    outbox.put("sure", "b", {}, due_at=AT)
    assert outbox.drain(AT) == 2 and sent == ["b"]
    item = OutboxItem.objects.get(key="a")
    assert item.sent_at is None and item.due_at > AT and item.attempts == 1
    assert "550" in item.error and "zhang" not in item.error
    OutboxItem.objects.filter(key="a").update(payload={})
    assert outbox.drain(item.due_at) == 1 and sent == ["b", "a"]
    assert OutboxItem.objects.get(key="a").error == ""


def test_it_is_given_up_in_the_end_and_the_error_stays(sent):
    outbox.put("sure", "a", {"fails": 1}, due_at=AT)
    tries = 0
    while outbox.drain(SOON):
        tries += 1
        OutboxItem.objects.update(due_at=AT)
    item = OutboxItem.objects.get()
    assert tries == item.attempts == outbox.GIVE_UP_AFTER and item.given_up and item.error


def test_at_most_once_is_not_tried_again(sent):
    outbox.put("once", "a", {"fails": 1}, due_at=AT)
    assert outbox.drain(AT) == 1 and outbox.drain(SOON) == 0
    item = OutboxItem.objects.get()
    assert item.sent_at == AT and item.error and item.given_up


def test_a_crash_between_sending_and_marking(sent, monkeypatch):
    """At least once sends again; at most once does not. Both are what the kind has chosen."""

    class Crash(BaseException):
        pass

    def crashes(payload, key):
        sent.append(key)
        raise Crash

    for kind, sends in (("sure", 2), ("once", 1)):
        sent.clear()
        outbox.put(kind, "k", {}, due_at=AT)
        with monkeypatch.context() as patch:
            patch.setitem(outbox._kinds, kind, outbox.Kind(crashes, outbox._kinds[kind].at_least_once))
            with pytest.raises(Crash):
                outbox.drain(AT)
        outbox.drain(AT)
        assert len(sent) == sends


def test_unknown_kinds_and_personal_data_are_refused(sent):
    with pytest.raises(outbox.UnknownKind):
        outbox.put("pigeon", "a", {})
    with pytest.raises(audit.PersonalData):
        outbox.put("sure", "a", {"to": "13800138001"})


def test_mail_goes_to_the_operators(settings):
    settings.OPERATORS = ["ops@bank.example"]
    outbox.put(
        "mail",
        "night 2026-11-23 failed",
        {"subject": "The night of 2026-11-23 failed", "text": "Run 7."},
        due_at=AT,
    )
    tasks.drain_outbox()
    [message] = mail.outbox
    assert (
        message.to == ["ops@bank.example"] and message.extra_headers["X-CRM-Key"] == "night 2026-11-23 failed"
    )
