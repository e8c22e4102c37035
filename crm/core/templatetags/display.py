"""How figures, dates and shares look to a reader: 万 and 亿 with their unit, signs, two decimals.

Every filter answers with an element that carries the exact value, so that a rounded figure can be checked.
"""

import datetime
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from asgiref.local import Local
from django import template
from django.core.signals import request_started
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, ngettext, pgettext

from crm.core import clock

register = template.Library()

CENT = Decimal("0.01")
# Per language, smallest first: divide by what, and the unit of scale behind the number.
SCALES = {
    "zh": ((Decimal(1), ""), (Decimal(10_000), "万"), (Decimal(100_000_000), "亿")),
    "en": ((Decimal(1), ""), (Decimal(1_000_000), "m"), (Decimal(1_000_000_000), "bn")),
}

# One scale for a whole column of a table: figures above each other are compared by their length.
COLUMN_SCALE = {"zh": (Decimal(10_000), "万"), "en": (Decimal(1_000), "k")}

USUAL_CURRENCY = "CNY"  # before the first night has said otherwise

_asked = Local()
_tellers: list[Callable[[], str | None]] = []


def figures_are_in(tell: Callable[[], str | None]) -> None:
    """Name who knows the currency of the bank's own figures: the night, which lives a floor higher."""
    _tellers[:] = [tell]


def _forget_base_currency(**kwargs: Any) -> None:
    _asked.base_currency = None


request_started.connect(_forget_base_currency, dispatch_uid="crm.core.display.base_currency")


def base_currency_is(currency: str) -> None:
    """Say what the page's figures are in, where the view has read it already: saves the question."""
    _asked.base_currency = currency


def base_currency() -> str:
    """The currency of figures that name none; asked once a request, not once a cell."""
    if getattr(_asked, "base_currency", None) is None:
        told = next((tell() for tell in _tellers), None)
        _asked.base_currency = told or USUAL_CURRENCY
    return _asked.base_currency


def _language() -> str:
    return "zh" if (get_language() or "zh").startswith("zh") else "en"


def _decimal(value: Any) -> Decimal | None:
    if value is None or value == "":
        return None
    number = value if isinstance(value, Decimal) else Decimal(str(value))
    return number if number.is_finite() else None


def _round(value: Decimal) -> Decimal:
    rounded = value.quantize(CENT, ROUND_HALF_UP)
    return abs(rounded) if rounded == 0 else rounded  # never "-0.00"


def money_words(
    amount: Decimal,
    currency: str,
    language: str,
    *,
    sign: bool = False,
    scale: tuple[Decimal, str] | None = None,
) -> str:
    """Return ``12.35 万元``, ``12.35 万 USD``, ``¥12.35m`` or ``USD 12.35m``; ``sign`` adds a plus, ``scale`` fixes it."""
    scales = (scale,) if scale else SCALES[language]
    size, unit = scales[0]
    for larger, its_unit in scales[1:]:
        # By the rounded value: 99,999,999.99 is 1.00 亿, never 10,000.00 万.
        if abs(_round(amount / size)) * size >= larger:
            size, unit = larger, its_unit
    number = _round(amount / size)
    figure = f"{abs(number):,}"
    before = "-" if number < 0 else "+" if sign and number > 0 else ""
    if language == "zh":
        return f"{before}{figure} " + (f"{unit}元" if currency == "CNY" else f"{unit} {currency}".strip())
    return f"{before}¥{figure}{unit}" if currency == "CNY" else f"{before}{currency} {figure}{unit}"


def exact_words(amount: Decimal, currency: str, language: str) -> str:
    """Every digit with separators and the unit, as the title of a rounded figure."""
    size = abs(amount)
    text = f"{size:,.2f}" if size == size.quantize(CENT) else f"{size:,f}"
    before = "-" if amount < 0 else ""
    if language == "zh":
        return f"{before}{text} {'元' if currency == 'CNY' else currency}"
    return f"{before}¥{text}" if currency == "CNY" else f"{before}{currency} {text}"


def exact(amount: Decimal, currency: str = "") -> str:
    """An amount to the cent in the reader's language, as plain words for a sentence; base currency unless named."""
    return exact_words(_round(amount), currency or base_currency(), _language())


def column_scale() -> tuple[Decimal, str]:
    """What a chart beside a column divides by, and the unit it writes on its axis."""
    size, unit = COLUMN_SCALE[_language()]
    code = base_currency()
    if _language() == "zh":
        return size, f"{unit}元" if code == "CNY" else f"{unit} {code}"
    return size, f"¥{unit}" if code == "CNY" else f"{code} {unit}"


def unknown() -> SafeString:
    """What stands for a value nobody knows, on every page alike."""
    return format_html('<span class="unknown" title="{}">—</span>', gettext("No data"))


@register.filter
def money(value: Any, currency: str = "") -> SafeString:
    """An amount for reading: scaled, with its unit; base currency unless another is named; None is a dash."""
    return _rounded_money(value, currency)


@register.filter
def money_column(value: Any, currency: str = "") -> SafeString:
    """An amount in a column: always in 万元 (thousands in English), so that the column can be read down."""
    return _rounded_money(value, currency, scale=COLUMN_SCALE[_language()])


def _rounded_money(value: Any, currency: str, scale: tuple[Decimal, str] | None = None) -> SafeString:
    amount = _decimal(value)
    if amount is None:
        return unknown()
    code, language = currency or base_currency(), _language()
    return format_html(
        '<data class="num{}" value="{}" title="{}">{}</data>',
        " negative" if amount < 0 else "",
        f"{amount:f}",
        exact_words(amount, code, language),
        money_words(amount, code, language, scale=scale),
    )


@register.filter
def money_exact(value: Any, currency: str = "") -> SafeString:
    """An amount to the cent with its unit: for one account's ledger, where nothing may be rounded."""
    amount = _decimal(value)
    if amount is None:
        return unknown()
    code, language = currency or base_currency(), _language()
    negative = " negative" if amount < 0 else ""
    words = exact_words(_round(amount), code, language)
    return format_html('<data class="num{}" value="{}">{}</data>', negative, f"{amount:f}", words)


def _direction(amount: Decimal) -> tuple[str, str]:
    if amount > 0:
        return "up", "▲ "
    return ("down", "▼ ") if amount < 0 else ("same", "")


@register.filter
def signed_money(value: Any, currency: str = "") -> SafeString:
    """A change of an amount: sign, arrow, colour of its direction (red is up in Chinese, down in English)."""
    amount = _decimal(value)
    if amount is None:
        return unknown()
    code, language = currency or base_currency(), _language()
    name, arrow = _direction(amount)
    return format_html(
        '<data class="num change {}" value="{}" title="{}">{}{}</data>',
        name,
        f"{amount:f}",
        exact_words(amount, code, language),
        arrow,
        money_words(amount, code, language, sign=True),
    )


@register.filter
def signed(value: Any) -> SafeString:
    """A change of a plain number (customers, points): sign, arrow, colour of the direction."""
    amount = _decimal(value)
    if amount is None:
        return unknown()
    return _change(amount, f"{amount:+,f}" if amount else "0")


def _change(amount: Decimal, words: str) -> SafeString:
    name, arrow = _direction(amount)
    html = '<data class="num change {}" value="{}">{}{}</data>'
    return format_html(html, name, f"{amount:f}", arrow, words)


@register.filter
def rate(value: Any) -> SafeString:
    """A share or an interest rate given as a fraction: 0.0425 is 4.25%."""
    amount = _decimal(value)
    if amount is None:
        return unknown()
    return format_html('<data class="num" value="{}">{}%</data>', f"{amount:f}", f"{_round(amount * 100):,}")


@register.filter
def signed_rate(value: Any) -> SafeString:
    """A change of a share, in percentage points: 0.0012 is +0.12 pp."""
    amount = _decimal(value)
    if amount is None:
        return unknown()
    points = _round(amount * 100)
    return _change(points, gettext("%(number)s pp") % {"number": f"{points:+,}" if points else "0.00"})


@register.filter
def number(value: Any) -> SafeString:
    """A count with separators."""
    amount = _decimal(value)
    if amount is None:
        return unknown()
    return format_html('<data class="num" value="{}">{}</data>', f"{amount:f}", f"{amount:,f}")


@register.filter
def counted(value: Any) -> SafeString:
    """The count of a list (``listing.Count``), which says when there are more: 1,000+."""
    words = f"{value.number:,}"
    if not value.capped:
        return format_html('<data class="num" value="{}">{}</data>', value.number, words)
    title = gettext("More than %(number)s") % {"number": words}
    return format_html('<data class="num" value="{}" title="{}">{}+</data>', value.number, title, words)


@register.filter
def day(value: datetime.date | datetime.datetime | None) -> SafeString:
    """A date as 2026-11-22."""
    if value is None:
        return unknown()
    if isinstance(value, datetime.datetime):
        value = timezone.localtime(value).date()
    return format_html('<time class="num" datetime="{0}">{0}</time>', value.isoformat())


@register.filter
def moment(value: datetime.datetime | None) -> SafeString:
    """A moment as "5 minutes ago" with the exact time in the title; older than a month the date itself."""
    if value is None:
        return unknown()
    local = timezone.localtime(value)
    return format_html(
        '<time class="moment" datetime="{}" title="{}">{}</time>',
        local.isoformat(timespec="seconds"),
        f"{local:%Y-%m-%d %H:%M:%S}",
        moment_words(value, clock.now()),
    )


@register.filter
def exact_moment(value: datetime.datetime | None) -> SafeString:
    """A moment as 2026-11-22 01:04:59, in the bank's time: for logs and runs."""
    if value is None:
        return unknown()
    local = timezone.localtime(value)
    return format_html(
        '<time class="num" datetime="{}">{}</time>',
        local.isoformat(timespec="seconds"),
        f"{local:%Y-%m-%d %H:%M:%S}",
    )


def moment_words(value: datetime.datetime, at: datetime.datetime) -> str:
    """How long before or after ``at`` the moment is, in the reader's words."""
    seconds = int((at - value).total_seconds())
    if seconds < 0:
        return f"{timezone.localtime(value):%Y-%m-%d %H:%M}"
    if seconds < 60:
        return gettext("just now")
    if seconds < 3600:
        minutes = seconds // 60
        return ngettext("%(count)d minute ago", "%(count)d minutes ago", minutes) % {"count": minutes}
    days = (timezone.localtime(at).date() - timezone.localtime(value).date()).days
    if days == 0 or seconds < 6 * 3600:
        hours = seconds // 3600
        return ngettext("%(count)d hour ago", "%(count)d hours ago", hours) % {"count": hours}
    if days == 1:
        return pgettext("a day", "yesterday")
    if days <= 30:
        return ngettext("%(count)d day ago", "%(count)d days ago", days) % {"count": days}
    return timezone.localtime(value).date().isoformat()


@register.filter
def milliseconds(value: Any) -> SafeString:
    """A duration given in milliseconds: 340 ms, 12.3 s, 4 min 05 s."""
    amount = _decimal(value)
    if amount is None:
        return unknown()
    if amount < 1000:
        words = gettext("%(number)s ms") % {"number": f"{amount:.0f}"}
    elif amount < 60_000:
        words = gettext("%(number)s s") % {"number": f"{amount / 1000:.1f}"}
    else:
        minutes, seconds = divmod(int(amount) // 1000, 60)
        words = gettext("%(minutes)s min %(seconds)s s") % {"minutes": minutes, "seconds": f"{seconds:02d}"}
    return format_html('<data class="num" value="{}">{}</data>', f"{amount:f}", words)


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """A Tabler icon; decoration unless it has a label of its own."""
    if label:
        return format_html('<i class="ti ti-{}" role="img" aria-label="{}"></i>', name, label)
    return format_html('<i class="ti ti-{}" aria-hidden="true"></i>', name)
