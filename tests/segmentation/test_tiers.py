"""Tiers: half-open intervals, the higher verdict for firms, and the night judging on the floor exactly."""

import datetime
from decimal import Decimal

import pytest

from crm.core import clock, parameters
from segmentation import policy, tiers
from segmentation.models import Standing
from tests.segmentation.rows import Hand, run_night

RULES = policy.Policy({name: choice[0] for name, choice in policy._CHOICES.items()})
LAST = datetime.date(2026, 11, 30)
FIRST = datetime.date(2026, 11, 1)


@pytest.mark.parametrize(
    ("assets", "tier"),
    [
        ("-5", "ordinary"), ("0", "ordinary"), ("49999.99", "ordinary"), ("50000", "gold"), ("199999.99", "gold"),
        ("200000", "platinum"), ("500000", "vip"), ("2000000", "diamond"), ("5999999.99", "diamond"), ("6000000", "private"),
    ],
)  # fmt: skip
def test_a_person_stands_in_the_tier_whose_floor_he_reaches(assets, tier):
    assert tiers.personal(Decimal(assets), RULES) == tier


@pytest.mark.parametrize(
    ("earned", "deposits", "strategic", "tier"),
    [
        ("-1", "0", False, "inefficient"), ("0", "0", False, "general"), ("199999.99", "4999999.99", False, "general"),
        ("200000", "0", False, "quality"), ("-1", "5000000", False, "quality"), ("200000", "30000000", False, "key"),
        ("5000000", "0", False, "strategic"), ("-1", "0", True, "strategic"),
    ],
)  # fmt: skip
def test_a_firm_stands_by_the_better_of_contribution_and_deposits(earned, deposits, strategic, tier):
    assert tiers.corporate(Decimal(earned), Decimal(deposits), RULES, strategic=strategic) == tier


@pytest.mark.django_db
def test_the_night_judges_on_the_floor_exactly():
    hand = Hand(LAST)
    people = {
        amount: hand.customer("individual")
        for amount in ("49999.99", "50000", "200000", "5999999.99", "6000000")
    }
    for amount, owner in people.items():
        hand.account(owner, "demand_deposit", {FIRST: amount})
    # A cent less on one of thirty days is less than the floor.
    nearly = hand.customer("individual")
    hand.account(nearly, "demand_deposit", {FIRST: "50000", LAST: "49999.99"})
    named = hand.customer("corporate")
    parameters.put("strategic_customers", [named.customer_no], valid_from=FIRST, why="test", at=clock.now())
    run = run_night(LAST)
    tier_of = dict(Standing.rows.filter(run_id=run.pk).values_list("customer_id", "tier"))
    assert [tier_of[owner.pk] for owner in people.values()] == [
        "ordinary",
        "gold",
        "platinum",
        "diamond",
        "private",
    ]
    assert tier_of[nearly.pk] == "ordinary" and tier_of[named.pk] == "strategic"


@pytest.mark.django_db
def test_coefficients_weigh_what_counts_as_assets():
    hand = Hand(LAST)
    owner = hand.customer("individual")
    hand.account(owner, "fund", {FIRST: "60000"})
    parameters.put("asset_coefficients", {"fund": "0.5"}, valid_from=FIRST, why="test", at=clock.now())
    standing = Standing.rows.get(run_id=run_night(LAST).pk, customer=owner)
    assert standing.asset_month_average == 60000 and standing.weighted_month_average == 30000
    assert standing.tier == "ordinary"
