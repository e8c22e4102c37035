"""What every answer carries: an id, no-store, the security headers, a language; and what htmx gets instead of a redirect."""

import json
import os
import subprocess
import sys

import pytest
from django.conf import settings as project
from django.http import HttpResponse, HttpResponseRedirect
from django.test import RequestFactory
from django.urls import reverse
from django_htmx.middleware import HtmxDetails

from crm.core import requests
from tests.core.people import make_user

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def signed_in(client):
    client.force_login(make_user())
    return client


def test_every_answer_has_an_id_of_our_own(client):
    first = client.get(reverse("sign_in"), headers={"X-Request-ID": "forged"})["X-Request-ID"]
    second = client.get(reverse("sign_in"))["X-Request-ID"]
    assert first != second and len(first) == 32 and first != "forged"


@pytest.mark.parametrize("name", ["sign_in", "change_password"])
def test_no_cache_keeps_a_page(signed_in, client, name):
    assert signed_in.get(reverse("change_password"))["Cache-Control"] == "no-store, private"
    assert client.get(reverse(name))["Cache-Control"] == "no-store, private"


def test_even_a_view_that_allows_caching_is_not_kept_for_somebody_signed_in():
    request = RequestFactory().get("/")
    request.user = make_user()
    request.htmx = False

    def view(_request):
        return HttpResponse(headers={"Cache-Control": "max-age=3600"})

    assert requests.PrivateResponseMiddleware(view)(request)["Cache-Control"] == "no-store, private"


def test_a_redirect_to_sign_in_never_reaches_a_fragment():
    request = RequestFactory().get(
        "/list/", headers={**HTMX, "HX-Current-URL": "http://testserver/customers/?tier=1"}
    )
    request.user = type("Nobody", (), {"is_authenticated": False})()
    request.htmx = HtmxDetails(request)
    middleware = requests.PrivateResponseMiddleware(
        lambda _: HttpResponseRedirect(reverse("sign_in") + "?next=/list/")
    )
    response = middleware(request)
    assert response.status_code == 401
    assert response["HX-Redirect"] == reverse("sign_in") + "?next=%2Fcustomers%2F%3Ftier%3D1"
    request.htmx = HtmxDetails(RequestFactory().get("/list/"))
    assert middleware(request).status_code == 302


def test_a_fragment_after_the_session_ended_is_sent_to_sign_in(client):
    headers = {**HTMX, "HX-Current-URL": "http://testserver/customers/"}
    response = client.get(reverse("change_password"), headers=headers)
    assert response.status_code == 401 and not response.content
    assert response["HX-Redirect"] == reverse("sign_in") + "?next=%2Fcustomers%2F"
    assert response["Cache-Control"] == "no-store, private"


def test_the_security_headers_are_on_every_page(client, settings):
    response = client.get(reverse("sign_in"), secure=True)
    policy = response["Content-Security-Policy"]
    assert "script-src 'self'" in policy and "unsafe" not in policy
    for part in ("object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert part in policy
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    assert response["X-Frame-Options"] == "DENY"
    assert int(response["Strict-Transport-Security"].split(";")[0].removeprefix("max-age=")) >= 31_536_000


def started(**environment):
    """The settings that matter here, as a process of its own reads them."""
    names = "SESSION_COOKIE_NAME CSRF_COOKIE_NAME SESSION_COOKIE_SECURE CSRF_COOKIE_SECURE SECURE_SSL_REDIRECT DEBUG"
    code = f"import json; from crm import settings as s; print(json.dumps([getattr(s, n) for n in {names.split()!r}]))"
    clean = {k: v for k, v in os.environ.items() if k not in ("CRM_DEMO", "CRM_TLS")}
    out = subprocess.run(
        [sys.executable, "-c", code],
        env=clean | environment,
        cwd=project.BASE_DIR,
        capture_output=True,
        check=True,
    )
    return json.loads(out.stdout)


def test_cookies_carry_the_host_prefix_everywhere_but_in_the_demo():
    assert started() == ["__Host-crm_session", "__Host-crm_csrf", True, True, True, False]
    assert started(CRM_DEMO="1") == ["crm_session", "crm_csrf", False, False, False, False]


def test_a_form_without_its_token_is_refused():
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    assert strict.post(reverse("sign_in"), {"username": "a", "password": "b"}).status_code == 403
    assert strict.post(reverse("set_language"), {"language": "en"}).status_code == 403


# --- language -----------------------------------------------------------------------------------------------------
def language_of(response):
    return response["Content-Language"]


def test_chinese_is_spoken_first_then_what_the_browser_chose_then_what_the_person_chose(client):
    assert language_of(client.get(reverse("sign_in"), headers={"Accept-Language": "en"})) == "zh-hans"
    answer = client.post(reverse("set_language"), {"language": "en", "next": reverse("sign_in")})
    assert answer["Location"] == reverse("sign_in")
    assert language_of(client.get(reverse("sign_in"))) == "en"
    user = make_user()
    client.force_login(user)
    assert language_of(client.get(reverse("change_password"))) == "en"
    client.post(reverse("set_language"), {"language": "zh-hans"})
    client.cookies["crm_language"] = "en"
    assert language_of(client.get(reverse("change_password"))) == "zh-hans"
    user.refresh_from_db()
    assert user.language == "zh-hans"


@pytest.mark.parametrize("language", ["", "fr", "../../etc", "zh"])
def test_a_language_nobody_speaks_here_is_refused(client, language):
    assert client.post(reverse("set_language"), {"language": language}).status_code == 400
    client.cookies["crm_language"] = language
    assert language_of(client.get(reverse("sign_in"))) == "zh-hans"


def test_the_language_is_not_changed_by_a_link(client):
    assert client.get(reverse("set_language")).status_code == 405


def test_a_language_switch_leads_to_no_other_site(client):
    assert (
        client.post(reverse("set_language"), {"language": "en", "next": "//evil.example"})["Location"] == "/"
    )
