"""The job ledger: one holder at a time, fences, crashes counted, and nothing done twice."""

import datetime
import threading
import time

import pytest
from django.db import connection, connections
from django.db.models.functions import Now

from crm.core import clock, jobs
from crm.core.models import Chunk, Run, RunState

DAY = datetime.date(2026, 11, 22)


def make_run(kind: str = "drill") -> Run:
    return jobs.ensure_run(kind, DAY, at=clock.now())


def expire(run_id: int) -> None:
    Run.objects.filter(pk=run_id).update(lease_until=Now() - datetime.timedelta(seconds=1))


@pytest.mark.django_db
def test_a_run_is_made_once_however_often_it_is_asked_for():
    assert make_run().pk == make_run().pk
    assert jobs.ensure_run("drill", DAY, attempt=2, at=clock.now()).pk != make_run().pk


@pytest.mark.django_db
def test_a_live_lease_keeps_everybody_else_out():
    run = make_run()
    assert jobs.claim(run.pk, worker="a", at=clock.now()) == 1
    assert jobs.claim(run.pk, worker="b", at=clock.now()) is None


@pytest.mark.django_db
def test_whoever_lost_the_lease_can_write_nothing_more():
    run = make_run()
    old = jobs.claim(run.pk, worker="frozen", at=clock.now())
    expire(run.pk)
    # In a test both claims share one connection, which must not be ended.
    Run.objects.filter(pk=run.pk).update(backend_pid=None)
    new = jobs.claim(run.pk, worker="fresh", at=clock.now())
    assert new == old + 1
    with pytest.raises(jobs.FenceLost), jobs.chunk(run.pk, old, "step", 1):
        pass
    with pytest.raises(jobs.FenceLost):
        jobs.finish(run.pk, old, clock.now())
    with jobs.chunk(run.pk, new, "step", 1) as work:
        work.rows = 7
    assert Chunk.objects.get(run=run).rows == 7


@pytest.mark.django_db
def test_a_fence_lost_in_the_middle_of_a_piece_undoes_the_piece():
    run = make_run()
    fence = jobs.claim(run.pk, worker="a", at=clock.now())
    with pytest.raises(jobs.FenceLost), jobs.chunk(run.pk, fence, "step", 1):
        Run.objects.filter(pk=run.pk).update(fence=fence + 1)
    assert not Chunk.objects.filter(run=run).exists()


@pytest.mark.django_db
def test_three_crashes_in_a_row_and_the_run_is_given_up():
    run = make_run()
    for _ in range(3):
        assert jobs.claim(run.pk, worker="dies", at=clock.now())
        expire(run.pk)
        Run.objects.filter(pk=run.pk).update(backend_pid=None)
    assert jobs.claim(run.pk, worker="next", at=clock.now()) is None
    run.refresh_from_db()
    assert run.state == RunState.DEAD and run.crashes == 3


@pytest.mark.django_db
def test_a_piece_that_is_done_forgives_earlier_crashes():
    run = make_run()
    jobs.claim(run.pk, worker="dies", at=clock.now())
    expire(run.pk)
    Run.objects.filter(pk=run.pk).update(backend_pid=None)
    fence = jobs.claim(run.pk, worker="lives", at=clock.now())
    with jobs.chunk(run.pk, fence, "step", 1):
        pass
    run.refresh_from_db()
    assert run.crashes == 0


@pytest.fixture
def drill(monkeypatch):
    """A kind of work with three pieces; returns what was done, in order."""
    done: list[str] = []

    def work(run_id: int, fence: int, deadline: float) -> bool:
        already = jobs.done_chunks(run_id)
        for position, name in enumerate(["one", "two", "three"]):
            if name in already:
                continue
            if time.monotonic() > deadline:
                return False
            with jobs.chunk(run_id, fence, name, position):
                done.append(name)
        jobs.finish(run_id, fence, clock.now())
        return True

    monkeypatch.setitem(jobs._handlers, "drill", work)
    return done


@pytest.mark.django_db
def test_any_number_of_deliveries_does_the_work_once(drill):
    run = make_run()
    results = [jobs.work_on(run.pk, worker="w", at=clock.now(), seconds=10) for _ in range(4)]
    assert results == [True, False, False, False]
    assert drill == ["one", "two", "three"]


@pytest.mark.django_db
def test_a_task_whose_time_is_up_gives_the_run_back_for_the_next(drill):
    run = make_run()
    assert not jobs.work_on(run.pk, worker="w", at=clock.now(), seconds=-1)
    run.refresh_from_db()
    assert run.state == RunState.WAITING and run.pk in jobs.open_runs()
    assert jobs.work_on(run.pk, worker="w", at=clock.now(), seconds=10)
    assert drill == ["one", "two", "three"]


@pytest.mark.django_db
def test_the_sweeper_finds_what_nobody_works_on(drill):
    run = make_run()
    assert run.pk in jobs.sweep()
    jobs.claim(run.pk, worker="a", at=clock.now())
    assert run.pk not in jobs.sweep()
    expire(run.pk)
    assert run.pk in jobs.sweep()
    Run.objects.filter(pk=run.pk).update(state=RunState.DONE)
    assert run.pk not in jobs.sweep()


@pytest.mark.django_db
def test_an_error_is_kept_and_tried_again_until_the_third(monkeypatch):
    def broken(run_id, fence, deadline):
        raise ValueError("no rates for the day")

    monkeypatch.setitem(jobs._handlers, "drill", broken)
    run = make_run()
    for state in (RunState.FAILED, RunState.FAILED, RunState.DEAD):
        with pytest.raises(ValueError):
            jobs.work_on(run.pk, worker="w", at=clock.now(), seconds=5)
        run.refresh_from_db()
        assert run.state == state and "no rates" in run.error


def test_taking_over_ends_the_frozen_holders_connection(bank_copy):
    with bank_copy.connected():
        run = make_run()
        frozen_pid: list[int] = []
        locked, let_go = threading.Event(), threading.Event()
        outcome: list[str] = []

        def freeze() -> None:
            fence = jobs.claim(run.pk, worker="frozen", at=clock.now())
            try:
                with jobs.chunk(run.pk, fence, "step", 1) as work:
                    with connection.cursor() as cursor:
                        cursor.execute("select pg_backend_pid()")
                        frozen_pid.append(cursor.fetchone()[0])
                        cursor.execute(
                            "insert into core_parameter (name, valid_from, version, value, set_at, why)"
                            " values ('x', '2026-01-01', 1, '1', now(), 'a lock the next worker needs')"
                        )
                    locked.set()
                    let_go.wait(20)
                    work.rows = 1
                outcome.append("committed")
            except Exception as error:
                outcome.append(type(error).__name__)
            finally:
                connections.close_all()

        thread = threading.Thread(target=freeze)
        thread.start()
        assert locked.wait(20)
        with connection.cursor() as cursor:
            cursor.execute("select core_backend_started(%s) is not null", frozen_pid)
            assert cursor.fetchone()[0]
        expire(run.pk)
        assert jobs.claim(run.pk, worker="fresh", at=clock.now()) == 2
        with connection.cursor() as cursor:
            # Would wait for the frozen transaction's unfinished row, were it still there.
            cursor.execute("set lock_timeout = '5s'")
            cursor.execute(
                "insert into core_parameter (name, valid_from, version, value, set_at, why)"
                " values ('x', '2026-01-01', 1, '2', now(), 'mine now')"
            )
        let_go.set()
        thread.join(20)
        assert outcome and outcome[0] != "committed"
        assert not Chunk.objects.filter(run=run).exists()


def test_two_workers_at_once_make_one_result(bank_copy, monkeypatch):
    with bank_copy.connected():
        run = make_run()
        fences: list[int | None] = []

        def try_it() -> None:
            try:
                fences.append(jobs.claim(run.pk, worker="w", at=clock.now()))
            finally:
                connections.close_all()

        threads = [threading.Thread(target=try_it) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert sorted(fence for fence in fences if fence) == [1] and len(fences) == 8
