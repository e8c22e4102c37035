"""The account rows behind a line of a score, each with the figure it brings."""

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext

from crm.core import parameters
from customers.models.accounts import Family, FiveClass
from segmentation import parameter_keys, periods, sentences
from segmentation.models import AccountMeasure, Signal, Standing

DEPOSITS, ASSETS, DEBTS = ("deposit",), ("deposit", "investment"), ("debt",)
ALL = ("deposit", "debt", "investment", "service")
DAY = datetime.timedelta(days=1)
CENT = Decimal("0.01")
ZERO = Decimal(0)


@dataclass(frozen=True)
class Column:
    """Which accounts stand behind a line: by side; ``figure`` of each (None: not one of them) and how it is said."""

    sides: tuple[str, ...]
    figure: Callable[[AccountMeasure], Any]
    words: Callable[[AccountMeasure], str]


def accounts_behind(user, standing: Standing, score: str, code: str) -> list[AccountMeasure]:
    """Return the measures of the accounts behind a line, each with its ``account``, ``figure`` and ``figure_words``,
    largest first; empty for lines no account stands behind. One query, for early warnings and holdings two.

    Amounts are in base currency with the sign they have in the line. Where the parts of a contribution are concerned
    they add up to the line, but for managers' minutes (in ``operation``) and the tax, which is the customer's.
    """
    rows = AccountMeasure.objects.visible_to(user).filter(
        run_id=standing.run_id, customer_id=standing.customer_id
    )
    if (score, code) == ("risk", "warning"):
        return _with_signals(user, standing, rows.select_related("account__product"))
    if (score, code) == ("loyalty", "holdings"):
        return _with_classes(standing, rows.filter(is_open=True).select_related("account__product"))
    column = _COLUMNS.get((score, code))
    if column is None:
        return []
    found = []
    for row in rows.filter(side__in=column.sides).select_related("account__product"):
        row.figure = column.figure(row)
        if row.figure is not None:
            row.figure_words = column.words(row)
            found.append(row)
    return _largest_first(found)


def _largest_first(rows: list[Any]) -> list[Any]:
    return sorted(rows, key=lambda row: (-abs(row.figure), row.account_id))


def _line(name: str, sign: int, *sides: str) -> Column:
    """A line of the contribution of the year to date; accounts that bring nothing are left out."""
    return Column(
        sides or ALL,
        lambda row: sign * getattr(row, f"ytd_{name}") or None,
        lambda row: sentences.amount(row.figure),
    )


def _before_tax(row: AccountMeasure) -> Decimal | None:
    costs = row.ytd_operation + row.ytd_loss + row.ytd_surcharge
    return row.ytd_margin + row.ytd_fee - costs or None


def _money(row: Any) -> str:
    return sentences.amount(row.figure)


def _balance(row: AccountMeasure) -> Decimal | None:
    return row.balance_base.quantize(CENT) or None


def averages(row: AccountMeasure) -> list[Decimal]:
    """Return the day-averages of the month to date and of the five months before it, newest first, in base currency."""
    months = [periods.of(row.as_of).month]
    while len(months) < min(6, len(row.recent_sums)):
        months.append(periods.of(months[-1].first - DAY).month)
    return [
        (total * row.fx_rate / month.days).quantize(CENT)
        for total, month in zip(row.recent_sums, months, strict=False)
    ]


def _average(row: Any) -> Decimal | None:
    row.averages = averages(row)
    return row.averages[0] if any(row.averages) else None


def _averages_said(row: Any) -> str:
    return " ← ".join(sentences.amount(value) for value in row.averages)


def _bookings_said(row: Any) -> str:
    bookings = sentences.bookings(row.own_90d)
    if row.last_own_on is None:
        return bookings
    return gettext("%(bookings)s, the last on %(day)s") % {
        "bookings": bookings,
        "day": row.last_own_on.isoformat(),
    }


def _months_said(mask: int) -> str:
    return sentences.months(mask.bit_count())


def _debt_said(row: Any) -> str:
    told = []
    if row.days_past_due is not None:
        told.append(
            gettext("%(days)s past due") % {"days": sentences.days(row.days_past_due)}
            if row.days_past_due
            else gettext("nothing overdue")
        )
    if row.five_class:
        told.append(str(FiveClass(row.five_class).label))
    return " · ".join(told) or gettext("neither class nor days past due are delivered")


def _owed(row: AccountMeasure) -> Decimal | None:
    return row.balance_base.quantize(CENT) if row.is_open and row.balance else None


def _grave(row: AccountMeasure) -> int | None:
    if not row.is_open or (row.days_past_due is None and not row.five_class):
        return None
    return row.days_past_due or 0


def _grade(row: AccountMeasure) -> int | None:
    return FiveClass.values.index(row.five_class) if row.is_open and row.five_class else None


def _with_signals(user, standing: Standing, rows) -> list[AccountMeasure]:
    """The accounts tonight's warnings are about, each with the gravest of them."""
    signals = Signal.objects.visible_to(user).filter(
        run_id=standing.run_id, customer_id=standing.customer_id, account_id__gt=0
    )
    gravest: dict[int, Signal] = {}
    for signal in signals:
        if signal.level not in sentences.GRAVITY:
            continue
        known = gravest.get(signal.account_id)
        if known is None or _gravity(signal) > _gravity(known):
            gravest[signal.account_id] = signal
    found = list(rows.filter(account_id__in=list(gravest))) if gravest else []
    for row in found:
        signal = gravest[row.account_id]
        row.figure = _gravity(signal)
        row.figure_words = f"{signal.get_kind_display()} · {signal.get_level_display()}"
    return _largest_first(found)


def _with_classes(standing: Standing, rows) -> list[AccountMeasure]:
    """The open accounts, each with the class of business it counts as; several of a class count once."""
    classes = parameters.value("product_classes", standing.as_of)
    found = list(rows)
    for row in found:
        known = classes.get(row.family, "")
        row.figure = _balance(row) or ZERO
        row.figure_words = f"{parameter_keys.WORDS.get(known, known)} · {Family(row.family).label}"
    return _largest_first(found)


def _gravity(signal: Signal) -> int:
    return sentences.GRAVITY.index(signal.level)


_DEBTS_BY_CLASS = Column(DEBTS, _grade, _debt_said)
_COLUMNS = {
    ("contribution", "deposit"): _line("margin", 1, "deposit"),
    ("contribution", "loan"): _line("margin", 1, "debt"),
    ("contribution", "wealth"): _line("margin", 1, "investment"),
    ("contribution", "fee"): _line("fee", 1),
    ("contribution", "operation"): _line("operation", -1),
    ("contribution", "loss"): _line("loss", -1),
    ("contribution", "surcharge"): _line("surcharge", -1),
    ("contribution", "capital_cost"): _line("capital_cost", -1),
    ("contribution", "pretax"): Column(ALL, _before_tax, _money),
    ("loyalty", "tenure"): Column(
        ALL,
        lambda row: (row.as_of - row.account.opened_on).days,
        lambda row: gettext("opened on %(day)s") % {"day": row.account.opened_on.isoformat()},
    ),
    ("loyalty", "wallet"): Column(ASSETS, _balance, _money),
    ("loyalty", "activity"): Column(
        ALL, lambda row: row.own_90d if row.own_90d or row.last_own_on else None, _bookings_said
    ),
    ("loyalty", "stability"): Column(ASSETS, _average, _averages_said),
    ("loyalty", "outflow"): Column(
        ALL, lambda row: row.outflow_mask.bit_count() or None, lambda row: _months_said(row.outflow_mask)
    ),
    ("loyalty", "payroll"): Column(
        ALL, lambda row: row.salary_mask.bit_count() or None, lambda row: _months_said(row.salary_mask)
    ),
    ("risk", "overdue"): Column(DEBTS, _grave, _debt_said),
    ("risk", "probability"): _DEBTS_BY_CLASS,
    ("risk", "leverage"): Column(DEBTS, lambda row: row.repaid or None, _money),
    ("risk", "concentration"): Column(DEBTS, _owed, _money),
    ("risk", "guarantee"): Column(DEBTS, _owed, _money),
    ("risk", "floor"): _DEBTS_BY_CLASS,
}
