"""Four eyes: what is approved is what was proposed, by somebody else, and it is done once."""

import datetime
import threading

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, IntegrityError, connection, transaction

from crm.core import approvals, audit
from crm.core.models import Approval, ApprovalState, AuditEntry, Staff, User
from tests.core.somebody import place, somebody

AT = datetime.datetime(2026, 11, 24, 8, tzinfo=datetime.UTC)
VERB = "feeds.override"
PAYLOAD = {"batch": 7, "amount": "12.50"}


def colleague(username, like, branch_no=None):
    """Another person with the post of ``like``."""
    model = somebody(like)
    staff, _ = Staff.objects.get_or_create(
        employee_no=f"X-{username}",
        defaults={
            "name": username,
            "branch": place(branch_no) if branch_no else model.staff.branch,
            "post": model.post,
        },
    )
    return User.objects.get_or_create(username=username, defaults={"staff": staff})[0]


@pytest.fixture
def executed(monkeypatch):
    """An executor that counts, in place of whatever the apps registered."""
    calls = []

    def execute(payload, *, maker, checker, at):
        calls.append((payload, maker.username, checker.username))
        audit.record(checker, VERB, ("customers.feedbatch", payload["batch"]))

    monkeypatch.setitem(
        approvals._actions, VERB, approvals.Action(execute, lambda payload: list(payload.items()))
    )
    return calls


@pytest.fixture
def people(db):
    return somebody("adam"), colleague("abel", "adam")


@pytest.fixture
def proposal(people, executed):
    return approvals.propose(people[0], VERB, PAYLOAD, ("customers.feedbatch", 7), reason="the core was late")


def trail():
    return list(AuditEntry.objects.order_by("id").values_list("verb", flat=True))


def test_a_proposal_is_carried_out_once_by_somebody_else(proposal, people, executed):
    _adam, abel = people
    before = len(trail())
    done = approvals.approve(abel, proposal, AT, decision="seen")
    assert executed == [(PAYLOAD, "adam", "abel")]
    done = Approval.objects.get(pk=done.pk)
    assert (done.state, done.checker, done.decided_at, done.executed_at) == (
        ApprovalState.EXECUTED,
        abel,
        AT,
        AT,
    )
    assert trail()[before:] == ["approvals.decide", VERB]
    with pytest.raises(approvals.NotOpen):
        approvals.approve(abel, proposal, AT)
    assert len(executed) == 1


def test_nobody_decides_what_he_proposed_himself(proposal, people, executed):
    with pytest.raises(approvals.OwnProposal):
        approvals.approve(people[0], proposal, AT)
    with pytest.raises(approvals.OwnProposal):
        approvals.reject(people[0], proposal, AT, decision="no")
    with pytest.raises(IntegrityError), transaction.atomic():
        Approval.objects.filter(pk=proposal.pk).update(checker=people[0], state="approved", decided_at=AT)
    assert not executed


def test_only_who_may_do_the_verb_proposes_or_decides_it(proposal, executed):
    for username in ("cai", "sean", "audi", "ann"):
        with pytest.raises((PermissionDenied, Approval.DoesNotExist)):
            approvals.approve(somebody(username), proposal, AT)
        with pytest.raises(PermissionDenied):
            approvals.propose(somebody(username), VERB, PAYLOAD)
    assert not executed and not approvals.visible_to(somebody("sean")).exists()


def test_a_rejection_says_why_and_ends_it(proposal, people, executed):
    approvals.reject(people[1], proposal, AT, decision="wrong batch")
    proposal.refresh_from_db()
    assert (proposal.state, proposal.decision) == (ApprovalState.REJECTED, "wrong batch")
    with pytest.raises(approvals.NotOpen):
        approvals.approve(people[1], proposal, AT)
    assert not executed


def test_only_the_maker_withdraws_and_only_while_it_waits(proposal, people, executed):
    with pytest.raises(PermissionDenied):
        approvals.withdraw(people[1], proposal, AT)
    approvals.withdraw(people[0], proposal, AT)
    assert trail()[-1] == "approvals.withdraw"
    with pytest.raises(approvals.NotOpen):
        approvals.withdraw(people[0], proposal, AT)
    with pytest.raises(approvals.NotOpen):
        approvals.approve(people[1], proposal, AT)


def test_an_executor_that_fails_leaves_the_proposal_waiting(proposal, people, monkeypatch):
    def fails(payload, **who):
        raise RuntimeError

    monkeypatch.setitem(approvals._actions, VERB, approvals.Action(fails, list))
    with pytest.raises(RuntimeError):
        approvals.approve(people[1], proposal, AT)
    proposal.refresh_from_db()
    assert proposal.state == ApprovalState.PROPOSED and proposal.checker is None
    assert trail()[-1] == "approvals.propose"


@pytest.mark.parametrize(
    "change",
    [
        {"payload": {"batch": 8}},
        {"payload_hash": b"x" * 32},
        {"verb": "feeds.upload"},
        {"target_id": "8"},
        {"reason": "other"},
        {"proposed_at": AT},
        {"state": "executed", "executed_at": AT, "decided_at": AT},
        {"state": "approved"},
    ],
)
@pytest.mark.parametrize("role", ["app", "owner"])
def test_the_database_keeps_a_proposal_as_it_was(proposal, people, change, role):
    with connection.cursor() as cursor:
        if role == "owner":
            cursor.execute("set constraints all immediate")
            cursor.execute("reset role")
        with pytest.raises(DatabaseError), transaction.atomic():
            Approval.objects.filter(pk=proposal.pk).update(**change)
        cursor.execute("set role crm_app")


def test_nothing_is_decided_twice_nor_deleted(proposal, people):
    Approval.objects.filter(pk=proposal.pk).update(state="rejected", checker=people[1], decided_at=AT)
    for state in ("proposed", "approved", "withdrawn", "executed", "rejected"):
        with pytest.raises(DatabaseError), transaction.atomic():
            Approval.objects.filter(pk=proposal.pk).update(
                state=state, executed_at=AT if state == "executed" else None
            )
    for role in ("crm_app", "none"):
        with connection.cursor() as cursor, pytest.raises(DatabaseError), transaction.atomic():
            cursor.execute("set constraints all immediate")
            cursor.execute(f"set role {role}")
            cursor.execute("delete from core_approval")


def test_a_payload_changed_behind_the_triggers_is_not_carried_out(proposal, people, executed):
    with connection.cursor() as cursor:
        cursor.execute("set constraints all immediate")
        cursor.execute("reset role")
        cursor.execute("alter table core_approval disable trigger user")
        cursor.execute("update core_approval set payload = '{\"batch\": 8}'")
        cursor.execute("alter table core_approval enable trigger user")
        cursor.execute("set role crm_app")
    with pytest.raises(approvals.Broken):
        approvals.approve(people[1], proposal, AT)
    assert not executed


def test_payloads_hold_ids_and_codes(people, executed):
    with pytest.raises(audit.PersonalData):
        approvals.propose(people[0], VERB, {"mobile": "13800138001"})
    with pytest.raises(TypeError):
        approvals.propose(people[0], VERB, {"amount": [1.5]})
    with pytest.raises(ValueError, match="registered"):
        approvals.propose(people[0], "feeds.upload", {})


def test_a_supervisor_sees_proposals_of_his_own_part_of_the_bank(db, monkeypatch):
    monkeypatch.setitem(approvals._actions, "customers.assign", approvals.Action(lambda *a, **k: None, list))
    cai, dora, rita = somebody("cai"), somebody("dora"), somebody("rita")
    proposal = approvals.propose(cai, "customers.assign", {"customer": 1})
    assert proposal in approvals.visible_to(cai) and proposal not in approvals.waiting_for(cai)
    assert proposal not in approvals.visible_to(dora)
    assert proposal in approvals.waiting_for(rita)
    with pytest.raises(Approval.DoesNotExist):
        approvals.approve(dora, proposal, AT)
    approvals.approve(rita, proposal, AT)


@pytest.mark.slow
def test_of_twenty_at_once_exactly_one_carries_it_out(bank_copy, executed):
    with bank_copy.connected():
        proposal = approvals.propose(somebody("adam"), VERB, PAYLOAD)
        checkers = [colleague(f"abel{number}", "adam") for number in range(20)]
        barrier, outcomes = threading.Barrier(20), []

        def decide(checker):
            try:
                barrier.wait(20)
                approvals.approve(checker, proposal, AT)
                outcomes.append("done")
            except approvals.NotOpen:
                outcomes.append("late")
            finally:
                connection.close()

        threads = [threading.Thread(target=decide, args=(checker,)) for checker in checkers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert sorted(outcomes) == ["done"] + ["late"] * 19
        assert len(executed) == 1
        assert AuditEntry.objects.filter(verb="approvals.decide").count() == 1
