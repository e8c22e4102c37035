"""Streams one CSV file: bytes → checked bytes → text → records → typed columns, a few thousand rows at a time.

Nothing here knows the database. Memory stays flat whatever the size of the file; what is judged by the row alone
(field count, types, code lists, dates ahead of the business date) is judged here, column by column, because a set
operation over four thousand cells costs less than four thousand calls.
"""

import csv
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import BinaryIO

from crm.core.privacy.classes import is_c3
from customers.feeds import format as feed
from customers.feeds.cells import READABLE, Judge
from customers.feeds.manifest import Dialect, Promise
from customers.feeds.refusal import Refused

PIECE = 1024 * 1024
ROWS = 4_000
LONGEST_LINE = 1_000_000
TOO_LONG = '"too"long\n'  # what an endless line is read as: a record no CSV reader accepts


@dataclass(frozen=True)
class Reject:
    """A row that broke a rule by itself. ``amounts``: what its controlled cells held; ``account_no`` and ``currency``
    say in which currency, as far as the row can tell."""

    line: int
    column: str
    reason: str
    account_no: str | None = None
    currency: str | None = None
    amounts: dict[str, str] = field(default_factory=dict)


@dataclass
class Chunk:
    """Good rows of one file, as columns in the order of its header."""

    lines: list[int]
    columns: list[list[str]]
    rejects: list[Reject]


def digest(stream: BinaryIO) -> str:
    """Return the sha256 of everything in a stream."""
    found = hashlib.sha256()
    while piece := stream.read(PIECE):
        found.update(piece)
    return found.hexdigest()


class _Hashed(io.RawIOBase):
    """Hashes what passes through, so that a file exchanged between check and reading is noticed."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream, self.found = stream, hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        count = self.stream.readinto(buffer)
        self.found.update(memoryview(buffer)[:count])
        return count


class Reader:
    """Reads one promised file. ``header`` is known after construction; ``chunks()`` then gives the rows once."""

    def __init__(self, stream: BinaryIO, promise: Promise, dialect: Dialect, judge: Judge) -> None:
        self.promise, self.dialect, self.judge = promise, dialect, judge
        self.file = feed.FILES[promise.name]
        self.rows = 0
        self._hashed = _Hashed(stream)
        self._line = 0  # physical lines handed to the CSV reader
        encoding = "utf-8-sig" if dialect.encoding == "utf-8" else dialect.encoding
        text = io.TextIOWrapper(
            io.BufferedReader(self._hashed, PIECE), encoding=encoding, errors="strict", newline=""
        )
        self._records = csv.reader(self._lines(text), delimiter=dialect.delimiter, strict=True)
        self.header = self._header()

    # --- text -----------------------------------------------------------------------------------------------------
    def _lines(self, text: io.TextIOWrapper) -> Iterator[str]:
        name = self.promise.name
        while True:
            try:
                line = text.readline(LONGEST_LINE)
                whole = line
                while len(line) == LONGEST_LINE and not line.endswith(("\n", "\r")):
                    whole, line = TOO_LONG, text.readline(LONGEST_LINE)  # read on to its end, keep nothing
            except UnicodeError as problem:
                raise Refused(
                    "encoding", file=name, line=self._line + 1, encoding=self.dialect.encoding
                ) from problem
            if not whole:
                return
            self._line += 1
            if "\0" in whole:
                raise Refused("nul", file=name, line=self._line)
            yield whole

    def _header(self) -> list[str]:
        name = self.promise.name
        try:
            header = next(self._records, None)
        except csv.Error:
            header = None
        if not header:
            raise Refused("no_header", file=name)
        header[0] = header[0].removeprefix("\ufeff")
        seen: set[str] = set()
        for column in header:
            if column not in self.file.by_name:
                if is_c3(column):
                    raise Refused("column_c3", file=name, column=column)
                raise Refused("column_unknown", file=name, column=column, delimiter=self.dialect.delimiter)
            if column in seen:
                raise Refused("column_twice", file=name, column=column)
            seen.add(column)
        for column in self.file.required:
            if column not in seen:
                raise Refused("column_missing", file=name, column=column)
        for column in self.promise.control:
            if column not in seen:
                raise Refused("control_column", file=name, column=column)
        return header

    def _numbered(self) -> Iterator[tuple[int, list[str] | None]]:
        """Give (line on which the record starts, its cells or None where it is no record)."""
        while True:
            start = self._records.line_num + 1
            try:
                record = next(self._records, StopIteration)
            except csv.Error:
                yield start, None
                continue
            if record is StopIteration:
                return
            if record:  # an empty line is no row
                yield start, record

    # --- rows -----------------------------------------------------------------------------------------------------
    def chunks(self) -> Iterator[Chunk]:
        """Give the file's rows. Afterwards checksum and row count have been held against the manifest."""
        lines: list[int] = []
        records: list[list[str] | None] = []
        for line, record in self._numbered():
            lines.append(line)
            records.append(record)
            if len(lines) == ROWS:
                yield self._chunk(lines, records)
                lines, records = [], []
        if lines:
            yield self._chunk(lines, records)
        found = self._hashed.found.hexdigest()
        if found != self.promise.sha256:
            raise Refused("checksum", file=self.promise.name, found=found, expected=self.promise.sha256)
        if self.rows != self.promise.rows:
            raise Refused("row_count", file=self.promise.name, found=self.rows, expected=self.promise.rows)

    def _chunk(self, lines: list[int], records: list) -> Chunk:
        self.rows += len(lines)
        width = len(self.header)
        rejects: list[Reject] = []
        if set(map(_width, records)) != {width}:
            whole = []
            for line, record in zip(lines, records, strict=True):
                if record is not None and len(record) == width:
                    whole.append((line, record))
                else:
                    rejects.append(self._reject(line, record or [], "", "malformed"))
            lines, records = [line for line, _ in whole], [record for _, record in whole]
        columns = [list(cells) for cells in zip(*records, strict=True)] or [[] for _ in self.header]
        if self.dialect.null:
            columns = [["" if cell == self.dialect.null else cell for cell in cells] for cells in columns]
        bad: dict[int, tuple[str, str]] = {}
        for name, cells in zip(self.header, columns, strict=True):
            for index, reason in self.judge.column(self.file.by_name[name], cells).items():
                bad.setdefault(index, (name, reason))
                if name in self.promise.control and (
                    not cells[index] or not READABLE.fullmatch(cells[index])
                ):
                    self._unreadable(lines[index], name)
        for first, second in self.file.orders:
            for index in self._backwards(first, second, columns):
                bad.setdefault(index, (second, "out_of_order"))
        for index, (name, reason) in bad.items():
            rejects.append(self._reject(lines[index], [cells[index] for cells in columns], name, reason))
        if bad:
            lines = [line for index, line in enumerate(lines) if index not in bad]
            columns = [[cell for index, cell in enumerate(cells) if index not in bad] for cells in columns]
        return Chunk(lines, columns, rejects)

    def _backwards(self, first: str, second: str, columns: list[list[str]]) -> list[int]:
        if first not in self.header or second not in self.header:
            return []
        pairs = zip(columns[self.header.index(first)], columns[self.header.index(second)], strict=True)
        return [index for index, (start, end) in enumerate(pairs) if end and start and end < start]

    def _reject(self, line: int, cells: list[str], column: str, reason: str) -> Reject:
        by_name = dict(zip(self.header, cells, strict=False))
        amounts = {}
        for name in self.promise.control:
            cell = by_name.get(name, "")
            if cell and READABLE.fullmatch(cell):
                amounts[name] = str(Decimal(cell))
            elif cell or self.file.by_name[name].required:
                self._unreadable(line, name)
        return Reject(line, column, reason, by_name.get("account_no"), by_name.get("currency"), amounts)

    def _unreadable(self, line: int, column: str) -> None:
        raise Refused("control_unreadable", file=self.promise.name, line=line, column=column)


def _width(record: list[str] | None) -> int:
    return -1 if record is None else len(record)


def raw_records(stream: BinaryIO, dialect: Dialect, wanted: set[int]) -> Iterator[tuple[int, str]]:
    """Give (line, text) of the records that start on the wanted lines: a second pass, made only when rows were rejected."""
    encoding = "utf-8-sig" if dialect.encoding == "utf-8" else dialect.encoding
    taken: list[str] = []

    def remembered() -> Iterator[str]:
        for line in io.TextIOWrapper(stream, encoding=encoding, newline=""):
            taken.append(line[:LONGEST_LINE])
            yield line if len(line) <= LONGEST_LINE else TOO_LONG

    records = csv.reader(remembered(), delimiter=dialect.delimiter, strict=True)
    while True:
        start = records.line_num + 1
        taken.clear()
        try:
            if next(records, None) is None:
                return
        except csv.Error:
            pass  # such a record is among the wanted ones
        if start in wanted:
            yield start, "".join(taken).rstrip("\r\n")[:LONGEST_LINE]
