"""Who counts with a customer as one reader may see it: named in scope, told together from three on, otherwise not at all."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from customers.models import Relation
from segmentation import kin, nights, policy, tier_history
from segmentation.models import Standing, TierChange
from tests.bank import LAST_DAY
from tests.segmentation.rows import Hand, run_night
from tests.segmentation.test_related import tie

pytestmark = pytest.mark.django_db


class Circle:
    """Ann's customer with relatives of half weight each, in whatever scope the test needs."""

    def __init__(self, bank):
        self.bank, self.hand = bank, Hand(LAST_DAY)
        self.owner = self.person(bank.ann)
        self.worth = {}

    def person(self, manager, **facts):
        staff = manager.staff
        return self.hand.customer("individual", branch=staff.branch, manager=staff, **facts)

    def relative(self, manager, **facts):
        member = self.person(manager, **facts)
        tie(self.hand, self.owner, member, "child")
        return member

    def night(self, worth: dict) -> Standing:
        """Run the night, then let each member be worth what the test says, and the total what follows from it."""
        run = run_night(LAST_DAY)
        mine = Standing.rows.filter(run_id=run.pk)
        mine.filter(customer=self.owner).update(contribution=100, deposit_points=10)
        for member, amount in worth.items():
            mine.filter(customer=member).update(contribution=amount, deposit_points=1)
        counted = sum(Decimal(amount) / 2 for amount in worth.values())
        mine.filter(customer=self.owner).update(
            related_contribution=100 + counted, related_deposit_points=10 + Decimal("0.5") * len(worth)
        )
        return mine.get(customer=self.owner)


@pytest.fixture
def circle(bank):
    return Circle(bank)


def test_members_in_scope_stand_by_name_with_what_they_count(circle, bank):
    rich, poor = circle.relative(bank.ann), circle.relative(bank.ann)
    standing = circle.night({rich: 80, poor: -40})
    reader = bank.ann
    reader.staff  # noqa: B018  read with the request
    with CaptureQueriesContext(connection) as asked:
        found = kin.of_customer(reader, standing)
    assert len(asked) == 1
    assert [(m.customer, m.weight, m.contribution, m.counted) for m in found.members] == [
        (rich, Decimal("0.5"), 80, 40), (poor, Decimal("0.5"), -40, -20),
    ]  # fmt: skip
    assert (found.own, found.total, found.total_points) == (100, 120, 11)
    assert found.hidden is None and found.further is None and not found.is_alone
    assert found.members[0].href == reverse("customer", args=[rich.pk])


@pytest.mark.parametrize("hidden", [1, 2])
def test_fewer_than_three_out_of_scope_are_not_told_and_nor_is_the_total(circle, bank, hidden):
    mine = circle.relative(bank.ann)
    others = [circle.relative(bank.eva) for _ in range(hidden)]
    standing = circle.night({mine: 80, **dict.fromkeys(others, 1000)})
    found = kin.of_customer(bank.ann, standing)
    assert [m.customer for m in found.members] == [mine]
    assert (found.hidden.count, found.hidden.counted, found.hidden.counted_points) == (None, None, None)
    assert (found.total, found.total_annual, found.total_points) == (None, None, None)
    # Head office sees them all.
    assert kin.of_customer(bank.han, standing).total == 140 + 500 * hidden


def test_three_out_of_scope_are_told_together(circle, bank):
    mine = circle.relative(bank.ann)
    others = [circle.relative(bank.eva) for _ in range(3)]
    standing = circle.night({mine: 80, **dict.fromkeys(others, 1000)})
    found = kin.of_customer(bank.ann, standing)
    assert (found.hidden.count, found.hidden.counted, found.hidden.counted_points) == (
        3,
        1500,
        Decimal("1.5"),
    )
    assert found.total == found.own + found.members[0].counted + found.hidden.counted == 1640


def test_a_restricted_customer_counts_as_out_of_scope_even_for_head_office(circle, bank):
    stopped = circle.relative(bank.ann, restricted_on=LAST_DAY)
    standing = circle.night({stopped: 1000})
    for reader in (bank.ann, bank.han):
        found = kin.of_customer(reader, standing)
        assert found.members == [] and found.hidden.count is None and found.total is None
    assert kin.of_customer(bank.mira, standing).total == 600  # compliance sees him


def test_the_page_gives_the_hidden_figures_away_nowhere(circle, bank, client):
    stopped = circle.relative(bank.eva)
    standing = circle.night({stopped: 123456})
    client.force_login(bank.ann)
    for name in ("customer_tier", "customer_contribution", "customer", "customers"):
        args = [] if name == "customers" else [circle.owner.pk]
        page = client.get(reverse(name, args=args)).content.decode()
        assert "61728" not in page and "61828" not in page and "6.17" not in page and "6.18" not in page, name
    assert standing.related_contribution == 61828


def test_more_members_than_a_page_holds_are_told_together(circle, bank, monkeypatch):
    monkeypatch.setattr(kin, "LISTED", 2)
    members = [circle.relative(bank.ann) for _ in range(4)]
    standing = circle.night(dict(zip(members, (10, 20, 30, 40), strict=True)))
    found = kin.of_customer(bank.ann, standing)
    assert [m.customer for m in found.members] == members[:1:-1]
    assert (found.further.count, found.further.counted) == (2, 15) and found.total == 150


def test_who_leads_the_group_is_named_in_scope_alone(bank):
    hand = Hand(LAST_DAY)
    head = hand.customer(group_no="K-1", branch=bank.eva.staff.branch, manager=bank.eva.staff)
    firm = hand.customer(group_no="K-1", branch=bank.ann.staff.branch, manager=bank.ann.staff)
    tie(hand, firm, head, "group_parent")
    standing = Standing.rows.get(run_id=run_night(LAST_DAY).pk, customer=firm)
    assert kin.of_customer(bank.ann, standing).leader is None
    assert kin.of_customer(bank.han, standing).leader == head


def test_nobody_related_is_said(bank):
    Relation.rows.all().delete()
    alone = Hand(LAST_DAY).customer("individual")
    standing = Standing.rows.get(run_id=run_night(LAST_DAY).pk, customer=alone)
    found = kin.of_customer(bank.han, standing)
    assert found.is_alone and found.total == found.own


def test_the_tiers_so_far_are_half_open_and_only_those_of_published_nights(bank):
    c001 = bank.customer("C001")
    run = nights.published().run
    TierChange.rows.filter(customer=c001).update(becomes="gold", on_date=LAST_DAY)
    other = type(run).objects.create(
        kind="night", business_date=LAST_DAY, attempt=99, created_at=run.created_at
    )
    TierChange.rows.create(
        run=other, customer=c001, on_date=LAST_DAY, was="gold", becomes="vip", why="upgrade"
    )
    rules = policy.on(LAST_DAY)
    [only] = tier_history.of_customer(bank.ann, c001.pk, "individual", rules)
    assert (only.tier, only.since, only.until, only.rose) == ("gold", LAST_DAY, None, None)
    assert tier_history.of_customer(bank.dora, c001.pk, "individual", rules) == []


def test_a_firms_distance_is_not_told_where_it_would_tell_of_who_is_hidden(bank):
    hand = Hand(LAST_DAY)
    firm = hand.customer(branch=bank.ann.staff.branch, manager=bank.ann.staff)
    hidden = hand.customer(branch=bank.eva.staff.branch, manager=bank.eva.staff)
    tie(hand, firm, hidden, "controller")
    standing = Standing.rows.get(run_id=run_night(LAST_DAY).pk, customer=firm)
    rules = policy.on(LAST_DAY)
    earnings, deposits = tier_history.ways(standing, kin.of_customer(bank.ann, standing), rules)
    assert earnings.now is None and earnings.lacks is None and earnings.spare is None
    assert deposits.now == standing.deposit_year_average
    earnings, _ = tier_history.ways(standing, kin.of_customer(bank.han, standing), rules)
    assert earnings.now == standing.related_annual
