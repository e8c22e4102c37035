"""Every URL × every person × in and out of scope: 404 where it is not his, 403 where he may not, the page where he may.

The expectation comes from the table of verbs and from ``SEEN_BY`` alone, never from the view.
"""

import copy
import re

import pytest
from django.db import IntegrityError, transaction
from django.urls import URLPattern, reverse

from crm.core.access import VERBS
from crm.core.checks import declared, patterns
from crm.core.models import Post, Staff, User
from tests.core.test_scope import SEEN_BY
from tests.urls_rows import HIDDEN_FROM, OWNED, ROWS

MEMBERS = list(SEEN_BY)
OUT_OF_WORK = {"gone", "idle"}
OPEN_TO_THE_WORLD = {"health", "sign_in", "welcome", "set_language"}

# They answer a GET with 405 to everybody, before looking for the row.
TAKES_ORDERS = {"reveal", "approval_decide", "approval_withdraw", "parameter_propose", "sign_out"}

# Rows a URL may name, as (parameter, customer) pairs: one of ann's, one of dora's, the one under a processing stop.
OWNERS = ["C001", "C005", "C008"]


def named(wanted: str) -> URLPattern:
    return next(pattern for _, pattern in patterns() if pattern.name == wanted)


def every_name() -> list[str]:
    return sorted({pattern.name or str(pattern.pattern) for _, pattern in patterns()})


def test_every_url_has_a_name():
    assert all(pattern.name for _, pattern in patterns())


def test_every_url_declares_its_right_and_the_open_ones_are_these():
    assert all(declared(pattern.callback) for _, pattern in patterns())
    opened = {
        pattern.name for _, pattern in patterns() if (declared(pattern.callback) or "").startswith("public")
    }
    assert opened == OPEN_TO_THE_WORLD


def row_parameters(bank, name: str, owner: str) -> dict | None:
    """Return the URL's parameters for a row of ``owner``; None where the URL names no row of a customer's."""
    wanted = named(name).pattern.converters
    if not wanted:
        return {}
    found = {}
    for parameter in wanted:
        value = ROWS[name](bank, owner)[parameter] if name in ROWS else ROWS[parameter](bank, owner)
        if value is None:
            return None
        found[parameter] = value
    return found


def owned(name: str) -> bool:
    return name in OWNED or bool({"customer_id", "account_id"} & set(named(name).pattern.converters))


def expected(username: str, name: str, verb: str, owner: str | None) -> set[int]:
    if username in OUT_OF_WORK:
        return {302}
    post = User.objects.get(username=username).post
    if post not in VERBS[verb]:
        return {403}
    if owner is not None and owner not in SEEN_BY.get(username, set()):
        return {404}
    if username in HIDDEN_FROM.get(name, ()):
        return {404}
    return {200, 302, 405}


def without_token(response, url: str) -> bytes:
    """The page without its one-time token against forged requests and without the address that was asked for."""
    return re.sub(rb"[A-Za-z0-9]{64}", b"", response.content).replace(url.encode(), b"")


GUARDED = [name for name in every_name() if name not in OPEN_TO_THE_WORLD]


def asked(client, method: str, url: str) -> int:
    """Send one request and undo what it did, signing out included; return the status."""
    cookies = copy.deepcopy(client.cookies)
    with transaction.atomic():
        status = getattr(client, method)(url).status_code
        transaction.set_rollback(True)
    client.cookies = cookies
    return status


@pytest.mark.parametrize("username", SEEN_BY)
def test_each_person_gets_what_the_tables_say(bank, client, username):
    client.force_login(User.objects.get(username=username), backend="crm.core.sessions.AccountBackend")
    wrong = []
    for name in GUARDED:
        verb = named(name).callback.verb
        for owner in OWNERS if owned(name) else [None]:
            url = reverse(name, kwargs=row_parameters(bank, name, owner or OWNERS[0]))
            for method in ("get", "post"):
                allowed = expected(username, name, verb, owner)
                if method == "post" and 200 in allowed:
                    # An empty form is told so; a read refuses to be posted to; nothing breaks.
                    allowed = allowed | {400, 409, 422}
                elif method == "post" and allowed == {404}:
                    # A screen that takes no orders says so to everybody, before it looks for the row.
                    allowed = {404, 405}
                elif allowed == {404} and name in TAKES_ORDERS:
                    allowed = {404, 405}
                status = asked(client, method, url)
                if status not in allowed:
                    wrong.append(f"{method} {url}: {status}, expected one of {sorted(allowed)}")
    assert not wrong, "\n".join(wrong)


def test_every_url_is_opened_by_somebody(bank):
    """The positive control: the sweep would prove nothing about a URL that everybody is refused."""
    for name in GUARDED:
        verb, owner = named(name).callback.verb, OWNERS[0] if owned(name) else None
        assert any(200 in expected(username, name, verb, owner) for username in SEEN_BY), name


@pytest.mark.parametrize("name", GUARDED)
def test_a_stranger_is_sent_to_sign_in(bank, client, name):
    parameters = row_parameters(bank, name, OWNERS[0])
    if parameters is None:
        parameters = row_parameters(bank, name, "C005")
    url = reverse(name, kwargs=parameters)
    assert client.get(url).status_code == 302
    assert client.post(url).status_code == 302
    fragment = client.get(url, headers={"HX-Request": "true"})
    assert fragment.status_code == 401 and fragment["HX-Redirect"]


@pytest.mark.parametrize("name", [name for name in GUARDED])
def test_out_of_scope_looks_like_not_there(bank, client, name):
    if not owned(name):
        return
    parameters = row_parameters(bank, name, "C005")
    if parameters is None:
        return
    client.force_login(bank.cai, backend="crm.core.sessions.AccountBackend")
    if bank.cai.post not in VERBS[named(name).callback.verb]:
        return
    nothing = {key: 999_999_999 if isinstance(value, int) else value for key, value in parameters.items()}
    hidden_url, absent_url = reverse(name, kwargs=parameters), reverse(name, kwargs=nothing)
    hidden, absent = client.get(hidden_url), client.get(absent_url)
    assert hidden.status_code in (404, 405)
    if absent.status_code == 404 and hidden.status_code == 404:
        assert without_token(hidden, hidden_url) == without_token(absent, absent_url)


def test_no_two_of_the_three_who_look_after_the_system_are_one_person(bank):
    """One post a staff row, one account a staff row: the database has no place for a second hat."""
    auditor = Staff.objects.get(post=Post.AUDITOR)
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(username="audi2", staff=auditor)
