"""A night whose worker dies at every point in turn or at any moment, is worked on by two, or is frozen past its lease:
the same bytes as undisturbed."""

import datetime
import os
import random
import signal
import time

import pytest
from django.db import connection, connections
from django.db.models.functions import Now

from crm.core import clock, faults, jobs
from crm.core.models import Chunk, Run, RunState
from segmentation import nightly, nights, steps
from segmentation.models import Absorbed, PublishedNight
from tests.bank import LAST_DAY
from tests.segmentation.rows import months, results_of

pytestmark = pytest.mark.slow
ALL_WENT_WELL = 0


def night(*, fault: str = "", wait: bool = False, told: int | None = None) -> int:
    """Run the night of the bank's last day in a process of its own, as a worker does; return its process id. ``told``: a
    descriptor it writes the names of the fault points to that it came by."""
    connections.close_all()
    child = os.fork()
    if child:
        return child
    try:
        os.environ["FAULT"] = fault
        faults.reached.clear()
        run = nightly.run_for(LAST_DAY, at=clock.now())
        for _ in range(200 if wait else 1):
            jobs.work_on(run.pk, worker=str(os.getpid()), at=clock.now(), seconds=600)
            run.refresh_from_db()
            if run.state == RunState.DONE:
                if told is not None:
                    os.write(told, " ".join(faults.reached).encode())
                os._exit(ALL_WENT_WELL)
            time.sleep(0.1)
        os._exit(2)
    except BaseException:  # a child must never come back into the test runner
        os._exit(1)


def points_of_a_night() -> list[str]:
    """Return the names of the fault points an undisturbed night comes by, in order."""
    reads, writes = os.pipe()
    assert code_of(night(fault="nowhere:1:exit", told=writes)) == ALL_WENT_WELL
    os.close(writes)
    with os.fdopen(reads) as pipe:
        return [name for name in pipe.read().split() if name != "*"]


def code_of(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def lease_runs_out() -> None:
    """As if a minute had passed. The crash is forgiven: here it is about what a death leaves, not about giving up."""
    Run.objects.filter(state=RunState.RUNNING).update(
        lease_until=Now() - datetime.timedelta(seconds=1), crashes=0
    )


def ask_again(*, from_nothing: bool) -> None:
    """Make the next call a new attempt, with something to add up: everything, or the newest batch."""
    Run.objects.update(code_version="of another day")
    with connection.cursor() as cursor:
        if from_nothing:
            cursor.execute("select segmentation_clear_months()")
        else:
            Absorbed.objects.order_by("pk").first().delete()  # the first batch: it touched every month
            cursor.execute("update segmentation_accountmonth set delta = delta + 1, fees = 7")


def newest_run() -> Run:
    return Run.objects.filter(kind=nights.KIND, business_date=LAST_DAY).order_by("-attempt").first()


@pytest.mark.parametrize("from_nothing", [True, False], ids=["adding all up", "adding a batch up"])
def test_a_night_whose_worker_dies_at_every_point_in_turn_ends_with_the_same_bytes(bank_copy, from_nothing):
    with bank_copy.connected():
        wanted, wanted_months = results_of(newest_run()), months()
        assert len(wanted["Standing"]) > 10 and wanted_months
        ask_again(from_nothing=from_nothing)
        points = points_of_a_night()
        for step in steps.STEPS:
            assert {f"{step.name}.{at}" for at in ("written", "before_commit", "after_commit")} <= set(points)
        ask_again(from_nothing=from_nothing)
        # Each worker takes up what the one before left and dies at the next point: inside a step with all its rows written,
        # before its commit, after it, around the making, the claim and the end of the run.
        to_the_end = points[: points.index("run_finished.after_commit") + 1]
        for name in to_the_end:
            assert code_of(night(fault=f"{name}:1:exit")) == 137, name
            lease_runs_out()
        assert code_of(night()) == ALL_WENT_WELL
        run = newest_run()
        assert PublishedNight.objects.get(business_date=LAST_DAY).run_id == run.pk
        assert results_of(run) == wanted and months() == wanted_months
        assert list(Chunk.objects.filter(run=run).values_list("name", flat=True)) == [
            s.name for s in steps.STEPS
        ]


def test_a_worker_killed_at_any_moment_leaves_a_night_that_ends_with_the_same_bytes(bank_copy):
    moments = random.Random(20261124)
    with bank_copy.connected():
        wanted = results_of(newest_run())
        began = time.monotonic()
        ask_again(from_nothing=True)
        assert code_of(night()) == ALL_WENT_WELL
        lasts = time.monotonic() - began
        killed = 0
        for drill in range(5):
            ask_again(from_nothing=drill % 2 == 0)
            for _ in range(2):  # the second one finds a night half done
                worker = night()
                time.sleep(moments.uniform(0.05, 0.8) * lasts)
                os.kill(worker, signal.SIGKILL)
                killed += code_of(worker) == -signal.SIGKILL
                lease_runs_out()
            assert code_of(night()) == ALL_WENT_WELL
            run = newest_run()
            assert results_of(run) == wanted, f"drill {drill}"
            assert Chunk.objects.filter(run=run).count() == len(steps.STEPS)
        assert killed >= 5, "most of the kills must hit a night at work"


def test_two_workers_at_once_make_one_result(bank_copy):
    with bank_copy.connected():
        wanted = results_of(newest_run())
        ask_again(from_nothing=True)
        both = [night(wait=True), night(wait=True)]
        assert [code_of(child) for child in both] == [ALL_WENT_WELL, ALL_WENT_WELL]
        run = newest_run()
        assert run.attempt == 2 and Run.objects.filter(kind=nights.KIND).count() == 2
        assert len(set(Chunk.objects.filter(run=run).values_list("fence", flat=True))) == 1
        assert results_of(run) == wanted


@pytest.mark.parametrize("step", ["account_measures", "publish"])
def test_a_worker_frozen_past_its_lease_writes_nothing_more(bank_copy, step):
    with bank_copy.connected():
        wanted = results_of(newest_run())
        ask_again(from_nothing=True)
        frozen = night(fault=f"{step}.written:1:stop")
        os.waitpid(frozen, os.WUNTRACED)
        try:
            lease_runs_out()
            assert code_of(night()) == ALL_WENT_WELL
        finally:
            os.kill(frozen, signal.SIGCONT)
        assert code_of(frozen) != ALL_WENT_WELL
        run = newest_run()
        assert run.state == RunState.DONE and results_of(run) == wanted
        fences = list(Chunk.objects.filter(run=run).values_list("name", "fence"))
        assert dict(fences)[step] == 2 and max(fence for _, fence in fences) == 2


def test_a_task_delivered_three_times_does_its_work_once(bank_copy):
    with bank_copy.connected():
        ask_again(from_nothing=False)
        run = nightly.run_for(LAST_DAY, at=clock.now())
        for _ in range(3):
            jobs.work_on(run.pk, worker="again", at=clock.now(), seconds=600)
        run.refresh_from_db()
        assert (run.state, run.fence) == (RunState.DONE, 1)
        assert Chunk.objects.filter(run=run).count() == len(steps.STEPS)


def test_a_worker_whose_time_is_up_leaves_the_rest_to_the_next(bank_copy):
    with bank_copy.connected():
        wanted = results_of(newest_run())
        ask_again(from_nothing=True)
        run = nightly.run_for(LAST_DAY, at=clock.now())
        calls = 0
        while run.state != RunState.DONE:
            # The first has no time at all, the others for a step or a few.
            jobs.work_on(run.pk, worker="short", at=clock.now(), seconds=0.2 if calls else 0)
            run.refresh_from_db()
            calls += 1
            assert calls < 100
        assert calls > 1 and results_of(run) == wanted
