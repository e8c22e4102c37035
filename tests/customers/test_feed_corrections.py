"""A date is delivered anew: what goes, what comes back, what later days keep, and how any past day then reads."""

from decimal import Decimal

import pytest

from customers.control import figures
from customers.models import Customer, FeedBatch, FeedTouch, RowHistory, Transaction
from segmentation import nights
from tests.customers.feeding import (
    CUSTOMERS,
    DAY,
    FIRST,
    TRANSACTIONS,
    balance,
    balances,
    balances_as_of,
    booking,
    bookings,
    deliver,
    deliver_bank,
    whole_bank,
)

pytestmark = pytest.mark.django_db
SECOND, THIRD = FIRST + DAY, FIRST + 2 * DAY


@pytest.fixture
def bank(tmp_path):
    assert deliver_bank(tmp_path).outcome == "loaded"
    return tmp_path


def second_day(bank, **changes):
    files = {
        "transactions.csv": [
            booking("T5", "X1-D", "2025-04-01", "10.00"),
            booking("T6", "X1-D", "2025-04-01", "1.00"),
        ],
        "balances.csv": [balance("X1-D", "2025-04-01", "760.50")],
    } | changes
    return deliver(bank, SECOND, files)


def test_a_correction_replaces_bookings_and_balances_and_reports_what_changed(bank):
    old = second_day(bank)
    files = {
        "transactions.csv": [
            booking("T6", "X1-D", "2025-04-01", "2.00"),
            booking("T7", "X1-D", "2025-04-01", "5.00"),
        ],
        "balances.csv": [balance("X1-D", "2025-04-01", "756.50")],
    }
    result = deliver(bank, SECOND, files, replace=True)
    assert (result.outcome, result.breaks) == ("loaded", 0)
    assert bookings() | {"T1": None, "T2": None, "T3": None, "T4": None} == {
        "T1": None, "T2": None, "T3": None, "T4": None, "T6": Decimal("2.00"), "T7": Decimal("5.00")
    }  # fmt: skip
    told = result.report["correction"]["transactions.csv"]
    assert told["added"] == {"rows": 1, "difference": {"CNY": "5.00"}}
    assert told["changed"] == {"rows": 1, "difference": {"CNY": "1.00"}}
    assert told["removed"] == {"rows": 1, "difference": {"CNY": "-10.00"}}
    assert result.report["correction"]["balances.csv"]["changed"]["rows"] == 1
    assert FeedBatch.objects.get(pk=old.batch_id).state == "replaced"
    assert nights.batches_of(SECOND)[-1] == result.batch_id


def test_a_correction_with_the_same_rows_reports_no_change(bank):
    second_day(bank)
    result = second_day_again(bank)
    told = result.report["correction"]["transactions.csv"]
    assert [told[what]["rows"] for what in ("added", "changed", "removed")] == [0, 0, 0]


def second_day_again(bank):
    files = {
        "transactions.csv": [
            booking("T6", "X1-D", "2025-04-01", "1.00"),
            booking("T5", "X1-D", "2025-04-01", "10.00"),
        ],
        "balances.csv": [balance("X1-D", "2025-04-01", "760.50")],
    }
    return deliver(bank, SECOND, files, replace=True)


def test_what_the_corrected_batch_had_changed_comes_back(bank):
    second_day(bank, **{"transactions.csv": [booking("T2", "X1-D", "2025-03-20", "-1.00")]})
    assert bookings()["T2"] == Decimal("-1.00")
    deliver(bank, SECOND, {}, replace=True)
    assert bookings() == {row["txn_no"]: Decimal(row["amount"]) for row in TRANSACTIONS}
    assert ("X1-D", "2025-04-01") not in balances()


def test_what_later_days_wrote_stays_and_the_past_reads_as_corrected(bank):
    second_day(bank)
    deliver(bank, THIRD, {"balances.csv": [balance("X1-D", "2025-04-01", "999.00")]})
    result = deliver(
        bank,
        SECOND,
        {"balances.csv": [balance("X1-D", "2025-04-01", "555.00"), balance("X2-D", "2025-04-01", "1.00")]},
        replace=True,
    )
    assert result.outcome == "loaded"
    assert balances()["X1-D", "2025-04-01"] == Decimal("999.00")
    assert balances_as_of(SECOND)["X1-D", "2025-04-01"] == Decimal("555.00")
    assert balances_as_of(THIRD)["X1-D", "2025-04-01"] == Decimal("999.00")
    assert balances_as_of(SECOND)["X2-D", "2025-04-01"] == Decimal("1.00")
    told = result.report["correction"]["balances.csv"]
    assert (told["changed"]["rows"], told["added"]["rows"]) == (1, 1)


def test_a_row_gone_from_the_correction_reads_in_the_past_as_before_it(bank):
    second_day(bank, **{"balances.csv": [balance("X1-D", "2025-03-20", "111.00")]})
    deliver(bank, THIRD, {"balances.csv": [balance("X1-D", "2025-03-20", "999.00")]})
    deliver(bank, SECOND, {}, replace=True)
    assert balances_as_of(SECOND)["X1-D", "2025-03-20"] == Decimal("749.50")
    assert balances_as_of(THIRD)["X1-D", "2025-03-20"] == Decimal("999.00")
    assert balances()["X1-D", "2025-03-20"] == Decimal("999.00")


def test_a_correction_of_a_correction_starts_from_the_first_again(bank):
    second_day(bank, **{"transactions.csv": [booking("T2", "X1-D", "2025-03-20", "-1.00")]})
    deliver(bank, SECOND, {"transactions.csv": [booking("T2", "X1-D", "2025-03-20", "-2.00")]}, replace=True)
    assert bookings()["T2"] == Decimal("-2.00")
    assert deliver(bank, SECOND, {}, replace=True).outcome == "loaded"
    assert bookings()["T2"] == Decimal("-250.50")
    assert figures(SECOND)["currencies"]["CNY"]


def test_a_correction_of_the_first_batch_is_known_from_the_rows_own_dates_on(bank):
    second_day(bank)
    files = whole_bank()
    files["transactions.csv"][0]["amount"] = "1001.00"
    files["customers.csv"][0]["name"] = "改名"
    result = deliver(bank, FIRST, files, mode="full", replace=True)
    assert result.outcome == "loaded"
    assert Transaction.rows.get(txn_no="T1").known_on.year == 1
    customer = Customer.rows.get(customer_no="X1")
    assert (customer.name, customer.known_on.year) == ("改名", 1)
    assert set(bookings()) == {"T1", "T2", "T3", "T4", "T5", "T6"}


def test_parties_that_a_later_batch_changed_are_left_as_they_are(bank):
    second_day(bank, **{"customers.csv": [CUSTOMERS[0] | {"name": "二"}]})
    deliver(bank, THIRD, {"customers.csv": [CUSTOMERS[0] | {"name": "三"}]})
    result = deliver(bank, SECOND, {"customers.csv": [CUSTOMERS[0] | {"name": "二改"}]}, replace=True)
    assert Customer.rows.get(customer_no="X1").name == "三"
    assert result.report["kept_later"] == {"customers.csv": 1}
    assert (result.rows_loaded, result.rows_unchanged) == (0, 1)


def test_a_correction_changes_the_account_months_the_night_must_add_up_anew(bank):
    second_day(bank)
    result = deliver(bank, SECOND, {}, replace=True)
    touched = FeedTouch.rows.filter(batch_id=result.batch_id)
    assert [(one.account.account_no, one.month.isoformat()) for one in touched] == [("X1-D", "2025-04-01")]


def test_a_back_dated_balance_touches_the_month_of_the_next_one(bank):
    deliver(bank, SECOND, {"balances.csv": [balance("X1-D", "2025-01-05", "5.00")]})
    touched = FeedTouch.rows.filter(account__account_no="X1-D", batch__business_date=SECOND)
    assert sorted(one.month.isoformat() for one in touched) == ["2025-01-01", "2025-03-01"]


def test_a_day_left_out_may_be_delivered_late_when_the_gap_is_accepted(bank):
    deliver(bank, THIRD, {"balances.csv": [balance("X1-D", "2025-04-01", "999.00")]}, accept_gap=True)
    assert deliver(bank, SECOND, {"balances.csv": []}).reason_code == "gap"
    result = deliver(
        bank, SECOND, {"balances.csv": [balance("X1-D", "2025-04-01", "555.00")]}, accept_gap=True
    )
    assert (result.outcome, result.rows_loaded) == ("loaded", 1)
    assert balances_as_of(SECOND)["X1-D", "2025-04-01"] == Decimal("555.00")
    assert balances()["X1-D", "2025-04-01"] == Decimal("999.00")


def test_the_past_is_read_as_it_was_known(bank):
    before = figures(FIRST)
    deliver(
        bank,
        SECOND,
        {
            "transactions.csv": [
                booking("T2", "X1-D", "2025-03-20", "-1.00"),
                booking("T9", "X1-D", "2025-03-25", "4.00"),
            ],
            "balances.csv": [balance("X1-D", "2025-03-20", "5.00")],
            "accounts.csv": [whole_bank()["accounts.csv"][0] | {"customer_no": "X3"}],
            "customers.csv": [CUSTOMERS[0] | {"customer_no": "X7"}],
        },
    )
    assert figures(FIRST) == before
    assert figures(SECOND) != before


def test_no_version_is_lost(bank):
    second_day(bank)
    count = RowHistory.rows.count()
    second_day_again(bank)
    assert RowHistory.rows.count() == count + 3
