"""Each invariant finds what breaks it, and says where; a sound bank breaks none."""

import datetime
import json
from contextlib import contextmanager

import pytest
from django.core.management import call_command
from django.db import connection

from crm.core import approvals, audit, clock, invariants, jobs, outbox, tasks
from crm.core.models import Approval, OutboxItem, Reveal
from tests.core.somebody import somebody

pytestmark = pytest.mark.django_db
AT = datetime.datetime(2026, 11, 24, 8, tzinfo=datetime.UTC)


@pytest.fixture(autouse=True)
def own_folders(settings, tmp_path):
    settings.AUDIT_ANCHOR_DIR, settings.AUDIT_ANCHOR_DIR_2 = tmp_path / "a", tmp_path / "b"


@contextmanager
def unguarded(*tables):
    """As the owner, with the triggers off: what a repair or a careless restore does."""
    with connection.cursor() as cursor:
        cursor.execute("set constraints all immediate")
        cursor.execute("reset role")
        for table in tables:
            cursor.execute(f"alter table {table} disable trigger all")
        yield cursor
        for table in tables:
            cursor.execute(f"alter table {table} enable trigger all")
        cursor.execute("set role crm_app")


def findings(number):
    return [finding for result in invariants.run({number}) for finding in result.findings]


def test_a_sound_bank_breaks_none():
    broken = {(result.id, result.title): result.findings for result in invariants.run() if result.findings}
    assert not broken


def test_the_list_of_invariants_has_the_ground_floors_and_each_has_one_number_and_title():
    registered = invariants.registered()
    assert {"I4", "I6", "I10", "I11", "I12", "I16"} <= {one.id for one in registered}
    assert len({(one.id, one.title) for one in registered}) == len(registered)
    assert all(one.id[0] == "I" and one.id[1:].isdigit() and one.title for one in registered)


def test_i4_and_i6_find_runs_and_pieces_that_do_not_fit():
    run = jobs.ensure_run("drill", datetime.date(2026, 11, 23), at=AT)
    fence = jobs.claim(run.pk, worker="w", at=clock.now())
    with jobs.chunk(run.pk, fence, "one", 1):
        pass
    with jobs.chunk(run.pk, fence, "two", 2):
        pass
    jobs.finish(run.pk, fence, clock.now())
    assert not findings("I4") and not findings("I6")
    with connection.cursor() as cursor:
        cursor.execute("update core_run set lease_until = now() where id = %s", [run.pk])
        cursor.execute("update core_chunk set fence = 9 where run_id = %s and name = 'one'", [run.pk])
    assert len(findings("I4")) == 1 and str(run.pk) in findings("I4")[0]
    assert len(findings("I6")) == 2


def test_i10_finds_an_approval_changed_behind_the_triggers(monkeypatch):
    monkeypatch.setitem(approvals._actions, "feeds.override", approvals.Action(lambda *a, **k: None, list))
    proposal = approvals.propose(somebody("adam"), "feeds.override", {"batch": 7})
    assert not findings("I10") and not findings("I12")
    with unguarded("core_approval") as cursor:
        cursor.execute("update core_approval set payload = '{\"batch\": 8}'")
    assert findings("I10") == [f"approval {proposal.pk} holds another payload than was proposed"]


def test_i12_finds_a_decision_and_a_reveal_without_an_entry():
    adam = somebody("adam")
    Approval.objects.create(verb="feeds.override", payload={}, payload_hash=b"", maker=adam)
    Reveal.objects.create(
        user=adam,
        field="x",
        object_key="1",
        purpose="contact",
        business_date=AT.date(),
        revealed_at=AT,
        expires_at=AT + datetime.timedelta(seconds=60),
    )
    assert len(findings("I12")) == 2
    audit.record(adam, "privacy.reveal")
    assert len(findings("I12")) == 1


def test_i11_finds_what_waits_without_a_word(monkeypatch):
    monkeypatch.setitem(outbox._kinds, "sure", outbox.Kind(lambda payload, key: None, True))
    outbox.put("sure", "young", {})
    assert not findings("I11")
    outbox.put("sure", "old", {}, due_at=clock.now() - datetime.timedelta(minutes=16))
    assert len(findings("I11")) == 1
    outbox.drain(clock.now())
    assert not findings("I11")


def test_i16_finds_a_row_that_points_nowhere():
    with unguarded("core_user") as cursor:
        somebody("ann")
        cursor.execute("update core_user set staff_id = 987654321 where username = 'ann'")
    [finding] = findings("I16")
    assert "core_user" in finding and "1 rows" in finding


def test_the_command_prints_json_alone_and_fails_on_any_finding(capsys, monkeypatch):
    call_command("verify_invariants", json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is True and {"id", "title", "findings", "ms"} == set(told["invariants"][0])
    monkeypatch.setattr(
        invariants,
        "_invariants",
        [invariants.Invariant("I99", "Never", lambda: [f"row {n}" for n in range(99)])],
    )
    with pytest.raises(SystemExit) as end:
        call_command("verify_invariants", json=True)
    told = json.loads(capsys.readouterr().out)
    assert end.value.code == 1 and told["ok"] is False and len(told["invariants"][0]["findings"]) == 50
    with pytest.raises(SystemExit):
        call_command("verify_invariants")
    assert "BROKEN" in capsys.readouterr().out


def test_the_operators_hear_of_a_broken_one_once_a_day(monkeypatch):
    monkeypatch.setattr(invariants, "_invariants", [invariants.Invariant("I99", "Never", lambda: ["row 7"])])
    tasks.watch_invariants()
    tasks.watch_invariants()
    [item] = OutboxItem.objects.filter(kind="mail")
    assert "I99 Never" in item.payload["text"] and "row 7" in item.payload["text"]
    monkeypatch.setattr(invariants, "_invariants", [])
    assert invariants.watch(AT) is True
