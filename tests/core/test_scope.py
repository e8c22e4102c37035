"""Who sees which rows. Scope fails closed: whatever is not known gives nothing."""

import datetime

import pytest
from django.contrib.auth.models import AnonymousUser

from crm.core import access, scope
from crm.core.models import Staff, User
from customers.models import Account, Customer

EVERYTHING = {
    "C001",
    "C002",
    "C003",
    "C004",
    "C005",
    "C006",
    "C007",
    "C009",
    "C010",
    "C011",
    "C012",
    "C101",
    "C102",
}
OF_B1 = {"C001", "C002", "C003", "C004", "C006", "C007", "C009", "C012", "C101"}

SEEN_BY = {
    "ann": {"C001", "C002", "C006", "C007", "C101"},
    "bob": {"C003", "C004", "C012", "C002"},  # C002 is shared with him
    "cai": OF_B1,
    "dora": {"C005", "C010", "C011", "C102"},
    "eva": {"C005", "C010", "C011", "C102"},
    "rita": EVERYTHING,  # the region above both branches
    "han": EVERYTHING,
    "petra": EVERYTHING,
    "clara": EVERYTHING,
    "mira": EVERYTHING | {"C008"},  # compliance alone sees who is under a processing stop
    "tess": OF_B1,
    "lou": OF_B1,
    "audi": set(),
    "adam": set(),
    "sean": set(),
    "gone": set(),
    "idle": set(),
}


@pytest.mark.parametrize("username", SEEN_BY)
def test_each_person_sees_exactly_his_customers(bank, username):
    user = User.objects.get(username=username)
    assert set(Customer.objects.visible_to(user).values_list("customer_no", flat=True)) == SEEN_BY[username]


@pytest.mark.parametrize("username", SEEN_BY)
def test_what_hangs_on_a_customer_is_seen_with_him(bank, username):
    user = User.objects.get(username=username)
    owners = set(Account.objects.visible_to(user).values_list("customer__customer_no", flat=True))
    assert owners == SEEN_BY[username] & set(Account.rows.values_list("customer__customer_no", flat=True))


def test_nobody_known_sees_nothing(bank):
    assert not Customer.objects.visible_to(AnonymousUser()).exists()
    assert not Customer.objects.visible_to(User(username="x", is_active=True)).exists()


def test_nothing_is_asked_of_the_database_for_whoever_sees_nothing(bank, django_assert_num_queries):
    auditor = bank.audi
    with django_assert_num_queries(0):
        assert not list(Customer.objects.visible_to(auditor))


def test_a_change_of_branch_counts_from_the_next_question_on(bank):
    Staff.objects.filter(employee_no="E003").update(branch=Staff.objects.get(employee_no="E004").branch)
    assert set(Customer.objects.visible_to(bank.cai).values_list("customer_no", flat=True)) == SEEN_BY["dora"]


def test_the_last_day_of_work_is_the_day_before_leaving(bank):
    gone = bank.gone
    assert access.works_here(gone, datetime.date(2026, 6, 29))
    assert not access.works_here(gone, datetime.date(2026, 6, 30))


def test_the_scoped_manager_answers_no_other_question():
    for ask in (
        lambda: Customer.objects.all(),
        lambda: Customer.objects.filter(pk=1),
        lambda: Customer.objects.count(),
    ):
        with pytest.raises(scope.ScopeRequired):
            ask()


def test_a_branch_without_a_place_in_the_tree_gives_nothing(bank):
    cai = bank.cai
    cai.staff.branch.path = ""
    assert not Customer.objects.visible_to(cai).exists()


def test_what_is_the_whole_banks_is_for_head_office_and_for_whoever_runs_the_machines(bank):
    """A batch's control totals and rejects, a night's counts: an analyst of a branch would see beyond his customers."""
    assert all(access.may(bank.han, verb) for verb in access.WHOLE_BANK)
    assert access.may(bank.adam, "feeds.view") and not access.may(bank.cai, "feeds.view")
    Staff.objects.filter(employee_no__in=["E006", "E013"]).update(branch=bank.ann.staff.branch)
    assert not any(access.may(bank.han, verb) for verb in access.WHOLE_BANK)
    assert access.may(bank.han, "overview.view") and access.may(bank.adam, "nights.view")
