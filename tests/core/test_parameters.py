"""Parameters: dated, versioned, never overwritten."""

import datetime

import pytest

from crm.core import clock, parameters

JUNE, JULY = datetime.date(2026, 6, 1), datetime.date(2026, 7, 1)


@pytest.fixture(autouse=True)
def declared(monkeypatch):
    monkeypatch.setattr(parameters, "_definitions", {})
    parameters.define("hurdle", "10", unit="%", source="M", note="capital's price")


@pytest.mark.django_db
def test_the_default_holds_until_somebody_sets_a_value_and_from_that_day_only():
    parameters.put("hurdle", "12", valid_from=JULY, why="board", at=clock.now())
    assert parameters.value("hurdle", JUNE) == "10"
    assert parameters.value("hurdle", JULY) == "12"


@pytest.mark.django_db
def test_a_correction_of_the_same_day_wins_and_the_old_value_stays():
    parameters.put("hurdle", "12", valid_from=JULY, why="board", at=clock.now())
    second = parameters.put("hurdle", "11", valid_from=JULY, why="typing error", at=clock.now())
    assert second.version == 2 and parameters.value("hurdle", JULY) == "11"
    assert parameters.Parameter.objects.filter(name="hurdle", valid_from=JULY).count() == 2


@pytest.mark.django_db
def test_a_name_nobody_declared_is_refused():
    with pytest.raises(KeyError):
        parameters.put("hurdel", "12", valid_from=JULY, why="typo", at=clock.now())
