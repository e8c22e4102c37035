"""The chain over the audit trail: one sealer numbers the entries and hashes each with the one before; the verification
reads them all again and says where they differ.

Numbers of entries are drawn before their transactions commit, so a lower one may appear after a higher one was sealed.
Each seal therefore carries a horizon, the snapshot's xmin at that moment (``below``): no transaction under it can still
commit anything, so the next sealing looks at everything from there on again and skips nothing, however long a
transaction takes; and an unsealed entry under it was put there afterwards. What is committed is sealed at once: waiting
until the horizon has passed it would leave the trail open for as long as the longest load of a feed.
"""

import datetime
import hashlib
import json
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db import connection, transaction

from crm.core import anchors, audit
from crm.core.models.audit import Outcome

log = logging.getLogger(__name__)

START = bytes(32)
LOCK = 0x41554449  # "AUDI": one sealer a database
SEALED_AT_ONCE = 5_000
READ_AT_ONCE = 10_000
FINDINGS_TOLD = 100
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)

# Every column of an entry, in an order that never changes. As text where the database knows values Python does not.
ENTRY = (
    "e.id, extract(epoch from e.at)::text, e.txid::text, e.actor_id, e.verb, e.object_type, e.object_id,"
    " e.customer_id, e.payload::text, e.request_id, e.outcome"
)
_encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), check_circular=False).encode

PENDING = f"""
select pg_snapshot_xmin(pg_current_snapshot())::text, {ENTRY}
from core_auditentry e
where (%(all)s or e.txid >= %(below)s::xid8)
  -- What this very transaction wrote is not committed yet.
  and e.txid is distinct from pg_current_xact_id_if_assigned()
  and not exists (select from core_auditseal d where d.entry_id = e.id)
order by e.id
limit %(limit)s
"""
SEALED = f"""
select s.seq, s.hash, s.entry_id, s.below::text, extract(epoch from s.sealed_at)::text, {ENTRY}
from core_auditseal s
left join core_auditentry e on e.id = s.entry_id
where s.seq > %s
order by s.seq
limit %s
"""
# After a sealing, what lies under the newest horizon without a seal was written there behind the sealer's back.
SLIPPED_IN = """
select e.id
from core_auditentry e
where e.txid < (select below from core_auditseal order by seq desc limit 1)
  and not exists (select from core_auditseal d where d.entry_id = e.id)
order by e.id
limit %s
"""
PUT = """
insert into core_auditseal (seq, entry_id, below, hash, sealed_at)
select seq, entry_id, %s::xid8, hash, %s
from unnest(%s::bigint[], %s::bigint[], %s::bytea[]) as sealed (seq, entry_id, hash)
"""


@dataclass(frozen=True)
class Finding:
    """``kind``: changed, gap, missing, unsealed, cut, replaced or anchor. ``seq`` and ``entry_id`` say where."""

    kind: str
    seq: int | None
    entry_id: int | None
    what: str

    def __str__(self) -> str:
        where = [f"number {self.seq}"] if self.seq is not None else []
        where += [f"entry {self.entry_id}"] if self.entry_id is not None else []
        return f"{self.kind} {', '.join(where)}: {self.what}" if where else f"{self.kind}: {self.what}"


@dataclass
class Verification:
    """What a verification saw. ``more``: findings beyond the hundred that are told one by one."""

    entries: int = 0
    head_seq: int = 0
    head_hash: str = ""
    anchors: int = 0
    findings: list[Finding] = field(default_factory=list)
    more: int = 0
    ms: int = 0

    @property
    def ok(self) -> bool:
        return not self.findings

    def found(self, kind: str, seq: int | None, entry_id: int | None, what: str) -> None:
        if len(self.findings) < FINDINGS_TOLD:
            self.findings.append(Finding(kind, seq, entry_id, what))
        else:
            self.more += 1


def link(before: bytes, seq: int, below: str, sealed_at: str, entry: tuple) -> bytes:
    """Return SHA-256 of the hash before and of every column of seal and entry. JSON keeps the columns apart."""
    return hashlib.sha256(before + _encode((seq, below, sealed_at, *entry)).encode("ascii")).digest()


def seal(at: datetime.datetime, *, wait: bool = False) -> int:
    """Seal what is pending and return how many entries that were; 0 where another sealer is at it.

    ``wait``: wait for the other sealer and seal what he leaves. Safe to run at any time, any number of times.
    """
    total = 0
    while True:
        with transaction.atomic():
            sealed, done = _seal_some(at, wait)
        total += sealed
        if done:
            break
    if total:
        transaction.on_commit(lambda: _remember(at))
    return total


def verify() -> Verification:
    """Read the whole chain and compare; about 100,000 entries a second, a few MB of memory. Writes nothing."""
    began = time.monotonic()
    result = Verification()
    expected = anchors.expectations()
    result.anchors = len(expected.anchors)
    for problem in expected.problems:
        result.found("anchor", None, None, problem)
    seen: dict[int, list[anchors.Seen]] = {}
    for one in expected.seen:
        seen.setdefault(one.seq, []).append(one)
    before, last = START, 0
    for seq, stored, entry_id, below, sealed_at, *entry in _sealed():
        stored = bytes(stored)
        if seq != last + 1:
            result.found(
                "gap",
                seq,
                entry_id,
                f"follows number {last}: {seq - last - 1} seals are missing between them",
            )
        if entry[0] is None:
            result.found("missing", seq, entry_id, "the sealed entry is gone")
        elif link(before, seq, below, sealed_at, tuple(entry)) != stored:
            result.found(
                "changed", seq, entry_id, "the entry, its seal or the one before is not what was sealed"
            )
        for one in seen.pop(seq, ()):
            if one.hash != stored:
                result.found("replaced", seq, entry_id, f"the {one.label} saw another hash here")
        # Go on from what stands there, so that one change is one finding and not all that follow.
        before, last = stored, seq
        result.entries += 1
    for seq in sorted(seen):
        for one in seen[seq]:
            what = f"the {one.label} saw this number; the chain has it no longer and ends at {last}"
            result.found("cut", seq, None, what)
    with connection.cursor() as cursor:
        cursor.execute(SLIPPED_IN, [FINDINGS_TOLD])
        for (entry_id,) in cursor.fetchall():
            result.found(
                "unsealed", None, entry_id, "lies under the horizon of the newest seal, yet was never sealed"
            )
    result.head_seq, result.head_hash = last, before.hex() if last else ""
    result.ms = int((time.monotonic() - began) * 1000)
    return result


def note(actor, verb: str, result: Verification) -> None:
    """Leave what a verification saw in the trail itself: the auditor's screen shows the last one."""
    payload = {
        "entries": result.entries,
        "head": result.head_seq,
        "findings": len(result.findings) + result.more,
        "anchors": result.anchors,
        "ms": result.ms,
    }
    audit.record(actor, verb, payload=payload, outcome=Outcome.OK if result.ok else Outcome.FAILED)


def pending() -> int:
    """Return how many entries wait for the sealer."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select count(*) from core_auditentry e"
            " where e.txid >= coalesce((select below from core_auditseal order by seq desc limit 1), '0')"
            " and not exists (select from core_auditseal d where d.entry_id = e.id)"
        )
        return cursor.fetchone()[0]


def _seal_some(at: datetime.datetime, wait: bool) -> tuple[int, bool]:
    """Seal one batch in one transaction: (entries sealed, nothing left to do)."""
    with connection.cursor() as cursor:
        if wait:
            cursor.execute("select pg_advisory_xact_lock(%s)", [LOCK])
        else:
            cursor.execute("select pg_try_advisory_xact_lock(%s)", [LOCK])
            if not cursor.fetchone()[0]:
                return 0, True
        # Only now, under the lock, is the newest seal the newest.
        cursor.execute(
            "select seq, hash, below::text, below > pg_snapshot_xmax(pg_current_snapshot())"
            " from core_auditseal order by seq desc limit 1"
        )
        seq, before, horizon, other_cluster = cursor.fetchone() or (0, START, "0", False)
        # A dump restored into a new cluster: its transaction numbers start again, so the horizon says nothing here.
        cursor.execute(PENDING, {"all": other_cluster, "below": horizon, "limit": SEALED_AT_ONCE})
        rows = cursor.fetchall()
        if not rows:
            return 0, True
        done = len(rows) < SEALED_AT_ONCE
        below = rows[0][0] if done else horizon
        moment, before = _moment(at), bytes(before)
        seqs, entries, hashes = [], [], []
        for number, (_xmin, *entry) in enumerate(rows, start=seq + 1):
            before = link(before, number, below, moment, tuple(entry))
            seqs.append(number)
            entries.append(entry[0])
            hashes.append(before)
        cursor.execute(PUT, [below, at, seqs, entries, hashes])
    return len(rows), done


def _sealed() -> Iterator[tuple]:
    """Every seal with its entry in order, a batch at a time: short statements, little memory."""
    last = -(2**63)  # whoever dropped the constraint may have numbered below one
    with connection.cursor() as cursor:
        while True:
            cursor.execute(SEALED, [last, READ_AT_ONCE])
            rows = cursor.fetchall()
            yield from rows
            if len(rows) < READ_AT_ONCE:
                return
            last = rows[-1][0]


def _moment(at: datetime.datetime) -> str:
    """As ``extract(epoch from …)::text`` writes it: seconds with six decimals."""
    seconds, micros = divmod((at - EPOCH) // datetime.timedelta(microseconds=1), 1_000_000)
    return f"{seconds}.{micros:06d}"


def _remember(at: datetime.datetime) -> None:
    try:
        anchors.remember(at)
    except (OSError, ValueError, anchors.ChainBroken):
        # The seals stand; a full disk or a broken chain is reported, and found by the next verification.
        log.exception("head of the audit chain not written")
