"""Judges cells: dates, times, amounts, codes and lengths of a whole column at once.

``column(spec, cells) -> {index: reason code}`` is empty for nearly every column, so the usual cost is one pass in C.
"""

import datetime
import re
from decimal import Decimal

from customers.feeds import format as feed

READABLE = re.compile(r"[+-]?[0-9]{1,30}(?:\.[0-9]{1,30})?", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)",
    re.ASCII,
)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_INTEGER = re.compile(r"[+-]?[0-9]{1,12}", re.ASCII)
LARGEST_INTEGER = 2**31 - 1
LARGEST_OFFSET = datetime.timedelta(hours=15, minutes=59)
KEPT_VERDICTS = 100_000


def _number(digits: tuple[int, int]) -> re.Pattern[str]:
    whole, fraction = digits
    return re.compile(rf"[+-]?0*[0-9]{{1,{whole}}}(?:\.[0-9]{{1,{fraction}}}0*)?", re.ASCII)


class Judge:
    """Judges the columns of one batch and remembers its verdict on values that come again (dates, codes)."""

    def __init__(self, business_date: datetime.date) -> None:
        self.business_date = business_date
        self.today = business_date.isoformat()
        self._verdicts: dict[feed.Column, dict[str, str]] = {}
        self._numbers: dict[tuple[int, int], re.Pattern[str]] = {}

    def column(self, spec: feed.Column, cells: list[str]) -> dict[int, str]:
        """Return the bad cells of a column."""
        bad: dict[int, str] = {}
        if "" in cells:
            if spec.required:
                bad = {index: "required" for index, cell in enumerate(cells) if not cell}
            filled = [cell for cell in cells if cell]
        else:
            filled = cells
        if not filled:
            return bad
        if spec.type in ("amount", "number"):
            wrong = self._wrong_numbers(spec, filled)
        elif spec.type == "text" and not spec.codes:
            wrong = (
                {cell: "too_long" for cell in filled if len(cell) > spec.length}
                if max(map(len, filled)) > spec.length
                else {}
            )
        else:
            wrong = self._remembered(spec, filled)
        if wrong:
            bad |= {index: wrong[cell] for index, cell in enumerate(cells) if cell in wrong}
        return bad

    def _wrong_numbers(self, spec: feed.Column, filled: list[str]) -> dict[str, str]:
        pattern = self._numbers.get(spec.digits) or self._numbers.setdefault(
            spec.digits, _number(spec.digits)
        )
        if all(map(pattern.fullmatch, filled)) and spec.least is None:
            return {}
        return {cell: reason for cell in set(filled) if (reason := self._number_reason(spec, pattern, cell))}

    @staticmethod
    def _number_reason(spec: feed.Column, pattern: re.Pattern[str], cell: str) -> str:
        if not READABLE.fullmatch(cell):
            return "bad_amount" if spec.type == "amount" else "bad_number"
        if not pattern.fullmatch(cell):
            fraction = cell.partition(".")[2].rstrip("0")
            return "too_precise" if len(fraction) > spec.digits[1] else "out_of_range"
        if spec.least is not None and not spec.least <= Decimal(cell) <= (
            spec.most if spec.most is not None else Decimal("Infinity")
        ):
            return "out_of_range"
        return ""

    def _remembered(self, spec: feed.Column, filled: list[str]) -> dict[str, str]:
        verdicts = self._verdicts.setdefault(spec, {})
        distinct = set(filled)
        if len(verdicts) > KEPT_VERDICTS:
            verdicts.clear()
        for cell in distinct.difference(verdicts):
            verdicts[cell] = self._reason(spec, cell)
        return {cell: verdicts[cell] for cell in distinct if verdicts[cell]}

    def _reason(self, spec: feed.Column, cell: str) -> str:
        if spec.codes:
            return "" if cell in spec.codes else "unknown_code"
        if spec.type == "currency":
            return "" if _CURRENCY.fullmatch(cell) else "bad_currency"
        if spec.type == "date":
            return self._date_reason(spec, cell)
        if spec.type == "time":
            return self._time_reason(cell)
        if not _INTEGER.fullmatch(cell):
            return "bad_number"
        least = spec.least if spec.least is not None else -LARGEST_INTEGER
        return "" if least <= int(cell) <= LARGEST_INTEGER else "out_of_range"

    def _date_reason(self, spec: feed.Column, cell: str) -> str:
        if not _DATE.fullmatch(cell):
            return "bad_date"
        try:
            day = datetime.date.fromisoformat(cell)
        except ValueError:
            return "bad_date"
        if day > self.business_date and not spec.ahead:
            return "future"
        return (
            "out_of_range"
            if spec.name in feed.BOOKING_DATES and day.year < feed.EARLIEST_BOOKING_YEAR
            else ""
        )

    def _time_reason(self, cell: str) -> str:
        if not _TIME.fullmatch(cell):
            return "bad_time"
        try:
            at = datetime.datetime.fromisoformat(cell)
        except ValueError:
            return "bad_time"
        offset = at.utcoffset()
        if offset is None or abs(offset) > LARGEST_OFFSET:
            return "bad_time"
        # The day where it was booked: a bank west of Shanghai closes its day later than ours.
        return "future" if at.date() > self.business_date else ""
