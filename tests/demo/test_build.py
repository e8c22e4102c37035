"""The same arguments give the same bytes; memory does not grow with the bank; sizes follow its size."""

import csv
import hashlib
import tracemalloc
from datetime import date

import pytest

from crm.demo.bank import MANAGERS_OF_THE_REFERENCE, Bank
from crm.demo.build import build
from crm.demo.horizon import Horizon, add_months
from crm.demo.identities import citizen_number
from tests.demo.conftest import AS_OF
from tests.demo.contract import Reading


def digests(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def written(folder, **changes):
    arguments = {"customers": 420, "months": 2, "seed": 3, "as_of": AS_OF, "truth": True} | changes
    build(folder, **arguments)
    return digests(folder)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path):
    first = written(tmp_path / "a")
    assert written(tmp_path / "b") == first
    other = written(tmp_path / "c", seed=4)
    same = {name for name in first if other.get(name) == first[name]}
    # Products and rates hang on no chance.
    assert {name.split("/")[-1] for name in same} <= {"products.csv", "rates.csv", "branches.csv"}


def test_with_a_full_batch_of_the_past_the_rest_is_told_month_by_month_as_it_was_known(tmp_path):
    whole, full_on = date(2026, 10, 31), date(2026, 7, 31)
    arguments = {
        "customers": 1_200,
        "months": 8,
        "seed": 3,
        "as_of": whole,
        "full_on": full_on,
        "truth": True,
    }
    assert written(tmp_path / "a", **arguments) == written(tmp_path / "b", **arguments)
    reading = Reading(tmp_path / "a")
    # Gaps on purpose, and no other fault.
    assert len(reading.faults) == 3 and all("does not follow" in fault for fault in reading.faults)
    assert [day.isoformat() for day in reading.batches] == [
        "2026-07-31", "2026-08-31", "2026-09-30", "2026-10-31",
    ]  # fmt: skip
    fallen = 0
    for folder in sorted(path for path in (tmp_path / "a").iterdir() if path.is_dir()):
        for name, column in (("transactions.csv", "booked_on"), ("balances.csv", "on_date")):
            with (folder / name).open(encoding="utf-8", newline="") as file:
                assert all(row[column] <= folder.name for row in csv.DictReader(file))
        with (folder / "accounts.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                assert row["opened_on"] <= folder.name >= row["closed_on"]
                fallen += folder.name > full_on.isoformat() and row["days_past_due"] not in ("", "0")
    assert fallen, "nobody fell behind after the full batch"


@pytest.mark.parametrize("full_on", [date(2026, 11, 20), date(2020, 1, 1)])
def test_a_full_batch_outside_the_history_is_refused(tmp_path, full_on):
    with pytest.raises(ValueError, match="within the history"):
        written(tmp_path / "a", full_on=full_on)


def test_two_processes_write_the_bytes_of_one(tmp_path):
    assert written(tmp_path / "one", workers=1) == written(tmp_path / "two", workers=2)


def test_memory_stays_flat_when_the_bank_grows(tmp_path):
    peaks = []
    for customers in (1_200, 6_000):
        tracemalloc.start()
        build(tmp_path / str(customers), customers=customers, months=1, seed=1, as_of=AS_OF, workers=1)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.2


@pytest.mark.parametrize("customers", [1, 2, 40, 150])
def test_even_the_smallest_bank_is_a_feed(tmp_path, customers):
    build(tmp_path / "bank", customers=customers, months=1, seed=5, as_of=date(2026, 3, 1))
    reading = Reading(tmp_path / "bank")
    assert reading.faults == []
    assert len(reading.live["customers.csv"]) == customers


def test_branches_and_managers_follow_the_size():
    horizon = Horizon(AS_OF, 1)
    small, middle, large = (Bank(n, 1, horizon) for n in (1_000, 43_440, 1_000_000))
    branches = [sum(unit.kind == "branch" for unit in bank.units) for bank in (small, middle, large)]
    assert branches == [3, 60, 60]
    assert any(unit.kind == "outlet" for unit in middle.units)
    managers = [sum(len(unit.managers) for unit in bank.units) for bank in (small, middle, large)]
    assert managers[0] == pytest.approx(1_000 / 120, abs=2)
    assert managers[1] == pytest.approx(MANAGERS_OF_THE_REFERENCE, rel=0.03)
    assert managers[2] == pytest.approx(1_200, rel=0.03)
    sizes = sorted(unit.size for unit in large.units)
    assert sum(sizes) == 1_000_000
    assert sizes[-1] > 4 * sizes[0]


def test_a_folder_in_use_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(FileExistsError):
        build(tmp_path, customers=1, months=1, seed=1, as_of=AS_OF)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_sizes_that_cannot_be_are_refused(tmp_path):
    for changes in ({"customers": 0}, {"customers": 3_000_000}, {"months": 0}):
        with pytest.raises(ValueError):
            written(tmp_path / "no", **changes)


def test_identity_numbers_stay_unique_among_a_hundred_thousand():
    numbers = {citizen_number(index, 1950 + index % 50, "FM"[index % 2])[0] for index in range(100_000)}
    assert len(numbers) == 100_000


def test_a_month_earlier_keeps_to_the_end_of_a_short_month():
    assert add_months(date(2026, 3, 31), -1) == date(2026, 2, 28)
    assert add_months(date(2026, 1, 15), -13) == date(2024, 12, 15)
