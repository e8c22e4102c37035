"""Branches by an average, the months, retention and the value matrix: each number is what the rows behind it add up to."""

import datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.core.models import User
from segmentation import nights, periods, retention, structure, trends
from segmentation.models import BranchSummary, Life, PublishedNight, Standing
from tests.bank import FIRST_DAY, LAST_DAY
from tests.segmentation.rows import run_night
from tests.segmentation.test_screens_overview import more_branches, of_cell, rows_behind, sums

pytestmark = pytest.mark.django_db
OVERVIEW, TRENDS, RETENTION, RFM = "/overview/", "/overview/trends/", "/overview/retention/", "/overview/rfm/"
SEPTEMBER = datetime.date(2026, 9, 30)


def year_average(rows: list[Standing], side: str) -> Decimal:
    return sum((getattr(row, f"{side}_year_average") for row in rows), Decimal(0))


@pytest.mark.parametrize("side", ["deposit", "loan"])
@pytest.mark.parametrize("per", structure.PER)
def test_branches_rank_by_an_average_over_exactly_their_customers(bank, client, side, per):
    client.force_login(bank.han)
    context = client.get(OVERVIEW, {"by": side, "per": per, "top": "10"}).context
    shown = context["first_branches"]
    assert [row["average"] for row in shown] == sorted((row["average"] for row in shown), reverse=True)
    assert "鼓楼支行" in [row["line"].label for row in shown]
    for row in shown:
        rows = rows_behind(client, row["line"].href)
        divisor = {
            "holders": sum(getattr(one, f"{side}_year_sum") > 0 for one in rows),
            "all": sum(not one.is_closed for one in rows),
            "accounts": sum(one.account_count for one in rows),
        }[per]
        assert row["divisor"] == divisor
        assert abs(row["average"] - year_average(rows, side) / divisor) < Decimal("0.000001")


def test_an_average_ranks_only_places_below_the_chosen_one(bank, client):
    client.force_login(bank.rita)
    for branch, names in (("B1", {"鼓楼支行", "鼓楼支行学院路网点"}), ("B2", {"江滨支行"})):
        shown = client.get(OVERVIEW, {"by": "deposit", "branch": branch}).context["first_branches"]
        assert {row["line"].label for row in shown} <= names


@pytest.mark.parametrize("username", ["cai", "dora", "rita", "han", "mira"])
@pytest.mark.parametrize("split", ["tier", "branch", "manager"])
def test_every_number_of_the_retention_is_the_customers_behind_it(bank, client, username, split):
    client.force_login(getattr(bank, username))
    context = client.get(RETENTION, {"split": split}).context
    for stage in context["stages"]:
        assert {row.life for row in rows_behind(client, stage.href)} <= {stage.life}
        assert len(rows_behind(client, stage.href)) == stage.count, stage.life
    for row in context["rows"]:
        assert of_cell(row.cell) == sums(rows_behind(client, row.href)), row.label
        for (_words, number, href), life in zip(row.numbers, retention.LIVES, strict=True):
            behind = rows_behind(client, href)
            assert len(behind) == number and {one.life for one in behind} <= {life}
        assert len(rows_behind(client, row.lost_href)) == row.cell.lost_customers


def test_retention_narrows_to_a_branch_and_a_kind(bank, client):
    client.force_login(bank.han)
    context = client.get(RETENTION, {"branch": "B2", "kind": "corporate"}).context
    assert sum(stage.count for stage in context["stages"]) == 1
    assert [split["label"] for split in context["splits"]] == [
        "按等级",
        "按机构",
    ]  # a book has no branch to narrow by


def test_a_large_book_is_not_split_by_managers(bank, client, monkeypatch):
    monkeypatch.setattr(structure, "MOST_COMPARED", 3)
    client.force_login(bank.han)
    context = client.get(RETENTION, {"split": "manager"}).context
    assert context["split"] == "tier" and len(context["splits"]) == 2


@pytest.mark.parametrize("username", ["cai", "rita", "han", "mira"])
def test_every_square_of_the_matrix_is_the_customers_behind_it(bank, client, username):
    client.force_login(getattr(bank, username))
    for query in ({}, {"kind": "individual"}, {"branch": "B1"}):
        matrix = client.get(RFM, query).context["matrix"]
        for recency, squares in matrix.rows:
            for square in squares:
                rows = rows_behind(client, square.href) if square.count else []
                assert len(rows) == square.count
                assert {row.recency_rank for row in rows} <= {recency}
                if rows:
                    mean = Decimal(sum(row.money_rank for row in rows)) / len(rows)
                    assert square.money == mean and square.shade == int(mean + Decimal("0.5"))
        everybody = rows_behind(client, structure.link(**query))
        assert matrix.total == sum(not row.is_closed for row in everybody)


@pytest.fixture
def months(bank):
    """The small bank with the nights of two more days: a month end before its first, and the day its first batch came."""
    run_night(SEPTEMBER)
    run_night(FIRST_DAY)
    return bank


def points_of(client, **query) -> list[tuple[datetime.date, Decimal | None]]:
    chart = client.get(TRENDS, query).context["charts"][0]
    return [(row["point"].day, row["average"]) for row in chart["rows"]]


def test_a_trend_goes_through_the_month_ends_up_to_the_newest_night(months, client):
    client.force_login(months.han)
    assert [day for day, _average in points_of(client)] == [SEPTEMBER, LAST_DAY]
    client.force_login(months.dora)
    for day, average in points_of(client, per="all"):
        run = PublishedNight.objects.get(business_date=day).run_id
        rows = list(Standing.objects.visible_to(months.dora).filter(run_id=run))
        open_rows = sum(not row.is_closed for row in rows)
        assert abs(average - year_average(rows, "deposit") / open_rows) < Decimal("0.000001")


@pytest.mark.parametrize("username", ["cai", "rita", "han", "mira"])
def test_a_point_is_the_sum_of_the_customers_a_reader_sees_of_that_night(months, username):
    user, night = getattr(months, username), nights.published()
    points = trends.of_reader(user, night, places=None, branch="", kind="individual")
    assert [point.day for point in points] == [SEPTEMBER, LAST_DAY]
    for point in points:
        run = PublishedNight.objects.get(business_date=point.day).run_id
        rows = list(Standing.objects.visible_to(user).filter(run_id=run, kind="individual"))
        assert of_cell(point.cell) == sums(rows)
    assert [bool(point.href) for point in points] == [False, True]


def test_a_month_end_without_a_night_is_a_gap_and_not_a_guess(bank, client):
    run_night(datetime.date(2026, 7, 31))
    client.force_login(bank.han)
    assert [(day, average is None) for day, average in points_of(client)] == [
        (datetime.date(2026, 7, 31), False),
        (datetime.date(2026, 8, 31), True),
        (SEPTEMBER, True),
        (LAST_DAY, False),
    ]
    months = client.get(RETENTION).context["months"]
    assert [month.rate for month in months][:3] == [None, None, None]


def test_one_night_alone_makes_no_trend_and_says_what_to_do(bank, client):
    client.force_login(bank.han)
    assert "趋势至少需要两个月末" in client.get(TRENDS).content.decode()
    assert "流失率至少需要两个月末" in client.get(RETENTION).content.decode()


def test_the_month_ends_of_a_year_are_the_last_days_before_this_month():
    found = trends.month_ends(datetime.date(2024, 3, 31))
    assert len(found) == 13
    assert (found[0], found[-1], found[-2]) == (
        datetime.date(2023, 2, 28),
        datetime.date(2024, 2, 29),
        datetime.date(2024, 1, 31),
    )


def cell_of(**counts: int) -> structure.Cell:
    return structure.Cell("", "", "", periods.of(LAST_DAY), **counts)


def test_the_rate_of_a_month_is_who_left_net_of_who_came_back_of_those_there_before():
    stocks = [
        cell_of(customers=100, lost_customers=8, closed_customers=2),  # 90 there
        cell_of(customers=110, lost_customers=10, closed_customers=9),  # 9 more gone
        None,
        cell_of(customers=110, lost_customers=10, closed_customers=9),
        cell_of(customers=110, lost_customers=9, closed_customers=9),  # one came back
    ]
    points = [trends.Point(LAST_DAY, cell, "") for cell in stocks]
    assert [(month.left, month.rate) for month in retention.months(points)] == [
        (None, None),
        (9, Decimal(9) / 90),
        (None, None),
        (None, None),
        (-1, Decimal(-1) / 91),
    ]


def test_the_closed_are_counted_apart_from_the_open_stages(bank, client):
    client.force_login(bank.cai)
    stages = {stage.life: stage for stage in client.get(RETENTION).context["stages"]}
    assert list(stages) == [*retention.LIVES, Life.CLOSED]
    assert stages[Life.CLOSED].count == 1  # C006
    open_stages = [stage for life, stage in stages.items() if life != Life.CLOSED]
    assert sum(stage.share for stage in open_stages) == 1


def test_dashboards_ask_as_many_questions_for_thirty_branches_and_months_as_for_three(bank, client):
    counts: dict[tuple, list[int]] = {}
    urls = (OVERVIEW + "?by=deposit&top=20", TRENDS, RETENTION, RETENTION + "?split=branch",
            RETENTION + "?split=manager&kind=", RFM)  # fmt: skip
    had = 0
    for rows in (3, 30):
        more_branches(rows, had)
        had = rows
        if rows == 30:
            run_night(SEPTEMBER)
        for username in ("cai", "han", "mira"):
            client.force_login(User.objects.get(username=username))
            for url in urls:
                with CaptureQueriesContext(connection) as queries:
                    client.get(url)
                counts.setdefault((username, url), []).append(len(queries))
    assert all(len(set(found)) == 1 and found[0] <= 12 for found in counts.values()), counts


def test_managers_and_the_counter_have_no_overview(bank, client):
    for username in ("ann", "tess", "adam"):
        client.force_login(getattr(bank, username))
        assert {client.get(url).status_code for url in (OVERVIEW, TRENDS, RETENTION, RFM)} == {403}


def test_a_summary_without_standings_still_gives_its_month(months, client):
    """Rows of old nights are let go; the summary stays and the trend with it."""
    with connection.cursor() as cursor:
        cursor.execute("select segmentation_drop_run(%s)", [PublishedNight.objects.get(pk=SEPTEMBER).run_id])
    assert BranchSummary.objects.filter(run__business_date=SEPTEMBER).exists()
    client.force_login(months.han)
    assert [day for day, average in points_of(client) if average is not None] == [SEPTEMBER, LAST_DAY]


@pytest.mark.parametrize("by", structure.OF_RELATED)
def test_no_rank_tells_of_one_or_two_related_customers_outside_the_scope(bank, client, by):
    firm = bank.customer("C101")  # C102, a supplier at another branch, counts with it
    client.force_login(bank.cai)
    page = client.get(OVERVIEW, {"by": by, "top": "20"}).context
    assert page["first"] and firm.pk not in {row.customer_id for row in page["first"]}
    assert "sort=contribution" in page["all_href"]
    client.force_login(bank.rita)
    region = {
        row.customer_id: row.ranked_by
        for row in client.get(OVERVIEW, {"by": by, "top": "20"}).context["first"]
    }
    assert region[firm.pk] is not None
    client.force_login(bank.han)
    page = client.get(OVERVIEW, {"by": by, "top": "20"}).context
    assert f"sort={by}" in page["all_href"]
    listed = [row.pk for row in client.get(page["all_href"]).context["page"].rows]
    assert listed[:20] == [row.customer_id for row in page["first"]]


@pytest.mark.parametrize("by", ["related", "points", "loyalty", "risk"])
def test_the_table_of_the_first_shows_what_it_ranks_by(bank, client, by):
    client.force_login(bank.han)
    page = client.get(OVERVIEW, {"by": by}).content.decode()
    panel = page.split('id="top-title"')[1].split("</section>")[0]
    assert panel.count('aria-sort="descending"') == 1 and panel.count("<strong>") == 5
