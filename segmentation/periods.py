"""The stretches of days that end on a night's date: month, quarter, year to date, the rolling twelve months, and the
newest twelve months one by one."""

import datetime
import functools
from collections.abc import Iterator
from dataclasses import dataclass

MONTHS = 12


@dataclass(frozen=True)
class Stretch:
    """Calendar days ``first`` … ``last``, both included."""

    first: datetime.date
    last: datetime.date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


@dataclass(frozen=True)
class Periods:
    month: Stretch
    quarter: Stretch
    year: Stretch
    rolling: Stretch
    recent: tuple[Stretch, ...]  # the month to date, then the eleven complete months before it, newest first


@functools.lru_cache(maxsize=512)
def of(as_of: datetime.date) -> Periods:
    """Return the stretches that end on ``as_of``. The rolling year begins the day after the same day a year ago."""
    first_of_month = as_of.replace(day=1)
    try:
        year_ago = as_of.replace(year=as_of.year - 1)
    except ValueError:  # 29 February
        year_ago = as_of.replace(year=as_of.year - 1, day=28)
    return Periods(
        month=Stretch(first_of_month, as_of),
        quarter=Stretch(first_of_month.replace(month=(as_of.month - 1) // 3 * 3 + 1), as_of),
        year=Stretch(as_of.replace(month=1, day=1), as_of),
        rolling=Stretch(year_ago + datetime.timedelta(days=1), as_of),
        recent=tuple(_recent(as_of)),
    )


def _recent(as_of: datetime.date) -> Iterator[Stretch]:
    last = as_of
    for _ in range(MONTHS):
        yield Stretch(last.replace(day=1), last)
        last = last.replace(day=1) - datetime.timedelta(days=1)


def is_month_end(day: datetime.date) -> bool:
    return (day + datetime.timedelta(days=1)).day == 1
