"""Setting a parameter with four eyes: one person proposes a value from a day on and says why, another one decides.

The value travels as JSON text: its keys are codes of the bank's, and what is approved is spelled as it will be stored.
"""

import datetime
import json
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from crm.core import approvals, audit, parameter_values, parameters
from crm.core.access import require
from crm.core.clock import business_date
from crm.core.models import Approval, ApprovalState

VERB = "parameters.set"
TARGET = "parameter"
EARLIEST = datetime.date(1990, 1, 1)
DAY = datetime.timedelta(days=1)
FURTHEST = datetime.timedelta(days=366)

_tellers: list[Callable[[str, datetime.date], int]] = []


def nights_are_counted_by(tell: Callable[[str, datetime.date], int]) -> None:
    """Name who knows how many published nights rest on a parameter from a day on: the night, which lives a floor higher."""
    _tellers[:] = [tell]


def nights_touched(name: str, valid_from: datetime.date) -> int:
    """Return how many published nights a value from a day on makes stale."""
    return sum(tell(name, valid_from) for tell in _tellers)


def open_proposals(name: str) -> list[Approval]:
    """Return what waits for a decision about a parameter; one query."""
    waiting = Approval.objects.filter(verb=VERB, target_id=name, state=ApprovalState.PROPOSED)
    return list(waiting.select_related("maker__staff").order_by("id"))


@transaction.atomic
def propose(
    *, actor, name: str, value: Any, valid_from: datetime.date, why: str, at: datetime.datetime
) -> Approval:
    """Propose a value of a declared parameter from a day on; return the approval it waits for.

    Raises ValidationError for a parameter that is not set on a screen, a day out of range, a value that breaks the shape
    of the default, is the one in force already, or where another proposal for it is open.
    """
    require(actor, VERB)
    definition = parameters.defined(name)
    today = business_date(at)
    if not definition.settable:
        raise ValidationError(_("This parameter is not set here."))
    if not EARLIEST <= valid_from <= today + FURTHEST:
        raise ValidationError({"valid_from": _("Choose a day within the next year, or an earlier one.")})
    if not why.strip():
        raise ValidationError({"why": _("Say why: whoever reads a score years later will ask.")})
    _must_fit(definition, value)
    was = parameters.value(name, valid_from)
    if value == was:
        raise ValidationError(_("Nothing changes: this is the value in force on that day."))
    if open_proposals(name):
        raise ValidationError(_("Another proposal for this parameter waits for its decision."))
    payload = {
        TARGET: name,
        "valid_from": valid_from.isoformat(),
        "value": json.dumps(value, ensure_ascii=False),
        "was": json.dumps(was, ensure_ascii=False),
        "why": why.strip()[:300],
    }
    return approvals.propose(actor, VERB, payload, (TARGET, name), reason=why)


def _must_fit(definition: parameters.Definition, value: Any) -> None:
    """Raise ValidationError unless the value has the default's shape and every leaf keeps to its range."""
    found = {}
    for leaf in parameter_values.leaves(definition):
        stored = parameter_values.at(value, leaf.path)
        text = "\n".join(stored) if leaf.kind == parameter_values.LINES and stored else stored
        found[leaf.path] = parameter_values.read(definition, leaf, "" if text is None else str(text), stored)
    if parameter_values.build(definition, found) != value:
        raise ValidationError(_("The value does not have the parameter's shape."))
    for path, problem in parameter_values.faults(definition, value).items():
        raise ValidationError(f"{parameters.in_words(parameter_values.label(definition, path))}: {problem}")


def differences(name: str, was: Any, value: Any) -> list[tuple[list[str], Any, Any]]:
    """Return (names on the way, old, new) of every leaf that differs."""
    definition = parameters.defined(name)
    found = []
    for leaf in parameter_values.leaves(definition):
        old, new = parameter_values.at(was, leaf.path), parameter_values.at(value, leaf.path)
        if old != new:
            found.append((parameter_values.label(definition, leaf.path), old, new))
    return found


def spelled(value: Any) -> str:
    """Return a leaf as people read it."""
    if value is None or value == []:
        return "—"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return ", ".join(value) if isinstance(value, list) else parameters.in_words([str(value)])


def _describe(payload: dict) -> approvals.Described:
    name, day = payload[TARGET], datetime.date.fromisoformat(payload["valid_from"])
    definition = parameters.defined(name)
    lines: approvals.Described = [
        (_("Parameter"), definition.title or name),
        (_("Holds from"), date_format(day, "Y-m-d")),
    ]
    for names, old, new in differences(name, json.loads(payload["was"]), json.loads(payload["value"])):
        lines.append(
            (parameters.in_words(names) or pgettext("parameter", "Value"), f"{spelled(old)} → {spelled(new)}")
        )
    return [*lines, (_("Nights that become stale"), words_of(nights_touched(name, day)))]


def words_of(count: int) -> str:
    if not count:
        return _("none")
    return ngettext("%(count)d published night", "%(count)d published nights", count) % {"count": count}


@approvals.executor(VERB, describe=_describe)
def carry_out(payload: dict, *, maker, checker, at: datetime.datetime) -> None:
    """Add the approved value as a new version of its day, set by who proposed it."""
    name, day = payload[TARGET], datetime.date.fromisoformat(payload["valid_from"])
    value, why = json.loads(payload["value"]), payload["why"]
    row = parameters.put(name, value, valid_from=day, why=why, at=at, actor=maker)
    told = {
        TARGET: name,
        "valid_from": payload["valid_from"],
        "version": row.version,
        "proposed_by": maker.pk,
    }
    audit.record(checker, VERB, (TARGET, name), payload=told)
