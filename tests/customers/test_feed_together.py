"""Two loaders at once, and files that change under the loader's eyes."""

import os

import pytest

from crm.core import clock
from customers.feeds import publish
from customers.feeds.load import load_batch
from customers.models import FeedBatch
from tests.customers.content import content
from tests.customers.feeding import CURRENCIES, FIRST, booking, bookings, deliver_bank, load, whole_bank
from tests.feed_files import write_batch


def in_a_child(work) -> int:
    child = os.fork()
    if child:
        return child
    try:
        work()
        os._exit(0)
    except BaseException:
        os._exit(1)


@pytest.mark.slow
def test_loaders_that_start_together_load_a_batch_once(bank_copies, tmp_path):
    path = write_batch(
        tmp_path / "1", FIRST, whole_bank(), source="alpha", mode="full", currency_of=CURRENCIES
    )

    def work():
        assert load_batch(path, at=clock.now()).outcome in ("loaded", "unchanged")

    with bank_copies() as copy, copy.connected() as connection:
        connection.close()
        alone = [in_a_child(work)]
        assert [os.waitpid(child, 0)[1] for child in alone] == [0]
        wanted = content()
    with bank_copies() as copy, copy.connected() as connection:
        connection.close()
        children = [in_a_child(work) for _ in range(4)]
        assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0, 0]
        assert content() == wanted
        assert FeedBatch.objects.filter(source="alpha").count() == 1


@pytest.mark.django_db
def test_a_file_that_is_exchanged_while_it_is_read_is_noticed(tmp_path, monkeypatch):
    deliver_bank(tmp_path)
    day = FIRST.replace(month=4, day=1)
    rows = [booking("T9", "X1-D", "2025-04-01", "10.00")]
    path = write_batch(
        tmp_path / "second", day, {"transactions.csv": rows}, source="alpha", currency_of=CURRENCIES
    )
    honest = publish.digest

    def exchanged(stream):
        found = honest(stream)
        content = (path / "transactions.csv").read_bytes()
        (path / "transactions.csv").write_bytes(content.replace(b"T9", b"T8"))
        return found

    monkeypatch.setattr(publish, "digest", exchanged)
    result = load(path)
    assert (result.outcome, result.reason_code) == ("refused", "checksum")
    assert not {"T8", "T9"} & set(bookings())
