"""Reads ``manifest.json``: what a batch promises, checked field by field before a row is looked at."""

import codecs
import datetime
import hashlib
import json
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from customers.feeds import format as feed
from customers.feeds.archive import MANIFEST, Batch
from customers.feeds.refusal import Refused

MANIFEST_BYTES = 4 * 1024 * 1024
# By the name Python gives the codec. Codecs that execute, escape or compress are no encodings of a text.
ENCODINGS = frozenset(
    "utf-8 utf-8-sig ascii gb18030 gbk gb2312 hz big5 utf-16 utf-16-le utf-16-be iso8859-1 iso8859-2 iso8859-15 "
    "cp1250 cp1251 cp1252 shift_jis euc_jp euc_kr".split()
)
_DECIMAL = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,12})?", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)


@dataclass(frozen=True)
class Dialect:
    encoding: str = "utf-8"
    delimiter: str = ","
    null: str = ""


@dataclass(frozen=True)
class Promise:
    """One file as the manifest announces it. ``control``: {column: {currency: exact sum}}."""

    name: str
    rows: int
    sha256: str
    control: dict[str, dict[str, Decimal]]


@dataclass(frozen=True)
class Manifest:
    source: str
    business_date: datetime.date
    mode: str
    dialect: Dialect
    files: tuple[Promise, ...]  # in the order of loading
    sha256: str

    @property
    def rows(self) -> int:
        return sum(promise.rows for promise in self.files)


def read(batch: Batch) -> Manifest:
    """Return the manifest of an opened batch. Raises Refused naming the field, what was expected and what stands there."""
    with batch.open(MANIFEST) as stream:
        raw = stream.read(MANIFEST_BYTES + 1)
    if len(raw) > MANIFEST_BYTES:
        raise Refused("manifest_json", problem="it is larger than 4 MiB")
    return parse(raw, frozenset(name for name in batch.names if name != MANIFEST))


def parse(raw: bytes, present: frozenset[str]) -> Manifest:
    """Judge the bytes of a manifest against the names of the files that lie beside it."""
    document = _document(raw)
    if document.get("format") != feed.VERSION or isinstance(document.get("format"), bool):
        raise _field("format", document.get("format"), str(feed.VERSION))
    source = document.get("source")
    if not isinstance(source, str) or not source.strip() or len(source) > 40 or "\0" in source:
        raise _field("source", source, "a name of at most 40 characters")
    mode = document.get("mode")
    if mode not in ("full", "delta"):
        raise _field("mode", mode, "full or delta")
    promises = _promises(document.get("files"))
    for promise in promises.values():
        if promise.name not in present:
            raise Refused("file_missing", file=promise.name)
    for name in sorted(present):
        # Notes and marks of other programs may lie about; a table nobody announced may not.
        if name.lower().endswith(".csv") and name not in promises:
            raise Refused("file_not_listed", file=name)
    return Manifest(
        source=source,
        business_date=_business_date(document.get("business_date")),
        mode=mode,
        dialect=_dialect(document.get("dialect", {})),
        files=tuple(promises[name] for name in feed.ORDER if name in promises),
        sha256=hashlib.sha256(raw).hexdigest(),
    )


def _field(name: str, found: object, expected: str) -> Refused:
    return Refused(
        "manifest_field", field=name, found="missing" if found is None else repr(found), expected=expected
    )


def _document(raw: bytes) -> dict[str, Any]:
    def no_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        seen: dict[str, Any] = {}
        for name, value in pairs:
            if name in seen:
                raise Refused("manifest_json", problem=f"{name} stands twice")
            seen[name] = value
        return seen

    def no_constant(name: str) -> None:
        raise ValueError(f"{name} is no number")

    try:
        document = json.loads(
            raw.decode("utf-8-sig"),
            object_pairs_hook=no_twice,
            parse_float=Decimal,
            parse_constant=no_constant,
        )
    except (ValueError, RecursionError) as problem:
        raise Refused("manifest_json", problem=str(problem) or type(problem).__name__) from problem
    if not isinstance(document, dict):
        raise Refused("manifest_json", problem="it is not an object")
    return document


def _business_date(value: object) -> datetime.date:
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return datetime.date.fromisoformat(value)
        except ValueError:
            pass  # the sentence below says what was expected
    raise _field("business_date", value, "a date YYYY-MM-DD")


def _dialect(value: object) -> Dialect:
    if not isinstance(value, dict):
        raise _field("dialect", value, "an object")
    encoding, delimiter, null = (
        value.get("encoding", "utf-8"),
        value.get("delimiter", ","),
        value.get("null", ""),
    )
    try:
        codec = codecs.lookup(encoding).name if isinstance(encoding, str) else ""
    except (LookupError, ValueError):
        codec = ""
    if codec not in ENCODINGS:
        raise _field("dialect.encoding", encoding, "an encoding such as utf-8 or gb18030")
    if (
        not isinstance(delimiter, str)
        or len(delimiter) != 1
        or delimiter.isalnum()
        or delimiter in "\"\r\n\0.-+' _"
    ):
        raise _field("dialect.delimiter", delimiter, "one character such as , or |")
    if not isinstance(null, str) or len(null) > 20:
        raise _field("dialect.null", null, "a short text")
    return Dialect(codec, delimiter, null)


def _promises(value: object) -> dict[str, Promise]:
    if not isinstance(value, list):
        raise _field("files", value, "a list")
    promises: dict[str, Promise] = {}
    for item in value:
        if not isinstance(item, dict):
            raise _field("files", item, "objects with name, rows and sha256")
        name, rows, sha256 = item.get("name"), item.get("rows"), item.get("sha256")
        if not isinstance(name, str):
            raise _field("files.name", name, "the name of a file")
        if name not in feed.FILES:
            raise Refused("file_unknown", file=name)
        if name in promises:
            raise _field("files.name", name, "every file once")
        if not isinstance(rows, int) or isinstance(rows, bool) or rows < 0:
            raise _field(f"{name}: rows", rows, "a number of rows")
        if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256.lower()):
            raise _field(f"{name}: sha256", sha256, "64 hexadecimal digits")
        promises[name] = Promise(name, rows, sha256.lower(), _control(name, item.get("control", {})))
    return promises


def _control(name: str, value: object) -> dict[str, dict[str, Decimal]]:
    if not isinstance(value, dict):
        raise _field(f"{name}: control", value, "{column: {currency: sum}}")
    totals: dict[str, dict[str, Decimal]] = {}
    for column, sums in value.items():
        known = feed.FILES[name].by_name.get(column)
        if known is None or known.type != "amount":
            raise Refused("control_column", file=name, column=column)
        if not isinstance(sums, dict):
            raise _field(f"{name}: control.{column}", sums, "{currency: sum}")
        totals[column] = {}
        for currency, total in sums.items():
            if not _CURRENCY.fullmatch(currency):
                raise _field(f"{name}: control.{column}", currency, "a currency code")
            totals[column][currency] = _total(f"{name}: control.{column}.{currency}", total)
    return totals


def _total(where: str, value: object) -> Decimal:
    if (
        isinstance(value, bool)
        or not isinstance(value, str | int | Decimal)
        or not _DECIMAL.fullmatch(str(value))
    ):
        raise _field(where, value, "an exact decimal amount")
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise _field(where, value, "an exact decimal amount") from None
