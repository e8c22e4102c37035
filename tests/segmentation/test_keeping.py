"""What is checked before a night is published, and how long its rows are kept."""

import datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from crm.core.models import Run, RunState
from segmentation import nights, steps
from tests.bank import LAST_DAY
from tests.segmentation.rows import Hand

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
