"""The frame of every page in a real browser: keys, palette, menus, languages, phone, and nothing for axe to find."""

import datetime

import pytest
from django.utils import timezone

from crm.core import jobs
from crm.core.models import Run, RunState


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_the_entrance_and_home_are_accessible_and_fit_the_window(reader, language, phone):
    stranger = reader(None, language=language, phone=phone)
    stranger.goto("/sign-in/")
    assert stranger.breaks_accessibility() == []
    assert not stranger.overflows()
    ann = reader("ann", language=language, phone=phone)
    assert ann.breaks_accessibility() == []
    assert not ann.overflows()


def test_a_slash_goes_to_the_search_box_and_escape_leaves_it(reader):
    ann = reader("ann")
    ann.press("/")
    assert ann.page.evaluate("document.activeElement.matches('[data-search]')")
    ann.press("Escape")
    assert not ann.page.evaluate("document.activeElement.matches('[data-search]')")


def test_a_question_mark_shows_the_keys(reader):
    ann = reader("ann")
    ann.press("?")
    assert ann.page.locator("#keys").is_visible()
    assert ann.breaks_accessibility() == []
    ann.press("Escape")
    assert not ann.page.locator("#keys").is_visible()


def test_a_page_is_three_steps_away_by_the_palette(reader):
    ann = reader("ann")
    target = ann.page.locator("#palette [data-page]").last
    href, label = target.get_attribute("href"), target.inner_text if False else target.text_content().strip()
    ann.press("Control+k")
    ann.type(label)
    ann.press("Enter")
    ann.page.wait_for_url(f"**{href}")
    ann.took_at_most(3)


def test_the_palette_finds_nothing_and_says_so(reader):
    ann = reader("ann")
    ann.press("Control+k")
    ann.type("zzzzqqqq")
    ann.page.wait_for_timeout(500)
    assert ann.page.locator(".palette-none").is_visible()
    assert ann.breaks_accessibility() == []
    ann.press("Escape")
    assert not ann.page.locator("#palette").is_visible()


def test_the_menu_stays_folded_on_the_next_page(reader):
    ann = reader("ann")
    ann.click("[data-sidebar-fold]")
    ann.goto("/")
    assert ann.page.locator("html.sidebar-narrow").count() == 1
    assert ann.page.locator(".sidebar").bounding_box()["width"] < 70
    assert ann.breaks_accessibility() == []


def test_on_a_phone_the_bottom_bar_opens_the_menu_and_the_palette(reader):
    ann = reader("ann", phone=True)
    assert not ann.page.locator(".sidebar").is_visible()
    ann.click(".bottombar [data-menu-open]")
    assert ann.page.locator(".sidebar").is_visible()
    ann.click(".sidebar-close")
    ann.page.wait_for_selector(".sidebar", state="hidden")
    ann.click(".bottombar [data-palette-open]")
    assert ann.page.locator("#palette").is_visible()


def test_the_language_changes_in_one_step_and_stays(reader):
    ann = reader("ann")
    ann.click(".topbar > .languages button[value=en]")
    ann.page.wait_for_selector("html[lang=en]")
    ann.took_at_most(1)
    ann.goto("/")
    assert ann.page.get_attribute("html", "lang") == "en"


def test_the_account_menu_opens_and_signs_out(reader):
    ann = reader("ann")
    ann.click(".account summary")
    assert ann.breaks_accessibility(within=".account") == []
    ann.click(".account form[action*='sign-out'] button")
    ann.page.wait_for_selector("input[name=password]")


def test_a_page_that_is_not_there_says_nothing_and_leads_home(reader):
    ann = reader("ann", expects=[404])
    ann.goto("/no/such/page/")
    assert ann.page.locator(".empty-note a[href='/']").count() == 1
    assert ann.breaks_accessibility() == []


def test_a_request_that_fails_says_so_instead_of_swapping_an_error_page(reader):
    ann = reader("ann", expects=[404])
    ann.page.evaluate("htmx.ajax('GET', '/no/such/page/', {target: '#content'})")
    ann.page.wait_for_selector(".toast-error")
    assert ann.page.locator("#content").count() == 1


def test_the_confirmation_asks_before_the_form_goes(reader):
    ann = reader("ann")
    ann.page.evaluate(
        """() => {
            const form = document.createElement('form');
            form.method = 'get'; form.action = '/'; form.dataset.confirm = 'What will happen.';
            form.innerHTML = '<input type="hidden" name="asked" value="1"><button id="risky">Go</button>';
            document.getElementById('content').append(form);
        }"""
    )
    ann.click("#risky")
    assert ann.page.locator("#confirm-text").text_content() == "What will happen."
    ann.press("Escape")
    assert "asked" not in ann.page.url
    ann.click("#risky")
    ann.click("#confirm-yes")
    ann.page.wait_for_url("**/?asked=1")


def test_work_under_way_is_shown_and_goes_away_by_itself(reader):
    adam = reader("adam")
    run = jobs.ensure_run("night", datetime.date(2026, 11, 5), at=timezone.now())
    adam.goto("/staff/")
    assert adam.page.locator("#tray").is_visible()
    assert adam.breaks_accessibility() == []
    Run.objects.filter(pk=run.pk).update(state=RunState.DONE)
    adam.page.wait_for_selector("#tray", state="detached", timeout=30_000)  # asks every five seconds


@pytest.mark.parametrize("width", [320, 600, 768, 1024, 1280])
def test_no_window_has_to_be_moved_sideways(reader, width):
    han = reader("han", language="en")
    han.page.set_viewport_size({"width": width, "height": 800})
    for path in ("/", "/customers/", "/feeds/", "/staff/", "/org/", "/nights/"):
        han.goto(path)
        assert not han.overflows(), path
