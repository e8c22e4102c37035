"""Tasks of the ground floor. Each takes ids, calls one function, and says why a second run is safe."""

import os
import socket

from celery import shared_task

from crm.core import anchors, audit_chain, clock, invariants, jobs, outbox, sessions

SECONDS_A_TASK_MAY_TAKE = 200


def worker_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


@shared_task(name="core.work_on_run")
def work_on_run(run_id: int) -> None:
    """Work on a run. Safe to deliver twice: the second delivery finds a live lease or a finished run."""
    jobs.work_on(run_id, worker=worker_name(), at=clock.now(), seconds=SECONDS_A_TASK_MAY_TAKE)


@shared_task(name="core.sweep")
def sweep() -> None:
    """Ring for abandoned runs. Safe to run twice: ringing for a run somebody holds does nothing."""
    jobs.sweep()


@shared_task(name="core.seal_audit")
def seal_audit() -> None:
    """Seal pending audit entries. Safe to run twice: one sealer holds the lock, the other goes home."""
    audit_chain.seal(clock.now())


@shared_task(name="core.anchor_audit")
def anchor_audit() -> None:
    """Anchor the audit's head. Safe to run twice: a business day gets one anchor, a second one would fit as well."""
    anchors.anchor(clock.now())


@shared_task(name="core.drain_outbox")
def drain_outbox() -> None:
    """Send what is due. Safe to run twice: a locked or sent item is passed over by the other run."""
    outbox.drain(clock.now())


@shared_task(name="core.watch_invariants")
def watch_invariants() -> None:
    """Check what must hold, the audit chain included. Safe to run twice: it reads, and tells a finding once a day."""
    invariants.watch(clock.now())


@shared_task(name="core.sweep_sessions")
def sweep_sessions() -> None:
    """End sessions nobody came back to. Safe to run twice: an ended session is gone."""
    sessions.sweep(clock.now())
