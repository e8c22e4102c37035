"""Tasks of the night. Each takes ids or nothing, calls one function, and says why a second run is safe."""

from celery import shared_task

from crm.core import clock, jobs
from segmentation import nightly, nights


@jobs.handler(nights.KIND)
def work(run_id: int, fence: int, deadline: float) -> bool:
    """Go on with a night. Safe to call again: steps that are done are skipped, and an old fence commits nothing."""
    return nightly.work(run_id, fence, deadline, at=clock.now())


@shared_task(name="segmentation.dispatch")
def dispatch() -> None:
    """Make the runs that are due. Safe to run twice: what is due is computed from the tables, and a run is made once."""
    nightly.dispatch(at=clock.now())
