"""A server on a clone of the small bank, a browser on it, and people signed in.

Every page is watched: a file that is not found, a word on the console or a refused style fails the test that saw it.
"""

import contextlib
import os
import threading
from pathlib import Path

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from django.db import connections
from django.test import override_settings

from tests.browser.steps import Reader
from tests.conftest import _cloned

CHROMIUM = next(
    (path for path in ("/usr/bin/chromium", "/usr/bin/chromium-browser") if Path(path).exists()), None
)
ASSETS = Path(__file__).resolve().parents[2] / ".local" / "assets"
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1440, "height": 900}

# Over plain http on loopback the cookies do without their prefix, as in the demo.
PLAIN_HTTP = {
    "SESSION_COOKIE_NAME": "crm_session",
    "SESSION_COOKIE_SECURE": False,
    "CSRF_COOKIE_NAME": "crm_csrf",
    "CSRF_COOKIE_SECURE": False,
    "SECURE_SSL_REDIRECT": False,
    "SECURE_HSTS_SECONDS": 0,
}


def pytest_collection_modifyitems(items):
    for item in items:
        if "tests/browser/" in str(item.path).replace(os.sep, "/"):
            item.add_marker(pytest.mark.browser)


class QuietHandler(WSGIRequestHandler):
    def log_message(self, format, *args):
        """Say nothing: what goes wrong is seen by the browser."""


@pytest.fixture(scope="session")
def chromium():
    """One browser a run. Skips with the way to get one where it is missing."""
    if CHROMIUM is None:
        pytest.skip("chromium is missing: apt-get install chromium fonts-noto-cjk")
    if not (ASSETS / "vendor" / "tabler").exists():
        pytest.skip("the front-end files are missing: make install")
    from playwright.sync_api import sync_playwright

    # Playwright's loop runs in this thread, and Django refuses the database beside a loop unless told otherwise.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    # Beside a loop Django keeps its connections elsewhere: those opened before could not be found to be closed, and
    # a database somebody is connected to cannot be cloned.
    connections.close_all()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--disable-dev-shm-usage",
            ],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def server(chromium, django_db_setup, django_db_blocker):
    """The address of the product on a database of this module's own, where commits are real."""
    with _cloned(django_db_blocker) as copy, copy.connected(), override_settings(**PLAIN_HTTP):
        httpd = ThreadedWSGIServer(("127.0.0.1", 0), QuietHandler, allow_reuse_address=True)
        httpd.daemon_threads = True
        httpd.set_app(StaticFilesHandler(get_wsgi_application()))
        thread = threading.Thread(target=httpd.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{httpd.server_port}"
        finally:
            httpd.shutdown()
            httpd.server_close()
            thread.join(timeout=5)


@pytest.fixture
def reader(chromium, server):
    """``reader("ann")``: a page with that person signed in; ``reader(None)``: nobody.

    ``language`` is zh-hans or en, ``phone`` makes the window 390 pixels wide. ``expects`` lists the status codes a
    test provokes on purpose.
    """
    with contextlib.ExitStack() as stack:
        opened = []

        def open_page(username, *, language="zh-hans", phone=False, expects=()):
            context = chromium.new_context(
                viewport=PHONE if phone else DESK,
                base_url=server,
                locale="zh-CN" if language == "zh-hans" else "en-GB",
                timezone_id="Asia/Shanghai",
                reduced_motion="reduce",
            )
            stack.callback(context.close)
            context.set_default_timeout(20_000)  # two cores shared with the rest of the suite
            context.add_cookies([{"name": "crm_language", "value": language, "url": server}])
            person = Reader(context.new_page(), expects=tuple(expects))
            opened.append(person)
            if username:
                person.sign_in(username, language=language)
            return person

        yield open_page
        for person in opened:
            person.saw_nothing_wrong()
