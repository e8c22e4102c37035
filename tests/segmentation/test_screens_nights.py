"""The screens of the night: what ran, what waits, live progress, and the button that orders a date."""

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from crm.core import clock, parameters
from crm.core.models import AuditEntry, Chunk, Run
from customers.models import FeedBatch
from segmentation import nightly, nights, ordering, policy
from segmentation.models import PublishedNight
from tests.bank import LAST_DAY
from tests.segmentation.rows import RESULTS, results_of, run_night

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
    assert (run.business_date, run.state, run.night is not None, run.reasons) == (LAST_DAY, "done", True, [])
    assert run.step_count == run.chunks.count() and run.step_rows > 0
    page = client.get(reverse("night", args=[run.pk]))
    assert [step.name for step in page.context["steps"]][-1] == "publish"
    assert all(step.words for step in page.context["steps"])
    assert len(page.context["batches"]) == 2 and "every 2s" not in page.content.decode()


def told(reasons) -> list[tuple]:
    return [(r.kind, (r.batch.source, r.batch.business_date) if r.batch else r.name) for r in reasons]


def test_a_stale_night_says_what_has_changed_and_offers_to_run_it_again(bank, client):
    old = FeedBatch.objects.get(source="core", business_date=LAST_DAY)
    FeedBatch.objects.filter(pk=old.pk).update(state="replaced")
    FeedBatch.objects.filter(pk=another_batch(LAST_DAY).pk).update(replaces=old)
    another_batch(LAST_DAY, "cards")
    parameters.put("tax_rate", "0.20", valid_from=LAST_DAY, why="a law", at=clock.now(), actor=bank.han)
    changed = [("corrected", ("core", LAST_DAY)), ("late", ("cards", LAST_DAY)), ("parameter", "tax_rate")]
    client.force_login(bank.adam)
    page = client.get(reverse("nights"))
    (run,) = page.context["page"].rows
    assert told(run.reasons) == changed
    assert f'name="date" value="{LAST_DAY.isoformat()}"' in page.text and "data-confirm" in page.text
    page = client.get(reverse("night", args=[run.pk]))
    assert told(page.context["reasons"]) == changed
    client.force_login(bank.han)  # an analyst sees why; the button is the administrator's
    text = client.get(reverse("night", args=[run.pk])).text
    assert reverse("parameter", args=["tax_rate"]) in text and reverse("night_start") not in text


def test_a_batch_that_was_taken_back_makes_a_night_stale_too(bank, client):
    FeedBatch.objects.filter(source="core", business_date=LAST_DAY).update(state="refused")
    client.force_login(bank.han)
    (run,) = client.get(reverse("nights")).context["page"].rows
    assert told(run.reasons) == [("withdrawn", ("core", LAST_DAY))]


def test_a_date_stands_once_with_its_newest_attempt_until_every_attempt_is_asked_for(bank, client):
    Run.objects.create(
        kind=nights.KIND, business_date=LAST_DAY, attempt=2, state="waiting", created_at=timezone.now()
    )
    client.force_login(bank.han)
    assert [run.attempt for run in client.get(reverse("nights")).context["page"].rows] == [2]
    every = client.get(reverse("nights"), {"attempts": "all"}).context["page"].rows
    assert [run.attempt for run in every] == [2, 1]


def test_the_page_of_a_run_leads_to_the_parameters_it_was_computed_with(bank, client):
    run = PublishedNight.objects.get(business_date=LAST_DAY).run
    client.force_login(bank.han)
    page = client.get(reverse("night", args=[run.pk]))
    assert page.context["values_are_known"] and page.context["set_parameters"] == []
    assert f"{reverse('parameters')}?on={LAST_DAY.isoformat()}" in page.text
    assert run.parameters_version[:16] in page.text and run.code_version in page.text
    # A value set before a run is among its parameters, with who set it; one set afterwards is not.
    parameters.put("tax_rate", "0.20", valid_from=LAST_DAY, why="a law", at=clock.now(), actor=bank.han)
    again = nightly.run_for(LAST_DAY, at=clock.now())
    parameters.put("capital_ratio", "0.12", valid_from=LAST_DAY, why="later", at=clock.now(), actor=bank.han)
    page = client.get(reverse("night", args=[again.pk]))
    assert [(row.name, row.set_by, row.why) for row in page.context["set_parameters"]] == [
        ("tax_rate", bank.han, "a law")
    ]
    assert page.context["values_are_known"] and "韩分析" in page.text
    assert client.get(reverse("night", args=[run.pk])).context["set_parameters"] == []


def test_every_row_of_a_night_leads_to_its_run_and_the_run_to_all_it_rests_on(bank):
    night = PublishedNight.objects.get(business_date=LAST_DAY)
    assert any(results_of(night.run).values())
    for model in RESULTS:
        manager = getattr(model, "rows", None) or model.objects
        assert set(manager.values_list("run_id", flat=True)) <= {night.run_id}, model
    run = night.run
    assert run.inputs["batches"] == nights.batches_of(LAST_DAY) and run.inputs["base_currency"] == "CNY"
    assert run.parameters_version == policy.on(LAST_DAY).version and run.code_version == nights.code_version()


def test_the_page_says_what_the_night_waited_for_and_how_long_each_step_took_before(bank, client):
    run = PublishedNight.objects.get(business_date=LAST_DAY).run
    earlier = Run.objects.create(
        kind=nights.KIND, business_date=LAST_DAY - DAY, state="done", created_at=timezone.now()
    )
    Chunk.objects.create(run=earlier, position=3, name="account_measures", rows=1, ms=7, fence=1)
    PublishedNight.objects.create(
        business_date=LAST_DAY - DAY,
        run=earlier,
        customers=1,
        base_currency="CNY",
        published_at=timezone.now(),
    )
    Chunk.objects.filter(run=run, name="account_measures").update(ms=5007)
    client.force_login(bank.han)
    page = client.get(reverse("night", args=[run.pk]))
    step = next(step for step in page.context["steps"] if step.name == "account_measures")
    assert (step.ms, step.before_ms, step.slower_ms, step.share) == (5007, 7, 5000, 100)
    moments = page.context["moments"]
    assert "core" in str(moments[0].words)
    assert [moment.at for moment in moments] == sorted(moment.at for moment in moments)
    assert len(moments) == 4 and all(moment.after_ms is not None for moment in moments[1:])
    assert page.context["alerts"] == Chunk.objects.get(run=run, name="alerts").rows


def test_days_without_a_night_are_told_with_what_they_lack(bank, client):
    made = PublishedNight.objects.get(business_date=LAST_DAY)
    far = LAST_DAY + 5 * DAY
    run = Run.objects.create(kind=nights.KIND, business_date=far, state="done", created_at=timezone.now())
    PublishedNight.objects.create(
        business_date=far, run=run, customers=1, base_currency="CNY", published_at=made.published_at
    )
    for day in (1, 4, 5):
        another_batch(LAST_DAY + day * DAY)
    client.force_login(bank.adam)
    found = client.get(reverse("nights")).context["gaps"]
    assert [(gap.first, gap.last, gap.missing) for gap in found] == [
        (LAST_DAY + 4 * DAY, LAST_DAY + 4 * DAY, ()),
        (LAST_DAY + 2 * DAY, LAST_DAY + 3 * DAY, ("core",)),
        (LAST_DAY + DAY, LAST_DAY + DAY, ()),
    ]


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


def test_running_a_past_date_again_changes_no_other_date(bank, client):
    another_batch(LAST_DAY + DAY)
    later = run_night(LAST_DAY + DAY)
    before = results_of(later)
    parameters.put("tax_rate", "0.20", valid_from=LAST_DAY, why="a law", at=clock.now())
    client.force_login(bank.adam)
    client.post(reverse("night_start"), {"date": LAST_DAY.isoformat()})
    again = run_night(LAST_DAY)
    assert again.attempt == 2 and nights.published(LAST_DAY).run_id == again.pk
    assert nights.published().run_id == later.pk and results_of(later) == before
    assert Run.objects.filter(business_date=LAST_DAY + DAY).count() == 1


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
