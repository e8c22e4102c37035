"""From a customer's page to why a score moved, down to the account: by mouse, by keyboard, and without JavaScript."""

import datetime

import pytest

from tests.bank import LAST_DAY
from tests.conftest import Bank
from tests.segmentation.rows import Hand, run_night

NEXT_DAY = LAST_DAY + datetime.timedelta(days=1)


@pytest.fixture(scope="module")
def second_night(server):
    """A second night on the server's own database: a booking of C001's has changed his loyalty since the first."""
    account = Bank().account("C001CNYDD01")
    Hand(NEXT_DAY, first=False).bookings(account, [(NEXT_DAY, "-10", "transfer_out", "mobile")])
    run_night(NEXT_DAY)
    return f"/customers/{account.customer_id}/"


def test_why_a_score_changed_is_two_steps_from_the_customers_page_down_to_the_account(reader, second_night):
    ann = reader("ann")
    ann.goto(second_night)
    ann.start()
    ann.click(".score-card[href$='/loyalty/']")
    sentence = ann.page.locator(".change-list a[data-behind]", has_text="活跃度").first
    sentence.wait_for()
    ann.click(sentence)
    ann.page.locator(".change-list .behind-box a[href^='/accounts/']").first.wait_for()
    ann.took_at_most(2)
    assert ann.breaks_accessibility() == [] and not ann.overflows()


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_a_line_opens_and_closes_by_keyboard(reader, second_night, language):
    ann = reader("ann", language=language)
    ann.goto(f"{second_night}loyalty/")
    line = ann.page.locator(".score-ledger a[data-behind=behind-activity]")
    behind = ann.page.locator("#behind-activity .behind-box")
    line.focus()
    ann.press("Enter")
    behind.wait_for()
    assert line.get_attribute("aria-expanded") == "true" and ann.breaks_accessibility() == []
    # What it opened is no way anywhere but by its links.
    behind.locator("thead").click()
    assert ann.page.url.endswith("/loyalty/") and behind.is_visible()
    line.focus()
    ann.press("Enter")
    behind.wait_for(state="hidden")
    assert line.get_attribute("aria-expanded") == "false"


def test_the_course_of_the_months_is_drawn_and_has_a_table_twin(reader, second_night):
    ann = reader("ann")
    ann.goto(f"{second_night}risk/")
    box = ann.page.locator("[data-chart=score-trend]")
    box.locator("canvas").wait_for()
    ann.click(box.locator("[data-chart-twin]"))
    assert box.locator(".chart-twin tbody tr").count() == 2
    # The same after the tab was changed without a new page.
    ann.click("nav.tabs a[href$='/loyalty/']")
    ann.page.wait_for_url("**/loyalty/")
    ann.page.locator("[data-chart=score-trend] canvas").wait_for()


def test_a_line_leads_to_its_accounts_without_javascript(reader, second_night, chromium, server):
    ann = reader("ann")
    context = chromium.new_context(base_url=server, java_script_enabled=False)
    context.add_cookies(ann.page.context.cookies())
    page = context.new_page()
    page.goto(f"{second_night}loyalty/")
    page.click(".score-ledger a[href*='/scores/loyalty/activity/']")
    assert page.locator("main a[href^='/accounts/']").count() >= 1
    context.close()
