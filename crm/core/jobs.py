"""Runs and their chunks in PostgreSQL: the record of unattended work.

Celery is a doorbell: any number of deliveries in any order, a wiped broker or a frozen worker change nothing, because
a piece is done only when its row says so, and only the holder of the newest fence may write one.
"""

import contextlib
import datetime
import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now

from crm.core import faults
from crm.core.models.jobs import Chunk, Run, RunState

log = logging.getLogger(__name__)

LEASE = datetime.timedelta(seconds=60)
CRASHES_BEFORE_GIVING_UP = 3
Handler = Callable[[int, int, float], bool]

_handlers: dict[str, Handler] = {}


class FenceLost(RuntimeError):
    """Somebody else took the run over while this worker was away. Nothing of the current piece is kept."""


@dataclass
class Work:
    """What a chunk reports about itself."""

    rows: int = 0
    checksum: str = ""


def handler(kind: str) -> Callable[[Handler], Handler]:
    """Register ``fn(run_id, fence, deadline) -> finished`` for a kind. ``deadline`` is a ``time.monotonic()`` value."""

    def register(fn: Handler) -> Handler:
        _handlers[kind] = fn
        return fn

    return register


def ensure_run(
    kind: str,
    business_date: datetime.date,
    *,
    attempt: int = 1,
    inputs: dict | None = None,
    at: datetime.datetime,
    **versions: str,
) -> Run:
    """Return the run of a kind, date and attempt; make it where missing. Two callers at once get the same one."""
    Run.objects.bulk_create(
        [
            Run(
                kind=kind,
                business_date=business_date,
                attempt=attempt,
                inputs=inputs or {},
                created_at=at,
                **versions,
            )
        ],
        ignore_conflicts=True,
    )
    return Run.objects.get(kind=kind, business_date=business_date, attempt=attempt)


def claim(run_id: int, *, worker: str, at: datetime.datetime) -> int | None:
    """Take the run over and return the new fence; None where it is finished or somebody holds a live lease.

    Leases are judged by the database's clock: two workers' clocks may differ. A run whose last holder vanished without
    a word has crashed; after three crashes it is given up, so that one poisoned run does not take every worker with it.
    """
    _end_frozen_holder(run_id)
    with transaction.atomic(), connection.cursor() as cursor:
        run = Run.objects.select_for_update().get(pk=run_id)
        if run.state in (RunState.DONE, RunState.DEAD):
            return None
        if run.state == RunState.RUNNING:
            cursor.execute("select lease_until > clock_timestamp() from core_run where id = %s", [run_id])
            if cursor.fetchone()[0]:
                return None
            run.crashes += 1
        if run.crashes >= CRASHES_BEFORE_GIVING_UP:
            run.state, run.lease_until = RunState.DEAD, None
            run.error = run.error or "The worker vanished three times in a row."
            run.save(update_fields=["state", "crashes", "lease_until", "error"])
            log.error("run given up run=%s kind=%s date=%s", run.pk, run.kind, run.business_date)
            return None
        # Through a function: the role we act as may not look at sessions, not even at its own.
        cursor.execute("select pg_backend_pid(), core_backend_started(pg_backend_pid()), clock_timestamp()")
        run.backend_pid, run.backend_started_at, database_now = cursor.fetchone()
        run.fence += 1
        run.state, run.worker, run.lease_until = RunState.RUNNING, worker, database_now + LEASE
        run.started_at = run.started_at or at
        run.save()
        return run.fence


def _end_frozen_holder(run_id: int) -> None:
    """End the connection of a holder whose lease ran out. Frozen, it keeps the locks of its unfinished piece, at worst
    the lock on the run itself, so it must go before anybody waits for one. Alive after all, it only starts anew."""
    frozen = Run.objects.filter(pk=run_id, state=RunState.RUNNING, lease_until__lte=Now())
    with connection.cursor() as cursor:
        for pid, started_at in frozen.values_list("backend_pid", "backend_started_at"):
            cursor.execute("select core_end_backend(%s, %s)", [pid, started_at])


def done_chunks(run_id: int) -> set[str]:
    return set(Chunk.objects.filter(run_id=run_id).values_list("name", flat=True))


@contextlib.contextmanager
def chunk(run_id: int, fence: int, name: str, position: int) -> Iterator[Work]:
    """One piece of a run in one transaction. The fence is looked at first and held last, so that a frozen worker locks
    nobody out and yet commits nothing; meanwhile a heartbeat keeps the lease of a long statement alive."""
    began = time.monotonic()
    work = Work()
    with transaction.atomic(), heartbeat(run_id, fence):
        if not Run.objects.filter(pk=run_id, fence=fence, state=RunState.RUNNING).exists():
            raise FenceLost(f"run {run_id}, fence {fence}")
        yield work
        ms = int((time.monotonic() - began) * 1000)
        Chunk.objects.create(
            run_id=run_id,
            fence=fence,
            name=name,
            position=position,
            rows=work.rows,
            checksum=work.checksum,
            ms=ms,
        )
        _hold(run_id, fence)
        faults.point(f"{name}.before_commit")
    faults.point(f"{name}.after_commit")
    log.info("chunk run=%s name=%s rows=%s ms=%s", run_id, name, work.rows, ms)


def progress(run_id: int, fence: int, text: str) -> None:
    """Say how far the run is, for whoever watches; extends the lease."""
    with connection.cursor() as cursor:
        cursor.execute(
            "update core_run set progress = %s, lease_until = clock_timestamp() + %s where id = %s and fence = %s and state = 'running'",
            [text[:200], LEASE, run_id, fence],
        )


def finish(run_id: int, fence: int, at: datetime.datetime) -> None:
    """Close the run. Raises FenceLost for a holder of an old fence."""
    _close(run_id, fence, state=RunState.DONE, at=at, error="")


def fail(run_id: int, fence: int, error: str, at: datetime.datetime) -> None:
    """Record a failure; the sweeper tries again until three crashes in a row, then the run is given up."""
    with transaction.atomic():
        run = Run.objects.select_for_update().get(pk=run_id)
        if run.fence != fence or run.state != RunState.RUNNING:
            return
        run.crashes += 1
        run.state = RunState.DEAD if run.crashes >= CRASHES_BEFORE_GIVING_UP else RunState.FAILED
        run.error, run.finished_at, run.lease_until = error[:4000], at, None
        run.save(update_fields=["state", "crashes", "error", "finished_at", "lease_until"])


def release(run_id: int, fence: int) -> None:
    """Give the run back unfinished (the task's time is up); the next ring goes on where this one stopped."""
    Run.objects.filter(pk=run_id, fence=fence, state=RunState.RUNNING).update(
        state=RunState.WAITING, lease_until=None, worker=""
    )


def work_on(run_id: int, *, worker: str, at: datetime.datetime, seconds: float) -> bool:
    """Claim the run and work on it for at most ``seconds``; return whether it is finished.

    Safe to call any number of times at once: whoever does not get the claim returns at once.
    """
    fence = claim(run_id, worker=worker, at=at)
    if fence is None:
        return False
    kind = Run.objects.values_list("kind", flat=True).get(pk=run_id)
    try:
        finished = _handlers[kind](run_id, fence, time.monotonic() + seconds)
    except FenceLost:
        log.warning("run taken over by somebody else run=%s fence=%s", run_id, fence)
        return False
    except Exception as error:
        fail(run_id, fence, f"{type(error).__name__}: {error}", at)
        raise
    if not finished:
        release(run_id, fence)
        ring(run_id)
    return finished


def open_runs() -> list[int]:
    """Return the runs nobody is working on: waiting, failed, or running with a lease that has run out."""
    abandoned = Q(state=RunState.RUNNING) & (Q(lease_until__isnull=True) | Q(lease_until__lte=Now()))
    idle = Q(state__in=[RunState.WAITING, RunState.FAILED])
    kinds = list(_handlers)
    return list(
        Run.objects.filter(abandoned | idle, kind__in=kinds)
        .order_by("business_date", "id")
        .values_list("pk", flat=True)
    )


def sweep() -> list[int]:
    """Ring for every run nobody works on, every 60 s: the broker may have lost the message for good."""
    runs = open_runs()
    for run_id in runs:
        ring(run_id)
    return runs


def ring(run_id: int) -> None:
    """Ask a worker to look at the run, once the transaction is committed. No broker is no reason to fail: the sweeper
    comes by every minute."""

    def send() -> None:
        from crm.core.tasks import work_on_run  # the tasks import this module

        try:
            work_on_run.apply_async([run_id], retry=False)
        except work_on_run.OperationalError as error:
            log.info("no broker to ring run=%s: %s", run_id, error)

    transaction.on_commit(send)


@contextlib.contextmanager
def heartbeat(run_id: int, fence: int) -> Iterator[None]:
    """Extend the lease every 15 s on a connection of its own. A frozen process freezes its heartbeat with it."""
    stop = threading.Event()

    def beat() -> None:
        try:
            while not stop.wait(15):
                Run.objects.filter(pk=run_id, fence=fence, state=RunState.RUNNING).update(
                    lease_until=Now() + LEASE
                )
        finally:
            connection.close()  # this thread's own

    thread = threading.Thread(target=beat, name=f"heartbeat-{run_id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=5)


def _hold(run_id: int, fence: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "update core_run set lease_until = clock_timestamp() + %s, crashes = 0"
            " where id = %s and fence = %s and state = 'running'",
            [LEASE, run_id, fence],
        )
        if cursor.rowcount != 1:
            raise FenceLost(f"run {run_id}, fence {fence}")


def _close(run_id: int, fence: int, *, state: str, at: datetime.datetime, error: str) -> None:
    closed = Run.objects.filter(pk=run_id, fence=fence, state=RunState.RUNNING).update(
        state=state, finished_at=at, error=error, lease_until=None, progress=""
    )
    if closed != 1:
        raise FenceLost(f"run {run_id}, fence {fence}")
