"""Guessing passwords gets slow at once, and nobody can keep the owner of an account out."""

import datetime
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from crm.core import attempts

AT = datetime.datetime(2026, 11, 2, 1, 0, tzinfo=datetime.UTC)


def later(seconds):
    return AT + datetime.timedelta(seconds=seconds)


def fail(n, *, account="ann", address="10.0.0.1", known=False, at=AT):
    """Fail n times, each as soon as it is allowed; returns the moment after the last one and its wait."""
    for _ in range(n):
        tried = attempts.reserve(account=account, address=address, known=known, at=at)
        while tried.wait:
            at += datetime.timedelta(seconds=tried.wait)
            tried = attempts.reserve(account=account, address=address, known=known, at=at)
    return at


def wait(*, account="ann", address="10.0.0.1", known=False, at=AT):
    return attempts.reserve(account=account, address=address, known=known, at=at).wait


@given(st.integers(0, 10**6))
def test_the_wait_grows_and_never_passes_a_quarter_of_an_hour(failures):
    assert attempts.wait_after(failures) <= attempts.wait_after(failures + 1) <= 900
    assert (attempts.wait_after(failures) == 0) == (failures < 5)


@pytest.mark.django_db
def test_five_failures_are_free_and_the_sixth_try_waits():
    assert fail(5) == AT
    assert wait() == 5


@pytest.mark.django_db
def test_each_further_failure_doubles_the_wait():
    at = fail(8)
    assert at == later(5 + 10 + 20)
    assert wait(at=at) == 40


@pytest.mark.django_db
def test_a_stranger_elsewhere_slows_the_account_down_but_not_its_owner_at_his_own_place():
    at = fail(40, address="6.6.6.6")
    assert 0 < wait(address="10.0.0.9", at=at) <= 900
    assert wait(address="10.0.0.1", known=True, at=at) == 0


@pytest.mark.django_db
def test_one_address_cannot_try_many_accounts():
    for n in range(5):
        fail(1, account=f"user{n}")
    assert wait(account="somebody else") == 5
    assert wait(account="somebody else", address="10.0.0.2") == 0


@pytest.mark.django_db
def test_failures_are_forgotten_after_an_hour():
    fail(5)
    assert wait(at=later(3700)) == 0
    assert fail(4, at=later(3700)) == later(3700)


@pytest.mark.django_db
def test_a_success_clears_the_account_but_gives_the_address_back_only_its_own_try():
    fail(5, account="victim")
    good = attempts.reserve(account="mine", address="10.0.0.1", known=True, at=AT)
    attempts.succeed(good)
    assert wait(account="victim 2", at=AT) == 5  # my own good password does not let me go on guessing
    again = attempts.reserve(account="ann", address="10.0.0.7", known=False, at=AT)
    attempts.succeed(again)
    assert fail(5, account="ann", address="10.0.0.7") == AT


@pytest.mark.django_db
def test_names_and_addresses_are_not_kept_in_the_clear():
    wait(account="my password by mistake")
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from core_failedsignins f where f::text like '%mistake%'")
        assert cursor.fetchone() == (0,)


def test_twenty_tries_at_the_same_moment_are_twenty_tries(bank_copy):
    def one(_):
        try:
            return attempts.reserve(account="ann", address="10.0.0.1", known=False, at=AT).wait
        finally:
            connection.close()

    with bank_copy.connected(), ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(one, range(20)))
    assert waits.count(0) == 5


def test_the_address_behind_the_banks_proxy_is_the_one_the_proxy_saw(settings):
    from crm.core.requests import address_of

    headers = {"X-Forwarded-For": "1.1.1.1, 10.9.8.7"}
    request = SimpleNamespace(META={"REMOTE_ADDR": "127.0.0.1"}, headers=headers)
    settings.SECURE_PROXY_SSL_HEADER = None
    assert address_of(request) == "127.0.0.1"
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert address_of(request) == "10.9.8.7"
