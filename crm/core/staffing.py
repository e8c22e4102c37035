"""The security officer's verbs on accounts: let somebody in, keep him out, sign him out everywhere.

Rights come from the post of the staff row, which the feed of the personnel system owns: nobody grants a right here.
The one post no feed may bring is the security officer's own; he is appointed by a command on the server.
"""

import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from crm.core import audit, clock, sessions
from crm.core import sign_in as signing
from crm.core.access import require
from crm.core.models.people import Branch, Post, Staff, User
from crm.core.scope import staff_for

APPOINTED = audit.system_verb("staff.appointed", "a security officer was appointed on the server")


@transaction.atomic
def appoint_security_officer(*, employee_no: str, name: str, branch: Branch, at: datetime.datetime) -> Staff:
    """Make a staff row with the security officer's post and return it; again for the same number, the one there is.

    Raises ValidationError where the number belongs to somebody else: one person, one post.
    """
    staff, made = Staff.objects.get_or_create(
        employee_no=employee_no,
        defaults={"name": name, "branch": branch, "post": Post.SECURITY_OFFICER, "source": "crm"},
    )
    if staff.post != Post.SECURITY_OFFICER or staff.source != "crm":
        raise ValidationError(_("The number belongs to somebody with another post."))
    if made:
        audit.record(None, APPOINTED, staff, payload={"on": clock.business_date(at).isoformat()})
    return staff


def _locked(actor: User, staff: Staff) -> User | None:
    """Return the account of a colleague the actor may look up, locked. Raises Staff.DoesNotExist out of scope."""
    found = staff_for(actor).select_for_update(of=("self",)).get(pk=staff.pk)
    return User.objects.select_for_update(of=("self",)).filter(staff=found).first()


@transaction.atomic
def invite(*, actor: User, staff: Staff, at: datetime.datetime) -> str:
    """Return the token of a one-time link (24 hours). It is shown once and cannot be read again by anybody.

    Raises ValidationError for somebody who is suspended: his link would not open.
    """
    require(actor, "staff.invite")
    account = _locked(actor, staff)
    if account is not None and not account.is_active:
        raise ValidationError(_("The account is suspended. Lift the suspension first."))
    return signing.invite(actor=actor, staff=staff, at=at)


@transaction.atomic
def suspend(*, actor: User, staff: Staff, reason: str) -> User:
    """Close an account at once: the person is signed out everywhere and cannot sign in again."""
    require(actor, "staff.suspend")
    account = _locked(actor, staff)
    if account is None:
        raise ValidationError(_("There is no account to suspend."))
    if account.pk == actor.pk:
        # Nobody would be left to lift it.
        raise ValidationError(_("You cannot suspend yourself."))
    if not account.is_active:
        raise ValidationError(_("The account is suspended already."))
    account.is_active = False
    account.save(update_fields=["is_active"])
    sessions.end_all(actor=actor, user=account)
    audit.record(actor, "staff.suspend", account, payload={"reason": reason})
    return account


@transaction.atomic
def restore(*, actor: User, staff: Staff, reason: str) -> User:
    """Lift a suspension. Somebody who has left the bank stays out whatever his account says."""
    require(actor, "staff.restore")
    account = _locked(actor, staff)
    if account is None or account.is_active:
        raise ValidationError(_("The account is not suspended."))
    account.is_active = True
    account.save(update_fields=["is_active"])
    audit.record(actor, "staff.restore", account, payload={"reason": reason})
    return account


@transaction.atomic
def end_sessions(*, actor: User, staff: Staff) -> int:
    """Sign a person out of every browser; return how many there were."""
    require(actor, "staff.end_sessions")
    account = _locked(actor, staff)
    if account is None:
        return 0
    ended = sessions.end_all(actor=actor, user=account)
    audit.record(actor, "staff.end_sessions", account, payload={"sessions": ended})
    return ended
