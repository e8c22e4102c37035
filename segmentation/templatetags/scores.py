"""Scores on a page: as a number, as exact points that add up, as a bar beside the peers' mean, as a box of quartiles."""

from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from crm.core.templatetags import display
from segmentation import scorecard, selections
from segmentation.models import Standing, Tier

register = template.Library()

TENTH, EXACT = Decimal("0.1"), Decimal("0.0001")


def _decimal(value: Any) -> Decimal | None:
    """A template's attribute of nothing is an empty string."""
    return value if isinstance(value, Decimal) else None


def _rounded(value: Decimal, step: Decimal) -> Decimal:
    found = value.quantize(step, ROUND_HALF_UP)
    return abs(found) if found == 0 else found  # never "-0.0"


@register.filter
def score(value: Any) -> SafeString:
    """A score 0–100 for reading, one decimal; the exact one in the title."""
    value = _decimal(value)
    if value is None:
        return display.unknown()
    html = '<data class="num" value="{0}" title="{0}">{1}</data>'
    return format_html(html, f"{value:f}", f"{_rounded(value, TENTH):f}")


@register.filter
def points(value: Any) -> SafeString:
    """Points of a line with all their four decimals: the lines of a ledger add up to the last of them."""
    value = _decimal(value)
    if value is None:
        return display.unknown()
    return format_html('<data class="num" value="{}">{}</data>', f"{value:f}", f"{_rounded(value, EXACT):f}")


@register.filter
def signed_points(value: Any) -> SafeString:
    """A gap or a change in points, one decimal, with its sign; no colour: what is better depends on the score."""
    value = _decimal(value)
    if value is None:
        return display.unknown()
    shown = _rounded(value, TENTH)
    html = '<data class="num" value="{}" title="{}">{}</data>'
    return format_html(html, f"{value:f}", f"{value:+f}", f"{shown:+f}" if shown else "0.0")


@register.filter
def percent(value: Any) -> SafeString:
    """A weight or a percentile given in %: 12.5 is 12.5%."""
    value = _decimal(value)
    if value is None:
        return display.unknown()
    shown = f"{_rounded(value, TENTH).normalize():f}"
    return format_html('<data class="num" value="{}">{}%</data>', f"{value:f}", shown)


@register.filter
def whole(value: Any) -> str:
    """A percentile in whole per cent, never rounded up: nobody is above all of a group he belongs to."""
    found = _decimal(value)
    return "" if found is None else f"{found.quantize(Decimal(1), ROUND_DOWN):f}"


@register.filter
def known(coverage: Any) -> SafeString:
    """How much of the inputs is known, a fraction: 0.69 is 69%; what is not all is never rounded to all."""
    value = _decimal(coverage)
    if value is None:
        return display.unknown()
    shown = (value * 100).quantize(TENTH, ROUND_DOWN).normalize()
    return format_html('<data class="num" value="{}">{}%</data>', f"{value:f}", f"{shown:f}")


def _place(value: Decimal | None, low: Decimal, high: Decimal) -> str | None:
    """Where a value stands between two ends, 0–100, as an attribute of a drawing."""
    if value is None:
        return None
    share = (value - low) / (high - low) * 100 if high > low else Decimal(50)
    return f"{min(max(share, Decimal(0)), Decimal(100)):.2f}"


@register.inclusion_tag("segmentation/_score_bar.html")
def score_bar(
    value: Decimal | None, peer: Decimal | None = None, kind: str = "", label: Any = ""
) -> dict[str, Any]:
    """A bar 0–100 with a tick at the peers' mean; ``kind`` is its colour: risk has colours of its own."""
    ends = Decimal(0), Decimal(100)
    return {
        "value": _place(_decimal(value), *ends),
        "peer": _place(_decimal(peer), *ends),
        "kind": kind,
        "label": label,
    }


@register.inclusion_tag("segmentation/_score_box.html")
def score_box(value: Decimal | None, comparison: Any, label: Any = "") -> dict[str, Any]:
    """The peers' middle half as a box with median and mean, and where the customer stands; ends a little beyond them all."""
    known = [
        v
        for v in (value, comparison.p25, comparison.median, comparison.p75, comparison.mean)
        if v is not None
    ]
    low, high = min(known, default=Decimal(0)), max(known, default=Decimal(0))
    edge = (high - low) / 10
    places = {
        name: _place(getattr(comparison, name), low - edge, high + edge)
        for name in ("p25", "median", "p75", "mean")
    }
    middle = f"{float(places['p75']) - float(places['p25']):.2f}" if places["p25"] and places["p75"] else None
    return {"value": _place(value, low - edge, high + edge), "middle": middle, "label": label, **places}


@register.inclusion_tag("segmentation/_scorecard.html")
def score_head(standing: Standing) -> dict[str, Any]:
    """The three scores of a standing side by side."""
    return {
        "scores": scorecard.scores(standing),
        "standing": standing,
        "before_on": scorecard.night_before(standing),
    }


@register.simple_tag
def related_value(standing: Any, exact: bool = False) -> Any:
    """The contribution with those related to a customer; "out of scope" where it may not be told."""
    if not isinstance(standing, Standing):
        return display.unknown()
    value = scorecard.related(standing)
    if value is None:
        title = gettext("Some related customers are outside your scope, too few to be told together")
        return format_html('<span class="unknown" title="{}">{}</span>', title, gettext("out of scope"))
    return display.money_exact(value) if exact else display.money(value)


@register.simple_tag
def enterprise_size(standing: Standing | None) -> Any:
    """A firm's size in words; a dash for a person, and for whom the night did not know."""
    if not isinstance(standing, Standing) or not standing.enterprise_size:
        return display.unknown()
    return selections.SIZES[standing.enterprise_size]


@register.inclusion_tag("segmentation/_score_bar.html")
def line_bar(line: Any, score_code: str) -> dict[str, Any]:
    """The points of a line as a share of what it could bring, its weight, with the peers' mean."""
    ends = Decimal(0), line.weight or Decimal(100)
    return {
        "value": _place(line.points, *ends),
        "peer": _place(line.peer, *ends),
        "kind": score_code,
        "label": "",
    }


@register.simple_tag
def gap(value: Decimal | None, mean: Decimal | None) -> Decimal | None:
    return None if value is None or mean is None else value - mean


@register.simple_tag
def gap_share(value: Decimal | None, mean: Decimal | None) -> str | None:
    """The gap as a share of the mean's size, with its sign; None where there is no mean to divide by."""
    if value is None or not mean:
        return None
    share = ((value - mean) / abs(mean) * 100).quantize(TENTH, ROUND_HALF_UP)
    return f"{share:+,f}%"


@register.simple_tag
def change_mark(change: Decimal, score_code: str) -> SafeString:
    """A change in points with its arrow; in the colour of its direction, for risk in the colour of better or worse."""
    way = "up" if change > 0 else "down"
    shown = _rounded(change, Decimal("0.01")) or _rounded(change, EXACT)
    html = '<data class="num {}-{}" value="{}" title="{}">{} {}</data>'
    arrow = "▲" if change > 0 else "▼"
    return format_html(html, score_code, way, f"{change:f}", f"{change:+f}", arrow, f"{shown:+f}")


@register.simple_tag
def tier_words(tier: str) -> Any:
    return Tier(tier).label
