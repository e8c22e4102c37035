"""A loader that dies, at every commit and at any other moment: who comes after it ends with the bank it would have had."""

import os
import random
import signal
import time

import pytest

from crm.core import clock, faults
from customers.feeds.batches import Order
from customers.feeds.load import load_batch
from tests.customers.content import TABLES, content
from tests.customers.feeding import (
    ACCOUNTS,
    CURRENCIES,
    CUSTOMERS,
    DAY,
    FIRST,
    balance,
    booking,
    edit_manifest,
    whole_bank,
)
from tests.feed_files import write_batch

pytestmark = pytest.mark.slow
SECOND, THIRD = FIRST + DAY, FIRST + 2 * DAY
ALL_WENT_WELL = 0


def written(root, name, day, files, **more):
    return write_batch(root / name, day, files, source="alpha", currency_of=CURRENCIES, **more)


@pytest.fixture
def steps(tmp_path, settings):
    """Five batches: the whole bank, a day with rejects, its correction, a refused one, a day with a new owner."""
    settings.FEED_REJECT_SHARE = "0.9"
    wrong = written(tmp_path, "wrong", THIRD, {"balances.csv": [balance("X2-D", "2025-04-02", "80.00")]})
    edit_manifest(wrong, lambda document: document["files"][0].update(rows=2))
    second = {
        "transactions.csv": [
            booking("T5", "X1-D", "2025-04-01", "10.00"),
            booking("T6", "X1-D", "2025-04-01", "1.00", kind="?"),
        ],
        "balances.csv": [balance("X1-D", "2025-04-01", "760.50"), balance("X1-D", "2025-03-20", "740.00")],
        "customers.csv": [CUSTOMERS[0] | {"manager_no": "XE2", "email": ""}],
    }
    corrected = {
        "transactions.csv": [booking("T5", "X1-D", "2025-04-01", "11.00")],
        "balances.csv": [balance("X1-D", "2025-04-01", "760.50")],
    }
    third = {
        "accounts.csv": [ACCOUNTS[0] | {"customer_no": "X3"}],
        "balances.csv": [balance("X2-D", "2025-04-02", "80.00")],
    }
    return [
        (written(tmp_path, "1", FIRST, whole_bank(), mode="full"), Order()),
        (written(tmp_path, "2", SECOND, second), Order()),
        (written(tmp_path, "2b", SECOND, corrected), Order(replace=True)),
        (wrong, Order()),
        (written(tmp_path, "3", THIRD, third), Order()),
    ]


def run(steps, progress, *, fault: str = "", first: int = 0) -> int:
    """Load the steps in a process of its own; return its process id. ``progress`` tells the step it is at."""
    child = os.fork()
    if child:
        return child
    try:
        os.environ["FAULT"] = fault
        faults.reached.clear()
        for number, (path, order) in enumerate(steps):
            if number >= first:
                (unfinished := progress.with_suffix(".new")).write_text(str(number))
                unfinished.replace(progress)  # whoever kills us must never read half a number
                load_batch(path, order=order, at=clock.now())
        os._exit(ALL_WENT_WELL)
    except BaseException:
        os._exit(1)


def finished(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def same_bank(found, wanted) -> None:
    for table in TABLES:
        assert found[table] == wanted[table], table


def on_a_copy(make_copy, steps, progress, *, fault: str = "", kill_after: float | None = None):
    """Load on a fresh copy, die as told, load the rest; return (exit code of the first process, content)."""
    with make_copy() as copy:
        with copy.connected() as connection:
            connection.close()
            progress.write_text("0")
            child = run(steps, progress, fault=fault)
            if kill_after is not None:
                time.sleep(kill_after)
                os.kill(child, signal.SIGKILL)
            code = finished(child)
            if code != ALL_WENT_WELL:
                assert finished(run(steps, progress, first=int(progress.read_text()))) == ALL_WENT_WELL
            return code, content()


def test_a_loader_killed_at_every_commit_leaves_the_same_bank(bank_copies, steps, tmp_path):
    progress = tmp_path / "progress"
    code, wanted = on_a_copy(bank_copies, steps, progress)
    assert code == ALL_WENT_WELL and wanted["customers_rowhistory"] and wanted["customers_feedreject"]
    for nth in range(1, 100):
        code, found = on_a_copy(bank_copies, steps, progress, fault=f"*:{nth}:exit")
        same_bank(found, wanted)
        if code == ALL_WENT_WELL:
            break
    assert nth == 21, "four commit points a batch"


def test_a_loader_killed_at_random_moments_leaves_the_same_bank(bank_copies, steps, tmp_path):
    progress = tmp_path / "progress"
    began = time.monotonic()
    _code, wanted = on_a_copy(bank_copies, steps, progress)
    lasts = time.monotonic() - began
    moments = random.Random(4)
    for _ in range(8):
        _code, found = on_a_copy(bank_copies, steps, progress, kill_after=moments.uniform(0, 0.6 * lasts))
        same_bank(found, wanted)
