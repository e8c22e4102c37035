"""A real bank, fifteen months of it: the control figures must be equal to the cent, whenever they are asked."""

import datetime
import json
import shutil
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from crm.core import invariants
from customers.control import figures
from customers.models import FeedBatch
from tests.customers.content import TABLES, content

BERKA = Path(__file__).resolve().parents[3] / "shared" / "data" / "berka"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db,
    pytest.mark.skipif(
        not BERKA.exists(),
        reason="the evaluation data lies beside the repository (../shared/data), not in it",
    ),
]

AUGUST, SEPTEMBER = datetime.date(1993, 8, 31), datetime.date(1993, 9, 30)
# shared/data/README.md: computed without the CRM.
WANTED = {
    AUGUST: {
        "transactions": 10_684,
        "sum_of_transactions": "22083691.70",
        "end_of_day_deposits": "22083676.80",
        "end_of_day_loans": "495240.00",
        "account_days_that_do_not_reconcile": 529,
        "of_which_by_more_than_1": 0,
        "month_day_average_deposits_total": "21995299.81",
        "top5_month_day_average_deposit": [
            ["P03687", "95425.35"], ["P02542", "90639.12"], ["P11409", "90542.04"], ["P04536", "88946.56"], ["P12396", "88186.94"],
        ],
    },
    SEPTEMBER: {
        "transactions": 14_125,
        "sum_of_transactions": "25676123.50",
        "end_of_day_deposits": "25676105.80",
        "end_of_day_loans": "1085352.00",
        "account_days_that_do_not_reconcile": 687,
        "of_which_by_more_than_1": 0,
        "month_day_average_deposits_total": "25340903.31",
        "top5_month_day_average_deposit": [
            ["P03687", "97803.07"], ["P12396", "89246.91"], ["P01039", "87840.97"], ["P01359", "85605.68"], ["P04547", "83259.37"],
        ],
    },
}  # fmt: skip
PARTIES = {AUGUST: (920, 759), SEPTEMBER: (1_047, 866)}


def load(*paths) -> list[dict]:
    out = StringIO()
    call_command("load_feed", *map(str, paths), "--json", stdout=out, stderr=StringIO())
    return json.loads(out.getvalue())["batches"]


def agree(as_of: datetime.date, others: tuple[int, int]) -> None:
    """Hold the figures against the table. The small bank's own customers of that day, if any, are taken off."""
    found = figures(as_of)
    assert found["currencies"]["CZK"] == WANTED[as_of]
    assert (found["customers"] - others[0], found["accounts"] - others[1]) == PARTIES[as_of]


def test_the_control_figures_are_those_of_the_bank_before_and_after_september():
    before = {day: (figures(day)["customers"], figures(day)["accounts"]) for day in WANTED}
    (first,) = load(BERKA / "1993-08-31")
    assert (first["outcome"], first["read"], first["rejected"], first["breaks"]) == ("loaded", 22_786, 0, 529)
    agree(AUGUST, before[AUGUST])
    told = load(BERKA)
    assert [one["outcome"] for one in told] == ["unchanged"] + ["loaded"] * 30
    assert 529 + sum(one["breaks"] for one in told) == 687
    agree(AUGUST, before[AUGUST])
    agree(SEPTEMBER, before[SEPTEMBER])
    assert [
        result.findings for result in invariants.run({"I1", "I2", "I3", "I8", "I16"}) if result.findings
    ] == []


def test_loading_the_bank_twice_changes_nothing():
    load(BERKA)
    before = content()
    assert {one["outcome"] for one in load(BERKA)} == {"unchanged"}
    after = content()
    for table in TABLES:
        assert after[table] == before[table], table


def test_the_bank_arrives_in_archives_just_as_well(tmp_path):
    for day in sorted(BERKA.iterdir())[:3]:
        shutil.make_archive(str(tmp_path / day.name), "gztar" if day.name.endswith("1") else "zip", day)
    assert [one["outcome"] for one in load(tmp_path)] == ["loaded"] * 3
    assert FeedBatch.objects.filter(source="berka", state="published").count() == 3


def test_a_night_that_comes_before_its_turn_waits_for_the_one_before_it():
    load(BERKA / "1993-08-31")
    from django.core.management import CommandError

    with pytest.raises(CommandError):
        load(BERKA / "1993-09-02")
    assert (
        FeedBatch.objects.get(source="berka", business_date="1993-09-02").reason_values["expected"]
        == "1993-09-01"
    )
    assert [one["outcome"] for one in load(BERKA / "1993-09-02", BERKA / "1993-09-01")] == [
        "loaded",
        "loaded",
    ]
