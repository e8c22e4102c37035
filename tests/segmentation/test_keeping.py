"""What is checked before a night is published, and how long its rows are kept."""

import datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from crm.core import clock, invariants, parameters
from crm.core.models import Run, RunState
from segmentation import nightly, nights, steps
from segmentation.models import PastScore, PublishedNight, Standing, TierChange
from tests.bank import FIRST_DAY, LAST_DAY
from tests.segmentation.rows import Hand, run_night

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)
SOMEBODY = "run_id = {run} and customer_id = (select min(customer_id) from segmentation_standing where run_id = {run})"


@pytest.mark.parametrize(
    ("breach", "check"),
    [
        (f"delete from segmentation_behaviour where {SOMEBODY}", "everybody_has_every_row"),
        (f"delete from segmentation_related where {SOMEBODY}", "everybody_has_every_row"),
        (f"delete from segmentation_loyalty where {SOMEBODY}", "everybody_has_every_row"),
        (f"delete from segmentation_risk where {SOMEBODY}", "everybody_has_every_row"),
        (f"delete from segmentation_pastscore where {SOMEBODY}", "everybody_has_every_row"),
        (f"delete from segmentation_standing where {SOMEBODY}", "everybody_has_every_row"),
        (f"update segmentation_contribution set tax = tax + 0.01, net = net - 0.01, eva = eva - 0.01 where {SOMEBODY}"
         " and period = 'ytd'", "ledgers_are_the_scores"),
        (f"update segmentation_standing set contribution = contribution + 0.01 where {SOMEBODY}", "ledgers_are_the_scores"),
        (f"update segmentation_loyalty set tenure_points = tenure_points + 0.0001 where {SOMEBODY}",
         "ledgers_are_the_scores"),
        ("update segmentation_loyalty set clamp_points = 1, tenure_points = tenure_points - 1 where run_id = {run}"
         " and score between 1 and 99", "ledgers_are_the_scores"),
        (f"update segmentation_risk set warning_points = warning_points + 0.0001 where {SOMEBODY}",
         "ledgers_are_the_scores"),
        (f"update segmentation_risk set floor_points = floor_points - 1, kyc_points = kyc_points + 1 where {SOMEBODY}",
         "ledgers_are_the_scores"),
        (f"update segmentation_standing set loyalty = 50.0001, loyalty_coverage = 1 where {SOMEBODY}",
         "ledgers_are_the_scores"),
        (f"update segmentation_standing set risk = 50.0001, risk_coverage = 1 where {SOMEBODY}", "ledgers_are_the_scores"),
        (f"update segmentation_pastscore set tier = 'gone' where {SOMEBODY}", "ledgers_are_the_scores"),
        (f"update segmentation_standing set contribution_score = 12.3456 where {SOMEBODY}", "ranks_are_their_counts"),
        (f"update segmentation_standing set contribution_less = contribution_less + 1, contribution_equal ="
         f" contribution_equal - 2 where {SOMEBODY}", "ranks_are_their_counts"),
        ("update segmentation_standing set contribution_among = contribution_among + 1 where run_id = {run}",
         "ranks_are_their_counts"),
        ("update segmentation_standing set loyalty_percentile = null where run_id = {run}", "ranks_are_their_counts"),
        ("update segmentation_peergroup set size = size + 1 where run_id = {run} and peer_id = 2",
         "peer_groups_count_their_members"),
        ("update segmentation_standing set peer_id = 1 where run_id = {run}", "peer_groups_count_their_members"),
        ("update segmentation_branchsummary set loyalty_sum = loyalty_sum + 0.0001 where run_id = {run}",
         "branches_add_up_to_the_bank"),
        ("update segmentation_branchsummary set risk_count = risk_count + 1 where run_id = {run}", "branches_add_up_to_the_bank"),
        ("update segmentation_branchsummary set lost_customers = lost_customers + 1 where run_id = {run}",
         "branches_add_up_to_the_bank"),
    ],
)  # fmt: skip
def test_a_night_whose_ledgers_or_peers_do_not_add_up_is_not_published(monkeypatch, breach, check):
    hand = Hand(LAST_DAY + DAY)
    hand.account(hand.customer("individual"), "demand_deposit", {LAST_DAY: "5000"})

    def broken(cursor, night):
        cursor.execute(breach.format(run=night.run_id))
        assert cursor.rowcount > 0, "the breach must break something"
        return steps.check(cursor, night)

    broken_steps = [step if step.name != "checks" else steps.Step("checks", broken) for step in steps.STEPS]
    monkeypatch.setattr(steps, "STEPS", broken_steps)
    before = nights.published().run_id
    with pytest.raises(CommandError, match=check):
        call_command("nightly", as_of=(LAST_DAY + DAY).isoformat(), stdout=StringIO(), stderr=StringIO())
    run = Run.objects.filter(business_date=LAST_DAY + DAY).get()
    assert run.state == RunState.FAILED and check in run.error
    assert nights.published().run_id == before


def nights_after(count: int) -> list[Run]:
    """Run the nights of ``count`` days after the bank's last one, days without business."""
    runs = []
    for n in range(1, count + 1):
        Hand(LAST_DAY + n * DAY, first=False, source="core")
        runs.append(run_night(LAST_DAY + n * DAY))
    return runs


def has_rows(run_id: int) -> tuple[bool, bool]:
    """Whether full rows and narrow scores of a run are there."""
    return Standing.rows.filter(run_id=run_id).exists(), PastScore.rows.filter(run_id=run_id).exists()


def partitions(run_id: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "select count(*) from pg_class where relname like %s", [f"segmentation\\_%\\_r{run_id}"]
        )
        return cursor.fetchone()[0]


def keep(**values: object) -> None:
    for name, value in values.items():
        parameters.put(name, value, valid_from=FIRST_DAY, why="test", at=clock.now())


def test_scores_outlive_the_other_rows_and_go_after_their_time():
    keep(nights_kept=1, past_scores_kept=4)
    month_end = nights.published().run_id
    runs = nights_after(6)
    # The three runs finished last stay in full: somebody may have taken the pointer a moment ago.
    assert [has_rows(run.pk) for run in runs] == [
        (False, False),
        (False, False),
        (False, True),
        (True, True),
        (True, True),
        (True, True),
    ]
    assert partitions(runs[0].pk) == 0 and partitions(runs[2].pk) == 1
    assert has_rows(month_end) == (True, True), "a month end is kept in full"
    assert PublishedNight.objects.filter(run_id=runs[0].pk, kept=False).exists(), (
        "the pointer stays, and says so"
    )
    assert [r.findings for r in invariants.run({"I3", "I4", "I5", "I7", "I16"}) if r.findings] == []
    assert nightly.retire() == [], "let go once"


def test_a_month_end_goes_when_newer_ones_fill_the_count():
    keep(nights_kept=1, month_ends_kept=0, past_scores_kept=400)
    month_end = nights.published().run_id
    nights_after(3)
    assert has_rows(month_end) == (False, True)


def test_an_attempt_readers_never_follow_again_goes_with_all_it_wrote():
    first = nights.published().run_id
    assert TierChange.rows.filter(run_id=first).exists()
    keep(tax_rate="0.15")
    again = run_night(LAST_DAY)
    nights_after(2)
    assert partitions(first) == 0 and not TierChange.rows.filter(run_id=first).exists()
    assert has_rows(again.pk) == (True, True) and TierChange.rows.filter(run_id=again.pk).exists()


def test_a_dead_attempt_leaves_no_rows_behind():
    Hand(LAST_DAY + DAY, first=False, source="core")
    run = nightly.run_for(LAST_DAY + DAY, at=clock.now())
    with connection.cursor() as cursor:
        cursor.execute("select segmentation_open_run(%s)", [run.pk])
    assert partitions(run.pk) > 0 and run.pk not in nightly.retire(), "it may still be worked on"
    Run.objects.filter(pk=run.pk).update(state=RunState.DEAD)
    assert nightly.retire() == [run.pk] and partitions(run.pk) == 0


@pytest.mark.parametrize(
    ("breach", "told"),
    [
        ("delete from segmentation_pastscore where run_id = {run}", "gone before their time"),
        (
            "update segmentation_pastscore set contribution = contribution + 1 where run_id = {run}",
            "contributions differ",
        ),
        ("update segmentation_publishednight set kept = false where run_id = {run}", "said to be let go"),
    ],
)
def test_the_invariants_see_what_was_lost(breach, told):
    with connection.cursor() as cursor:
        cursor.execute(breach.format(run=nights.published().run_id))
    findings = [finding for result in invariants.run({"I4"}) for finding in result.findings]
    assert any(told in finding for finding in findings)


@pytest.mark.parametrize("table", ["standing", "behaviour", "related", "loyalty", "risk", "pastscore"])
def test_the_planner_knows_that_a_customer_has_one_row_a_night(table):
    """Joins of partitions are planned by the parent's figures; without any, a million rows were joined by comparing all."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select n_distinct from pg_stats where inherited and tablename = %s and attname = 'customer_id'",
            [f"segmentation_{table}"],
        )
        assert cursor.fetchone() == (-1,)
