"""Peers: who is compared with whom, mid-ranks and quartiles, the night held against the pure functions."""

import datetime
from collections import Counter, defaultdict
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.core import clock, parameters
from crm.core.models import Branch
from customers.models import Customer
from segmentation import peers
from segmentation.models import (
    Behaviour,
    Contribution,
    Loyalty,
    PeerFigure,
    PeerGroup,
    Risk,
    Standing,
)
from tests.segmentation.rows import Hand, run_night

FIRST, LAST = datetime.date(2026, 11, 1), datetime.date(2026, 11, 30)
PLAIN = (
    "contribution", "contribution_score", "loyalty", "risk", "deposit_month_sum", "loan_month_sum", "asset_month_sum",
    "related_contribution", "deposit_points",
)  # fmt: skip
PARTS = ("deposit", "loan", "fee", "wealth", "operation", "loss", "surcharge", "tax", "capital_cost")
LOYALTY = (
    "tenure", "holdings", "wallet", "activity", "stability", "advocacy", "complaint", "dissatisfied", "outflow", "payroll",
    "clamp",
)  # fmt: skip
RISK = ("overdue", "probability", "leverage", "concentration", "guarantee", "warning", "kyc", "floor")
amounts = st.decimals(-1_000_000, 1_000_000, places=2)
some = st.lists(amounts, min_size=1, max_size=60)


def test_ties_share_the_middle_of_their_places():
    assert [peers.mid_rank(v, [1, 2, 2, 2, 9]) for v in (1, 2, 9)] == [
        Decimal("10.0000"),
        Decimal("50.0000"),
        Decimal("90.0000"),
    ]
    assert peers.mid_rank(5, [5]) == 50
    assert peers.mid_rank(0, [1, 2, 3]) == 0 and peers.mid_rank(7, [1, 2, 3]) == 100, "compared, not counted"
    assert peers.mid_rank(None, [1]) is None and peers.mid_rank(1, [None]) is None


@given(some)
def test_percentiles_are_symmetric_and_average_to_fifty(members):
    ranks = [peers.mid_rank(member, members) for member in members]
    mirrored = [peers.mid_rank(-member, [-other for other in members]) for member in members]
    for rank, other in zip(ranks, mirrored, strict=True):
        assert abs(rank + other - 100) <= Decimal("0.0001")
    assert abs(sum(ranks) / len(ranks) - 50) <= Decimal("0.0001")


@given(some, amounts)
def test_who_has_more_never_ranks_lower(members, more):
    value = members[0]
    higher = max(value, more)
    assert peers.mid_rank(higher, members) >= peers.mid_rank(value, members)
    assert peers.fifth(higher, members) >= peers.fifth(value, members)


@given(some)
def test_mean_and_quartiles_lie_between_the_least_and_the_most_in_order(members):
    low, middle, high = peers.quartiles(members)
    assert min(members) <= low <= middle <= high <= max(members)
    assert min(members) <= peers.mean(members) <= max(members)


@given(some, st.integers(-1000, 1000))
def test_moving_everybody_moves_the_quartiles_along(members, by):
    assert peers.quartiles([member + by for member in members]) == tuple(
        quartile + by for quartile in peers.quartiles(members)
    )


def test_quartiles_lie_straight_between_two_members():
    assert peers.quartiles([Decimal(n) for n in (1, 2, 3, 4)]) == (
        Decimal("1.75"),
        Decimal("2.5"),
        Decimal("3.25"),
    )
    assert peers.quartiles([Decimal(7)]) == (7, 7, 7)
    with pytest.raises(ValueError):
        peers.quartiles([])


@pytest.mark.parametrize(
    ("narrow", "wide", "group"),
    [
        (30, 30, ("individual", "gold", 1)),
        (29, 30, ("individual", "gold", None)),
        (29, 29, ("individual", "", None)),
        (0, 0, ("individual", "", None)),
    ],
)
def test_a_group_of_fewer_than_thirty_falls_back_to_the_wider_one(narrow, wide, group):
    sizes = {
        ("individual", "gold", 1): narrow,
        ("individual", "gold", None): wide,
        ("individual", "", None): 3,
    }
    assert peers.group_of("individual", "gold", 1, sizes, 30) == group


@pytest.mark.django_db
@pytest.mark.parametrize(("count", "falls_back"), [(29, True), (30, False)])
def test_the_night_falls_back_below_thirty_open_members(count, falls_back):
    """Gold customers of a branch of its own: ``count`` open ones and one closed, who is compared but not counted."""
    hand = Hand(LAST)
    other, hand.branch = hand.branch, Branch.objects.get(branch_no="B2")
    owners = [hand.customer("individual") for _ in range(count)]
    closed = hand.customer("individual", closed_on=LAST)
    for owner in [*owners, closed]:
        hand.account(owner, "demand_deposit", {FIRST: "60000"})
    hand.branch = other
    for _ in range(3):
        hand.account(hand.customer("individual"), "demand_deposit", {FIRST: "60000"})
    run = run_night(LAST)
    groups = {group.peer_id: group for group in PeerGroup.objects.filter(run_id=run.pk)}
    theirs = {
        groups[row.peer_id] for row in Standing.rows.filter(run_id=run.pk, customer__in=[*owners, closed])
    }
    assert len(theirs) == 1
    group = theirs.pop()
    assert (group.tier, group.branch_id) == ("gold", None if falls_back else owners[0].branch_id)
    narrow = PeerGroup.objects.get(
        run_id=run.pk, kind="individual", tier="gold", branch_id=owners[0].branch_id
    )
    assert narrow.size == count and Standing.rows.get(run_id=run.pk, customer=closed).is_closed


def random_bank(seed: int) -> int:
    """Customers of both kinds in two branches with ties, closed ones, sleepers and people who hold nothing."""
    rng = Random(seed)
    hand = Hand(LAST)
    for branch in Branch.objects.filter(branch_no__in=["B1", "B2"]).order_by("pk"):
        hand.branch = branch
        for _ in range(rng.randint(9, 14)):
            kind = rng.choice(["individual", "individual", "corporate"])
            owner = hand.customer(kind, closed_on=LAST if rng.random() < 0.15 else None)
            if rng.random() < 0.15:
                continue
            amount = rng.choice(["100", "100", "5000.01", "60000", "60000", "250000", "7000000"])
            account = hand.account(owner, rng.choice(["demand_deposit", "fund"]), {FIRST: amount})
            days = sorted(rng.sample(range(1, 29), rng.randint(0, 4)))
            hand.bookings(account, [(FIRST.replace(day=d), "-10", "transfer_out", "mobile") for d in days])
            if rng.random() < 0.3:
                overdue = rng.choice([0, 0, 20, 100])
                hand.account(
                    owner, "consumer_loan", {FIRST: "-90000"}, five_class="normal", days_past_due=overdue
                )
    return rng.randint(2, 5)


@pytest.mark.django_db
@pytest.mark.parametrize("seed", [1, 2])
def test_the_night_ranks_and_averages_as_the_pure_functions_do(seed):
    floor = random_bank(seed)
    parameters.put("peer_group_at_least", floor, valid_from=FIRST, why="test", at=clock.now())
    run = run_night(LAST)
    rows = list(Standing.rows.filter(run_id=run.pk))
    groups = {(g.kind, g.tier, g.branch_id): g for g in PeerGroup.objects.filter(run_id=run.pk)}
    assert sorted(g.peer_id for g in groups.values()) == list(range(1, len(groups) + 1))
    is_open = [row for row in rows if not row.is_closed]
    sizes = Counter(key for row in is_open for key in peers.groups_of(row.kind, row.tier, row.branch_id))
    assert {key: g.size for key, g in groups.items() if g.size} == dict(sizes)
    members = defaultdict(list)
    for row in is_open:
        for key in peers.groups_of(row.kind, row.tier, row.branch_id):
            members[key].append(row)
    assets = dict(Behaviour.rows.filter(run_id=run.pk).values_list("customer_id", "asset_sums"))
    for row in rows:
        key = peers.group_of(row.kind, row.tier, row.branch_id, sizes, floor)
        assert row.peer_id == groups[key].peer_id
        for figure in ("contribution", "loyalty", "risk"):
            of_peers = [getattr(member, figure) for member in members[key]]
            assert getattr(row, f"{figure}_percentile") == peers.mid_rank(getattr(row, figure), of_peers)
        kind = members[row.kind, "", None]
        amounts_of_kind = [member.contribution for member in kind]
        assert row.contribution_score == peers.mid_rank(row.contribution, amounts_of_kind)
        assert row.contribution_less == sum(a < row.contribution for a in amounts_of_kind)
        assert (row.contribution_equal, row.contribution_among) == (
            amounts_of_kind.count(row.contribution),
            len(kind),
        )
        never = datetime.date.min
        recency = peers.fifth(row.last_own_on or never, [member.last_own_on or never for member in kind])
        assert row.recency_rank == (recency if row.last_own_on else 1)
        assert row.frequency_rank == peers.fifth(row.own_180d, [member.own_180d for member in kind])
        own, of_kind = assets[row.customer_id][0], [assets[member.customer_id][0] for member in kind]
        assert row.money_rank == peers.fifth(own, of_kind)
    hold_figures(run, groups, members)


def hold_figures(run, groups, members) -> None:
    """Every stored figure of every group is what the pure functions make of its members, and none is missing."""
    found = {(f.peer_id, f.figure): f for f in PeerFigure.objects.filter(run_id=run.pk)}
    lines = {
        model: {row.customer_id: row for row in model.rows.filter(run_id=run.pk, **more)}
        for model, more in ((Contribution, {"period": "ytd"}), (Loyalty, {}), (Risk, {}))
    }
    told = set()
    for key, group in groups.items():
        for figure in PLAIN:
            values = [getattr(row, figure) for row in members[key] if getattr(row, figure) is not None]
            if not values:
                continue
            kept = found[group.peer_id, figure]
            told.add((group.peer_id, figure))
            assert (kept.n, kept.mean) == (len(values), peers.mean(values)), figure
            assert (kept.p25, kept.median, kept.p75) == peers.quartiles(values), figure
        for model, codes, name in (
            (Contribution, PARTS, "contribution.{}"),
            (Loyalty, LOYALTY, "loyalty.{}"),
            (Risk, RISK, "risk.{}"),
        ):
            theirs = [lines[model][row.customer_id] for row in members[key]]
            theirs = [row for row in theirs if model is Contribution or row.score is not None]
            for code in codes if theirs else ():
                column = code if model is Contribution else f"{code}_points"
                kept = found[group.peer_id, name.format(code)]
                told.add((group.peer_id, name.format(code)))
                assert (kept.n, kept.mean) == (len(theirs), peers.mean([getattr(r, column) for r in theirs]))
    assert told == set(found)


@pytest.mark.django_db
def test_a_kind_with_nobody_open_still_has_a_group_and_everybody_stands_in_the_night():
    Customer.rows.filter(kind="corporate").update(closed_on=LAST)
    owner = Hand(LAST).customer("corporate", closed_on=LAST)
    run = run_night(LAST)
    stands = Standing.rows.get(run_id=run.pk, customer=owner)
    assert PeerGroup.objects.get(run_id=run.pk, peer_id=stands.peer_id).size == 0
    assert (stands.contribution_score, stands.contribution_among, stands.money_rank) == (None, 0, 1)
