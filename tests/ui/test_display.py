"""How figures look: units on screen, signs, the exact value at hand, never a misleading rounding."""

import datetime
from decimal import Decimal as D

import pytest
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.core import clock
from crm.core.listing import Count
from crm.core.templatetags import display

UTC = datetime.UTC


@pytest.mark.parametrize(
    ("amount", "chinese", "english"),
    [
        ("0", "0.00 元", "¥0.00"),
        ("0.005", "0.01 元", "¥0.01"),
        ("-0.004", "0.00 元", "¥0.00"),
        ("1234.56", "1,234.56 元", "¥1,234.56"),
        ("9999.99", "9,999.99 元", "¥9,999.99"),
        ("9999.995", "1.00 万元", "¥10,000.00"),
        ("10000", "1.00 万元", "¥10,000.00"),
        ("123456.785", "12.35 万元", "¥123,456.79"),
        ("-123456.785", "-12.35 万元", "-¥123,456.79"),
        ("99999999.99", "1.00 亿元", "¥100.00m"),
        ("99994999.99", "9,999.50 万元", "¥99.99m"),
        ("100000000", "1.00 亿元", "¥100.00m"),
        ("1234567890123.45", "12,345.68 亿元", "¥1,234.57bn"),
    ],
)
def test_amounts_are_scaled_by_ten_thousands_in_chinese_and_by_millions_in_english(amount, chinese, english):
    assert display.money_words(D(amount), "CNY", "zh") == chinese
    assert display.money_words(D(amount), "CNY", "en") == english


@pytest.mark.parametrize(
    ("amount", "chinese", "english"),
    [
        ("500", "500.00 CZK", "CZK 500.00"),
        ("1234567", "123.46 万 CZK", "CZK 1.23m"),
        ("-1234567", "-123.46 万 CZK", "-CZK 1.23m"),
    ],
)
def test_another_currency_says_its_code(amount, chinese, english):
    assert display.money_words(D(amount), "CZK", "zh") == chinese
    assert display.money_words(D(amount), "CZK", "en") == english


@settings(max_examples=300, deadline=None)
@given(st.decimals(D("-1e15"), D("1e15"), places=2), st.sampled_from(["zh", "en"]))
def test_the_words_are_within_half_a_hundredth_of_their_unit(amount, language):
    words = display.money_words(amount, "CNY", language)
    sizes = {"万": D(10_000), "亿": D(100_000_000), "m": D(1_000_000), "bn": D(1_000_000_000)}
    size = next((sizes[unit] for unit in ("万", "亿", "bn", "m") if unit in words), D(1))
    shown = D("".join(c for c in words if c in "0123456789.-"))
    assert abs(shown * size - amount) <= size * D("0.005")
    assert ("-" in words) == (amount < 0 and shown != 0)


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_a_rounded_figure_keeps_its_exact_value_in_the_title_and_for_machines(language):
    with translation.override(language):
        html = display.money(D("123456.785"), "CNY")
    assert 'value="123456.785"' in html
    assert ("123,456.785 元" if language == "zh-hans" else "¥123,456.785") in html


def test_what_is_not_known_is_a_dash_that_says_so():
    for show in (
        display.money,
        display.signed_money,
        display.rate,
        display.number,
        display.day,
        display.moment,
    ):
        assert "—" in show(None) and "title=" in show(None)
    assert "—" in display.money(D("NaN"), "CNY")


def test_changes_say_their_direction_by_sign_and_shape_and_not_by_colour_alone():
    with translation.override("zh-hans"):
        assert "▲ +1.23 万元" in display.signed_money(D("12345"), "CNY") and "up" in display.signed_money(
            1, "CNY"
        )
        assert "▼ -1.23 万元" in display.signed_money(D("-12345"), "CNY")
        assert "▲" not in display.signed_money(0, "CNY") and "same" in display.signed_money(0, "CNY")
    assert "▼ -3" in display.signed(-3) and "▲ +1,200" in display.signed(1200)


def test_rates_have_two_decimals():
    assert "4.25%" in display.rate(D("0.0425"))
    assert "-0.13%" in display.rate(D("-0.00125"))
    assert "12.35%" in display.rate(0.12345)
    with translation.override("en"):
        assert "▲ +0.12 pp" in display.signed_rate(D("0.0012"))


def test_a_hostile_currency_or_name_is_escaped():
    assert "<script>" not in display.money(1, "<script>")
    assert "<script>" not in display.icon("<script>", "<script>")


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        ({"seconds": 5}, "just now"),
        ({"minutes": 1}, "1 minute ago"),
        ({"minutes": 59}, "59 minutes ago"),
        ({"hours": 3}, "3 hours ago"),
        ({"days": 1}, "yesterday"),
        ({"days": 30}, "30 days ago"),
        ({"days": 31}, "2026-10-22"),
        ({"minutes": -10}, "2026-11-22 10:10"),
    ],
)
def test_moments_are_told_from_where_the_reader_stands(ago, words):
    at = datetime.datetime(2026, 11, 22, 2, 0, tzinfo=UTC)  # ten in the morning in Shanghai
    with translation.override("en"):
        assert display.moment_words(at - datetime.timedelta(**ago), at) == words


def test_yesterday_is_the_day_before_in_shanghai():
    at = datetime.datetime(2026, 11, 21, 23, 0, tzinfo=UTC)  # seven in the morning of the 22nd in Shanghai
    with translation.override("en"):
        assert display.moment_words(datetime.datetime(2026, 11, 21, 15, 0, tzinfo=UTC), at) == "yesterday"
        assert display.moment_words(datetime.datetime(2026, 11, 21, 17, 30, tzinfo=UTC), at) == "5 hours ago"


def test_a_moment_has_its_exact_time_at_hand(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: datetime.datetime(2026, 11, 22, 2, 0, tzinfo=UTC))
    html = display.moment(datetime.datetime(2026, 11, 22, 1, 0, 30, tzinfo=UTC))
    assert 'title="2026-11-22 09:00:30"' in html


def test_durations_and_counts_read_naturally():
    with translation.override("en"):
        assert "340 ms" in display.milliseconds(340)
        assert "12.3 s" in display.milliseconds(12_340)
        assert "4 min 05 s" in display.milliseconds(245_900)
        assert "1,000+" in display.counted(Count(1000, True))
        assert "1,000+" not in display.counted(Count(1000, False))


def test_figures_that_name_no_currency_bear_the_one_of_the_night_asked_once_a_request(monkeypatch):
    asked = []
    monkeypatch.setattr(display, "_tellers", [lambda: asked.append(1) or "CZK"])
    display._forget_base_currency()
    assert "CZK" in display.money(D("12")) and "CZK" in display.signed_money(D("12"))
    assert asked == [1]
    monkeypatch.setattr(display, "_tellers", [lambda: None])
    display._forget_base_currency()
    with translation.override("zh-hans"):
        assert "12.00 元" in display.money(D("12"))
    display._forget_base_currency()


def test_a_column_has_one_scale_so_that_it_can_be_read_down():
    with translation.override("zh-hans"):
        assert "12,345.68 万元" in display.money_column(D("123456789"), "CNY")
        assert "0.12 万元" in display.money_column(D("1234.5"), "CNY")
        assert "-1.00 万 USD" in display.money_column(D("-9999.99"), "USD")
    with translation.override("en"):
        html = display.money_column(D("1234.5"), "CNY")
        assert "¥1.23k" in html and 'title="¥1,234.50"' in html


@pytest.mark.parametrize(
    ("language", "words"),
    [("zh-hans", ["0.01 万元", "516.63 万元", "-1.04 万元"]), ("en", ["¥0.10k", "¥5,166.25k", "-¥10.40k"])],
)
def test_a_column_has_one_scale_and_keeps_the_exact_value_at_hand(language, words):
    with translation.override(language):
        cells = [str(display.money_column(D(amount), "CNY")) for amount in ("97.79", "5166250.00", "-10400")]
    assert [cell.split(">")[1].split("<")[0] for cell in cells] == words
    assert 'value="97.79"' in cells[0] and 'value="-10400"' in cells[2]
