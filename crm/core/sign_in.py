"""Signing in and out, one-time links, and choosing a password. The only place that looks at a password.

Nobody ever knows another's password: an officer starts with a one-time link (24 hours, one use), and its holder
chooses. A password that is too old leads to such a link too, so that there is no half signed-in state.
"""

import datetime
import hashlib
import logging
import secrets
import unicodedata
from dataclasses import dataclass
from functools import cache

from django.contrib.auth import login, logout, update_session_auth_hash
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest

from crm.core import attempts, audit, clock, passwords, sessions
from crm.core.access import require, works_here
from crm.core.models.people import Staff, User
from crm.core.models.sign_in import Invitation, KnownPlace, LiveSession, OldPassword
from crm.core.privacy.index import digest
from crm.core.requests import address_of

log = logging.getLogger(__name__)

INVITATION_LASTS = datetime.timedelta(hours=24)
RENEWAL_LASTS = datetime.timedelta(minutes=15)
PLACE_KNOWN_FOR = datetime.timedelta(days=90)


@dataclass(frozen=True)
class Answer:
    """What came of a try: ``user`` signed in, or ``wait`` seconds first, or ``token`` of a link to a new password, or
    nothing of it: wrong, for a reason that is not told."""

    user: User | None = None
    wait: int = 0
    token: str | None = None


class LinkNotValid(Exception):
    """The one-time link is unknown, used or too old; which of them is not told."""


def account_name(text: str) -> str:
    """Return a sign-in name as it is compared: full-width letters and capitals make no difference."""
    return unicodedata.normalize("NFKC", text).strip().casefold()[:80]


@cache
def _nobodys_password() -> str:
    """A hash to check against when there is no account: an unknown name must take as long as a known one."""
    return make_password(secrets.token_urlsafe(32))


def sign_in(*, request: HttpRequest, username: str, password: str, at: datetime.datetime) -> Answer:
    """Count the try, check the password, and open a fresh session. Every outcome but a wait is audited."""
    name, address = account_name(username), address_of(request)
    user = User.objects.select_related("staff__branch").filter(username=name).first()
    known = KnownPlace.objects.filter(
        user_id=user.pk if user else None, address=_place(address), last_at__gt=at - PLACE_KNOWN_FOR
    ).exists()
    attempt = attempts.reserve(account=name, address=address, known=known, at=at)
    if attempt.wait:
        log.warning("a try to sign in has to wait seconds=%s from=%s", attempt.wait, address)
        return Answer(wait=attempt.wait)
    usable = user is not None and user.has_usable_password()
    right = check_password(password, user.password if usable else _nobodys_password())
    if not (right and usable and works_here(user, clock.business_date(at))):
        audit.record(
            None,
            "account.sign_in_failed",
            user,
            payload={"origin": address, "right_password": right and usable},
        )
        return Answer()
    with transaction.atomic():
        attempts.succeed(attempt)
        if passwords.must_change(user, at):
            audit.record(user, "account.password_too_old", user, payload={"origin": address})
            return Answer(token=_new_link(user, by=None, at=at, lasts=RENEWAL_LASTS))
        open_session(request=request, user=user, at=at)
    return Answer(user=user)


@transaction.atomic
def open_session(*, request: HttpRequest, user: User, at: datetime.datetime) -> None:
    """Give the browser a new session id and the person in it. Only for somebody who just proved who he is."""
    address = address_of(request)
    _forget_browser(request)
    login(request, user, backend="crm.core.sessions.AccountBackend")
    KnownPlace.objects.update_or_create(user=user, address=_place(address), defaults={"last_at": at})
    audit.record(user, "account.signed_in", user, payload={"origin": address})


@transaction.atomic
def sign_out(*, request: HttpRequest) -> None:
    """End this browser's session on the server. The cookie it still holds opens nothing."""
    if request.user.is_authenticated:
        audit.record(request.user, "account.sign_out", request.user)
    _forget_browser(request)


def _forget_browser(request: HttpRequest) -> None:
    LiveSession.objects.filter(session_key=request.session.session_key or "").delete()
    logout(request)


# --- one-time links -----------------------------------------------------------------------------------------------
def open_account(staff: Staff) -> User:
    """Return the account of a staff row, made if need be: user name = employee number, no password that could work."""
    account = User.objects.filter(staff=staff).first()
    if account is None:
        account = User(username=account_name(staff.employee_no), staff=staff)
        account.set_unusable_password()
        account.save()
    return account


@transaction.atomic
def invite(
    *, actor: User | None, staff: Staff, at: datetime.datetime, lasts: datetime.timedelta = INVITATION_LASTS
) -> str:
    """Return the token of a fresh one-time link for ``staff``; an older open one stops working.

    ``actor`` is None for the command on the server, whose right is the right to be on the server.
    """
    if actor is not None:
        require(actor, "staff.invite")
    if staff.left_on is not None and staff.left_on <= clock.business_date(at):
        raise PermissionDenied("staff.invite")
    user = open_account(staff)
    token = _new_link(user, by=actor, at=at, lasts=lasts)
    audit.record(actor, "staff.invite", user, payload={"expires_at": (at + lasts).isoformat()})
    return token


def _new_link(user: User, *, by: User | None, at: datetime.datetime, lasts: datetime.timedelta) -> str:
    token = secrets.token_urlsafe(32)
    User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    Invitation.objects.filter(user=user, used_at__isnull=True).delete()
    Invitation.objects.create(
        user=user, invited_by=by, token_hash=_hash(token), created_at=at, expires_at=at + lasts
    )
    return token


def invitation(token: str, at: datetime.datetime, *, lock: bool = False) -> Invitation:
    """Return the open invitation of a link. Raises LinkNotValid."""
    rows = Invitation.objects.select_for_update(of=("self",)) if lock else Invitation.objects
    found = (
        rows.select_related("user__staff__branch")
        .filter(token_hash=_hash(token), used_at__isnull=True, expires_at__gt=at)
        .first()
    )
    if found is None or not works_here(found.user, clock.business_date(at)):
        raise LinkNotValid
    return found


@transaction.atomic
def accept_invitation(*, request: HttpRequest, token: str, password: str, at: datetime.datetime) -> User:
    """Use the link up, set the password its holder chose, and sign him in.

    Raises LinkNotValid, or ValidationError with the rules the password breaks (the link then stays good).
    """
    found = invitation(token, at, lock=True)
    choose_password(user=found.user, password=password, at=at)
    found.used_at = at
    found.save(update_fields=["used_at"])
    for session in LiveSession.objects.filter(user=found.user):
        sessions.end(session, why="password_changed")
    open_session(request=request, user=found.user, at=at)
    return found.user


# --- passwords ----------------------------------------------------------------------------------------------------
@transaction.atomic
def choose_password(
    *, user: User, password: str, at: datetime.datetime, verb: str = "account.password_set"
) -> None:
    """Set a password that keeps the rules, and remember the last five. Raises ValidationError."""
    validate_password(password, user)
    user.set_password(password)
    user.password_set_at = at
    user.save(update_fields=["password", "password_set_at"])
    OldPassword.objects.create(user=user, encoded=user.password, set_at=at)
    surplus = user.old_passwords.order_by("-set_at", "-pk").values_list("pk", flat=True)[
        passwords.REMEMBERED :
    ]
    OldPassword.objects.filter(pk__in=list(surplus)).delete()
    audit.record(user, verb, user)


def change_password(*, request: HttpRequest, current: str, password: str, at: datetime.datetime) -> Answer:
    """Change one's own password; the other browsers are signed out. The present one is guarded like a sign-in.

    Returns an Answer without ``user`` where the present password was wrong or the next try must wait. Raises
    ValidationError with the rules the new one breaks.
    """
    user = request.user
    require(user, "account.change_password")
    attempt = attempts.reserve(account=user.username, address=address_of(request), known=True, at=at)
    if attempt.wait:
        return Answer(wait=attempt.wait)
    if not check_password(current, user.password):
        audit.record(user, "account.change_password_failed", user)
        return Answer()
    with transaction.atomic():
        attempts.succeed(attempt)
        choose_password(user=user, password=password, at=at, verb="account.change_password")
        sessions.end_all(actor=user, user=user, keep=request.session.session_key)
        live = LiveSession.objects.filter(session_key=request.session.session_key)
        update_session_auth_hash(request, user)
        # The session id changed with the password; the limits go on counting from the same sign-in.
        live.update(session_key=request.session.session_key)
    return Answer(user=user)


def _place(address: str) -> bytes:
    return digest(address, "known place")


def _hash(token: str) -> bytes:
    # The token has 256 random bits: a plain hash cannot be guessed back, and can be looked up.
    return hashlib.sha256(token.encode()).digest()
