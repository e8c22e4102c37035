"""The screens of the night: what ran, what waits, live progress, and the button that orders a date."""

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from crm.core.models import AuditEntry, Run
from customers.models import FeedBatch
from segmentation import nights, ordering
from segmentation.models import PublishedNight
from tests.bank import LAST_DAY

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


def another_batch(day: datetime.date, source: str = "core") -> FeedBatch:
    return FeedBatch.objects.create(
        source=source,
        business_date=day,
        manifest_sha256=f"{source}{day}",
        mode="delta",
        state="published",
        received_at=timezone.now(),
    )


def test_the_list_shows_each_run_and_which_of_them_people_read(bank, client):
    client.force_login(bank.han)
    (run,) = client.get(reverse("nights")).context["page"].rows
    assert (run.business_date, run.state, run.night is not None, run.is_stale) == (
        LAST_DAY,
        "done",
        True,
        False,
    )
    assert run.step_count == run.chunks.count() and run.step_rows > 0
    page = client.get(reverse("night", args=[run.pk]))
    assert [step.name for step in page.context["steps"]][-1] == "publish"
    assert all(step.words for step in page.context["steps"])
    assert len(page.context["batches"]) == 2 and "every 2s" not in page.content.decode()


def test_a_night_is_stale_once_a_batch_of_its_day_came_later(bank, client):
    client.force_login(bank.han)
    another_batch(LAST_DAY, "cards")
    (run,) = client.get(reverse("nights")).context["page"].rows
    assert run.is_stale
    assert client.get(reverse("night", args=[run.pk])).context["stale"]


def test_the_list_says_for_which_source_the_next_night_waits(bank, client):
    client.force_login(bank.adam)
    loaded = ordering.loaded()
    assert (loaded.newest, loaded.behind, loaded.due, loaded.missing) == (
        LAST_DAY,
        0,
        LAST_DAY + DAY,
        ["core"],
    )
    another_batch(LAST_DAY + DAY, "cards")
    loaded = client.get(reverse("nights")).context["loaded"]
    assert (loaded.newest, loaded.behind, loaded.missing) == (LAST_DAY + DAY, 1, ["core"])


def test_a_running_night_asks_again_every_two_seconds_as_a_fragment_that_is_no_activity(bank, client):
    client.force_login(bank.adam)
    run = Run.objects.create(
        kind=nights.KIND,
        business_date=LAST_DAY + DAY,
        state="running",
        progress="3/8 account_measures",
        created_at=timezone.now(),
    )
    page = client.get(
        reverse("night", args=[run.pk]), HTTP_HX_REQUEST="true", HTTP_HX_TARGET="night"
    ).content.decode()
    assert 'hx-trigger="every 2s"' in page and "X-Background" in page and "3/8 account_measures" in page
    assert "<html" not in page
    Run.objects.filter(pk=run.pk).update(state="dead", error="CheckFailed: sums differ", crashes=3)
    page = client.get(reverse("night", args=[run.pk])).content.decode()
    assert "CheckFailed: sums differ" in page and "every 2s" not in page


def test_the_button_orders_a_date_once_and_leaves_a_trace(bank, client):
    client.force_login(bank.adam)
    earlier = LAST_DAY - DAY
    for _ in range(2):
        answer = client.post(reverse("night_start"), {"date": earlier.isoformat()})
        run = Run.objects.get(kind=nights.KIND, business_date=earlier)
        assert answer.headers["Location"] == reverse("night", args=[run.pk])
    assert AuditEntry.objects.filter(verb="nights.start", object_id=str(run.pk)).count() == 2
    # What has run with the same inputs is not run again.
    client.post(reverse("night_start"), {"date": LAST_DAY.isoformat()})
    assert Run.objects.filter(kind=nights.KIND, business_date=LAST_DAY).count() == 1


@pytest.mark.parametrize("date", ["", "nonsense", "2026-02-30", "2999-01-01"])
def test_a_date_that_cannot_run_is_told_so_beside_the_field(bank, client, date):
    client.force_login(bank.adam)
    before = Run.objects.count()
    answer = client.post(reverse("night_start"), {"date": date})
    assert (
        answer.status_code == 422 and answer.context["form"].errors["date"] and Run.objects.count() == before
    )


def test_before_the_first_batch_nothing_can_be_ordered(bank, client):
    FeedBatch.objects.update(state="refused")
    client.force_login(bank.adam)
    assert client.post(reverse("night_start"), {"date": "2026-10-31"}).status_code == 422


def test_only_the_administrator_orders_a_night(bank, client):
    for username in ("han", "cai", "mira", "sean", "ann"):
        client.force_login(getattr(bank, username))
        assert client.post(reverse("night_start"), {"date": LAST_DAY.isoformat()}).status_code == 403


def test_the_list_asks_as_many_questions_for_thirty_nights_as_for_three(bank, client):
    client.force_login(bank.adam)
    counts: dict[str, list[int]] = {}
    had = 0
    for rows in (3, 30):
        for n in range(had, rows):
            day = LAST_DAY + (n + 1) * DAY
            run = Run.objects.create(
                kind=nights.KIND,
                business_date=day,
                state="done",
                created_at=timezone.now(),
                inputs={"batches": []},
            )
            PublishedNight.objects.create(
                business_date=day,
                run=run,
                customers=1,
                base_currency="CNY",
                published_at=timezone.now(),
                kept=False,
            )
            another_batch(day)
        had = rows
        for name, url in {
            "list": reverse("nights"),
            "one": reverse("night", args=[run.pk]),
            "home": "/",
        }.items():
            with CaptureQueriesContext(connection) as queries:
                assert client.get(url).status_code == 200
            counts.setdefault(name, []).append(len(queries))
    assert all(len(set(found)) == 1 and found[0] <= 12 for found in counts.values()), counts
