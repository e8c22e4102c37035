"""The inbox folder: what is whole and in its turn loads, what comes early waits, what is wrong is put aside."""

import datetime
import os
import shutil

import pytest

from crm.core import clock
from customers.feeds import inbox
from customers.models import FeedBatch
from tests.customers.feeding import CURRENCIES, DAY, FIRST, balance, edit_manifest, whole_bank
from tests.feed_files import write_batch

pytestmark = pytest.mark.django_db
SECOND, THIRD = FIRST + DAY, FIRST + 2 * DAY
NO_WAIT = datetime.timedelta(0)


def put(folder, name, day, files, **more):
    return write_batch(folder / name, day, files, source="alpha", currency_of=CURRENCIES, **more)


def look(folder, **more) -> list[tuple[str, str]]:
    found = inbox.look(
        clock.now() + datetime.timedelta(seconds=5), folder=folder, quiet=more.pop("quiet", NO_WAIT)
    )
    return [(one.business_date.isoformat() if one.business_date else "", one.outcome) for one in found]


def test_batches_load_in_their_order_and_move_aside(tmp_path):
    put(tmp_path, "a", SECOND, {})
    put(tmp_path, "b", FIRST, whole_bank(), mode="full")
    assert look(tmp_path) == [(FIRST.isoformat(), "loaded"), (SECOND.isoformat(), "loaded")]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["loaded"]
    assert len(list((tmp_path / "loaded").iterdir())) == 2
    assert look(tmp_path) == []


def test_a_batch_before_its_turn_waits_and_is_told_of_once(tmp_path):
    put(tmp_path, "first", FIRST, whole_bank(), mode="full")
    put(tmp_path, "third", THIRD, {"balances.csv": [balance("X1-D", "2025-04-02", "1.00")]})
    assert look(tmp_path) == [(FIRST.isoformat(), "loaded"), (THIRD.isoformat(), "refused")]
    assert look(tmp_path) == []
    assert FeedBatch.objects.get(business_date=THIRD, source="alpha").reason_code == "gap"
    put(tmp_path, "second", SECOND, {})
    assert look(tmp_path) == [(SECOND.isoformat(), "loaded"), (THIRD.isoformat(), "loaded")]
    assert FeedBatch.objects.get(business_date=THIRD, source="alpha").state == "published"


def test_a_batch_that_is_still_being_copied_is_left_alone(tmp_path):
    path = put(tmp_path, "first", FIRST, whole_bank(), mode="full")
    assert look(tmp_path, quiet=datetime.timedelta(seconds=20)) == []
    (path / "manifest.json").rename(tmp_path / "kept")
    assert look(tmp_path) == []  # the manifest comes last
    (tmp_path / "kept").rename(path / "manifest.json")
    shutil.make_archive(str(tmp_path / "x"), "zip", path)
    (tmp_path / "x.zip").rename(tmp_path / "x.zip.part")
    assert look(tmp_path) == [(FIRST.isoformat(), "loaded")]


def test_a_wrong_batch_is_put_aside(tmp_path):
    path = put(tmp_path, "first", FIRST, whole_bank(), mode="full")
    edit_manifest(path, lambda document: document["files"][0].update(rows=9))
    (tmp_path / "junk.zip").write_bytes(b"no archive")
    assert look(tmp_path) == [("", "refused"), (FIRST.isoformat(), "refused")]
    assert len(list((tmp_path / "refused").iterdir())) == 2


def test_a_batch_loaded_but_not_moved_is_moved_the_next_time(tmp_path):
    path = put(tmp_path, "first", FIRST, whole_bank(), mode="full")
    shutil.copytree(path, tmp_path / "again")
    assert look(tmp_path) == [(FIRST.isoformat(), "loaded"), (FIRST.isoformat(), "unchanged")]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["loaded"]


def test_the_task_looks_into_the_folder_of_the_settings(tmp_path, settings, monkeypatch):
    from customers import tasks

    settings.FEED_INBOX = tmp_path / "inbox"
    monkeypatch.setattr(inbox, "QUIET", NO_WAIT)
    put(tmp_path / "inbox", "first", FIRST, whole_bank(), mode="full")
    old = datetime.datetime.now(datetime.UTC).timestamp() - 60
    for entry in [tmp_path / "inbox" / "first", *(tmp_path / "inbox" / "first").iterdir()]:
        os.utime(entry, (old, old))
    tasks.watch_inbox()
    tasks.watch_inbox()
    assert FeedBatch.objects.filter(source="alpha", state="published").count() == 1
