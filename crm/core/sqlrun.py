"""Runs the product's ``.sql`` files: one statement a file, with a header that says what it is about.

::

    -- What each open customer earned the bank.
    -- grain   one row per customer
    -- reads   customers_customer, customers_balance
    -- writes  segmentation_contribution
    -- params  run_id, as_of

A test compares header with body, so a header can be believed.
"""

import functools
import re
from dataclasses import dataclass
from pathlib import Path

PLACEHOLDER = re.compile(r"%\((\w+)\)s")
_HEADER = re.compile(r"^--\s*(grain|reads|writes|params)\s+(.*)$")


@dataclass(frozen=True)
class Statement:
    """A ``.sql`` file: ``reads`` and ``writes`` are table names, ``params`` the placeholders it needs."""

    name: str
    grain: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    params: tuple[str, ...]
    text: str


@functools.cache
def load(path: Path) -> Statement:
    """Read a file. Raises ValueError where the header is incomplete."""
    text = path.read_text(encoding="utf-8")
    found: dict[str, str] = {}
    last = None
    for line in text.splitlines():
        if not line.startswith("--"):
            break
        if match := _HEADER.match(line):
            last = match[1]
            found[last] = match[2].strip()
        elif last and line[2:].startswith("        "):
            found[last] += " " + line[2:].strip()  # a long list of tables goes on, indented
    missing = {"grain", "reads", "writes", "params"} - found.keys()
    if missing:
        raise ValueError(f"{path.name}: the header lacks {', '.join(sorted(missing))}")
    return Statement(
        name=path.stem,
        grain=found["grain"],
        reads=_names(found["reads"]),
        writes=_names(found["writes"]),
        params=_names(found["params"]),
        text=text,
    )


def run(cursor, statement: Statement, params: dict | None = None) -> int:
    """Execute and return the rows affected. Raises ValueError where a declared parameter is missing."""
    given = params or {}
    if not set(statement.params) <= set(given):
        raise ValueError(f"{statement.name} needs {', '.join(statement.params)}")
    cursor.execute(statement.text, {name: given[name] for name in statement.params})
    return max(cursor.rowcount, 0)


def placeholders(text: str) -> set[str]:
    return set(PLACEHOLDER.findall(text))


def _names(listing: str) -> tuple[str, ...]:
    return tuple(name for name in re.split(r"[,\s]+", listing) if name and name not in ("none", "-", "—"))
