"""The line in the frame of every page: of which day the data is, checked or not, late or not."""

import datetime

import pytest
from django.utils import translation

from crm.core.access import may
from crm.core.clock import SHANGHAI
from customers.feeds.freshness import freshness
from customers.models import FeedBatch
from tests.core.somebody import somebody

pytestmark = pytest.mark.django_db
MONDAY = datetime.datetime(2031, 3, 3, 9, tzinfo=SHANGHAI)


def published(day: str, source: str = "only", **facts) -> FeedBatch:
    defaults = {"mode": "delta", "state": "published", "manifest_sha256": day + source, "received_at": MONDAY}
    return FeedBatch.objects.create(source=source, business_date=day, **defaults | facts)


@pytest.fixture
def no_batches():
    FeedBatch.objects.update(state="replaced")


def test_no_data_is_missing_data(no_batches):
    found = freshness(somebody("han"), MONDAY)
    assert (found.state, found.date, found.warns) == ("missing", None, True)
    assert found.words and found.explanation


def test_yesterdays_batch_without_breaks_is_checked(no_batches):
    batch = published("2031-03-02")
    found = freshness(somebody("han"), MONDAY)
    assert (found.state, found.batch_id, found.warns) == ("checked", batch.pk, False)


def test_breaks_are_said(no_batches):
    published("2031-03-02", breaks=3)
    found = freshness(somebody("han"), MONDAY)
    with translation.override("en"):
        assert (found.state, found.explanation) == (
            "breaks",
            "Bookings and balances differ on 3 account-days.",
        )


def test_late_data_says_since_when_and_that_a_batch_was_refused(no_batches):
    published("2031-02-28")
    published("2031-03-01", state="refused")
    found = freshness(somebody("han"), MONDAY)
    with translation.override("en"):
        assert found.explanation == (
            "The feed is 2 days late: what you see is as of 2031-02-28. The batch of 2031-03-01 was refused."
        )
    assert found.warns


def test_the_data_is_as_old_as_the_source_furthest_behind(no_batches):
    published("2031-03-02")
    published("2031-02-27", source="cards")
    assert freshness(somebody("han"), MONDAY).date == datetime.date(2031, 2, 27)


def test_just_after_midnight_in_shanghai_a_new_day_is_expected(no_batches):
    published("2031-03-01")
    before = datetime.datetime(2031, 3, 2, 23, 59, tzinfo=SHANGHAI)
    assert freshness(somebody("han"), before).state == "checked"
    assert freshness(somebody("han"), before + datetime.timedelta(minutes=2)).state == "late"


def test_only_those_who_may_see_the_feeds_get_a_link(no_batches):
    for name in ("han", "ann", "adam"):
        user = somebody(name)
        assert bool(freshness(user, MONDAY).href) == may(user, "feeds.view")


def test_it_costs_one_query(no_batches, django_assert_num_queries):
    user = somebody("han")
    published("2031-03-02")
    freshness(user, MONDAY)
    with django_assert_num_queries(1):
        freshness(user, MONDAY)
