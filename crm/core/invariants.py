"""What must hold at any moment, as queries that find nothing. An app adds its own in ``<app>/invariants.py``::

    @invariant("I8", "One manager per customer and day")
    def one_manager() -> list[str]: ...

``manage.py verify_invariants`` runs them all; so does the night, in production too.
"""

import datetime
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.db import connection
from django.utils.module_loading import autodiscover_modules

from crm.core import approvals, audit_chain, clock, outbox
from crm.core.models.approvals import Approval, ApprovalState
from crm.core.privacy.logs import without_personal_data

log = logging.getLogger(__name__)

FINDINGS_TOLD = 50
Check = Callable[[], list[str]]


@dataclass(frozen=True)
class Invariant:
    """``id`` as in the list of invariants (several functions may share one); ``check()`` returns what is wrong."""

    id: str
    title: str
    check: Check


@dataclass(frozen=True)
class Result:
    id: str
    title: str
    findings: list[str]
    ms: int


_invariants: list[Invariant] = []


def invariant(number: str, title: str) -> Callable[[Check], Check]:
    """Register a check. Findings are sentences with ids, never names; at most fifty are told."""

    def register(check: Check) -> Check:
        _invariants.append(Invariant(number, title, check))
        return check

    return register


def registered() -> list[Invariant]:
    """Return all invariants, those of the apps included, in the order of their numbers."""
    autodiscover_modules("invariants")
    return sorted(_invariants, key=lambda one: (int(one.id.lstrip("I")), one.title))


def run(only: set[str] | None = None) -> list[Result]:
    """Run the invariants (those numbered ``only``). Each reads; none writes."""
    results = []
    for one in registered():
        if only is None or one.id in only:
            began = time.monotonic()
            findings = one.check()
            ms = int((time.monotonic() - began) * 1000)
            results.append(Result(one.id, one.title, findings[:FINDINGS_TOLD], ms))
    return results


def watch(at: datetime.datetime) -> bool:
    """Run all of them and return whether they hold; where not, tell the operators by mail, once a business day."""
    broken = [result for result in run() if result.findings]
    if broken:
        day = clock.business_date(at).isoformat()
        lines = [f"{result.id} {result.title}\n  " + "\n  ".join(result.findings[:5]) for result in broken]
        text = without_personal_data("\n".join(lines))[:4000] + "\n\nmanage.py verify_invariants tells all."
        outbox.put("mail", f"invariants {day}", {"subject": f"{len(broken)} invariants broken", "text": text})
        log.critical("invariants broken: %s", ", ".join(result.id for result in broken))
    return not broken


def rows(statement: str, sentence: str, params: list | None = None) -> list[str]:
    """Run a query that must return nothing; each row fills ``sentence`` (``{0} {1}`` are its columns)."""
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return [sentence.format(*row) for row in cursor.fetchmany(FINDINGS_TOLD)]


@invariant("I4", "A finished run is whole: it holds no lease and says when it ended")
def finished_runs_are_closed() -> list[str]:
    return rows(
        "select id, kind, business_date from core_run where state = 'done' and (lease_until is not null or finished_at is null)",
        "run {0} ({1} {2}) is done, yet holds a lease or has no end",
    )


@invariant("I6", "Every piece was written by a holder of its run")
def chunks_carry_a_fence_of_their_run() -> list[str]:
    return rows(
        "select c.id, c.name, c.fence, r.id, r.fence from core_chunk c join core_run r on r.id = c.run_id"
        " where c.fence < 1 or c.fence > r.fence",
        "chunk {0} ({1}) has fence {2}; run {3} is at {4}",
    )


@invariant("I6", "Fences grow in the order of the pieces")
def fences_never_go_back() -> list[str]:
    return rows(
        "select later.run_id, later.name, later.fence, earlier.name, earlier.fence"
        " from core_chunk later join core_chunk earlier on earlier.run_id = later.run_id and earlier.id < later.id"
        " where later.fence < earlier.fence",
        "run {0}: {1} was written with fence {2} after {3} with fence {4}",
    )


@invariant("I10", "Every approved action took two people and was carried out as proposed, once")
def approvals_hold() -> list[str]:
    found = rows(
        "select id from core_approval where checker_id = maker_id",
        "approval {0} was decided by its own maker",
    )
    found += rows(
        "select id, state from core_approval where (state = 'executed') <> (executed_at is not null) or state = 'approved'",
        "approval {0} is {1}, and its execution does not fit",
    )
    for one in Approval.objects.exclude(state=ApprovalState.WITHDRAWN).iterator(chunk_size=1000):
        target = (one.target_type, one.target_id)
        if approvals.payload_hash(one.verb, one.payload, target, one.maker_id) != bytes(one.payload_hash):
            found.append(f"approval {one.pk} holds another payload than was proposed")
    return found


@invariant("I11", "Nothing waits in the outbox for more than 15 minutes without an error")
def outbox_is_empty_or_says_why() -> list[str]:
    return rows(
        "select id, kind, due_at from core_outboxitem where sent_at is null and not given_up and error = ''"
        " and due_at < now() - interval '15 minutes' order by due_at",
        "item {0} ({1}) is due since {2}",
    )


@invariant("I12", "The audit trail is gap-free, its chain verifies, and the anchors fit")
def audit_verifies() -> list[str]:
    verification = audit_chain.verify()
    more = [f"and {verification.more} more"] if verification.more else []
    return [*map(str, verification.findings), *more]


@invariant("I12", "Every decision and every reveal has its entry in the audit trail")
def audited_rows_have_their_entry() -> list[str]:
    found = rows(
        "select a.id from core_approval a where not exists (select from core_auditentry e"
        " where e.object_type = 'core.approval' and e.object_id = a.id::text and e.verb = 'approvals.propose')",
        "approval {0} was proposed without an entry",
    )
    found += rows(
        "select a.id, a.state from core_approval a where a.state <> 'proposed' and not exists (select from core_auditentry e"
        " where e.object_type = 'core.approval' and e.object_id = a.id::text"
        " and e.verb = case a.state when 'withdrawn' then 'approvals.withdraw' else 'approvals.decide' end)",
        "approval {0} is {1} without an entry",
    )
    return found + rows(
        "select r.user_id, r.revealed, coalesce(e.told, 0) from"
        " (select user_id, count(*) revealed from core_reveal group by user_id) r left join"
        " (select actor_id, count(*) told from core_auditentry where verb = 'privacy.reveal' and outcome = 'ok'"
        "  group by actor_id) e on e.actor_id = r.user_id where r.revealed > coalesce(e.told, 0)",
        "user {0} has seen {1} values; the trail knows of {2}",
    )


@invariant("I16", "Every foreign key is checked and points at a row")
def no_orphans() -> list[str]:
    # Triggers can be switched off by whoever restores or repairs; a key that was once broken stays silent afterwards.
    keys = """
        select c.conname, c.conrelid::regclass::text, c.confrelid::regclass::text, c.convalidated,
               array(select a.attname::text from unnest(c.conkey) with ordinality k(num, pos)
                     join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.num order by k.pos),
               array(select a.attname::text from unnest(c.confkey) with ordinality k(num, pos)
                     join pg_attribute a on a.attrelid = c.confrelid and a.attnum = k.num order by k.pos)
        from pg_constraint c
        where c.contype = 'f' and c.conparentid = 0 and c.connamespace = 'public'::regnamespace
        order by 2, 1
    """
    found: list[str] = []
    with connection.cursor() as cursor:
        cursor.execute(keys)
        for name, table, referenced, validated, columns, keyed in cursor.fetchall():
            if not validated:
                found.append(f"{table}: {name} was never checked")
            quote = connection.ops.quote_name
            join = " and ".join(f"r.{quote(k)} = t.{quote(c)}" for c, k in zip(columns, keyed, strict=True))
            known = " and ".join(f"t.{quote(c)} is not null" for c in columns)
            # Names come from the catalogue, quoted; nothing here was typed by anybody.
            cursor.execute(
                f"select count(*) from {table} t where {known} and not exists (select from {referenced} r where {join})"
            )
            if orphans := cursor.fetchone()[0]:
                found.append(f"{table}: {orphans} rows of {name} point at no row of {referenced}")
    return found
