"""Puts a batch's good rows into temporary tables, typed, with personal fields already encrypted, and gathers rejects.

``stage_<file>``: one row a good row. ``temp_reject``: what fell out, here and in the set-wise checks later. Both are
private to the transaction and vanish with it; no plain text of an encrypted field ever reaches them.
"""

import csv
import io
import json
from dataclasses import dataclass

from crm.core.privacy.classes import mask_cards
from crm.core.privacy.fields import protect
from crm.core.privacy.identity import identity_valid, mobile_valid, uscc_valid
from customers.feeds import format as feed
from customers.feeds.archive import Batch
from customers.feeds.cells import Judge
from customers.feeds.manifest import Manifest, Promise
from customers.feeds.reading import Chunk, Reader, Reject
from customers.names import sort_key

# Where an encrypted column ends up, and the natural key its ciphertext is bound to.
CELLS = {
    ("customers.csv", "id_no"): ("customers_identity", "number", "customer_no"),
    ("customers.csv", "mobile"): ("customers_customer", "mobile", "customer_no"),
    ("customers.csv", "email"): ("customers_customer", "email", "customer_no"),
    ("customers.csv", "address"): ("customers_customer", "address", "customer_no"),
    ("transactions.csv", "counterparty_account"): ("customers_transaction", "counterparty_account", "txn_no"),
}

REJECTS = """
drop table if exists temp_reject;
create temp table temp_reject (
    file_name text not null, line_no bigint not null, column_name text not null, reason text not null,
    account_no text, currency text, amounts jsonb not null
) on commit drop
"""


@dataclass(frozen=True)
class Staged:
    """One staged file: its contract, the columns delivered, and how many rows were read."""

    file: feed.File
    header: tuple[str, ...]
    rows: int
    promise: Promise

    @property
    def table(self) -> str:
        return f"stage_{self.file.stem}"

    def has(self, column: str) -> bool:
        return column in self.header


class Staging:
    """Stages the files of one batch on one cursor."""

    def __init__(self, cursor, batch: Batch, manifest: Manifest) -> None:
        self.cursor, self.batch, self.manifest = cursor, batch, manifest
        self.judge = Judge(manifest.business_date)
        cursor.execute(REJECTS)

    def file(self, promise: Promise) -> Staged:
        """Read one file into its table. Raises Refused for whatever refuses the batch."""
        with self.batch.open(promise.name) as stream:
            reader = Reader(stream, promise, self.manifest.dialect, self.judge)
            file = reader.file
            extra = _extra_columns(file, reader.header)
            declared = [f'"{name}" {file.by_name[name].sql_type}' for name in reader.header] + [
                f"{n} {t}" for n, t in extra
            ]
            self.cursor.execute(f"drop table if exists stage_{file.stem}")
            self.cursor.execute(
                f"create temp table stage_{file.stem} (line_no bigint not null, {', '.join(declared)}) on commit drop"
            )
            names = ", ".join(
                ["line_no", *(f'"{name}"' for name in reader.header), *(name for name, _ in extra)]
            )
            for chunk in reader.chunks():
                columns = _prepared(file, reader.header, chunk)
                self._copy(
                    f"copy stage_{file.stem} ({names}) from stdin (format csv)",
                    zip(chunk.lines, *columns, strict=True),
                )
                self.reject(file, chunk.rejects)
        self.cursor.execute(f"analyze stage_{file.stem}")
        return Staged(file, tuple(reader.header), reader.rows, promise)

    def reject(self, file: feed.File, rejects: list[Reject]) -> None:
        rows = (
            (
                file.name,
                r.line,
                r.column,
                r.reason,
                r.account_no or "",
                r.currency or "",
                json.dumps(r.amounts),
            )
            for r in rejects
        )
        if rejects:
            self._copy("copy temp_reject from stdin (format csv, force_not_null (column_name))", rows)

    def _copy(self, statement: str, rows) -> None:
        text = io.StringIO()
        # \r\n: then the writer quotes a cell that holds either of them, which COPY insists on.
        csv.writer(text, lineterminator="\r\n").writerows(rows)
        text.seek(0)
        self.cursor.copy_expert(statement, text, 1 << 18)


def _extra_columns(file: feed.File, header: list[str]) -> list[tuple[str, str]]:
    extra: list[tuple[str, str]] = []
    for name in header:
        if file.by_name[name].protect:
            extra += [(f"{name}_print", "bytea"), (f"{name}_mask", "text")]
    if file is feed.CUSTOMERS:
        extra += [
            ("name_sort", "text"),
            ("id_no_ok", "boolean"),
            ("mobile_ok", "boolean"),
            ("uscc_ok", "boolean"),
        ]
    return extra


def _prepared(file: feed.File, header: list[str], chunk: Chunk) -> list[list]:
    """Return the columns to copy: personal fields replaced by ciphertext, print and mask; sort keys and checks added."""
    columns = dict(zip(header, chunk.columns, strict=True))
    # Judged on the plain number, before it is replaced below.
    judged = _customer_extras(columns, len(chunk.lines)) if file is feed.CUSTOMERS else []
    extra: list[list] = []
    for name in header:
        kind = file.by_name[name].protect
        if kind:
            table, column, key = CELLS[file.name, name]
            sealed = [
                protect(plain, table, column, row_key, kind)
                for plain, row_key in zip(columns[name], columns[key], strict=True)
            ]
            columns[name] = [one.ciphertext for one in sealed]
            extra.append(["\\x" + one.print.hex() if one.print else None for one in sealed])
            extra.append([one.mask for one in sealed])
    if file is feed.TRANSACTIONS and "memo" in columns:
        columns["memo"] = [mask_cards(memo) if len(memo) > 15 else memo for memo in columns["memo"]]
    return [columns[name] for name in header] + extra + judged


def _customer_extras(columns: dict[str, list], rows: int) -> list[list]:
    persons = [kind == "individual" for kind in columns["kind"]]
    nothing = [""] * rows
    types, numbers = columns.get("id_type", nothing), columns.get("id_no", nothing)
    return [
        [sort_key(name, person=person) for name, person in zip(columns["name"], persons, strict=True)],
        [_verdict(identity_valid(type_, number)) for type_, number in zip(types, numbers, strict=True)],
        [_verdict(mobile_valid(mobile)) if mobile else None for mobile in columns.get("mobile", nothing)],
        [_verdict(uscc_valid(code)) if code else None for code in columns.get("uscc", nothing)],
    ]


def _verdict(ok: bool | None) -> str | None:
    return None if ok is None else "t" if ok else "f"
