"""Holds the amounts of a file against its control totals, exactly and per currency: loaded + unchanged + rejected."""

import itertools
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from customers.feeds.checking import good_table
from customers.feeds.refusal import Refused
from customers.feeds.staging import Staged

Sums = dict[str, Decimal]
ALWAYS_SHOWN = {"transactions.csv": ("amount",), "balances.csv": ("balance",)}
MOST_GUESSES = 4096
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)


@dataclass
class Found:
    """Per column and currency, as decimal strings: what the manifest says, what the kept rows hold, what the rejects held."""

    declared: dict[str, dict[str, str]] = field(default_factory=dict)
    loaded: dict[str, dict[str, str]] = field(default_factory=dict)
    rejected: dict[str, dict[str, str]] = field(default_factory=dict)


def hold_against(cursor, staged: Staged) -> Found:
    """Return the totals of a file. Raises Refused where a controlled column does not add up to the manifest's sum."""
    found = Found()
    for column in [*staged.promise.control, *ALWAYS_SHOWN.get(staged.file.name, ())]:
        if column in found.loaded:
            continue
        declared = staged.promise.control.get(column)
        kept = _kept(cursor, staged, column, declared)
        found.loaded[column] = _text(kept)
        if declared is None:
            continue
        known, unknown = _rejected(cursor, staged, column, declared)
        rejected = settle(declared, kept, known, unknown)
        found.declared[column], found.rejected[column] = _text(declared), _text(rejected)
        for currency in sorted(declared.keys() | kept.keys() | rejected.keys()):
            sum_found = kept.get(currency, Decimal(0)) + rejected.get(currency, Decimal(0))
            expected = declared.get(currency, Decimal(0))
            if sum_found != expected:
                raise Refused(
                    "control_total", file=staged.file.name, column=column, currency=currency,
                    found=f"{sum_found:f}", expected=f"{expected:f}",
                )  # fmt: skip
    return found


def settle(declared: Sums, kept: Sums, rejected: Sums, unknown: list[Decimal]) -> Sums:
    """Return the rejected amounts per currency. Rows whose currency nobody can know (their account is unknown) take the
    currencies that make the totals fit exactly; where none do, the first declared one, and the totals will differ."""
    totals = defaultdict(Decimal, rejected)
    currencies = sorted(declared) or sorted(kept)
    if not unknown or not currencies:
        return dict(totals)
    missing = {
        c: declared.get(c, Decimal(0)) - kept.get(c, Decimal(0)) - totals.get(c, Decimal(0))
        for c in currencies
    }
    for choice in itertools.islice(itertools.product(currencies, repeat=len(unknown)), MOST_GUESSES):
        guess = _sums(zip(choice, unknown, strict=True))
        if all(guess.get(currency, Decimal(0)) == missing[currency] for currency in currencies):
            break
    else:
        guess = {currencies[0]: sum(unknown, Decimal(0))}
    for currency, amount in guess.items():
        totals[currency] += amount
    return dict(totals)


def _sums(pairs: Iterable[tuple[str, Decimal]]) -> Sums:
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for currency, amount in pairs:
        sums[currency] += amount
    return dict(sums)


def _text(sums: Sums) -> dict[str, str]:
    return {currency: f"{amount:f}" for currency, amount in sorted(sums.items())}


def _only(declared: Sums | None) -> str:
    """A file without currencies (a party's income) can be controlled in the one currency its manifest names."""
    return next(iter(declared)) if declared and len(declared) == 1 else ""


def _kept(cursor, staged: Staged, column: str, declared: Sums | None) -> Sums:
    currency = {"own": "g.currency", "account": "g.account_currency"}.get(staged.file.currency, "%s")
    params = [_only(declared)] if currency == "%s" else []
    cursor.execute(
        f"select {currency}, sum(g.{column}) from {good_table(staged)} as g where g.{column} is not null group by 1",
        params,
    )
    return dict(cursor.fetchall())


def _rejected(cursor, staged: Staged, column: str, declared: Sums) -> tuple[Sums, list[Decimal]]:
    cursor.execute(
        """
        select coalesce(case when %(own)s then r.currency else a.currency end, ''), (r.amounts->>%(column)s)::numeric
        from temp_reject as r left join customers_account as a on a.account_no = r.account_no and not %(own)s
        where r.file_name = %(file)s and r.amounts ? %(column)s
        order by r.line_no
        """,
        {"own": staged.file.currency == "own", "column": column, "file": staged.file.name},
    )
    rows = cursor.fetchall()
    if not staged.file.currency:
        return _sums((_only(declared), amount) for _, amount in rows), []
    known = [(currency, amount) for currency, amount in rows if _CURRENCY.fullmatch(currency)]
    return _sums(known), [amount for currency, amount in rows if not _CURRENCY.fullmatch(currency)]
