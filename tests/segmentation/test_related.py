"""Related contribution and deposit points, by hand and against the pure functions: shares, paths, groups, cycles."""

import datetime
import random
from decimal import Decimal

import pytest
from django.db import connection

from crm.core import clock, parameters, sqlrun
from customers.models import Relation
from segmentation import policy, related, steps
from segmentation.models import Behaviour, Contribution, Related, RelatedShare
from tests.segmentation.rows import Hand, run_night

RULES = policy.Policy({name: choice[0] for name, choice in policy._CHOICES.items()})
DAY = datetime.date(2026, 11, 18)
YESTERDAY, TOMORROW = DAY - datetime.timedelta(days=1), DAY + datetime.timedelta(days=1)


@pytest.fixture
def hand(db):
    return Hand(DAY)


def tie(hand, one, other, kind, **facts):
    return Relation.rows.create(
        customer=one, related=other, kind=kind, batch=hand.batch, known_on=hand.known_on, **facts
    )


def shares_of(run, customer):
    rows = RelatedShare.rows.filter(run_id=run.pk, customer=customer)
    return {row.member_id: (row.weight, row.depth, row.kind) for row in rows}


class Worth:
    """A night whose customers' own values are then set by hand, and the related ones added up anew."""

    def __init__(self):
        self.run = run_night(DAY)

    def of(self, customer, eva: str, points: str = "0", annual: str = "0") -> None:
        mine = {"run_id": self.run.pk, "customer": customer}
        Contribution.rows.filter(period="ytd", **mine).update(eva=eva, eva_annual=annual)
        Behaviour.rows.filter(**mine).update(points_year=points)

    def again(self) -> None:
        night = steps.Night(self.run.pk, DAY, self.run.inputs, policy.on(DAY))
        Related.rows.filter(run_id=self.run.pk).delete()
        with connection.cursor() as cursor:
            steps.statement(cursor, "44_related", night)
            check = sqlrun.load(steps.SQL / "checks" / "related_counts_each_once.sql")
            assert sqlrun.run(cursor, check, night.params) == 0

    def row(self, customer) -> Related:
        return Related.rows.get(run_id=self.run.pk, customer=customer)


def test_three_of_a_group_by_shares_add_up_to_the_cent(hand):
    """The holding has 30 % of one firm and 60 % of the other; the firms have nothing of each other."""
    holding, minor, major = (hand.customer() for _ in range(3))
    tie(hand, minor, holding, "shareholder", share_percent="30")
    tie(hand, major, holding, "shareholder", share_percent="60")
    worth = Worth()
    worth.of(holding, "1000.00", "10.00", "1100.00")
    worth.of(minor, "333.35", "7.77", "400.01")
    worth.of(major, "-50.01", "100.00", "-60.00")
    worth.again()
    mine = worth.row(holding)
    # 1000 + round(0.3 × 333.35) = 100.01 (100.005 away from zero) + 1 × −50.01
    assert (mine.members, mine.contribution) == (2, Decimal("1050.00"))
    # 1100 + 120.00 (0.3 × 400.01 = 120.003) − 60; 10 + 2.33 (0.3 × 7.77 = 2.331) + 100
    assert (mine.contribution_annual, mine.deposit_points) == (Decimal("1160.00"), Decimal("112.33"))
    assert worth.row(minor).contribution == Decimal("633.35")  # 333.35 + 0.3 × 1000
    assert worth.row(major).contribution == Decimal("949.99")  # −50.01 + 1 × 1000


@pytest.mark.parametrize(
    ("share", "weight"),
    [("49.9", "0.499"), ("50", "1"), ("51", "1"), ("0", None), (None, None), ("33.333333", "0.33333333")],
)
def test_a_shareholder_counts_by_his_share_and_whole_from_half_on(hand, share, weight):
    firm, holder = hand.customer(), hand.customer("individual")
    tie(hand, firm, holder, "shareholder", share_percent=share)
    run = run_night(DAY)
    expected = {} if weight is None else {holder.pk: (Decimal(weight), 1, "shareholder")}
    assert shares_of(run, firm) == expected
    assert shares_of(run, holder).keys() == ({firm.pk} if weight else set())


def test_who_is_related_twice_counts_once_by_the_heavier_relation(hand):
    """Husband and wife, and she is the legal representative of the firm he guarantees for."""
    he, she, firm = hand.customer("individual"), hand.customer("individual"), hand.customer()
    tie(hand, he, she, "spouse")
    tie(hand, she, he, "spouse")
    tie(hand, firm, she, "legal_representative")
    tie(hand, firm, he, "guarantor")
    tie(hand, firm, he, "shareholder", share_percent="40")
    run = run_night(DAY)
    assert shares_of(run, firm) == {
        she.pk: (1, 1, "legal_representative"),
        he.pk: (Decimal("0.4"), 1, "shareholder"),
    }
    assert shares_of(run, he) == {
        she.pk: (Decimal("0.5"), 1, "spouse"),
        firm.pk: (Decimal("0.4"), 1, "shareholder"),
    }
    assert Related.rows.get(run_id=run.pk, customer=firm).members == 2


def test_an_ended_relation_and_one_that_has_not_begun_do_not_count(hand):
    owner, *others = (hand.customer("individual") for _ in range(5))
    ended, to_end, begun, to_begin = others
    tie(hand, owner, ended, "spouse", until=DAY)
    tie(hand, owner, to_end, "child", until=TOMORROW)
    tie(hand, owner, begun, "parent", since=DAY)
    tie(hand, owner, to_begin, "household", since=TOMORROW)
    assert shares_of(run_night(DAY), owner).keys() == {to_end.pk, begun.pk}


def test_a_path_of_two_multiplies_and_a_cycle_never_comes_back_to_oneself(hand):
    parameters.put("relation_depth", 2, valid_from=DAY, why="test", at=clock.now())
    a, b, c = hand.customer(), hand.customer(), hand.customer()
    tie(hand, a, b, "shareholder", share_percent="40")
    tie(hand, b, c, "shareholder", share_percent="30")
    tie(hand, c, a, "supplier")  # 0.2 directly; over b only 0.12
    far = hand.customer("individual")
    tie(hand, c, far, "spouse")
    run = run_night(DAY)
    assert shares_of(run, a) == {
        b.pk: (Decimal("0.4"), 1, "shareholder"),
        c.pk: (Decimal("0.2"), 1, "supplier"),
        far.pk: (Decimal("0.1"), 2, "supplier"),
    }
    assert shares_of(run, far) == {
        c.pk: (Decimal("0.5"), 1, "spouse"), b.pk: (Decimal("0.15"), 2, "spouse"), a.pk: (Decimal("0.1"), 2, "spouse"),
    }  # fmt: skip


def test_the_longer_path_counts_where_it_weighs_more(hand):
    parameters.put("relation_depth", 3, valid_from=DAY, why="test", at=clock.now())
    a, b, c, d = (hand.customer() for _ in range(4))
    tie(hand, a, b, "controller")
    tie(hand, b, c, "controller")
    tie(hand, c, d, "controller")
    tie(hand, a, d, "guarantor")
    assert shares_of(run_night(DAY), a)[d.pk] == (1, 3, "controller")


def test_who_is_no_customer_yet_is_no_member(hand):
    owner, later = hand.customer(), hand.customer(opened_on=TOMORROW)
    tie(hand, owner, later, "controller")
    run = run_night(DAY)
    assert shares_of(run, owner) == {} and not Related.rows.filter(run_id=run.pk, customer=later).exists()


def test_a_group_number_joins_all_of_it_and_its_parent_leads(hand):
    first, parent, last = (hand.customer(group_no="G-9") for _ in range(3))
    alone, empty = hand.customer(group_no="G-8"), hand.customer(group_no="")
    tie(hand, first, parent, "group_parent")
    tie(hand, last, empty, "group_parent")  # not of the group: leads nobody
    run = run_night(DAY)
    assert shares_of(run, last).keys() == {first.pk, parent.pk, empty.pk}
    assert shares_of(run, last)[first.pk] == (1, 1, "group")
    primary = dict(Related.rows.filter(run_id=run.pk).values_list("customer_id", "primary_id"))
    assert {primary[c.pk] for c in (first, parent, last)} == {parent.pk}
    assert primary[alone.pk] == alone.pk and primary[empty.pk] == empty.pk


def test_without_a_known_parent_the_smallest_id_leads_and_of_two_parents_the_upper(hand):
    one, two = hand.customer(group_no="G-1"), hand.customer(group_no="G-1")
    low, middle, top = (hand.customer(group_no="G-2") for _ in range(3))
    tie(hand, low, middle, "group_parent")
    tie(hand, middle, top, "group_parent")
    primary = dict(Related.rows.filter(run_id=run_night(DAY).pk).values_list("customer_id", "primary_id"))
    assert primary[one.pk] == primary[two.pk] == one.pk
    assert primary[low.pk] == primary[middle.pk] == primary[top.pk] == top.pk


def test_a_group_above_the_limit_counts_with_its_parent_alone(hand):
    parameters.put("related_group_limit", 3, valid_from=DAY, why="test", at=clock.now())
    parent, *members = (hand.customer(group_no="G-7") for _ in range(4))
    tie(hand, members[0], parent, "group_parent")
    headless = [hand.customer(group_no="G-6") for _ in range(4)]
    run = run_night(DAY)
    assert shares_of(run, parent).keys() == {m.pk for m in members}
    assert all(shares_of(run, m).keys() == {parent.pk} for m in members)
    assert not any(shares_of(run, m) for m in headless)


def test_the_primary_customers_partition_the_bank(hand):
    for _ in range(3):
        hand.customer(group_no="G-5")
    run = run_night(DAY)
    rows = list(Related.rows.filter(run_id=run.pk))
    assert len({r.customer_id for r in rows}) == len(rows)
    assert {r.primary_id for r in rows} == {r.customer_id for r in rows if r.primary_id == r.customer_id}


KINDS = [
    "shareholder",
    "spouse",
    "group_parent",
    "group_member",
    "guarantor",
    "payroll",
    "supplier",
    "controller",
]


@pytest.mark.parametrize(
    ("seed", "depth", "limit"), [(1, 1, 500), (2, 2, 500), (3, 3, 500), (4, 3, 4), (5, 2, 3)]
)
def test_the_night_finds_the_weights_the_pure_functions_find(hand, seed, depth, limit):
    rng = random.Random(seed)
    for name, value in (("relation_depth", depth), ("related_group_limit", limit)):
        parameters.put(name, value, valid_from=DAY, why="test", at=clock.now())
    crowd = [
        hand.customer(
            rng.choice(["individual", "corporate"]),
            group_no=rng.choice(["", None, "", f"R{seed}A", f"R{seed}B"]),
        )
        for _ in range(24)
    ]
    for customer in crowd[::2]:
        account = hand.account(customer, "demand_deposit", {DAY: "1000"})
        hand.bookings(
            account, [(DAY, f"-{rng.randrange(1, 99999)}.{rng.randrange(10, 99)}", "fee", "counter")]
        )
    ties = []
    for _ in range(40):
        one, other = rng.sample(crowd, 2)
        kind, share = rng.choice(KINDS), rng.choice([None, Decimal(rng.randrange(0, 10**8)) / 10**6])
        since, until = rng.choice([None, None, DAY, TOMORROW]), rng.choice([None, None, None, DAY])
        if Relation.rows.filter(customer=one, related=other, kind=kind).exists() or (
            since and until and since > until
        ):
            continue
        tie(hand, one, other, kind, share_percent=share, since=since, until=until)
        if (since is None or since <= DAY) and (until is None or until > DAY):
            ties.append(related.Tie(one.pk, other.pk, kind, share))
    run = run_night(DAY)
    rules = policy.on(DAY)
    groups = {c.pk: c.group_no or "" for c in crowd}
    expected = related.shares(groups, ties, rules)
    own = {r.customer_id: r.eva for r in Contribution.rows.filter(run_id=run.pk, period="ytd")}
    assert any(own[customer.pk] > 0 for customer in crowd) and expected
    for customer in crowd:
        found = shares_of(run, customer)
        assert found == {m: (s.weight, s.depth, s.kind) for m, s in expected.get(customer.pk, {}).items()}
        row = Related.rows.get(run_id=run.pk, customer=customer)
        members = [(weight, own[member]) for member, (weight, _, _) in found.items()]
        assert row.contribution == related.together(own[customer.pk], members) and row.members == len(found)
        mates = [c for c, group in groups.items() if group and group == groups[customer.pk]]
        assert row.primary_id == (related.leader(mates, ties) if mates else customer.pk)
