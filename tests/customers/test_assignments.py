"""Who looks after whom: the supervisor's word stands against the feed's, and the stretches leave no gap."""

import datetime

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction

from crm.core.models import Branch, Staff
from customers import assignments
from customers.models import Assignment, Customer
from tests.core.somebody import somebody

pytestmark = pytest.mark.django_db
DAY = datetime.date(2026, 11, 1)


@pytest.fixture
def scene():
    """A supervisor, a customer of his branch, and a second manager there."""
    cai = somebody("cai")
    customer = (
        Customer.objects.visible_to(cai)
        .filter(manager__isnull=False, branch=cai.staff.branch)
        .order_by("pk")[0]
    )
    other = (
        Staff.objects.filter(branch=customer.branch, post="relationship_manager")
        .exclude(pk=customer.manager_id)
        .order_by("pk")[0]
    )
    return cai, customer, other


def test_a_new_assignment_ends_the_old_one_the_day_it_starts(scene):
    cai, customer, other = scene
    before = customer.manager
    assignments.assign(customer=customer, manager=other, actor=cai, starts_on=DAY, reason="leave")
    customer.refresh_from_db()
    assert customer.manager == other
    old, new = Assignment.rows.filter(customer=customer, role="main").order_by("-starts_on")[:2][::-1]
    assert (old.manager, old.ends_on, new.manager, new.starts_on, new.ends_on, new.origin) == (
        before,
        DAY,
        other,
        DAY,
        None,
        "crm",
    )


def test_the_pool_may_look_after_a_customer(scene):
    cai, customer, _other = scene
    assignments.assign(customer=customer, manager=None, actor=cai, starts_on=DAY, reason="pool")
    customer.refresh_from_db()
    assert customer.manager is None


def test_twice_on_one_day_the_second_word_counts(scene):
    cai, customer, other = scene
    assignments.assign(customer=customer, manager=None, actor=cai, starts_on=DAY, reason="pool")
    count = Assignment.rows.filter(customer=customer).count()
    assignments.assign(customer=customer, manager=other, actor=cai, starts_on=DAY, reason="back")
    assert Assignment.rows.filter(customer=customer).count() == count


def test_who_may_not_or_does_not_see_the_customer_assigns_nothing(scene):
    cai, customer, other = scene
    with pytest.raises(PermissionDenied):
        assignments.assign(customer=customer, manager=other, actor=somebody("ann"), starts_on=DAY, reason="")
    outside = Customer.rows.exclude(pk__in=Customer.objects.visible_to(cai).values("pk")).filter(
        restricted_on=None
    )[0]
    with pytest.raises(Customer.DoesNotExist):
        assignments.assign(customer=outside, manager=None, actor=cai, starts_on=DAY, reason="")


def test_a_manager_must_be_one_and_of_the_branch_and_there(scene):
    cai, customer, other = scene
    elsewhere = Branch.objects.exclude(pk=customer.branch_id)[0]
    for facts in ({"branch": elsewhere}, {"post": "teller"}, {"left_on": DAY}):
        with transaction.atomic():
            Staff.objects.filter(pk=other.pk).update(**facts)
            other.refresh_from_db()
            with pytest.raises(assignments.RuleBroken):
                assignments.assign(customer=customer, manager=other, actor=cai, starts_on=DAY, reason="")
            transaction.set_rollback(True)
        other.refresh_from_db()
    with pytest.raises(assignments.RuleBroken):
        assignments.assign(
            customer=customer, manager=other, actor=cai, starts_on=datetime.date(1900, 1, 1), reason=""
        )


def test_the_database_refuses_gaps_overlaps_and_two_running_ones(scene):
    _cai, customer, other = scene
    running = Assignment.rows.get(customer=customer, role="main", ends_on=None)
    for change in (
        lambda: Assignment.rows.create(customer=customer, manager=other, starts_on=DAY),
        lambda: Assignment.rows.create(
            customer=customer,
            manager=other,
            starts_on=running.starts_on,
            ends_on=running.starts_on + datetime.timedelta(1),
        ),
        lambda: Assignment.rows.filter(pk=running.pk).update(ends_on=DAY),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()
            with connection.cursor() as cursor:
                cursor.execute("set constraints all immediate")
