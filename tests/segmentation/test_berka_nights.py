"""A real bank: the night of every day there is a batch for, held against figures computed without the CRM."""

import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection
from django.db.models import Sum

from crm.core import clock
from customers.feeds.load import load_paths
from segmentation import nights, steps
from segmentation.models import AccountMeasure, Standing
from tests.segmentation.rows import months, results_of, run_night

BERKA = Path(__file__).resolve().parents[3] / "shared" / "data" / "berka"
AUGUST, SEPTEMBER = datetime.date(1993, 8, 31), datetime.date(1993, 9, 30)
DAY = datetime.timedelta(days=1)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not BERKA.exists(),
        reason="the evaluation data lies beside the repository (../shared/data), not in it",
    ),
]
# shared/data/README.md: averages exact, totals rounded once.
WANTED = {
    AUGUST: (920, 759, "21995299.81", "22083676.80", "495240.00",
             ["P03687 95425.35", "P02542 90639.12", "P11409 90542.04", "P04536 88946.56", "P12396 88186.94"]),
    SEPTEMBER: (1047, 866, "25340903.31", "25676105.80", "1085352.00",
                ["P03687 97803.07", "P12396 89246.91", "P01039 87840.97", "P01359 85605.68", "P04547 83259.37"]),
}  # fmt: skip


def figures(run) -> tuple:
    mine = Standing.rows.filter(run_id=run.pk)
    sums = mine.aggregate(
        month=Sum("deposit_month_sum"), deposits=Sum("deposit_balance"), loans=Sum("loan_balance")
    )
    days = nights.published(run.business_date).periods.month.days
    top = mine.select_related("customer").order_by("-deposit_month_sum")[:5]
    return (
        mine.count(),
        AccountMeasure.rows.filter(run_id=run.pk).count(),
        str(round(sums["month"] / days, 2)),
        str(round(sums["deposits"], 2)),
        str(round(sums["loans"], 2)),
        [f"{s.customer.customer_no} {round(s.deposit_month_average, 2)}" for s in top],
    )


def test_every_day_of_the_real_bank_has_its_night(empty_bank):
    with empty_bank.connected():
        folders = sorted(path for path in BERKA.iterdir() if path.is_dir())
        assert len(folders) == 31
        on_the_day = {}
        for folder in folders:
            [result] = load_paths([folder], at=clock.now())
            assert result.outcome == "loaded"
            run = run_night(datetime.date.fromisoformat(folder.name))
            if run.business_date.day in (31, 7, 19, 30):
                on_the_day[run.business_date] = run, figures(run), results_of(run)
        for day, wanted in WANTED.items():
            assert on_the_day[day][1] == wanted
        assert on_the_day[AUGUST][0].inputs["base_currency"] == "CZK"
        # Nothing is known of rates: assumed, and said.
        assert set(Standing.rows.filter(run_id=on_the_day[SEPTEMBER][0].pk, coverage__lt=Decimal("0.7")))

        refreshed = months()
        with connection.cursor() as cursor:
            steps.rebuild(cursor)
        assert months() == refreshed, "refreshed thirty-one times, the accumulators equal a rebuild"

        for day, (first, _, results) in on_the_day.items():
            type(first).objects.filter(pk=first.pk).update(code_version="of another day")
            again = run_night(day)
            assert again.pk != first.pk and results_of(again) == results, f"{day} again after the whole month"
