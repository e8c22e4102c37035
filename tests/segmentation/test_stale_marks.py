"""Late and corrected feeds mark every page that shows figures of the night, for everybody who may open it, and no other."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from crm.core import clock, parameters
from crm.core.models import User
from customers.models import FeedBatch
from segmentation.models import PublishedNight
from tests.bank import FIRST_DAY, LAST_DAY
from tests.segmentation.rows import run_night
from tests.test_urls import OPEN_TO_THE_WORLD, every_name, row_parameters

pytestmark = pytest.mark.django_db
READERS = ["ann", "cai", "han", "tess", "petra", "mira", "adam"]
MARK = f'data-stale-night="{LAST_DAY.isoformat()}"'

# Pages without a figure the night worked out. A page that is not named here must say when its night is stale.
OF_NO_NIGHT = {
    "approval", "approvals", "audit", "audit_chain", "audit_entry", "change_password", "feed_batch", "feed_breaks",
    "feed_differences", "feed_rejects", "feed_upload", "feed_uploaded", "feeds", "night", "nights", "org", "parameter",
    "parameters", "quality", "reveal", "rights", "staff", "staff_page",
}  # fmt: skip
# Homes of people who look after the system and not after customers: no figure there either.
HOMES_WITHOUT_FIGURES = {"adam", "tess"}


def late_batch() -> None:
    FeedBatch.objects.create(
        source="cards",
        business_date=LAST_DAY,
        manifest_sha256="late",
        mode="delta",
        state="published",
        received_at=timezone.now(),
    )


def corrected_batch() -> None:
    old = FeedBatch.objects.get(source="core", business_date=FIRST_DAY)
    FeedBatch.objects.filter(pk=old.pk).update(state="replaced")
    FeedBatch.objects.create(
        source="core",
        business_date=FIRST_DAY,
        manifest_sha256="corrected",
        mode="delta",
        state="published",
        received_at=timezone.now(),
        replaces=old,
    )


def changed_parameter() -> None:
    parameters.put("tax_rate", "0.15", valid_from=LAST_DAY, why="a new law", at=clock.now())


def pages(bank, client, username: str) -> dict[str, str]:
    """Return URL name → whole page, for every page the person may open; fragments stand in a page that is marked."""
    client.force_login(User.objects.get(username=username), backend="crm.core.sessions.AccountBackend")
    found = {}
    for name in every_name():
        if name in OPEN_TO_THE_WORLD:
            continue
        answer = client.get(reverse(name, kwargs=row_parameters(bank, name, "C001")))
        if answer.status_code == 200 and "<html" in (text := answer.getvalue().decode()):
            found[name] = text
    return found


def of_a_night(username: str, name: str) -> bool:
    return name not in OF_NO_NIGHT and not (name == "home" and username in HOMES_WITHOUT_FIGURES)


@pytest.mark.parametrize("username", READERS)
def test_every_page_of_figures_says_when_its_night_is_stale_and_no_other_page_does(bank, client, username):
    before = pages(bank, client, username)
    assert [name for name, text in before.items() if "data-stale-night" in text] == []
    corrected_batch()
    after = pages(bank, client, username)
    assert after.keys() == before.keys()
    marked = {name for name, text in after.items() if MARK in text}
    assert marked == {name for name in after if of_a_night(username, name)}


@pytest.mark.parametrize("change", [late_batch, corrected_batch, changed_parameter])
def test_whatever_a_night_rests_on_makes_it_stale_once_it_changes(bank, client, change):
    client.force_login(bank.ann)
    customer = reverse("customer", args=[bank.customer("C001").pk])
    assert MARK not in client.get(customer).text
    change()
    assert MARK in client.get(customer).text


def test_what_holds_from_the_next_day_on_leaves_the_night_as_it_is(bank, client):
    client.force_login(bank.ann)
    day = LAST_DAY + (LAST_DAY - FIRST_DAY)
    parameters.put("tax_rate", "0.15", valid_from=day, why="a new law", at=clock.now())
    FeedBatch.objects.create(
        source="core",
        business_date=day,
        manifest_sha256="next",
        mode="delta",
        state="published",
        received_at=timezone.now(),
    )
    assert "data-stale-night" not in client.get(reverse("customers")).text


def test_the_mark_costs_no_question_and_leads_to_the_run_for_those_who_may_see_it(bank, client):
    client.force_login(bank.han)
    client.get(reverse("overview"))
    with CaptureQueriesContext(connection) as fresh:
        client.get(reverse("overview"))
    corrected_batch()
    with CaptureQueriesContext(connection) as stale:
        page = client.get(reverse("overview")).text
    assert len(stale) == len(fresh)
    run = reverse("night", args=[PublishedNight.objects.get(business_date=LAST_DAY).run_id])
    assert f'href="{run}"' in page
    client.force_login(bank.cai)
    assert MARK in (page := client.get(reverse("overview")).text) and run not in page


def test_an_older_night_a_page_compares_with_is_marked_where_it_stands(bank, client):
    following = LAST_DAY + (LAST_DAY - FIRST_DAY)
    FeedBatch.objects.create(
        source="core",
        business_date=following,
        manifest_sha256="next",
        mode="delta",
        state="published",
        received_at=timezone.now(),
    )
    run_night(following)
    client.force_login(bank.cai)
    urls = [reverse("customer_score", args=[bank.customer("C001").pk, "loyalty"]), reverse("trends")]
    assert all("data-stale" not in client.get(url).text for url in urls)
    changed_parameter()
    run_night(following)
    # The newest night is up to date again; the month end it is compared with is not.
    assert all(
        "data-stale-night" not in (page := client.get(url).text) and "data-stale" in page for url in urls
    )
