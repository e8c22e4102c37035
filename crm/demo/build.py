"""Builds a demo bank as six feed batches: one full batch of history and five nights."""

import os
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from multiprocessing import get_context
from pathlib import Path

from crm.demo.bank import Bank
from crm.demo.block import Block
from crm.demo.catalogue import product_rows, rate_rows
from crm.demo.feed import FeedWriter
from crm.demo.horizon import Horizon
from crm.demo.parties import TRUTH_HEADER
from crm.demo.sheets import Sheets, money

# Below this a second process costs more than it saves.
WORTH_A_PROCESS = 8_000


@dataclass
class Built:
    """What was written: the batch folders in order, rows per file, and the breaks planted on purpose."""

    folders: list[Path]
    rows: dict[str, int]
    breaks: list[tuple[str, str, str, int]] = field(default_factory=list)  # account, day, currency, cents

    def as_dict(self) -> dict:
        return {
            "batches": [folder.name for folder in self.folders],
            "rows": self.rows,
            "planted_breaks": [
                {"account_no": no, "on_date": day, "currency": currency, "difference": money(cents)}
                for no, day, currency, cents in self.breaks
            ],
        }


def build(
    folder: Path,
    *,
    customers: int,
    months: int,
    seed: int,
    as_of: date,
    full_on: date | None = None,
    truth: bool = False,
    workers: int | None = None,
    progress: Callable[[int, int, int], None] = lambda customers, of, bookings: None,
) -> Built:
    """Write the batches of a demo bank into ``folder``, which must be new or empty.

    The same ``customers``, ``months``, ``seed``, ``as_of`` and ``full_on`` (see ``Horizon``) give the same bytes with any
    number of ``workers``. ``truth`` writes ``truth.csv`` and ``truth-breaks.csv`` beside the batches: what the bank
    itself does not know. Raises ValueError for sizes that cannot be, FileExistsError for a folder that is
    in use.
    """
    bank = Bank(customers, seed, Horizon(as_of, months, full_on))
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty")
    writer = FeedWriter(folder, bank.horizon)
    writer.append(_frame(bank).packed())
    breaks, done = [], 0
    truth_file = (folder / "truth.csv").open("w", encoding="utf-8", newline="") if truth else None
    try:
        if truth_file:
            truth_file.write(TRUTH_HEADER)
        for size, packed, lines, planted in _told(bank, workers):
            writer.append(packed)
            breaks += planted
            if truth_file:
                truth_file.writelines(lines)
            done += size
            progress(done, customers, writer.rows["transactions.csv"])
    finally:
        if truth_file:
            truth_file.close()
    built = Built(writer.close(), writer.rows, breaks)
    if truth:
        lines = ["account_no,on_date,currency,difference\n"]
        lines += [f"{no},{day},{currency},{money(cents)}\n" for no, day, currency, cents in breaks]
        (folder / "truth-breaks.csv").write_text("".join(lines), encoding="utf-8")
    return built


def _frame(bank: Bank) -> Sheets:
    """What belongs to nobody in particular: branches, staff, products, rates."""
    sheets = Sheets(len(bank.horizon.told))
    bank.write(sheets)
    for row in product_rows():
        sheets.add("products.csv", 0, row)
    for batch, row in rate_rows(bank.horizon):
        sheets.add("rates.csv", batch, row)
    return sheets


def _tell(bank: Bank, number: int, unit, first: int, size: int):
    sheets = Block(bank, number, unit, first, size).tell()
    return size, sheets.packed(), sheets.truth, sheets.breaks


_bank: Bank | None = None  # a worker process plans the bank once


def _start_worker(customers: int, seed: int, as_of: date, months: int, full_on: date | None) -> None:
    global _bank
    _bank = Bank(customers, seed, Horizon(as_of, months, full_on))


def _tell_in_worker(number: int, unit_index: int, first: int, size: int):
    return _tell(_bank, number, _bank.units[unit_index], first, size)


def _told(bank: Bank, workers: int | None):
    """Yield the blocks in order, told here or by worker processes that run at most a few blocks ahead."""
    if workers is None:
        workers = 1 if bank.customers < WORTH_A_PROCESS else min(os.cpu_count() or 1, 8)
    if workers == 1:
        for number, unit, first, size in bank.blocks():
            yield _tell(bank, number, unit, first, size)
        return
    places = {id(unit): place for place, unit in enumerate(bank.units)}
    waiting: deque = deque()
    horizon = bank.horizon
    arguments = (bank.customers, bank.seed, horizon.as_of, horizon.months, horizon.full_on)
    with get_context("spawn").Pool(workers, _start_worker, arguments) as pool:
        for number, unit, first, size in bank.blocks():
            waiting.append(pool.apply_async(_tell_in_worker, (number, places[id(unit)], first, size)))
            if len(waiting) > workers * 3:
                yield waiting.popleft().get()
        while waiting:
            yield waiting.popleft().get()
