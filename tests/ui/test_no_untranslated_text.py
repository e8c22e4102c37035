"""No page shows a text that no translation produced: every URL, as everybody who may open it, in a pseudo-language."""

import pytest
from django.urls import reverse

from crm.core.models import Branch, Staff, User
from customers.models import Customer, FeedBatch, Product
from tests.test_urls import every_name, row_parameters
from tests.ui.pseudo import bare_texts, speaking_pseudo

# One of each kind of page: manager, supervisor, head office, counter, machines, audit, rights, compliance.
READERS = ["ann", "cai", "han", "tess", "lou", "adam", "audi", "sean", "mira"]
OWNERS = ["C001", "C101", "C005"]
# Answers to a monitor, in JSON.
NOT_FOR_PEOPLE = {"health"}


def values_of_the_bank() -> set[str]:
    """What the database says and no translation could: names of places, people and products."""
    found = set(Customer.rows.values_list("name", flat=True)) | set(
        Product.objects.values_list("name", flat=True)
    )
    found |= set(Branch.objects.values_list("name", flat=True)) | set(
        Staff.objects.values_list("name", flat=True)
    )
    found |= set(FeedBatch.objects.values_list("source", flat=True))
    return found | {name[:1] + "*" for name in found}


@pytest.mark.parametrize("reader", READERS)
def test_every_text_of_every_page_is_translated(bank, client, reader):
    known = values_of_the_bank()
    client.force_login(User.objects.get(username=reader), backend="crm.core.sessions.AccountBackend")
    bare, seen = [], 0
    for name in every_name():
        if name in NOT_FOR_PEOPLE:
            continue
        for parameters in _rows(bank, name):
            with speaking_pseudo():
                page = client.get(reverse(name, kwargs=parameters))
            if page.status_code in (302, 405) or not page["Content-Type"].startswith("text/html"):
                continue
            seen += 1
            bare += [f"{name}: {text}" for text in sorted(set(bare_texts(page.text, known)))]
    assert seen > 15
    assert not bare, "\n".join(bare)


def test_what_strangers_see_is_translated(bank, client):
    with speaking_pseudo():
        pages = [client.get(reverse("sign_in")), client.get(reverse("welcome", kwargs={"token": "none"}))]
        pages.append(client.post(reverse("sign_in"), {"username": "nobody", "password": "nothing"}))
    bare = [text for page in pages for text in bare_texts(page.text)]
    assert not bare, bare


def _rows(bank, name: str) -> list[dict]:
    """The parameters of the URL for each of the owners; those that name no row only once."""
    if name == "welcome":
        return [{"token": "no-such-link"}]
    found = [row_parameters(bank, name, owner) for owner in OWNERS]
    return [row for index, row in enumerate(found) if row is not None and row not in found[:index]]
