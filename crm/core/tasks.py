"""Tasks of the ground floor. Each takes ids, calls one function, and says why a second run is safe."""

import os
import socket

from celery import shared_task

from crm.core import clock, jobs

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
