"""A stale night run again by its one button: the question names what will happen, the page follows the run to its end."""

import re

from playwright.sync_api import expect

from crm.core import clock, jobs, parameters
from crm.core.models import Run
from segmentation import nights
from tests.bank import LAST_DAY


def test_the_button_asks_first_then_the_page_follows_the_run_until_it_is_done(reader):
    parameters.put("tax_rate", "0.20", valid_from=LAST_DAY, why="a law", at=clock.now())
    adam = reader("adam", language="en")
    adam.page.goto("/nights/")
    row = adam.page.locator("tbody tr", has_text=LAST_DAY.isoformat())
    expect(row).to_contain_text("Income tax")
    row.get_by_role("button", name="Run again").click()
    asked = adam.page.locator("dialog#confirm")
    expect(asked).to_contain_text(f"The night of {LAST_DAY.isoformat()} is run again")
    asked.get_by_role("button", name="Cancel").click()
    assert Run.objects.filter(kind=nights.KIND).count() == 1
    row.get_by_role("button", name="Run again").click()
    asked.get_by_role("button", name="Go ahead").click()
    adam.page.wait_for_url(re.compile(r"/nights/\d+/"))
    expect(adam.page.locator("#night-progress")).to_contain_text("Waiting for a worker")
    run = Run.objects.get(kind=nights.KIND, attempt=2)
    jobs.work_on(run.pk, worker="browser", at=clock.now(), seconds=600)
    # The page asks every two seconds by itself.
    expect(adam.page.locator("#night h1 + .mark")).to_contain_text("done", timeout=15_000)
    expect(adam.page.locator("#night")).not_to_contain_text("Stale")
