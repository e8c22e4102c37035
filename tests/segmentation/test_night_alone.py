"""The workers do the night alone: whatever the broker, the clock that pokes them or a poisoned run does, each date has one
run with the same bytes, and what cannot be done is given up where the operator sees it."""

import contextlib
import datetime
import os
import random
import signal
import subprocess
import sys
import time

import pytest
import redis
from django.db import connections
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse

from crm.core import clock, jobs, tasks
from crm.core.models import Chunk, Run, RunState, User
from crm.local.folder import REPOSITORY
from crm.local.valkey import Valkey
from customers.models import FeedBatch
from segmentation import nightly, nights, steps
from segmentation import tasks as night_tasks
from segmentation.models import PublishedNight
from tests.bank import LAST_DAY
from tests.local.conftest import scratch_profile
from tests.segmentation.rows import results_of

pytestmark = pytest.mark.slow
DAY = datetime.timedelta(days=1)
WELL = 0


def in_a_process(work) -> int:
    """Do ``work`` in a process of its own; return its id."""
    connections.close_all()
    child = os.fork()
    if child:
        return child
    try:
        work()
        os._exit(WELL)
    except BaseException:  # a child must never come back into the test runner
        os._exit(1)


def code_of(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def next_day_is_fed(day: datetime.date) -> None:
    FeedBatch.objects.create(
        source="core", business_date=day, manifest_sha256=f"{day}", mode="delta", state="published",
        received_at=clock.now(), published_at=clock.now(),
    )  # fmt: skip


def outdated() -> None:
    """As after an update of the program: the newest night is to be run again."""
    Run.objects.filter(kind=nights.KIND).update(code_version="of another day")


def runs_of(day: datetime.date) -> list[Run]:
    return list(Run.objects.filter(kind=nights.KIND, business_date=day).order_by("attempt"))


def lease_runs_out() -> None:
    Run.objects.filter(state=RunState.RUNNING).update(lease_until=Now() - datetime.timedelta(seconds=1))


# --- the broker ----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def worker(environment: dict[str, str], **more: str):
    """A real Celery worker, ended by its own process id."""
    command = [sys.executable, "-m", "celery", "-q", "-A", "crm", "worker", "-P", "solo", "--without-mingle"]
    process = subprocess.Popen(
        [*command, "--without-gossip", "--loglevel", "ERROR"],
        env={**environment, **more},
        cwd=REPOSITORY,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait(30)


def until(happened, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


def test_a_broker_wiped_in_the_middle_of_a_night_loses_nothing_once_the_sweeper_came_by(bank_copy):
    with scratch_profile() as scratch, bank_copy.connected():
        broker = Valkey(scratch.profile)
        url = broker.hold().url()
        environment = {**bank_copy.environment, "REDIS_URL": url}
        wanted = results_of(runs_of(LAST_DAY)[0])
        outdated()
        poke = [sys.executable, "manage.py", "shell", "-v", "0", "-c"]

        def run(code: str) -> None:
            subprocess.run([*poke, code], env=environment, cwd=REPOSITORY, check=True, timeout=60)

        # What beat does: the poke makes the run and rings for it. The worker freezes with the message unacknowledged.
        with worker(environment, FAULT="account_measures.after_commit:1:stop") as frozen:
            run("from segmentation.tasks import dispatch; dispatch()")
            made = runs_of(LAST_DAY)[-1]
            until(lambda: Chunk.objects.filter(run=made, name="account_measures").exists())
            with redis.Redis.from_url(url) as wire:
                wire.flushall()
                assert wire.dbsize() == 0
            os.kill(frozen.pid, signal.SIGKILL)
            frozen.wait(30)
        lease_runs_out()
        with worker(environment):
            # Nobody knows of the night any more but the database.
            run("from crm.core import jobs; jobs.sweep()")
            until(lambda: Run.objects.get(pk=made.pk).state == RunState.DONE)
        assert [one.attempt for one in runs_of(LAST_DAY)] == [1, 2]
        assert PublishedNight.objects.get(business_date=LAST_DAY).run_id == made.pk
        assert results_of(made) == wanted
        fences = dict(Chunk.objects.filter(run=made).values_list("name", "fence"))
        assert (fences["account_measures"], fences["publish"]) == (1, 2) and len(fences) == len(steps.STEPS)
        broker.release()


def test_no_broker_at_all_is_no_reason_not_to_make_the_run(bank_copy, monkeypatch):
    def refused(*args, **kwargs):
        raise tasks.work_on_run.OperationalError("connection refused")

    monkeypatch.setattr(tasks.work_on_run, "apply_async", refused)
    with bank_copy.connected():
        outdated()
        (run_id,) = nightly.dispatch(at=clock.now())
        assert Run.objects.get(pk=run_id).state == RunState.WAITING and run_id in jobs.open_runs()


# --- the clock that pokes ------------------------------------------------------------------------------------


def test_two_beats_at_once_and_restarted_again_and_again_make_one_run_a_date(bank_copy):
    with bank_copy.connected():
        next_day_is_fed(LAST_DAY + DAY)
        outdated()

        def beat() -> None:
            for _ in range(5):
                night_tasks.dispatch()
                tasks.sweep()

        for _restart in range(2):
            beats = [in_a_process(beat) for _ in range(2)]
            assert [code_of(child) for child in beats] == [WELL, WELL]
        assert [one.attempt for one in runs_of(LAST_DAY)] == [1, 2]
        assert [one.attempt for one in runs_of(LAST_DAY + DAY)] == [1]


def test_a_beat_that_was_away_for_days_makes_up_for_all_of_them_with_one_poke(bank_copy):
    with bank_copy.connected():
        fed = [LAST_DAY + n * DAY for n in (1, 2, 3)]
        for day in fed:
            next_day_is_fed(day)
        assert len(nightly.dispatch(at=clock.now())) == 3
        assert [len(runs_of(day)) for day in fed] == [1, 1, 1]
        for run_id in jobs.open_runs():
            jobs.work_on(run_id, worker="late", at=clock.now(), seconds=600)
        published = PublishedNight.objects.filter(business_date__in=fed).count()
        assert published == 3 and nightly.due() == [] and jobs.open_runs() == []


# --- deliveries ----------------------------------------------------------------------------------------------


def test_every_task_delivered_three_times_in_any_order_gives_the_same_bytes(bank_copy, monkeypatch):
    """The test's own broker hands out each message three times, shuffled; some of them to a second worker at once."""
    order = random.Random(7)
    queue: list = []
    monkeypatch.setattr(
        tasks.work_on_run,
        "apply_async",
        lambda args, **options: queue.extend([(tasks.work_on_run, tuple(args))] * 3),
    )
    with bank_copy.connected():
        wanted = results_of(runs_of(LAST_DAY)[0])
        outdated()
        next_day_is_fed(LAST_DAY + DAY)
        queue += [(night_tasks.dispatch, ()), (tasks.sweep, ())] * 3
        delivered = 0
        while queue:
            order.shuffle(queue)
            task, arguments = queue.pop()
            if delivered % 4 == 3:
                assert code_of(in_a_process(lambda task=task, arguments=arguments: task(*arguments))) == WELL
            else:
                task(*arguments)
            delivered += 1
        again, following = runs_of(LAST_DAY)[-1], runs_of(LAST_DAY + DAY)[-1]
        assert delivered >= 12 and (again.attempt, following.attempt) == (2, 1)
        assert (again.state, following.state) == (RunState.DONE, RunState.DONE)
        assert results_of(again) == wanted
        # An empty day after it: the same night once more from the same state gives the same bytes.
        first = results_of(following)
        outdated()
        run = nightly.run_for(LAST_DAY + DAY, at=clock.now())
        jobs.work_on(run.pk, worker="plain", at=clock.now(), seconds=600)
        assert results_of(run) == first


# --- poison --------------------------------------------------------------------------------------------------


def poisoned(run_id: int, fault: str) -> int:
    """Work on a run in a process of its own with a fault that meets it every time; return how it ended."""

    def work() -> None:
        os.environ["FAULT"] = fault
        jobs.work_on(run_id, worker=str(os.getpid()), at=clock.now(), seconds=600)

    return code_of(in_a_process(work))


@pytest.mark.parametrize(
    ("fault", "ends"),
    [("behaviour.written:1:exit", 137), ("behaviour.written:1:raise", 1)],
    ids=["kills", "raises"],
)
def test_a_poisoned_night_is_given_up_after_three_and_shown_while_other_dates_go_on(bank_copy, fault, ends):
    with bank_copy.connected():
        for day in (1, 2):
            next_day_is_fed(LAST_DAY + day * DAY)
        bad, good = nightly.dispatch(at=clock.now())
        for _ in range(3):
            assert poisoned(bad, fault) == ends
            lease_runs_out()
        # The fourth delivery finds nothing to do, and neither does the sweeper nor the next poke.
        jobs.work_on(bad, worker="fourth", at=clock.now(), seconds=600)
        run = Run.objects.get(pk=bad)
        assert (run.state, run.crashes) == (RunState.DEAD, 3) and run.error
        assert bad not in jobs.open_runs() and bad not in nightly.dispatch(at=clock.now())
        jobs.work_on(good, worker="healthy", at=clock.now(), seconds=600)
        assert PublishedNight.objects.filter(business_date=LAST_DAY + 2 * DAY, run_id=good).exists()
        assert not PublishedNight.objects.filter(business_date=LAST_DAY + DAY).exists()
        _operator_sees(bad)
        # Mended, it is run again on demand, as a further attempt.
        retried = nightly.run_for(LAST_DAY + DAY, at=clock.now())
        jobs.work_on(retried.pk, worker="healthy", at=clock.now(), seconds=600)
        assert (retried.attempt, nights.published(LAST_DAY + DAY).run_id) == (2, retried.pk)


def _operator_sees(run_id: int) -> None:
    client = Client()
    client.force_login(User.objects.get(username="adam"), backend="crm.core.sessions.AccountBackend")
    listed = {run.pk: run.state for run in client.get(reverse("nights")).context["page"].rows}
    assert listed[run_id] == RunState.DEAD
    page = client.get(reverse("night", args=[run_id]))
    assert page.context["run"].error[:20] in page.text and 'role="alert"' in page.text
