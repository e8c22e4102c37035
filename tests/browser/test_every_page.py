"""Every page of the product in a real browser: nothing for axe to find, no sideways scroll, nothing on the console.

Each URL is opened once a language by the first of the readers who may, on a desk and on a phone.
"""

import pytest
from django.urls import reverse

from crm.core.access import VERBS
from crm.core.checks import declared
from tests.bank import PEOPLE
from tests.conftest import Bank
from tests.test_urls import every_name, named, row_parameters

READERS = ["han", "ann", "cai", "adam", "audi", "sean", "tess", "clara"]
POSTS = {username: post for username, _no, _name, _branch, post in PEOPLE} | {"sean": "security_officer"}
# Not pages: a monitor's answer, and a link that is good once.
LEAST = {"han": 12, "audi": 3}
NOT_PAGES = {"health", "welcome"}


def pages_of(reader: str) -> list[str]:
    """The URLs this reader opens in the sweep: those nobody before him in the list may open."""

    def may(username: str, name: str) -> bool:
        verb = declared(named(name).callback) or ""
        return verb.startswith("public") or POSTS[username] in VERBS.get(verb, ())

    earlier = READERS[: READERS.index(reader)]
    return [
        name
        for name in every_name()
        if name not in NOT_PAGES
        and may(reader, name)
        # The front page is another one for each post.
        and (name == "home" or not any(may(other, name) for other in earlier))
    ]


def addresses_of(reader: str) -> list[tuple[str, str]]:
    """(name, URL) of each of them; a customer's pages for a person and for a firm."""
    found = []
    for name in pages_of(reader):
        for owner in ("C001", "C101") if name.startswith("customer") else ("C001",):
            url = reverse(name, kwargs=row_parameters(Bank(), name, owner))
            if (name, url) not in found:
                found.append((name, url))
    return found


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("username", READERS)
def test_every_page_is_accessible_fits_a_phone_and_says_nothing_on_the_console(reader, username, language):
    person = reader(username, language=language)
    faults, seen = [], set()
    for name, url in addresses_of(username):
        answer = person.page.request.get(url, max_redirects=0)
        if answer.status != 200 or not answer.headers["content-type"].startswith("text/html"):
            continue
        seen.add(name)
        person.page.set_viewport_size({"width": 1440, "height": 900})
        person.page.goto(url)
        faults += [f"{url}: {fault}" for fault in person.breaks_accessibility()]
        person.page.set_viewport_size({"width": 390, "height": 844})
        if person.overflows():
            faults.append(f"{url}: wider than a phone")
        faults += [f"{url} on a phone: {fault}" for fault in person.breaks_accessibility()]
    assert not faults, "\n".join(faults)
    # The rest answers to POST alone, or with a file.
    assert len(seen) >= LEAST.get(username, 0), f"only {sorted(seen)} were seen"
