"""The night: makes, resumes and finishes the run of a business date, and says which dates are due.

A run pins its inputs (batches, parameters, code, base currency) when it is made. Run again with equal inputs it is the
published run; with others it is a new attempt. What is done stands in the job ledger, so any worker may go on.
"""

import datetime
import logging
import time
from collections.abc import Iterator
from typing import Any

from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import Max, Min

from crm.core import faults, jobs, parameters
from crm.core.models import Chunk, Run, RunState
from customers.models import FeedBatch
from customers.models.batches import BatchState
from segmentation import nights, periods, policy, steps
from segmentation.models import PublishedNight

log = logging.getLogger(__name__)
DAY = datetime.timedelta(days=1)
EVER = datetime.date(1, 1, 1)


class NoFeed(RuntimeError):
    """Nothing has been published yet that a night of the date could rest on."""


def run_for(as_of: datetime.date, *, at: datetime.datetime, again: bool = True) -> Run:
    """Return the run of a date with today's inputs: the latest where its inputs still hold, else a new attempt.

    ``again``: also make a new attempt where the latest was given up. Raises NoFeed.
    """
    wanted = nights.inputs_of(as_of, base_currency(as_of, at=at))
    if not wanted["batches"]:
        raise NoFeed(f"no feed is published that a night of {as_of} could rest on")
    newest = FeedBatch.objects.filter(pk__in=wanted["batches"]).aggregate(Max("business_date"))[
        "business_date__max"
    ]
    if as_of > newest:
        # Readers follow the newest date: a night of a day nobody delivered would hide every real one before it.
        raise NoFeed(f"the newest feed is of {newest}: there is no data of {as_of} yet")
    versions = {"code_version": nights.code_version(), "parameters_version": policy.on(as_of).version}
    while True:
        latest = Run.objects.filter(kind=nights.KIND, business_date=as_of).order_by("-attempt").first()
        if (
            latest
            and _same(latest, wanted, versions)
            and not (latest.state == RunState.DEAD and again)
            and not _let_go(latest)
        ):
            return latest
        attempt = latest.attempt + 1 if latest else 1
        run = jobs.ensure_run(nights.KIND, as_of, attempt=attempt, inputs=wanted, at=at, **versions)
        faults.point("run_made.after_commit")
        if _same(run, wanted, versions):
            if latest:
                _give_up(latest, f"superseded by attempt {attempt}")
            return run


def work(run_id: int, fence: int, deadline: float, *, at: datetime.datetime) -> bool:
    """Run the steps that are not done until ``deadline`` (``time.monotonic()``); return whether the run is finished."""
    began = time.monotonic()
    run = Run.objects.get(pk=run_id)
    faults.point("run_claimed.after_commit")
    night = steps.Night(run_id, run.business_date, run.inputs, policy.on(run.business_date))
    done = jobs.done_chunks(run_id)
    try:
        if "publish" not in done:
            verify(run, night)
        for position, step in enumerate(steps.STEPS, 1):
            if step.name in done:
                continue
            if time.monotonic() > deadline:
                return False
            jobs.progress(run_id, fence, f"{position}/{len(steps.STEPS)} {step.name}")
            with jobs.chunk(run_id, fence, step.name, position) as piece:
                if step.name == "publish":
                    verify(run, night)
                piece.rows, piece.checksum = steps.run_step(step, night)
    except steps.InputsChanged as change:
        # Trying again cannot help this run; whoever looks for due dates makes another attempt.
        Run.objects.filter(pk=run_id, fence=fence, state=RunState.RUNNING).update(
            state=RunState.DEAD, error=str(change), finished_at=_later(at, began), lease_until=None
        )
        return True
    faults.point("run_finished.before_commit")
    jobs.finish(run_id, fence, _later(at, began))
    faults.point("run_finished.after_commit")
    retire()
    return True


def _later(at: datetime.datetime, began: float) -> datetime.datetime:
    """Return the moment now, given the moment ``at`` when ``time.monotonic()`` said ``began``."""
    return at + datetime.timedelta(seconds=time.monotonic() - began)


def verify(run: Run, night: steps.Night) -> None:
    """Raise InputsChanged unless batches and parameters are still those the run pinned."""
    steps.verify_inputs(night)
    if policy.on(run.business_date).version != run.parameters_version:
        raise steps.InputsChanged(
            f"the parameters in force on {run.business_date} have changed since the run was made"
        )


def due() -> list[datetime.date]:
    """Return the dates whose feed is in from every known source and whose night with today's inputs is not published,
    from the last published date on. Before the first night only the newest date: nobody asked for the history."""
    sources = (
        FeedBatch.objects.filter(state=BatchState.PUBLISHED)
        .values("source")
        .annotate(first=Min("business_date"), last=Max("business_date"))
    )
    if not sources:
        return []
    complete_until = min(source["last"] for source in sources)
    newest = PublishedNight.objects.aggregate(Max("business_date"))["business_date__max"]
    if newest is None:
        return [complete_until]
    return [day for day in _fed_days(sources, newest, complete_until) if not _is_current(day)]


def dispatch(*, at: datetime.datetime) -> list[int]:
    """Make and ring the runs that are due; return their ids. Any number of calls make the same runs."""
    runs = [run_for(day, at=at, again=False) for day in due()]
    waiting = [run.pk for run in runs if run.state == RunState.WAITING]
    for run_id in waiting:
        jobs.ring(run_id)
    return waiting


def base_currency(as_of: datetime.date, *, at: datetime.datetime) -> str:
    """Return the base currency; where nobody set one, remember the one most accounts of the first batch bear."""
    if chosen := parameters.value(policy.BASE_CURRENCY, as_of):
        return chosen
    first = FeedBatch.objects.filter(state=BatchState.PUBLISHED).order_by("business_date", "pk").first()
    if first is None:
        return "CNY"
    with connection.cursor() as cursor:
        cursor.execute(
            "select currency from customers_account_as_of(%s) group by currency order by count(*) desc, currency limit 1",
            [first.business_date],
        )
        row = cursor.fetchone()
    if row is None:
        return "CNY"
    try:
        with transaction.atomic():
            why = "currency of most accounts of the first batch"
            parameters.put(policy.BASE_CURRENCY, row[0], valid_from=EVER, why=why, at=at)
    except IntegrityError:  # somebody else was as quick
        return parameters.value(policy.BASE_CURRENCY, as_of) or row[0]
    return row[0]


def retire() -> list[int]:
    """Let go of what is kept no longer; return the runs concerned.

    Customers' rows of nights that are neither new, nor month ends, nor just finished; later the narrow scores, too; and at
    once everything of attempts that readers never follow. Best effort: whoever is reading is not disturbed, the next night
    tries again. Summaries, pointers and the ledger stay.
    """
    full = _kept_runs()
    narrow = full | _remembered_runs()
    let_go = [(run, "drop") for run in _runs_with_rows("standing") - full if run in narrow]
    let_go += [(run, "forget") for run in _runs_with_rows("pastscore") - narrow]
    return [run for run, act in sorted(let_go) if _let_go_of(run, act)]


def _let_go_of(run_id: int, act: str) -> bool:
    """Drop a run's partitions (``drop``), those of its narrow scores with them (``forget``); return whether it worked."""
    pointer = PublishedNight.objects.filter(run_id=run_id)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            if not pointer.update(kept=False):
                # Changes of tiers count only under the pointer; an attempt that lost it never gets it back.
                cursor.execute("delete from segmentation_tierchange where run_id = %s", [run_id])
            cursor.execute(f"select segmentation_{act}_run(%s)", [run_id])
    except OperationalError as error:
        log.info("rows of run=%s stay for now: %s", run_id, error)
        return False
    faults.point("rows_let_go.after_commit")
    return True


def report(run: Run) -> dict[str, Any]:
    """Return what ``manage.py nightly`` prints about a run."""
    night = PublishedNight.objects.filter(run=run).first()
    told: dict[str, Any] = {
        "as_of": run.business_date.isoformat(),
        "run": run.pk,
        "customers": night.customers if night else None,
        "published": night is not None,
        "steps": list(Chunk.objects.filter(run=run).order_by("position").values("name", "rows", "ms")),
    }
    if run.error:
        told["error"] = run.error
    return told


def _same(run: Run, wanted: dict[str, Any], versions: dict[str, str]) -> bool:
    pinned = {"code_version": run.code_version, "parameters_version": run.parameters_version}
    return run.inputs == wanted and pinned == versions


def _let_go(run: Run) -> bool:
    """Return whether the run is done but its customers' rows are not kept any more."""
    return run.state == RunState.DONE and PublishedNight.objects.filter(run=run, kept=False).exists()


def _give_up(run: Run, why: str) -> None:
    Run.objects.filter(pk=run.pk, state__in=[RunState.WAITING, RunState.FAILED]).update(
        state=RunState.DEAD, error=why
    )


def _is_current(day: datetime.date) -> bool:
    night = PublishedNight.objects.filter(business_date=day).select_related("run").first()
    return (
        night is not None and not nights.is_stale(night) and night.run.code_version == nights.code_version()
    )


def _fed_days(sources, first: datetime.date, last: datetime.date) -> Iterator[datetime.date]:
    """Yield the days on which every source that had begun delivered a batch. A day skipped by an accepted gap has none."""
    delivered = set(
        FeedBatch.objects.filter(state=BatchState.PUBLISHED, business_date__range=(first, last)).values_list(
            "source", "business_date"
        )
    )
    day = first
    while day <= last:
        begun = [source["source"] for source in sources if source["first"] <= day]
        if begun and all((source, day) in delivered for source in begun):
            yield day
        day += DAY


def _kept_runs() -> set[int]:
    """Return the runs whose rows stay: the newest nights, the newest month ends, the runs finished last (readers who
    took the pointer a moment ago) and everything unfinished."""
    newest = _keeping()
    kept = list(
        PublishedNight.objects.filter(kept=True)
        .order_by("-business_date")
        .values_list("business_date", "run_id")
    )
    month_ends = [run_id for day, run_id in kept if periods.is_month_end(day)]
    keep = {run_id for _, run_id in kept[: max(1, newest["nights_kept"])]}
    keep |= set(month_ends[: newest["month_ends_kept"]])
    ours = Run.objects.filter(kind=nights.KIND)
    keep |= set(
        ours.filter(state=RunState.DONE).order_by("-finished_at", "-pk").values_list("pk", flat=True)[:3]
    )
    return keep | set(ours.exclude(state__in=[RunState.DONE, RunState.DEAD]).values_list("pk", flat=True))


def _remembered_runs() -> set[int]:
    """Return the runs of the newest nights whose scores stay when their other rows are gone."""
    newest = PublishedNight.objects.order_by("-business_date").values_list("run_id", flat=True)
    return set(newest[: max(1, _keeping()["past_scores_kept"])])


def _keeping() -> dict[str, int]:
    """Return how many nights of each sort stay, as in force on the newest night's date."""
    on = PublishedNight.objects.aggregate(Max("business_date"))["business_date__max"] or EVER
    return parameters.values(on, sorted(policy.KEEPING))


def _runs_with_rows(table: str) -> set[int]:
    """Return the runs that have a partition of ``segmentation_<table>``."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select substring(c.relname from '_r([0-9]+)$')::bigint from pg_inherits i join pg_class c on c.oid = i.inhrelid"
            " where i.inhparent = %s::regclass",
            [f"segmentation_{table}"],
        )
        return {run_id for (run_id,) in cursor}
