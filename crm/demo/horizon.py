"""The days a demo bank is told for: where its history starts, its full batch, and the batches after it."""

import calendar
from bisect import bisect_left
from datetime import date, timedelta
from random import Random

NIGHTS = 5

# First day of the lunar year: people carry money home before it and spend it after. Years outside: 5
# February is near enough.
_SPRING_FESTIVALS = {
    2023: (1, 22),
    2024: (2, 10),
    2025: (1, 29),
    2026: (2, 17),
    2027: (2, 6),
    2028: (1, 26),
    2029: (2, 13),
    2030: (2, 3),
    2031: (1, 23),
    2032: (2, 11),
    2033: (1, 31),
    2034: (2, 19),
}


def stream(seed: int, owner: str | int) -> Random:
    """A stream of chance that belongs to one owner alone, so that nobody's draws depend on another's."""
    return Random(f"{seed}:{owner}")  # noqa: S311  (reproducible on purpose; guards nothing)


def add_months(day: date, months: int) -> date:
    """The same day ``months`` later, or the last day of that month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


class Horizon:
    """Days as numbers: 0 the first of history, ``full`` that of the full batch, ``last`` the as-of day.

    ``told`` are the days of the batches: the full one and, unless ``full_on`` says otherwise, the five nights after it. A
    day belongs to the first batch that is not before it (``batch``). With ``full_on`` the full batch is of that day, and
    the rest of the same life is told at each month end and on the as-of day: what the bank learnt later is then not known
    to the nights before.
    """

    def __init__(self, as_of: date, months: int, full_on: date | None = None):
        if months < 1:
            raise ValueError("a demo bank needs at least one month of history")
        self.as_of, self.months, self.full_on = as_of, months, full_on
        self.start = add_months(as_of, -months)
        self.origin = self.start.toordinal()
        self.last = self.number(as_of)
        self.full = self.last - NIGHTS if full_on is None else self.number(full_on)
        if full_on is not None and not NIGHTS <= self.full <= self.last - NIGHTS:
            raise ValueError("the full batch lies within the history, five days or more from its ends")
        self.iso = [(self.start + timedelta(days=n)).isoformat() for n in range(self.last + 1)]
        self.month_list = self._months()
        self.told = [self.full, *self._later(full_on is None)]
        self.batch = [bisect_left(self.told, n) for n in range(self.last + 1)]
        # Interest on demand deposits is settled on the 20th of a quarter's last month and credited the day
        # after.
        self.settlements = [self.number(date(y, m, 21)) for y, m, _ in self.month_list if m % 3 == 0]
        self.settlements = [n for n in self.settlements if 0 < n <= self.last]
        self.festivals = [
            n
            for y in sorted({y for y, _, _ in self.month_list})
            if 0 <= (n := self._festival(y)) <= self.last + 30
        ]

    def _later(self, nightly: bool) -> list[int]:
        """Return the days of the batches after the full one."""
        if nightly:
            return list(range(self.full + 1, self.last + 1))
        ends = [begins - 1 for _, _, begins in self.month_list]
        return [*(end for end in ends if self.full < end < self.last), self.last]

    def _months(self) -> list[tuple[int, int, int]]:
        """(year, month, number of its first day; negative when it began before the history)."""
        found, day = [], self.start.replace(day=1)
        while day <= self.as_of:
            found.append((day.year, day.month, self.number(day)))
            day = add_months(day, 1)
        return found

    def _festival(self, year: int) -> int:
        return self.number(date(year, *_SPRING_FESTIVALS.get(year, (2, 5))))

    def number(self, day: date) -> int:
        return day.toordinal() - self.origin

    def day(self, number: int) -> date:
        return date.fromordinal(self.origin + number)

    def text(self, number: int) -> str:
        return self.day(number).isoformat()

    def monthly(self, day_of_month: int, first: int, last: int) -> list[int]:
        """Numbers of that day of each month (the month's last day if shorter) from ``first`` to ``last``,
        inclusive."""
        days = []
        for year, month, begins in self.month_list:
            number = begins + min(day_of_month, calendar.monthrange(year, month)[1]) - 1
            if first <= number <= last:
                days.append(number)
        return days
