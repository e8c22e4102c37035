"""What happens to the rows of a batch: new, changed, emptied, absent, repeated, wrong."""

import datetime
from decimal import Decimal

import pytest

from crm.core.models import Branch, BranchPlacement, Staff
from crm.core.privacy.fields import open_sealed
from customers.models import (
    Account,
    Assignment,
    Customer,
    FeedReject,
    Identity,
    QualityIssue,
    RowHistory,
    Transaction,
)
from tests.customers.feeding import (
    ACCOUNTS,
    CUSTOMERS,
    DAY,
    FIRST,
    balance,
    balances,
    booking,
    bookings,
    deliver,
    deliver_bank,
    rejects,
    whole_bank,
)

pytestmark = pytest.mark.django_db
SECOND = FIRST + DAY


@pytest.fixture
def loose_share(settings):
    """Batches of four rows would all be refused at one per cent."""
    settings.FEED_REJECT_SHARE = "0.9"


def test_a_first_batch_loads_every_row_and_reconciles(tmp_path):
    result = deliver_bank(tmp_path)
    assert (result.outcome, result.reason) == ("loaded", "")
    assert (result.rows_read, result.rows_loaded, result.rows_unchanged, result.rows_rejected) == (
        20,
        20,
        0,
        0,
    )
    assert result.breaks == 0
    assert bookings()["T2"] == Decimal("-250.50")
    assert balances()["X1-D", "2025-03-20"] == Decimal("749.50")


def test_a_parent_may_stand_further_down_in_the_file(tmp_path):
    deliver_bank(tmp_path)
    region, outlet = Branch.objects.get(branch_no="XR"), Branch.objects.get(branch_no="XB")
    assert outlet.parent == region
    assert outlet.path == f"/{region.pk}/{outlet.pk}/"


def test_personal_fields_are_stored_encrypted_and_can_be_opened(tmp_path):
    deliver_bank(tmp_path)
    customer = Customer.rows.get(customer_no="X1")
    assert open_sealed(customer, "mobile") == "13800138000"
    assert customer.mobile_mask == "138****8000"
    identity = Identity.rows.get(customer=customer)
    assert open_sealed(identity, "number") == "110105197812310018"
    assert identity.checksum_ok is True
    assert "13800138000" not in customer.mobile.token
    assert customer.name_sort == "zeng guo fan"


def test_an_identity_with_a_wrong_checksum_loads_and_stands_on_the_fix_list(tmp_path):
    deliver_bank(tmp_path)
    customer = Customer.rows.get(customer_no="X2")
    assert Identity.rows.get(customer=customer).checksum_ok is False
    rules = set(QualityIssue.rows.filter(customer=customer).values_list("rule", flat=True))
    assert {"identity_checksum", "mobile_malformed", "address_missing", "birth_missing"} <= rules


def test_customers_who_share_an_identity_number_both_stand_on_the_fix_list(tmp_path):
    deliver_bank(tmp_path)
    twin = CUSTOMERS[0] | {"customer_no": "X4", "manager_no": ""}
    deliver(tmp_path, SECOND, {"customers.csv": [twin]})
    shared = QualityIssue.rows.filter(rule="identity_shared", customer__customer_no__startswith="X")
    assert sorted(shared.values_list("customer__customer_no", flat=True)) == ["X1", "X4"]
    mended = twin | {"id_no": "310115198205150037"}
    deliver(tmp_path, SECOND + DAY, {"customers.csv": [mended]})
    assert not QualityIssue.rows.filter(
        rule="identity_shared", customer__customer_no__startswith="X"
    ).exists()


def test_the_same_rows_again_are_unchanged(tmp_path):
    deliver_bank(tmp_path)
    result = deliver(tmp_path, SECOND, whole_bank(), mode="full")
    assert (result.rows_loaded, result.rows_unchanged, result.rows_rejected) == (0, 20, 0)
    assert not RowHistory.rows.filter(superseded_by_id=result.batch_id).exists()


def test_a_changed_row_keeps_its_old_version_in_the_history(tmp_path):
    first = deliver_bank(tmp_path)
    changed = CUSTOMERS[0] | {"name": "曾文正", "mobile": "13900139000"}
    result = deliver(tmp_path, SECOND, {"customers.csv": [changed]})
    assert (result.rows_loaded, result.rows_unchanged) == (1, 0)
    customer = Customer.rows.get(customer_no="X1")
    assert (customer.name, open_sealed(customer, "mobile")) == ("曾文正", "13900139000")
    assert (customer.batch_id, customer.known_on) == (result.batch_id, SECOND)
    old = RowHistory.rows.get(entity="customer", key="X1")
    assert (old.row["name"], old.batch_id, old.superseded_on) == ("曾国藩", first.batch_id, SECOND)


def test_an_empty_cell_makes_null_and_an_absent_column_leaves_the_value(tmp_path):
    deliver_bank(tmp_path)
    kept = {name: CUSTOMERS[0][name] for name in ("customer_no", "kind", "name", "branch_no", "opened_on")}
    deliver(tmp_path, SECOND, {"customers.csv": [kept | {"email": "", "id_no": ""}]})
    customer = Customer.rows.get(customer_no="X1")
    assert customer.email is None and customer.email_print is None and not customer.email_mask
    assert not Identity.rows.filter(customer=customer).exists()
    assert open_sealed(customer, "mobile") == "13800138000"
    assert customer.annual_income == Decimal("120000.00")
    assert customer.manager.employee_no == "XE1"


def test_facts_remember_which_batch_brought_them(tmp_path):
    first = deliver_bank(tmp_path)
    kept = {name: CUSTOMERS[0][name] for name in ("customer_no", "kind", "name", "branch_no", "opened_on")}
    second = deliver(tmp_path, SECOND, {"customers.csv": [kept | {"education": "master"}]})
    customer = Customer.rows.get(customer_no="X1")
    assert customer.batch_id == second.batch_id
    assert customer.fact_batches["mobile"] == first.batch_id
    assert "education" not in customer.fact_batches


def test_a_declared_null_marker_is_null_too(tmp_path):
    deliver_bank(tmp_path)
    changed = CUSTOMERS[0] | {"email": None, "address": ""}
    deliver(tmp_path, SECOND, {"customers.csv": [changed]}, dialect={"null": "\\N", "delimiter": ";"})
    customer = Customer.rows.get(customer_no="X1")
    assert customer.email is None and customer.address is None


def test_gb18030_with_bars_reads_rare_characters(tmp_path):
    files = whole_bank()
    files["customers.csv"][0]["name"] = "㐂𠮷|氏"
    result = deliver(tmp_path, FIRST, files, mode="full", dialect={"encoding": "gb18030", "delimiter": "|"})
    assert result.outcome == "loaded", result.reason
    assert Customer.rows.get(customer_no="X1").name == "㐂𠮷|氏"


@pytest.mark.parametrize(
    ("change", "column", "reason"),
    [
        ({"opened_on": "2025-02-30"}, "opened_on", "bad_date"),
        ({"opened_on": "20250201"}, "opened_on", "bad_date"),
        ({"opened_on": "0000-00-00"}, "opened_on", "bad_date"),
        ({"opened_on": ""}, "opened_on", "required"),
        ({"opened_on": "2025-04-02"}, "opened_on", "future"),
        ({"birth_on": "9999-12-31"}, "birth_on", "future"),
        ({"kind": "person"}, "kind", "unknown_code"),
        ({"gender": "X"}, "gender", "unknown_code"),
        ({"branch_no": "nowhere"}, "branch_no", "unknown_key"),
        ({"manager_no": "nobody"}, "manager_no", "unknown_key"),
        ({"annual_income": "1e308"}, "annual_income", "bad_amount"),
        ({"annual_income": "1,000.00"}, "annual_income", "bad_amount"),
        ({"annual_income": "0.005"}, "annual_income", "too_precise"),
        ({"annual_income": "1234567890123456789"}, "annual_income", "out_of_range"),
        ({"annual_income": "１２"}, "annual_income", "bad_amount"),
        ({"annual_income": "NaN"}, "annual_income", "bad_amount"),
        ({"name": "x" * 201}, "name", "too_long"),
        ({"closed_on": "2024-01-01"}, "closed_on", "out_of_order"),
        ({"staff_count": "-3"}, "staff_count", "out_of_range"),
        ({"staff_count": "3.5"}, "staff_count", "bad_number"),
    ],
)
def test_a_bad_row_is_rejected_with_line_and_reason_and_the_rest_loads(
    tmp_path, loose_share, change, column, reason
):
    deliver_bank(tmp_path)
    bad = CUSTOMERS[0] | {"customer_no": "X8"} | change
    good = CUSTOMERS[1] | {"customer_no": "X9", **{name: "" for name in change if name not in CUSTOMERS[1]}}
    result = deliver(tmp_path, SECOND, {"customers.csv": [bad, good]})
    assert result.outcome == "loaded", result.reason
    assert rejects(result) == [("customers.csv", 2, column, reason)]
    assert (result.rows_read, result.rows_loaded, result.rows_rejected) == (2, 1, 1)
    assert (
        Customer.rows.filter(customer_no="X9").exists()
        and not Customer.rows.filter(customer_no="X8").exists()
    )


def test_dates_that_may_lie_ahead_do(tmp_path):
    deliver_bank(tmp_path)
    ahead = CUSTOMERS[0] | {"id_expires_on": "2049-12-31"}
    term = ACCOUNTS[0] | {"matures_on": "2055-01-01"}
    rate = {
        "kind": "fx",
        "currency": "USD",
        "term_days": "0",
        "valid_from": "2030-01-01",
        "rate": "7.12345678",
    }
    result = deliver(
        tmp_path, SECOND, {"customers.csv": [ahead], "accounts.csv": [term], "rates.csv": [rate]}
    )
    assert (result.outcome, result.rows_rejected) == ("loaded", 0)


def test_the_rejected_row_is_kept_as_it_came_and_encrypted(tmp_path, loose_share):
    deliver_bank(tmp_path)
    bad = CUSTOMERS[0] | {"customer_no": "X8", "name": "两行\n名字", "kind": "?"}
    result = deliver(tmp_path, SECOND, {"customers.csv": [CUSTOMERS[1], bad, CUSTOMERS[2]]})
    reject = FeedReject.objects.get(batch_id=result.batch_id)
    assert reject.line_no == 3
    raw = open_sealed(reject, "raw")
    assert raw.startswith('X8,?,"两行\n名字",') and "13800138000" in raw
    assert "13800138000" not in reject.raw.token


def test_the_first_of_two_rows_with_one_key_counts(tmp_path, loose_share):
    deliver_bank(tmp_path)
    rows = [balance("X1-D", "2025-04-01", "1.00"), balance("X1-D", "2025-04-01", "2.00")]
    result = deliver(tmp_path, SECOND, {"balances.csv": rows})
    assert rejects(result) == [("balances.csv", 3, "account_no", "duplicate_key")]
    assert balances()["X1-D", "2025-04-01"] == Decimal("1.00")


def test_a_bad_row_does_not_take_the_key_from_a_good_one(tmp_path, loose_share):
    deliver_bank(tmp_path)
    rows = [
        booking("T9", "X1-D", "2025-04-01", "1.00", kind="?"),
        booking("T9", "X1-D", "2025-04-01", "2.00"),
    ]
    deliver(tmp_path, SECOND, {"transactions.csv": rows})
    assert bookings()["T9"] == Decimal("2.00")


def test_rows_of_unknown_accounts_are_settled_in_the_currency_that_fits(tmp_path, loose_share):
    deliver_bank(tmp_path)
    rows = [booking("T8", "X1-D", "2025-04-01", "5.00"), booking("T9", "gone", "2025-04-01", "2.00")]
    result = deliver(tmp_path, SECOND, {"transactions.csv": rows})
    assert rejects(result) == [("transactions.csv", 3, "account_no", "unknown_key")]
    assert result.outcome == "loaded"


def test_more_than_the_allowed_share_of_rejects_refuses_the_batch(tmp_path):
    deliver_bank(tmp_path)
    rows = [booking(f"N{n}", "X1-D", "2025-04-01", "1.00") for n in range(98)] + [
        booking("B1", "X1-D", "2025-04-01", "1.00", kind="?"),
        booking("B2", "X1-D", "2025-04-01", "1.00", kind="?"),
    ]
    result = deliver(tmp_path, SECOND, {"transactions.csv": rows})
    assert (result.outcome, result.reason_code) == ("refused", "too_many_rejects")
    assert len(bookings()) == 4
    result = deliver(
        tmp_path, SECOND, {"transactions.csv": rows[:99] + [booking("N98", "X1-D", "2025-04-01", "1.00")]}
    )
    assert (result.outcome, result.rows_rejected) == ("loaded", 1)


def test_a_row_of_the_wrong_width_is_rejected(tmp_path, loose_share):
    deliver_bank(tmp_path)
    path = tmp_path / "wide"
    from tests.customers.feeding import edit_manifest, load
    from tests.feed_files import write_batch

    write_batch(
        path,
        SECOND,
        {"products.csv": [{"product_code": "XA", "name": "A", "family": "fund"}]},
        source="alpha",
    )
    place = path / "products.csv"
    place.write_text(place.read_text() + "XB,B,fund,one too many\nXC,C\n\nXD2,D,fund\n")

    def told(document):
        import hashlib

        document["files"][0] |= {"rows": 4, "sha256": hashlib.sha256(place.read_bytes()).hexdigest()}

    edit_manifest(path, told)
    result = load(path)
    assert rejects(result) == [("products.csv", 3, "", "malformed"), ("products.csv", 4, "", "malformed")]
    assert result.rows_loaded == 2


def test_card_numbers_in_a_memo_are_masked(tmp_path):
    deliver_bank(tmp_path)
    rows = [
        booking(
            "T9",
            "X1-D",
            "2025-04-01",
            "1.00",
            memo="卡 4111 1111 1111 1111 退款",
            counterparty_account="6222020200001234567",
        )
    ]
    deliver(tmp_path, SECOND, {"transactions.csv": rows})
    row = Transaction.rows.get(txn_no="T9")
    assert row.memo == "卡 ****1111 退款"
    assert open_sealed(row, "counterparty_account") == "6222020200001234567"
    assert row.counterparty_account_mask == "****4567"


def test_a_booking_may_be_corrected_to_another_day_and_account(tmp_path):
    deliver_bank(tmp_path)
    result = deliver(tmp_path, SECOND, {"transactions.csv": [booking("T2", "X2-L", "2025-02-11", "-9.00")]})
    assert result.rows_loaded == 1
    row = Transaction.rows.get(txn_no="T2")
    assert (row.account.account_no, row.booked_on, row.customer) == (
        "X2-L", datetime.date(2025, 2, 11), Customer.rows.get(customer_no="X2"),
    )  # fmt: skip
    assert result.breaks == 1  # what led to X1-D's balance of 20 March is gone


def test_a_break_is_counted_listed_and_mended(tmp_path):
    deliver_bank(tmp_path)
    result = deliver(
        tmp_path,
        SECOND,
        {
            "transactions.csv": [booking("T9", "X1-D", "2025-04-01", "10.00")],
            "balances.csv": [balance("X1-D", "2025-04-01", "759.40")],
        },
    )
    assert result.breaks == 1
    account = Account.rows.get(account_no="X1-D")
    found = account.breaks(manager="rows").get()
    assert (found.expected, found.found, found.currency) == (Decimal("759.50"), Decimal("759.40"), "CNY")
    result = deliver(tmp_path, SECOND + DAY, {"balances.csv": [balance("X1-D", "2025-04-01", "759.50")]})
    assert result.breaks == 0 and not account.breaks(manager="rows").exists()


def test_debts_are_judged_only_on_days_with_bookings(tmp_path):
    deliver_bank(tmp_path)
    result = deliver(
        tmp_path,
        SECOND,
        {
            "transactions.csv": [booking("T9", "X2-L", "2025-03-15", "100.00")],
            "balances.csv": [
                balance("X2-L", "2025-03-10", "5100.00"),
                balance("X2-L", "2025-03-15", "5000.00"),
            ],
        },
    )
    assert result.breaks == 0


def test_a_changed_manager_takes_over_on_the_business_date(tmp_path):
    deliver_bank(tmp_path)
    deliver(tmp_path, SECOND, {"customers.csv": [CUSTOMERS[0] | {"manager_no": "XE2"}]})
    customer = Customer.rows.get(customer_no="X1")
    assert customer.manager == Staff.objects.get(employee_no="XE2")
    stretches = Assignment.rows.filter(customer=customer).order_by("starts_on")
    assert [(one.manager.employee_no, one.starts_on, one.ends_on) for one in stretches] == [
        ("XE1", datetime.date(2024, 1, 5), SECOND),
        ("XE2", SECOND, None),
    ]


def test_an_assignment_made_in_the_crm_stands_and_the_difference_is_reported(tmp_path):
    deliver_bank(tmp_path)
    customer = Customer.rows.get(customer_no="X1")
    theirs = Staff.objects.get(employee_no="XE2")
    Assignment.rows.filter(customer=customer).update(manager=theirs, origin="crm")
    Customer.rows.filter(pk=customer.pk).update(manager=theirs)
    result = deliver(tmp_path, SECOND, {"customers.csv": [CUSTOMERS[0] | {"name": "别名"}]})
    customer.refresh_from_db()
    assert (customer.manager, customer.feed_manager.employee_no) == (theirs, "XE1")
    assert result.report["manager_differences"] == {"count": 1, "first": ["X1"]}


def test_an_account_that_changes_its_owner_takes_its_bookings_along(tmp_path):
    deliver_bank(tmp_path)
    result = deliver(tmp_path, SECOND, {"accounts.csv": [ACCOUNTS[0] | {"customer_no": "X3"}]})
    assert result.report["owner_changes"] == 1
    owner = Customer.rows.get(customer_no="X3")
    account = Account.rows.get(account_no="X1-D")
    assert account.customer == owner
    assert set(Transaction.rows.filter(account=account).values_list("customer_id", flat=True)) == {owner.pk}
    old = RowHistory.rows.get(entity="account", key="X1-D")
    assert old.row["customer_id"] == Customer.rows.get(customer_no="X1").pk


def test_a_merged_number_leads_to_the_survivor(tmp_path):
    deliver_bank(tmp_path)
    survivor, absorbed = Customer.rows.get(customer_no="X1"), Customer.rows.get(customer_no="X2")
    Customer.rows.filter(pk=absorbed.pk).update(merged_into=survivor)
    new = ACCOUNTS[0] | {"account_no": "X9-D", "customer_no": "X2"}
    holders = [{"account_no": "X9-D", "customer_no": n, "role": "owner"} for n in ("X1", "X2")]
    result = deliver(tmp_path, SECOND, {"accounts.csv": [new], "account_holders.csv": holders})
    assert Account.rows.get(account_no="X9-D").customer == survivor
    assert (result.rows_loaded, result.rows_unchanged, result.rows_rejected) == (2, 1, 0)


def test_branches_move_and_their_paths_and_placements_follow(tmp_path):
    deliver_bank(tmp_path)
    rows = [
        {"branch_no": "XR2", "name": "Other region", "parent_no": "", "kind": "region"},
        {"branch_no": "XB", "name": "Outlet", "parent_no": "XR2", "kind": "outlet"},
    ]
    deliver(tmp_path, SECOND, {"branches.csv": rows})
    outlet, region = Branch.objects.get(branch_no="XB"), Branch.objects.get(branch_no="XR2")
    assert outlet.path == f"/{region.pk}/{outlet.pk}/"
    stood = BranchPlacement.objects.filter(branch=outlet).order_by("starts_on")
    assert [(one.parent.branch_no, one.ends_on) for one in stood] == [("XR", SECOND), ("XR2", None)]


def test_branches_in_a_circle_are_rejected(tmp_path, loose_share):
    deliver_bank(tmp_path)
    rows = [
        {"branch_no": "XR", "name": "Region", "parent_no": "XB", "kind": "region"},
        {"branch_no": "XN", "name": "New", "parent_no": "XQ", "kind": "outlet"},
        {"branch_no": "XQ", "name": "Nowhere", "parent_no": "XZ", "kind": "outlet"},
        {"branch_no": "XO", "name": "Fine", "parent_no": "XR", "kind": "outlet"},
    ]
    result = deliver(tmp_path, SECOND, {"branches.csv": rows})
    assert rejects(result) == [
        ("branches.csv", 2, "parent_no", "circle"),
        ("branches.csv", 3, "parent_no", "unknown_key"),
        ("branches.csv", 4, "parent_no", "unknown_key"),
    ]


def test_keys_missing_from_a_full_file_are_reported_and_stay(tmp_path):
    deliver_bank(tmp_path)
    files = whole_bank()
    files["transactions.csv"].pop()
    files["customers.csv"].pop()
    result = deliver(tmp_path, SECOND, files, mode="full")
    assert result.report["missing_from_full"] == {
        "customers.csv": {"count": 1, "first": ["X3"]},
        "transactions.csv": {"count": 1, "first": ["T4"]},
    }
    assert Customer.rows.filter(customer_no="X3").exists()
