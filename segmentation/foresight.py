"""How well the scores of one night foresaw another: loyalty the loss of assets, risk the overdue loans.

The measure is the AUC: of any two customers, one whom it happened to and one whom it did not, how often the score told
them apart, ties counting half. 0.5 is a coin. Counting is exact; a histogram of (score, happened, did not) is all it needs.
"""

import datetime
import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from django.db import connection

from crm.core import sqlrun
from segmentation.contribution import rounded
from segmentation.models import PublishedNight
from segmentation.periods import of

# Not among the statements of the night: a change of these makes no night old.
SQL = Path(__file__).parent / "management" / "sql"
EVERYBODY = "all"


@dataclass(frozen=True)
class Bin:
    """Customers of one score: how many it happened to, and how many it did not."""

    score: Decimal
    happened: int
    spared: int

    @property
    def size(self) -> int:
        return self.happened + self.spared


def auc(bins: Iterable[Bin], *, higher_is_safer: bool = False) -> Fraction | None:
    """Return the AUC of the scores for what happened; None unless it happened to somebody and not to everybody.

    ``higher_is_safer``: the score is one of loyalty, where the higher one is expected to be spared.
    """
    below = happened = halves = 0  # counted in halves, so that ties stay whole numbers
    for here in _by_score(bins):
        halves += here.happened * (2 * below + here.spared)
        below += here.spared
        happened += here.happened
    if not happened or not below:
        return None
    area = Fraction(halves, 2 * happened * below)
    return 1 - area if higher_is_safer else area


def standard_error(area: Fraction, happened: int, spared: int) -> float:
    """Return how far chance alone may move the AUC of so few (Hanley and McNeil 1982)."""
    a = float(area)
    one, two = a / (2 - a), 2 * a * a / (1 + a)
    spread = a * (1 - a) + (happened - 1) * (one - a * a) + (spared - 1) * (two - a * a)
    return math.sqrt(max(spread, 0.0) / (happened * spared))


def deciles(bins: Iterable[Bin]) -> list[tuple[int, int]]:
    """Return (customers, how many it happened to) of each tenth, the lowest scores first. Equal scores stay together, in the
    tenth of their mid-rank, so a tenth may be empty."""
    ordered = _by_score(bins)
    whole = sum(here.size for here in ordered)
    tenths = [(0, 0)] * 10
    below = 0
    for here in ordered:
        place = 10 * (2 * below + here.size) // (2 * whole)
        size, happened = tenths[place]
        tenths[place] = size + here.size, happened + here.happened
        below += here.size
    return tenths


def _by_score(bins: Iterable[Bin]) -> list[Bin]:
    """Return one bin per score, lowest first."""
    counts: dict[Decimal, tuple[int, int]] = {}
    for here in bins:
        happened, spared = counts.get(here.score, (0, 0))
        counts[here.score] = happened + here.happened, spared + here.spared
    return [Bin(score, *counts[score]) for score in sorted(counts)]


def told(bins: list[Bin], *, higher_is_safer: bool) -> dict[str, Any]:
    """Return the figures of one score among one group of customers, as JSON takes them."""
    happened, size = sum(here.happened for here in bins), sum(here.size for here in bins)
    area = auc(bins, higher_is_safer=higher_is_safer)
    return {
        "n": size,
        "positives": happened,
        "auc": None if area is None else str(rounded(area, 4)),
        "standard_error": None if area is None else f"{standard_error(area, happened, size - happened):.4f}",
        "deciles": [
            {"n": n, "positives": hit, "rate": str(rounded(Fraction(hit, n), 4)) if n else None}
            for n, hit in deciles(bins)
        ],
    }


def report(first: PublishedNight, second: PublishedNight, *, least: Decimal = Decimal(0)) -> dict[str, Any]:
    """Return how well the scores of the first night foresaw the second, for all and by kind.

    ``loss``: open customers of three months or more with more than ``least`` of assets; lost is who closed, or holds less than
    half of what he did.
    ``overdue`` and ``overdue_of_all``: open customers with loans, without and with those who were overdue already.
    """
    since = _third_month(first.business_date)
    params = {
        "first_run": first.run_id,
        "second_run": second.run_id,
        "second_days": of(second.business_date).month.days,
        "first_date": first.business_date,
        "first_day": since,
        "first_days": (first.business_date - since).days + 1,
        "least": least,
    }
    found: dict[str, dict[str, dict[str, list[Bin]]]] = {}
    with connection.cursor() as cursor:
        for name in ("loss", "overdue"):
            sqlrun.run(cursor, sqlrun.load(SQL / f"{name}.sql"), params)
            for question, score, kind, value, happened, spared in cursor:
                for group in (EVERYBODY, kind):
                    scores = found.setdefault(question, {}).setdefault(group, {})
                    scores.setdefault(score, []).append(Bin(value, happened, spared))
    return {
        "as_of": first.business_date.isoformat(),
        "until": second.business_date.isoformat(),
        "runs": [first.run_id, second.run_id],
        "questions": {
            question: {
                group: {
                    score: told(bins, higher_is_safer=question == "loss")
                    for score, bins in sorted(scores.items())
                }
                for group, scores in sorted(groups.items())
            }
            for question, groups in sorted(found.items())
        },
    }


def _third_month(as_of: datetime.date) -> datetime.date:
    """Return the first day of the three months that end with the date's."""
    month = as_of.year * 12 + as_of.month - 3
    return datetime.date(month // 12, month % 12 + 1, 1)
