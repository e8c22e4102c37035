"""Signing in and out through the screens: what the browser gets, what the server keeps, what the trail says."""

import datetime
import re
import time

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection
from django.urls import reverse

from crm.core import clock, sessions, sign_in
from crm.core.models import FailedSignIns, Invitation, LiveSession, OldPassword, Staff, User
from tests.core.people import AT, PASSWORD, make_staff, make_user

pytestmark = pytest.mark.django_db
NEW = "Birke-im-Nebel-58"


@pytest.fixture(autouse=True)
def now(monkeypatch):
    """The clock of the entry points; ``now.at`` moves it."""

    class Now:
        at = AT

        def after(self, **span):
            self.at += datetime.timedelta(**span)

    moved = Now()
    monkeypatch.setattr(clock, "now", lambda: moved.at)
    return moved


@pytest.fixture
def user(db):
    return make_user()


def enter(client, username="x900", password=PASSWORD, **more):
    return client.post(reverse("sign_in"), {"username": username, "password": password, **more})


def is_in(client):
    return client.get(reverse("change_password")).status_code == 200


def trail(verb):
    with connection.cursor() as cursor:
        cursor.execute(
            "select actor_id, payload::text from core_auditentry where verb = %s order by id", [verb]
        )
        return cursor.fetchall()


# --- in and out ---------------------------------------------------------------------------------------------------
def test_the_right_password_opens_a_fresh_session(client, user, settings):
    client.get(reverse("sign_in"))
    response = enter(client)
    assert response.status_code == 302 and response["Location"] == "/"
    cookie = response.cookies[settings.SESSION_COOKIE_NAME]
    assert cookie["secure"] and cookie["httponly"] and cookie["samesite"] == "Lax" and cookie["path"] == "/"
    assert not cookie["domain"]
    assert is_in(client)
    assert trail("account.signed_in") == [(user.pk, '{"origin": "127.0.0.1"}')]


def test_the_session_id_changes_at_sign_in(client, user, settings):
    enter(client)
    first = client.cookies[settings.SESSION_COOKIE_NAME].value
    sign_in_again = client.post(reverse("sign_out"))
    assert sign_in_again.status_code == 302
    client.cookies[settings.SESSION_COOKIE_NAME] = first
    enter(client)
    assert client.cookies[settings.SESSION_COOKIE_NAME].value != first
    assert not Session.objects.filter(session_key=first).exists()


def test_the_name_is_read_however_it_is_typed(client, user):
    assert enter(client, username=" Ｘ900 ").status_code == 302


@pytest.mark.parametrize("username", ["x900", "nobody", "x901", "x902"])
def test_every_failure_says_the_same(client, user, username):
    make_user("X901", left_on=datetime.date(2026, 1, 1))
    User.objects.filter(pk=make_user("X902").pk).update(is_active=False)
    password = "wrong" if username == "x900" else PASSWORD
    response = enter(client, username, password)
    assert response.status_code == 422
    body = re.sub(r'value="[^"]*"', "", response.content.decode())
    body = re.sub(r"csrf\w*|X-CSRFToken\S+ \S+", "", body)
    assert "User name and password do not match." in body or "不" in body
    assert len(trail("account.sign_in_failed")) == 1
    assert not is_in(client)


def test_an_unknown_name_takes_as_long_as_a_known_one(client, user, monkeypatch):
    checked = []
    real = sign_in.check_password
    monkeypatch.setattr(sign_in, "check_password", lambda p, e: checked.append(e) or real(p, e))
    sign_in._nobodys_password()
    took = []
    for name in ("x900", "nobody"):
        started = time.perf_counter()
        enter(client, name, "wrong")
        took.append(time.perf_counter() - started)
    assert [encoded.split("$")[1] for encoded in checked] == ["argon2id", "argon2id"]
    assert max(took) < 4 * min(took)


def test_after_five_failures_even_the_right_password_waits(client, user, now):
    for _ in range(5):
        enter(client, password="wrong")
    response = enter(client)
    assert response.status_code == 429 and response["Retry-After"] == "5"
    now.after(seconds=6)
    assert enter(client).status_code == 302


def test_the_owner_at_his_own_place_is_not_kept_out_by_a_stranger(client, user, now):
    enter(client)
    client.post(reverse("sign_out"))
    stranger = client_at("6.6.6.6")
    for _ in range(9):
        enter(stranger, password="guess")
        now.after(seconds=40)
    assert enter(stranger).status_code == 429
    assert enter(client).status_code == 302


def client_at(address):
    from django.test import Client

    return Client(REMOTE_ADDR=address)


def test_signing_out_ends_the_session_on_the_server_and_empties_the_browser(client, user, settings):
    enter(client)
    key = client.cookies[settings.SESSION_COOKIE_NAME].value
    assert client.get(reverse("sign_out")).status_code == 405
    response = client.post(reverse("sign_out"))
    assert response["Clear-Site-Data"] == '"cache", "cookies", "storage"'
    assert not Session.objects.filter(session_key=key).exists() and not LiveSession.objects.exists()
    client.cookies[settings.SESSION_COOKIE_NAME] = key
    assert not is_in(client)
    assert trail("account.sign_out")


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "http:///evil.example",
        "evil",
    ],
)
def test_after_signing_in_nobody_is_sent_to_another_site(client, user, target):
    assert enter(client, next=target)["Location"] == "/"
    assert client.get(reverse("sign_in"), {"next": target})["Location"] == "/"


def test_after_signing_in_one_goes_on_where_one_was(client, user):
    assert enter(client, next="/password/?x=1")["Location"] == "/password/?x=1"


def test_a_password_in_the_wrong_box_is_not_shown_again(client, user):
    assert PASSWORD not in enter(client, password=PASSWORD + "x").content.decode()


# --- limits -------------------------------------------------------------------------------------------------------
def test_a_quarter_of_an_hour_without_a_request_ends_the_session(client, user, now):
    enter(client)
    now.after(minutes=14)
    assert is_in(client)
    now.after(minutes=14)
    assert is_in(client)
    now.after(minutes=15, seconds=1)
    assert not is_in(client)
    assert trail("account.session_ended") == [(user.pk, '{"why": "idle"}')]


def test_a_fragment_that_polls_keeps_nobody_signed_in(client, user, now):
    enter(client)
    for _ in range(4):
        now.after(minutes=4)
        alive = client.get(reverse("change_password"), headers={"X-Background": "1"}).status_code
    assert alive == 302


def test_twelve_hours_end_the_session_however_busy(client, user, now):
    enter(client)
    for _ in range(72):
        now.after(minutes=10)
        assert is_in(client)
    now.after(minutes=1)
    assert not is_in(client)
    assert trail("account.session_ended")[-1] == (user.pk, '{"why": "too_long"}')


def test_the_oldest_browser_goes_when_there_are_too_many(user, now, settings):
    settings.SESSION_CONCURRENT_LIMIT = 2
    browsers = [client_at("10.0.0.1") for _ in range(3)]
    for browser in browsers:
        enter(browser)
        now.after(seconds=30)
    assert [is_in(browser) for browser in browsers] == [False, True, True]


def test_the_sweep_ends_what_nobody_came_back_to_and_says_so_once(client, user, now):
    enter(client)
    enter(client_at("10.0.0.2"), password="wrong")
    now.after(minutes=10)
    enter(client_at("10.0.0.3"))
    now.after(minutes=10)
    assert sessions.sweep(now.at) == 1
    assert sessions.sweep(now.at) == 0
    assert LiveSession.objects.count() == Session.objects.count() == 1
    assert trail("account.session_ended") == [(user.pk, '{"why": "idle"}')]
    now.after(days=2)
    sessions.sweep(now.at)
    assert not FailedSignIns.objects.exists()


@pytest.mark.parametrize("change", [{"left_on": datetime.date(2026, 11, 2)}, {"is_active": False}])
def test_whoever_leaves_or_is_suspended_is_out_at_the_next_request(client, user, change):
    enter(client)
    assert is_in(client)
    model, pk = (User, user.pk) if "is_active" in change else (Staff, user.staff_id)
    model.objects.filter(pk=pk).update(**change)
    assert not is_in(client)


def test_a_new_post_counts_at_the_next_request(client, user):
    enter(client)
    address = reverse("reveal", args=["customers.Customer", "mobile", "0"])
    assert client.get(address).status_code == 404
    Staff.objects.filter(pk=user.staff_id).update(post="auditor")
    assert client.get(address).status_code == 403


def test_a_busy_session_writes_its_last_sight_once_a_minute(client, user, now, django_assert_num_queries):
    enter(client)
    seen = LiveSession.objects.get().last_seen_at
    now.after(seconds=30)
    is_in(client)
    assert LiveSession.objects.get().last_seen_at == seen
    now.after(seconds=31)
    is_in(client)
    assert LiveSession.objects.get().last_seen_at == now.at


# --- one-time links and passwords ---------------------------------------------------------------------------------
def test_a_one_time_link_lets_its_holder_choose_a_password_once(client):
    token = sign_in.invite(actor=None, staff=make_staff("Y1"), at=AT)
    address = reverse("welcome", args=[token])
    page = client.get(address)
    assert page.status_code == 200 and page["Referrer-Policy"] == "no-referrer"
    assert not User.objects.get(username="y1").has_usable_password()
    assert client.post(address, {"password": "short", "again": "short"}).status_code == 422
    assert client.post(address, {"password": NEW, "again": NEW + "x"}).status_code == 422
    assert client.post(address, {"password": NEW, "again": NEW}).status_code == 302
    assert is_in(client)
    assert client_at("10.0.0.2").get(address).status_code == 404
    assert enter(client_at("10.0.0.2"), "Y1", NEW).status_code == 302
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from core_invitation i where i::text like %s", [f"%{token}%"])
        assert cursor.fetchone() == (0,)


def test_a_link_dies_after_a_day_with_a_newer_one_and_with_the_job(client, now):
    staff = make_staff("Y1")
    first = sign_in.invite(actor=None, staff=staff, at=AT)
    second = sign_in.invite(actor=None, staff=staff, at=AT)
    assert client.get(reverse("welcome", args=[first])).status_code == 404
    assert client.get(reverse("welcome", args=[second])).status_code == 200
    Staff.objects.filter(pk=staff.pk).update(left_on=clock.business_date(AT))
    assert client.get(reverse("welcome", args=[second])).status_code == 404
    Staff.objects.filter(pk=staff.pk).update(left_on=None)
    now.after(hours=24, seconds=1)
    assert client.get(reverse("welcome", args=[second])).status_code == 404


def test_a_used_link_ends_the_sessions_opened_with_the_old_password(client, user):
    enter(client)
    token = sign_in.invite(actor=None, staff=user.staff, at=AT)
    client_at("10.0.0.2").post(reverse("welcome", args=[token]), {"password": NEW, "again": NEW})
    assert not is_in(client)


def test_only_a_security_officer_may_invite(user):
    from django.core.exceptions import PermissionDenied

    officer = make_user("X950", "security_officer")
    with pytest.raises(PermissionDenied):
        sign_in.invite(actor=user, staff=user.staff, at=AT)
    assert sign_in.invite(actor=officer, staff=user.staff, at=AT)


def test_the_command_prints_a_link_for_each_and_leaves_out_who_has_left(capsys):
    make_staff("Y1")
    make_staff("Y2", left_on=datetime.date(2026, 1, 1))
    call_command("invite_staff", "--all-of", "X9", "--site", "https://crm.bank.example/")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 and re.fullmatch(
        r"Y1  y1  https://crm\.bank\.example/welcome/[\w-]{43}/", lines[0]
    )
    assert Invitation.objects.count() == 1
    assert trail("staff.invite")[0][0] is None


def test_a_password_of_91_days_leads_to_a_new_one_first(client, user, now):
    now.after(days=90)
    assert enter(client).headers["Location"] == "/"
    client.post(reverse("sign_out"))
    now.after(days=1)
    response = enter(client)
    assert response["Location"].startswith("/welcome/")
    assert not is_in(client)
    assert client.post(response["Location"], {"password": PASSWORD, "again": PASSWORD}).status_code == 422
    assert client.post(response["Location"], {"password": NEW, "again": NEW}).status_code == 302
    assert is_in(client)


def test_no_rotation_in_the_other_profile(client, user, now, settings):
    settings.PASSWORD_PROFILE = "asvs"
    now.after(days=400)
    assert enter(client)["Location"] == "/"


def test_changing_ones_password_takes_the_present_one_and_ends_the_other_browsers(client, user):
    other = client_at("10.0.0.2")
    enter(client)
    enter(other)
    address = reverse("change_password")
    assert client.post(address, {"current": "wrong", "password": NEW, "again": NEW}).status_code == 422
    assert client.post(address, {"current": PASSWORD, "password": NEW, "again": NEW}).status_code == 302
    assert is_in(client) and not is_in(other)
    assert enter(client_at("10.0.0.3"), password=NEW).status_code == 302
    assert OldPassword.objects.filter(user=user).count() == 1


def test_the_last_five_passwords_are_not_taken_again(user):
    from django.core.exceptions import ValidationError

    for n in range(6):
        sign_in.choose_password(user=user, password=f"Birke-im-Nebel-{n}58", at=AT + datetime.timedelta(n))
    with pytest.raises(ValidationError):
        sign_in.choose_password(user=user, password="Birke-im-Nebel-158", at=AT)
    sign_in.choose_password(user=user, password="Birke-im-Nebel-058", at=AT)
