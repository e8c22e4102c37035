"""Writes feed batches from rows, as a core banking system would: CSV files and a manifest that tells the truth."""

import csv
import datetime
import hashlib
import io
import json
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

CONTROLLED = {"transactions.csv": "amount", "balances.csv": "balance"}


def csv_bytes(rows: list[dict], *, encoding: str = "utf-8", delimiter: str = ",", null: str = "") -> bytes:
    """Return the file of ``rows``; the columns are those any row names, None is the null marker."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([null if row.get(column) is None else row[column] for column in columns] for row in rows)
    return out.getvalue().encode(encoding)


def control_of(name: str, rows: list[dict], currency_of: dict[str, str]) -> dict:
    if name not in CONTROLLED:
        return {}
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        sums[currency_of.get(row["account_no"], "CNY")] += Decimal(row[CONTROLLED[name]])
    return {CONTROLLED[name]: {currency: str(total) for currency, total in sums.items()}}


def write_batch(
    folder: Path,
    business_date: datetime.date,
    files: dict[str, list[dict]],
    *,
    mode: str = "delta",
    source: str = "core",
    dialect: dict | None = None,
    currency_of: dict[str, str] | None = None,
) -> Path:
    """Write a batch folder and return it. ``currency_of``: account number → currency, where it is not in the number."""
    folder.mkdir(parents=True, exist_ok=True)
    accounts = files.get("accounts.csv", [])
    currencies = {row["account_no"]: row["currency"] for row in accounts if "currency" in row} | (
        currency_of or {}
    )
    style = dialect or {}
    listed = []
    for name, rows in files.items():
        content = csv_bytes(
            rows,
            encoding=style.get("encoding", "utf-8"),
            delimiter=style.get("delimiter", ","),
            null=style.get("null", ""),
        )
        (folder / name).write_bytes(content)
        entry = {"name": name, "rows": len(rows), "sha256": hashlib.sha256(content).hexdigest()}
        if control := control_of(name, rows, currencies):
            entry["control"] = control
        listed.append(entry)
    manifest = {
        "format": 1,
        "source": source,
        "business_date": business_date.isoformat(),
        "mode": mode,
        "files": listed,
    }
    if dialect:
        manifest["dialect"] = dialect
    (folder / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False), encoding="utf-8")
    return folder
