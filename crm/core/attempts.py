"""How long the next try to sign in must wait after failures: long enough to stop guessing, never long enough to keep
the owner out.

Every try is counted before the password is looked at, so a hundred tries at once are a hundred tries. The first five
failures are free; after them the wait doubles from 5 s to 15 minutes. It is judged for the account and for the network
address; but at an address the account has signed in from before, only by what failed on that account at that address:
neither a stranger elsewhere nor a colleague at the same address can then keep somebody from work.
"""

import datetime
import math
from dataclasses import dataclass

from django.db import transaction

from crm.core.models.sign_in import AttemptKind, FailedSignIns
from crm.core.privacy.index import digest

FREE = 5
FIRST_WAIT = 5
LONGEST_WAIT = 15 * 60
FORGOTTEN_AFTER = datetime.timedelta(hours=1)


@dataclass(frozen=True)
class Try:
    """One counted try. ``wait``: seconds it must still wait; 0 means it may go on to the password."""

    wait: int
    subjects: dict[str, bytes]
    address_failures: int = 0
    address_wait_before: datetime.datetime | None = None


def wait_after(failures: int) -> int:
    """Return the seconds to wait after so many failures in a row."""
    # The exponent is held down: an attacker must not make us compute 2 to the power of a million.
    return 0 if failures < FREE else min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(failures - FREE, 20))


def subjects_of(account: str, address: str) -> dict[str, bytes]:
    return {
        AttemptKind.ACCOUNT: digest(account, "sign-in account"),
        AttemptKind.ADDRESS: digest(address, "sign-in address"),
        AttemptKind.PLACE: digest(f"{account}\0{address}", "sign-in place"),
    }


@transaction.atomic
def reserve(*, account: str, address: str, known: bool, at: datetime.datetime) -> Try:
    """Count one try as failed until :func:`succeed` says otherwise, or return how long it must wait (not counted)."""
    subjects = subjects_of(account, address)
    FailedSignIns.objects.bulk_create(
        [FailedSignIns(kind=kind, subject=subject, last_at=at) for kind, subject in subjects.items()],
        ignore_conflicts=True,
    )
    rows = _locked(subjects)
    judged = (AttemptKind.PLACE,) if known else (AttemptKind.ACCOUNT, AttemptKind.ADDRESS)
    waits = [(rows[kind].wait_until - at).total_seconds() for kind in judged if rows[kind].wait_until]
    if waits and max(waits) > 0:
        return Try(math.ceil(max(waits)), subjects)
    wait_before = rows[AttemptKind.ADDRESS].wait_until
    for row in rows.values():
        row.failures = 1 if at - row.last_at > FORGOTTEN_AFTER else row.failures + 1
        row.last_at = at
        wait = wait_after(row.failures)
        row.wait_until = at + datetime.timedelta(seconds=wait) if wait else None
        row.save(update_fields=["failures", "last_at", "wait_until"])
    return Try(0, subjects, rows[AttemptKind.ADDRESS].failures, wait_before)


@transaction.atomic
def succeed(attempt: Try) -> None:
    """The try was right: forget the account's failures, and give the address back only what this try took from it."""
    rows = _locked(attempt.subjects)
    for kind in (AttemptKind.ACCOUNT, AttemptKind.PLACE):
        if kind in rows:
            rows[kind].delete()
    address = rows.get(AttemptKind.ADDRESS)
    if address is None:
        return
    # Clearing it would let somebody with one good password guess others' for ever.
    if address.failures == attempt.address_failures:
        address.wait_until = attempt.address_wait_before
    address.failures = max(0, address.failures - 1)
    address.save(update_fields=["failures", "wait_until"])


def _locked(subjects: dict[str, bytes]) -> dict[str, FailedSignIns]:
    """Lock the rows in one order, whoever comes: two tries never wait for each other in a circle."""
    rows = (
        FailedSignIns.objects.select_for_update()
        .filter(subject__in=list(subjects.values()))
        .order_by("kind", "subject")
    )
    return {row.kind: row for row in rows}
