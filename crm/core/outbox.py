"""The outbox: what leaves the house is written in the transaction that decides it and sent after its commit.

Each kind chooses what a crash between sending and marking costs: ``at_least_once`` may send twice (notices somebody has
a right to), the other may lose one (offers nobody may get twice). Payloads hold ids and codes; who gets it is looked
up when it is sent, so that a withdrawal in between counts.
"""

import datetime
import logging
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction

from crm.core.audit import refuse_personal_data
from crm.core.models.outbox import OutboxItem
from crm.core.privacy.logs import without_personal_data

log = logging.getLogger(__name__)

GIVE_UP_AFTER = 12
LONGEST_WAIT = datetime.timedelta(hours=1)
Sender = Callable[[dict, str], None]


@dataclass(frozen=True)
class Kind:
    """``send(payload, key)``: sends or raises. The key is stable over tries: hand it to providers that know
    idempotency keys."""

    send: Sender
    at_least_once: bool


_kinds: dict[str, Kind] = {}


class UnknownKind(ValueError):
    """Nobody registered a sender for the kind."""


def sender(kind: str, *, at_least_once: bool) -> Callable[[Sender], Sender]:
    """Register the sender of a kind. Say in its docstring what a crash costs."""

    def register(send: Sender) -> Sender:
        _kinds[kind] = Kind(send, at_least_once)
        return send

    return register


def put(kind: str, key: str, payload: dict, due_at: datetime.datetime | None = None) -> bool:
    """Write one thing to send, inside the caller's transaction; return False where that key is there already.

    Raises UnknownKind, or PersonalData for a payload that holds more than ids and codes.
    """
    if kind not in _kinds:
        raise UnknownKind(kind)
    refuse_personal_data(payload)
    item = OutboxItem(kind=kind, key=key, payload=payload, at_least_once=_kinds[kind].at_least_once)
    if due_at is not None:
        item.due_at = due_at
    before = OutboxItem.objects.filter(kind=kind, key=key).exists()
    OutboxItem.objects.bulk_create([item], ignore_conflicts=True)
    return not before


def drain(at: datetime.datetime, limit: int = 100) -> int:
    """Send what is due, at most ``limit`` items; return how many were tried. Several drains share the work."""
    tried = 0
    while tried < limit and _send_next(at):
        tried += 1
    return tried


def _send_next(at: datetime.datetime) -> bool:
    with transaction.atomic():
        item = (
            OutboxItem.objects.select_for_update(skip_locked=True)
            .filter(sent_at__isnull=True, given_up=False, due_at__lte=at, kind__in=list(_kinds))
            .order_by("due_at", "id")
            .first()
        )
        if item is None:
            return False
        if item.at_least_once:
            # The row stays locked while it is sent: a crash rolls the mark back, and it is sent again.
            _try(item, at)
            return True
        item.sent_at, item.attempts = at, item.attempts + 1
        item.save(update_fields=["sent_at", "attempts"])
    # Marked and committed: a crash from here on loses this one, and never sends it twice.
    try:
        _kinds[item.kind].send(item.payload, item.key)
    except Exception as error:
        log.exception("outbox lost one kind=%s key=%s", item.kind, item.key)
        OutboxItem.objects.filter(pk=item.pk).update(error=_said(error), given_up=True)
    return True


def _try(item: OutboxItem, at: datetime.datetime) -> None:
    item.attempts += 1
    try:
        with transaction.atomic():  # a sender that broke a statement must not take the mark with it
            _kinds[item.kind].send(item.payload, item.key)
    except Exception as error:
        log.exception("outbox failed kind=%s key=%s attempt=%s", item.kind, item.key, item.attempts)
        item.error, item.given_up = _said(error), item.attempts >= GIVE_UP_AFTER
        item.due_at = at + min(LONGEST_WAIT, datetime.timedelta(seconds=30 * 2 ** min(item.attempts, 10)))
    else:
        item.sent_at, item.error = at, ""
    item.save(update_fields=["attempts", "error", "given_up", "due_at", "sent_at"])


def _said(error: Exception) -> str:
    # Mail servers quote the recipient in what they refuse.
    return without_personal_data(f"{type(error).__name__}: {error}")[:500]


@sender("mail", at_least_once=True)
def send_mail(payload: dict, key: str) -> None:
    """A message to the operators: ``{"subject", "text"}``. At least once: a crash between sending and marking sends it
    again, which costs a second reading; not hearing of a failed night would cost more."""
    message = EmailMessage(payload["subject"], payload["text"], to=settings.OPERATORS)
    message.extra_headers["X-CRM-Key"] = key
    message.send(fail_silently=False)
