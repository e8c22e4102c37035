"""The frame: only what a person may open is offered, and nothing in it needs what the content policy refuses."""

import datetime
import json
import re
from html import unescape
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from crm import shell
from crm.core import jobs
from crm.core.access import VERBS
from crm.core.checks import declared
from crm.core.models import Run, RunState, Staff, User
from tests.test_urls import named
from tests.urls_rows import ROWS

TEMPLATES = sorted(Path(settings.BASE_DIR, "templates").rglob("*.html"))
ENTRIES = [shell.HOME, *(entry for _key, _label, entries in shell.SECTIONS for entry in entries)]
WITHOUT_COMMENTS = re.compile(r"\{#.*?#\}|\{% comment %\}.*?\{% endcomment %\}", re.S)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.url_name)
def test_each_way_into_the_product_asks_for_the_right_its_page_asks_for(entry):
    assert entry.verb in VERBS
    assert declared(named(entry.url_name).callback) == entry.verb


@pytest.mark.parametrize("username", ["ann", "cai", "han", "tess", "adam", "audi", "sean", "mira"])
def test_every_link_offered_opens(bank, client, username):
    client.force_login(User.objects.get(username=username), backend="crm.core.sessions.AccountBackend")
    page = client.get(reverse("home"), follow=True).text
    nav = page[page.index('class="sidebar-nav"') : page.index("</nav>")]
    links = re.findall(r'href="([^"]+)"', nav)
    assert links
    for href in links:
        assert client.get(href, follow=True).status_code == 200, href


def test_the_auditor_is_offered_no_customer(bank, client):
    client.force_login(bank.audi, backend="crm.core.sessions.AccountBackend")
    page = client.get(reverse("home"), follow=True).text
    assert reverse("audit") in page
    assert f'href="{reverse("customers")}"' not in page and 'name="q"' not in page.split("palette")[0]


def test_the_page_one_is_on_is_marked(bank, client):
    client.force_login(bank.ann, backend="crm.core.sessions.AccountBackend")
    page = client.get(reverse("customers")).text
    marked = re.findall(r'sidebar-link" href="([^"]+)"[^>]*aria-current="page"', page)
    assert marked == [reverse("customers")]


def test_htmx_keeps_no_history_evaluates_nothing_and_asks_this_server_alone(bank, client):
    client.force_login(bank.ann, backend="crm.core.sessions.AccountBackend")
    page = client.get(reverse("home"), follow=True).text
    config = json.loads(unescape(re.search(r"name=\"htmx-config\" content='([^']+)'", page)[1]))
    assert config["historyCacheSize"] == 0 and config["refreshOnHistoryMiss"] is True
    assert config["allowEval"] is False and config["allowScriptTags"] is False
    assert config["selfRequestsOnly"] is True and config["includeIndicatorStyles"] is False
    token = json.loads(re.search(r"<body hx-headers='([^']+)'", page)[1])["X-CSRFToken"]
    assert len(token) == 64


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(settings.BASE_DIR).as_posix())
def test_no_template_needs_what_the_content_policy_refuses(path):
    text = WITHOUT_COMMENTS.sub("", path.read_text(encoding="utf-8"))
    assert not re.search(r"\sstyle\s*=", text), "an inline style"
    assert not re.search(r"\son[a-z]+\s*=", text), "an inline handler"
    assert not re.search(r"<script(?![^>]*\ssrc=)", text), "an inline script"
    assert not re.search(r"<style|javascript:|hx-on|hx-vals=['\"]js|hx-vars", text), (
        "something htmx would evaluate"
    )
    assert not re.search(r"(?:src|href)=[\"'](?:https?:)?//", text), "a file from elsewhere"
    assert "|safe" not in text and "autoescape off" not in text, "text that is not escaped"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(settings.BASE_DIR).as_posix())
def test_every_fragment_says_what_it_needs(path):
    if path.name.startswith("_"):
        assert path.read_text(encoding="utf-8").lstrip().startswith("{# Needs:"), (
            "the first line says what it needs"
        )


def test_every_post_form_carries_its_token():
    for path in TEMPLATES:
        text = path.read_text(encoding="utf-8")
        for form in re.findall(r"<form[^>]*method=[\"']post[\"'].*?</form>", text, re.S):
            assert "csrf_token" in form, path.name


def test_the_sidebar_keeps_the_width_this_browser_chose(bank, client):
    client.force_login(bank.ann, backend="crm.core.sessions.AccountBackend")
    client.cookies["crm_sidebar"] = "narrow"
    assert 'class="sidebar-narrow"' in client.get(reverse("home"), follow=True).text
    client.cookies["crm_sidebar"] = "<script>"
    assert "sidebar-narrow" not in client.get(reverse("home"), follow=True).text.split("<body")[0]


def test_work_under_way_is_shown_to_those_who_may_watch_it(bank, client):
    run = jobs.ensure_run("night", datetime.date(2026, 11, 1), at=timezone.now())
    for username, sees in (("adam", True), ("han", True), ("ann", False), ("tess", False)):
        client.force_login(User.objects.get(username=username), backend="crm.core.sessions.AccountBackend")
        page = client.get(reverse("home"), follow=True).text
        assert ('id="tray"' in page) is sees, username
        assert (reverse("night", kwargs={"run_id": run.pk}) in page) is sees, username
    Run.objects.filter(pk=run.pk).update(state=RunState.DONE)
    client.force_login(bank.adam, backend="crm.core.sessions.AccountBackend")
    assert 'id="tray"' not in client.get(reverse("home"), follow=True).text


def test_decisions_that_wait_are_counted_for_those_who_decide(bank, client):
    second = Staff.objects.create(
        employee_no="S099", name="第二系统", branch=bank.adam.staff.branch, post="administrator", source="crm"
    )
    decider = User.objects.create(username="second", staff=second, password_set_at=timezone.now())
    ROWS["approval"](bank, "C001")  # proposed by adam, who cannot decide his own
    for user, waits in ((bank.adam, False), (decider, True), (bank.ann, False)):
        client.force_login(user, backend="crm.core.sessions.AccountBackend")
        assert ("ti-bell" in client.get(reverse("home"), follow=True).text) is waits, user.username
