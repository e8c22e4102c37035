"""Four eyes: one person proposes a verb with its payload, another one who may do it decides, and it is done once.

What is approved is what was proposed: the payload is frozen by trigger and hash. An app registers what carries its verb
out, and how the payload reads to the person who decides::

    @approvals.executor("feeds.override")
    def override(payload, *, maker, checker, at): ...
"""

import datetime
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.db.models import Q

from crm.core import audit
from crm.core.access import VERBS, require, works_here
from crm.core.clock import business_date
from crm.core.models.approvals import Approval, ApprovalState
from crm.core.privacy.classes import mask_cards
from crm.core.scope import Level, branches_for, level_of

Executor = Callable[..., None]
Described = list[tuple[Any, Any]]


class NotOpen(Exception):
    """Somebody has decided it already, or it was withdrawn."""


class OwnProposal(PermissionDenied):
    """Maker and checker must be two people."""


class Broken(RuntimeError):
    """The payload is not what was proposed: its hash differs."""


@dataclass(frozen=True)
class Action:
    """``execute(payload, maker=, checker=, at=)`` carries it out in the deciding transaction; ``describe(payload)``
    gives (label, value) pairs for the one who decides."""

    execute: Executor
    describe: Callable[[dict], Described]


_actions: dict[str, Action] = {}


def executor(
    verb: str, *, describe: Callable[[dict], Described] | None = None
) -> Callable[[Executor], Executor]:
    """Register what carries an approved verb out. It runs once, in the transaction of the approval."""
    if verb not in VERBS:
        raise ValueError(f"{verb} is not in the table of verbs")

    def register(execute: Executor) -> Executor:
        _actions[verb] = Action(execute, describe or (lambda payload: list(payload.items())))
        return execute

    return register


def described(approval: Approval) -> Described:
    """Return the payload as (label, value) pairs for reading."""
    action = _actions.get(approval.verb)
    return action.describe(approval.payload) if action else list(approval.payload.items())


def payload_hash(verb: str, payload: dict, target: tuple[str, str], maker_id: int) -> bytes:
    """Return SHA-256 over everything that is frozen. Floats are refused: they do not survive the way to the database
    and back unchanged (write amounts as decimal strings)."""
    _refuse_floats(payload)
    text = json.dumps(
        [verb, payload, *target, maker_id],
        sort_keys=True,
        ensure_ascii=True,
        separators=(",", ":"),
        allow_nan=False,
    )
    return hashlib.sha256(text.encode()).digest()


@transaction.atomic
def propose(
    actor, verb: str, payload: dict, target: models.Model | tuple | None = None, *, reason: str = ""
) -> Approval:
    """Propose ``verb`` with ``payload`` (ids, codes, decimal strings); whoever may do the verb may propose it."""
    require(actor, verb)
    if verb not in _actions:
        raise ValueError(f"Nobody registered what carries {verb} out.")
    audit.refuse_personal_data(payload)
    named = audit.named(target)
    approval = Approval.objects.create(
        verb=verb,
        payload=payload,
        payload_hash=payload_hash(verb, payload, named, actor.pk),
        target_type=named[0],
        target_id=named[1],
        maker=actor,
        reason=mask_cards(reason)[:300],
    )
    approval.refresh_from_db()
    audit.record(actor, "approvals.propose", approval, payload={"verb": verb, "target": list(named)})
    return approval


@transaction.atomic
def approve(actor, approval: Approval, at: datetime.datetime, *, decision: str = "") -> Approval:
    """Approve and carry out, in one transaction: both or neither.

    Raises PermissionDenied (verb or own proposal), Approval.DoesNotExist (out of scope), NotOpen, Broken.
    """
    approval = _locked_for(actor, approval)
    frozen = payload_hash(
        approval.verb, approval.payload, (approval.target_type, approval.target_id), approval.maker_id
    )
    if frozen != bytes(approval.payload_hash):
        raise Broken(f"Approval {approval.pk}")
    _decide(actor, approval, ApprovalState.APPROVED, decision, at)
    maker = approval.maker
    _actions[approval.verb].execute(approval.payload, maker=maker, checker=actor, at=at)
    approval.state, approval.executed_at = ApprovalState.EXECUTED, at
    approval.save(update_fields=["state", "executed_at"])
    return approval


@transaction.atomic
def reject(actor, approval: Approval, at: datetime.datetime, *, decision: str) -> Approval:
    """Refuse a proposal and say why. Raises as :func:`approve` does."""
    approval = _locked_for(actor, approval)
    _decide(actor, approval, ApprovalState.REJECTED, decision, at)
    return approval


@transaction.atomic
def withdraw(actor, approval: Approval, at: datetime.datetime) -> Approval:
    """Take one's own proposal back. Raises PermissionDenied for another's, NotOpen."""
    approval = Approval.objects.select_for_update(of=("self",)).get(pk=approval.pk)
    if approval.maker_id != actor.pk or not works_here(actor, business_date(at)):
        raise PermissionDenied(approval.verb)
    _must_be_open(approval)
    approval.state, approval.decided_at = ApprovalState.WITHDRAWN, at
    approval.save(update_fields=["state", "decided_at"])
    audit.record(actor, "approvals.withdraw", approval, payload={"verb": approval.verb})
    return approval


def visible_to(user) -> models.QuerySet[Approval]:
    """Return the proposals the person may see: his own, and those of verbs he may do from within his part of the bank."""
    verbs = [verb for verb, posts in VERBS.items() if user.post in posts]
    level = level_of(user)
    theirs = Q(verb__in=verbs)
    if level in (Level.SUBTREE, Level.OWN):
        theirs &= Q(maker__staff__branch__in=branches_for(user))
    # Those who look after the system have no branch of their own to look at: their verbs are about the whole bank.
    return Approval.objects.filter(theirs | Q(maker=user))


def waiting_for(user) -> models.QuerySet[Approval]:
    """Return what the person could decide now: visible, open, proposed by somebody else."""
    verbs = [verb for verb, posts in VERBS.items() if user.post in posts]
    return visible_to(user).filter(state=ApprovalState.PROPOSED, verb__in=verbs).exclude(maker=user)


def _locked_for(actor, approval: Approval) -> Approval:
    require(actor, "approvals.decide")
    # Lock first, then judge: of twenty at once nineteen find it decided.
    approval = visible_to(actor).select_for_update(of=("self",)).get(pk=approval.pk)
    require(actor, approval.verb)
    if approval.maker_id == actor.pk:
        raise OwnProposal(approval.verb)
    _must_be_open(approval)
    return approval


def _must_be_open(approval: Approval) -> None:
    if approval.state != ApprovalState.PROPOSED:
        raise NotOpen(f"Approval {approval.pk} is {approval.state}.")


def _decide(actor, approval: Approval, state: str, decision: str, at: datetime.datetime) -> None:
    approval.state, approval.checker, approval.decided_at, approval.decision = (
        state,
        actor,
        at,
        mask_cards(decision)[:300],
    )
    approval.save(update_fields=["state", "checker", "decided_at", "decision"])
    audit.record(actor, "approvals.decide", approval, payload={"verb": approval.verb, "decision": str(state)})


def _refuse_floats(node: Any) -> None:
    if isinstance(node, float):
        raise TypeError("A payload takes no floats: write amounts as decimal strings.")
    for value in node.values() if isinstance(node, dict) else node if isinstance(node, list | tuple) else ():
        _refuse_floats(value)
