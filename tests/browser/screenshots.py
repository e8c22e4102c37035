"""The pictures of the README, taken from a running demo: ``make demo``, and in a second terminal

CRM_SCREENSHOTS=docs .venv/bin/python -m pytest tests/browser/screenshots.py

``CRM_SCREENSHOTS`` is the folder they go to, ``CRM_SCREENSHOTS_FROM`` where the demo is if not on port 8000, and
``CRM_SCREENSHOTS_ACCOUNTS`` its list of accounts if not this installation's.
"""

import json
import os
from pathlib import Path

import pytest

from crm.demo.accounts import FILE
from crm.local.folder import data_folder
from tests.browser.conftest import DESK, PHONE

FOLDER = os.environ.get("CRM_SCREENSHOTS")
DEMO = os.environ.get("CRM_SCREENSHOTS_FROM", "http://127.0.0.1:8000")
MOST_BYTES = 300_000

pytestmark = pytest.mark.skipif(
    not FOLDER, reason="takes pictures of a running demo: set CRM_SCREENSHOTS=docs"
)

# file, person, language, phone, and what is clicked after signing in
PICTURES = [
    ("overview-en", "analyst", "en", False, []),
    ("overview-zh", "analyst", "zh-hans", False, []),
    ("customer-en", "manager1", "en", False, ["main table[data-list] tbody a", "nav a[href$='/contribution/']"]),
    ("customer-zh", "manager1", "zh-hans", False, ["main table[data-list] tbody a", "nav a[href$='/contribution/']"]),
    ("phone-zh", "manager1", "zh-hans", True, []),
]  # fmt: skip


@pytest.mark.parametrize(("name", "username", "language", "phone", "clicks"), PICTURES)
def test_a_picture_of_the_demo_is_small_enough_for_the_readme(
    chromium, name, username, language, phone, clicks
):
    people = json.loads(
        Path(os.environ.get("CRM_SCREENSHOTS_ACCOUNTS", data_folder("run") / FILE)).read_text()
    )
    password = next(person["password"] for person in people if person["username"] == username)
    context = chromium.new_context(
        viewport=PHONE if phone else DESK, base_url=DEMO, timezone_id="Asia/Shanghai"
    )
    page = context.new_page()
    page.goto("/sign-in/")
    page.fill("input[name=username]", username)
    page.fill("input[name=password]", password)
    page.click("main button.btn-primary")
    page.wait_for_selector(".shell")
    if (page.get_attribute("html", "lang") or "").lower() != language:
        page.locator(f".languages button[value={language}]").first.evaluate("button => button.click()")
        page.wait_for_selector(f"html[lang='{language}']")
    for selector in clicks:
        page.locator(selector).first.click()
        page.wait_for_load_state("networkidle")
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1_000)  # charts are drawn
    target = Path(FOLDER) / f"{name}.png"
    page.screenshot(path=target)
    context.close()
    assert target.stat().st_size <= MOST_BYTES
