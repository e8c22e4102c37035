"""Which night people read: pinned inputs, attempts, a pointer that never goes back, checks that stop it, dates due."""

import datetime
import json
from io import StringIO
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from crm.core import clock, invariants, jobs, parameters
from crm.core.models import Run, RunState
from customers.models import FeedBatch
from segmentation import nightly, nights, policy, steps
from segmentation.models import AccountMeasure, BranchSummary, Contribution, PublishedNight, Standing
from tests.bank import FIRST_DAY, LAST_DAY
from tests.segmentation.rows import Hand, months, run_night

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


def next_day(day: datetime.date, **more) -> FeedBatch:
    """A batch without rows: a day without business."""
    return Hand(day, first=False, source="core", **more).batch


def test_the_command_prints_json_alone():
    out = StringIO()
    call_command("nightly", as_of=LAST_DAY.isoformat(), json=True, stdout=out)
    told = json.loads(out.getvalue())
    assert told["as_of"] == LAST_DAY.isoformat() and told["published"] is True
    assert told["customers"] == Standing.rows.filter(run_id=told["run"]).count() > 0
    assert [step["name"] for step in told["steps"]] == [step.name for step in steps.STEPS]
    assert set(told["steps"][0]) == {"name", "rows", "ms"}


def test_run_again_with_equal_inputs_it_is_the_published_run():
    assert run_night(LAST_DAY).pk == nights.published().run_id
    assert Run.objects.filter(kind=nights.KIND, business_date=LAST_DAY).count() == 1


def test_the_version_of_the_parameters_changes_with_any_value_in_force_and_not_with_later_ones():
    earlier, later = policy.on(FIRST_DAY).version, policy.on(LAST_DAY).version
    parameters.put("tax_rate", "0.12", valid_from=LAST_DAY, why="board", at=clock.now())
    assert policy.on(FIRST_DAY).version == earlier
    assert policy.on(LAST_DAY).version != later


def test_a_changed_batch_or_parameter_makes_another_attempt_and_marks_the_night_stale():
    before = nights.published()
    assert not nights.is_stale(before)
    parameters.put("tax_rate", "0.15", valid_from=FIRST_DAY, why="test", at=clock.now())
    assert nights.is_stale(before)
    after = run_night(LAST_DAY)
    assert (
        after.attempt == 2
        and nights.published().run_id == after.pk
        and not nights.is_stale(nights.published())
    )
    FeedBatch.objects.filter(source="core", business_date=LAST_DAY).update(state="replaced")
    assert nights.is_stale(nights.published())


def test_readers_get_the_newest_night_on_or_before_a_day():
    next_day(LAST_DAY + DAY)
    run_night(LAST_DAY + DAY)
    assert nights.published().business_date == LAST_DAY + DAY
    assert nights.published(LAST_DAY).business_date == LAST_DAY
    assert nights.published(FIRST_DAY) is None


def test_the_pointer_never_goes_back():
    first = nights.published().run_id
    parameters.put("tax_rate", "0.15", valid_from=FIRST_DAY, why="test", at=clock.now())
    run_night(LAST_DAY)
    pointer = PublishedNight.objects.filter(business_date=LAST_DAY)
    for act in (lambda: pointer.update(run_id=first), lambda: pointer.delete()):
        with pytest.raises(IntegrityError, match="published_night_never_goes_back"), transaction.atomic():
            act()
    stranger = jobs.ensure_run("other", LAST_DAY, at=clock.now())
    with pytest.raises(IntegrityError, match="published_night_is_of_its_date"), transaction.atomic():
        PublishedNight.objects.create(
            business_date=LAST_DAY + DAY,
            run=stranger,
            customers=0,
            base_currency="CNY",
            published_at=clock.now(),
        )


@pytest.mark.parametrize(
    ("breach", "check"),
    [
        ("delete from segmentation_standing where run_id = {run} and customer_id ="
         " (select min(customer_id) from segmentation_standing where run_id = {run})", "everybody_is_scored_once"),
        ("update segmentation_contribution set pretax = pretax + 0.01 where run_id = {run}", "parts_add_up"),
        ("update segmentation_contribution set fee = fee + 1, pretax = pretax + 1, net = net + 1, eva = eva + 1"
         " where run_id = {run} and period = 'ytd'", "accounts_add_up_to_customers"),
        ("update segmentation_accountmeasure set balance = balance + 1 where run_id = {run}", "balances_are_the_feeds"),
        ("update segmentation_branchsummary set customers = customers + 1 where run_id = {run}", "branches_add_up_to_the_bank"),
        ("delete from segmentation_accountmeasure where run_id = {run} and side = 'service'", "every_account_is_measured_once"),
        ("delete from segmentation_contribution where run_id = {run} and period = 'mtd'", "every_period_is_told_once"),
    ],
)  # fmt: skip
def test_a_check_that_finds_something_stops_the_publication_and_is_named(monkeypatch, breach, check):
    run_id_of = {}
    hand = Hand(LAST_DAY + DAY)
    hand.account(hand.customer(), "mobile_banking")

    def broken(cursor, night):
        run_id_of["run"] = night.run_id
        cursor.execute(breach.format(run=night.run_id))
        return steps.check(cursor, night)

    monkeypatch.setattr(
        steps,
        "STEPS",
        [step if step.name != "checks" else steps.Step("checks", broken) for step in steps.STEPS],
    )
    before = nights.published().run_id
    with pytest.raises(CommandError, match=check):
        call_command(
            "nightly", as_of=(LAST_DAY + DAY).isoformat(), json=True, stdout=StringIO(), stderr=StringIO()
        )
    run = Run.objects.get(pk=run_id_of["run"])
    assert run.state == RunState.FAILED and check in run.error
    assert nights.published().run_id == before


def test_without_a_feed_there_is_no_night():
    FeedBatch.objects.update(state="refused")
    with pytest.raises(CommandError, match="no feed"):
        call_command("nightly", as_of=LAST_DAY.isoformat(), stdout=StringIO())
    assert nightly.due() == []


def test_a_day_nobody_delivered_yet_has_no_night():
    with pytest.raises(CommandError, match="newest feed is of 2026-10-31"):
        call_command("nightly", as_of=(LAST_DAY + DAY).isoformat(), stdout=StringIO())
    assert nights.published().business_date == LAST_DAY


def test_a_batch_that_comes_while_the_night_runs_asks_for_another_attempt():
    run = nightly.run_for(LAST_DAY - DAY, at=clock.now())
    fence = jobs.claim(run.pk, worker="test", at=clock.now())
    Hand(LAST_DAY - DAY)  # a source nobody knew: its rows were known from their own dates on
    assert nightly.work(run.pk, fence, float("inf"), at=clock.now())
    run.refresh_from_db()
    assert run.state == RunState.DEAD and "changed" in run.error
    assert run_night(LAST_DAY - DAY).attempt == 2


def test_due_are_the_days_whose_feed_is_in_from_every_source_and_whose_night_is_not_current():
    assert nightly.due() == []
    next_day(LAST_DAY + DAY)
    next_day(LAST_DAY + 2 * DAY)
    assert nightly.due() == [LAST_DAY + DAY, LAST_DAY + 2 * DAY]
    # Another source, a day behind from here on; what its first batch tells was true before, so the last night is stale.
    Hand(LAST_DAY + DAY, source="cards")
    assert nightly.due() == [LAST_DAY, LAST_DAY + DAY]
    for day in nightly.due():
        run_night(day)
    assert nightly.due() == []


def test_before_the_first_night_only_the_newest_day_is_due(monkeypatch):
    next_day(LAST_DAY + DAY)
    monkeypatch.setattr(nightly, "PublishedNight", SimpleNamespace(objects=PublishedNight.objects.none()))
    assert nightly.due() == [LAST_DAY + DAY]


def test_any_number_of_pokes_makes_one_run_a_date():
    next_day(LAST_DAY + DAY)
    made = {tuple(nightly.dispatch(at=clock.now())) for _ in range(3)}
    assert len(made) == 1
    assert Run.objects.filter(kind=nights.KIND, business_date=LAST_DAY + DAY).count() == 1


def test_a_run_that_was_given_up_is_not_taken_up_again_by_itself_but_on_demand():
    next_day(LAST_DAY + DAY)
    run = nightly.run_for(LAST_DAY + DAY, at=clock.now())
    Run.objects.filter(pk=run.pk).update(state=RunState.DEAD)
    assert nightly.dispatch(at=clock.now()) == []
    assert run_night(LAST_DAY + DAY).attempt == 2


def test_rows_of_old_nights_are_let_go_and_their_summary_stays():
    for n in range(1, 6):
        next_day(LAST_DAY + n * DAY)
        run_night(LAST_DAY + n * DAY)
    kept = dict(PublishedNight.objects.values_list("business_date", "kept"))
    assert kept == {LAST_DAY + n * DAY: n in (0, 3, 4, 5) for n in range(6)}, (
        "a month end and the three newest"
    )
    gone = PublishedNight.objects.get(business_date=LAST_DAY + DAY)
    for model in (Standing, AccountMeasure, Contribution):
        assert not model.rows.filter(run_id=gone.run_id).exists()
    assert BranchSummary.objects.filter(run_id=gone.run_id).exists()
    again = run_night(LAST_DAY + DAY)
    assert again.attempt == 2 and Standing.rows.filter(run_id=again.pk).exists()
    assert nights.published().business_date == LAST_DAY + 5 * DAY


def test_the_newest_nights_rows_cannot_be_dropped():
    with (
        pytest.raises(Exception, match="newest published night"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("select segmentation_drop_run(%s)", [nights.published().run_id])


def test_the_base_currency_is_that_of_most_accounts_of_the_first_batch_and_is_remembered():
    assert nights.published().base_currency == "CNY"
    assert parameters.value("base_currency", FIRST_DAY) == "CNY"
    parameters.put("base_currency", "USD", valid_from=FIRST_DAY, why="test", at=clock.now())
    assert run_night(LAST_DAY).inputs["base_currency"] == "USD"


def test_all_invariants_of_the_night_hold():
    broken = [r for r in invariants.run({"I3", "I4", "I5", "I6", "I7", "I16"}) if r.findings]
    assert broken == []


def test_the_command_can_fill_the_accumulators_from_nothing_and_they_are_the_same():
    before = months()
    call_command("nightly", as_of=LAST_DAY.isoformat(), rebuild=True, stdout=StringIO())
    assert before and months() == before


def test_a_word_that_is_no_date_is_refused():
    with pytest.raises(CommandError, match="not a date"):
        call_command("nightly", as_of="yesterday", stdout=StringIO())
