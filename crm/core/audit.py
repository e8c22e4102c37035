"""Append to the audit trail, inside the transaction that does the thing: no write without its entry, no entry without
its write. Sealing comes later and elsewhere (``crm.core.audit_chain``).

The trail outlives the people in it, so it holds ids, codes and masked values only. What looks like personal data is
refused by raising: found in tests, never in a bank.
"""

import datetime
import decimal
import json
import logging
import re
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, connection, models, transaction
from django.http import HttpRequest

from crm.core.access import VERBS
from crm.core.models.audit import Outcome
from crm.core.privacy.logs import request_id, without_personal_data

log = logging.getLogger(__name__)

LONGEST_PAYLOAD = 8_000

# Things that happen without being anybody's right, so that they are not in the table of verbs.
SYSTEM_VERBS: dict[str, str] = {
    "account.signed_in": "somebody signed in",
    "account.sign_in_failed": "somebody tried to",
    "account.session_ended": "a session was ended",
    "account.password_too_old": "the password has to be changed first",
    "account.password_set": "a password was chosen by one-time link",
    "account.change_password_failed": "the present password was wrong",
    # Who may propose a verb is who may do it; the right is that verb's own.
    "approvals.propose": "somebody proposed what somebody else has to approve",
    "approvals.withdraw": "the proposer took it back",
    "audit.verified": "the chain was verified by a command or by the night",
    "audit.anchored": "the head of the chain was signed and written outside the database",
}

_NAMES = {
    "name",
    "full_name",
    "legal_name",
    "customer_name",
    "holder_name",
    "staff_name",
    "contact_name",
    "pinyin",
}
_IDENTITIES = {"id_no", "identity_no", "id_number", "citizen_id", "passport", "passport_no", "uscc"}
_NUMBERS = {"card", "card_no", "card_number", "account_no", "account_number"}
_OTHERS = {
    "address",
    "birth",
    "born_on",
    "birth_on",
    "date_of_birth",
    "birthday",
    "old_name",
    "new_name",
    "plaintext",
}
_FORBIDDEN_KEYS = frozenset(_NAMES | _IDENTITIES | _NUMBERS | _OTHERS)
_FORBIDDEN_PARTS = frozenset(
    {"mobile", "phone", "telephone", "tel", "email", "password", "secret", "token", "cvv", "pin", "otp"}
)
# A digest or a UUID now and then contains fifteen digits in a row; it says nothing about anybody.
_DIGEST = re.compile(
    r"(?<!\w)(?:(?=[0-9a-f]*[a-f])[0-9a-f]{32,128}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?!\w)",
    re.IGNORECASE,
)


class UnknownVerb(ValueError):
    """The verb stands neither in the table of verbs nor among the system verbs."""


class PersonalData(ValueError):
    """The payload looks as if it held personal data. The message names the key, never the value."""


def system_verb(verb: str, meaning: str) -> str:
    """Declare something that is audited without being a right; return the verb."""
    SYSTEM_VERBS[verb] = meaning
    return verb


def record(
    actor,
    verb: str,
    target: models.Model | tuple[str, Any] | None = None,
    *,
    customer_id: int | None = None,
    payload: Mapping[str, Any] | None = None,
    outcome: str = Outcome.OK,
) -> int:
    """Append one entry and return its id.

    ``actor``: the user, or None for the system. ``target``: a model instance or ``(type, id)``. ``payload``: ids,
    codes, dates, amounts, masked values. Raises UnknownVerb, PersonalData, or TypeError for what JSON cannot hold.
    """
    if verb not in VERBS and verb not in SYSTEM_VERBS:
        raise UnknownVerb(verb)
    refuse_personal_data(payload or {})
    text = json.dumps(payload or {}, default=_plain, allow_nan=False)
    if len(text) > LONGEST_PAYLOAD:
        raise ValueError(
            f"The payload of {verb} has {len(text)} characters: the trail takes ids, not documents."
        )
    object_type, object_id = named(target)
    request = request_id.get()
    with connection.cursor() as cursor:
        # The columns the app's role may fill. Time, transaction and number are the database's own.
        cursor.execute(
            "insert into core_auditentry"
            " (actor_id, verb, object_type, object_id, customer_id, payload, request_id, outcome)"
            " values (%s, %s, %s, %s, %s, %s::jsonb, %s, %s) returning id",
            [
                getattr(actor, "pk", None),
                verb,
                object_type,
                object_id,
                customer_id,
                text,
                "" if request == "-" else request,
                str(outcome),
            ],
        )
        return cursor.fetchone()[0]


def denied(request: HttpRequest, exception: Exception | None) -> None:
    """Write down that somebody signed in asked for what his post may not do. Called by the 403 page.

    The answer is no in any case: a database that is away must not turn it into an error page.
    """
    verb = str(exception or "")
    if not isinstance(exception, PermissionDenied) or verb not in VERBS or not request.user.is_authenticated:
        return
    match = request.resolver_match
    payload = {"method": request.method, "view": match.view_name if match else ""}
    try:
        with transaction.atomic():
            record(request.user, verb, payload=payload, outcome=Outcome.DENIED)
    except DatabaseError:
        log.exception("denial not recorded verb=%s user=%s", verb, request.user.pk)


def named(target: models.Model | tuple[str, Any] | None) -> tuple[str, str]:
    """Return type and id of a target as the trail writes them: ``("customers.customer", "12")``."""
    if target is None:
        return "", ""
    if isinstance(target, tuple):
        return str(target[0]), str(target[1])
    key = target.pk
    return target._meta.label_lower, "|".join(map(str, key)) if isinstance(key, tuple) else str(key)


def refuse_personal_data(payload: Mapping[str, Any]) -> None:
    """Raise PersonalData for keys and values that look like names, phones, citizen, card or account numbers, e-mails."""
    for path, key, value in _leaves(payload, ""):
        if value is None or isinstance(value, bool):
            continue  # "password: true" says that there was one, not which
        if key in _FORBIDDEN_KEYS or _FORBIDDEN_PARTS & set(key.split("_")):
            raise PersonalData(f"{path}: keys like this hold personal data; write an id or a masked value")
        text = _DIGEST.sub("", str(value))
        if without_personal_data(text) != text:
            raise PersonalData(
                f"{path}: looks like a phone, an identity or account number, or an e-mail address"
            )


def _leaves(node: Any, path: str, key: str = "") -> Iterator[tuple[str, str, Any]]:
    if isinstance(node, Mapping):
        for name, value in node.items():
            yield from _leaves(value, f"{path}.{name}" if path else str(name), str(name).lower())
    elif isinstance(node, list | tuple | set | frozenset):
        for value in node:
            yield from _leaves(value, path, key)
    else:
        yield path, key, node


def _plain(value: Any) -> Any:
    if isinstance(value, datetime.date | datetime.datetime):
        return value.isoformat()
    if isinstance(value, decimal.Decimal | uuid.UUID):
        return str(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"The trail cannot hold a {type(value).__name__}.")
