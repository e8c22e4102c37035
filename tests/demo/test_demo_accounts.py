"""The demo's accounts: one person of each kind, passwords of this installation alone, never written where others read."""

import io
import json
import re
import stat

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command

from crm.core import clock
from crm.core.models import AuditEntry, Post, Staff, User
from crm.demo.accounts import PEOPLE, create_demo_accounts
from customers.models import Customer


@pytest.fixture
def accounts(bank, settings, tmp_path):
    settings.DATA_DIR = tmp_path / "files"
    return create_demo_accounts(at=clock.now())


def test_each_person_can_sign_in_with_the_password_that_was_drawn(accounts, client):
    posts = {username: post for username, post, _ in PEOPLE}
    assert accounts
    for account in accounts:
        user = User.objects.get_by_natural_key(account["username"])
        assert user.post == posts[user.username]
        assert user.check_password(account["password"])
        assert user.staff.name == account["name"]
        assert account["branch"] == user.staff.branch.name
    assert authenticate(username=accounts[0]["username"], password="wrong") is None


def test_the_list_is_kept_for_the_owner_alone(accounts, settings):
    path = settings.DATA_DIR / "demo-accounts.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text(encoding="utf-8")) == accounts
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_passwords_are_drawn_anew_and_share_nothing(accounts):
    first = {account["password"] for account in accounts}
    again = create_demo_accounts(at=clock.now())
    assert len(first) == len(accounts)
    assert [account["username"] for account in again] == [account["username"] for account in accounts]
    assert not first & {account["password"] for account in again}
    assert not User.objects.get(username="analyst").check_password(accounts[0]["password"])
    assert all(re.fullmatch(r"\S{16}", password) for password in first)


def test_the_security_officer_comes_from_the_crm_and_from_no_feed(accounts):
    officer = User.objects.get(username="security").staff
    assert (officer.post, officer.source) == (Post.SECURITY_OFFICER, "crm")
    create_demo_accounts(at=clock.now())
    assert Staff.objects.filter(employee_no=officer.employee_no).count() == 1


def test_every_account_leaves_its_entry_in_the_trail_without_a_password(accounts):
    entries = AuditEntry.objects.filter(verb="account.password_set").order_by("-pk")[: len(accounts)]
    assert len(entries) == len(accounts)
    for account in accounts:
        assert not AuditEntry.objects.filter(payload__icontains=account["password"]).exists()


def test_a_second_bank_on_top_of_one_that_is_there_is_refused(bank, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    before = User.objects.count()
    with pytest.raises(CommandError, match="holds a bank already"):
        call_command("demo_bank", customers=40, months=1, seed=1, stderr=io.StringIO())
    assert User.objects.count() == before
    assert list(tmp_path.iterdir()) == []


def test_a_second_call_keeps_the_people_though_their_books_have_changed(accounts):
    names = {account["username"]: account["name"] for account in accounts}
    manager = User.objects.get(username="manager1").staff
    Customer.rows.filter(manager=manager).update(manager=None)
    assert {row["username"]: row["name"] for row in create_demo_accounts(at=clock.now())} == names
