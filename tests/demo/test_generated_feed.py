"""What the demo bank writes is a feed by the contract, adds up, and holds one of everything a bank lives with."""

import csv
from collections import Counter, defaultdict
from decimal import Decimal

from stdnum.cn import ric, uscc

from crm.demo.identities import UNASSIGNED_DISTRICT, UNASSIGNED_SEGMENTS, organisation_check
from tests.demo.contract import DEBTS, LISTS


def truths(folder):
    with (folder / "truth.csv").open(encoding="utf-8", newline="") as file:
        return {row["customer_no"]: row for row in csv.DictReader(file)}


def bookings_of(reading, kind):
    return [row for row in reading.live["transactions.csv"].values() if row["kind"] == kind]


def last_balances(reading):
    last = {}
    for (account, day), row in reading.live["balances.csv"].items():
        if account not in last or day > last[account][0]:
            last[account] = (day, Decimal(row["balance"]))
    return {account: balance for account, (_, balance) in last.items()}


def family(reading, account):
    return reading.live["products.csv"][account["product_code"],]["family"]


def test_every_file_obeys_the_contract(reading):
    assert reading.faults == []
    assert len(reading.batches) == 6


def test_every_account_day_reconciles_but_for_the_planted_breaks(reading, demo_folder):
    folder, built = demo_folder
    planted = [(no, day, Decimal(cents) / 100) for no, day, _, cents in built.breaks]
    assert len(planted) == 3
    assert reading.misses() == sorted(planted)
    with (folder / "truth-breaks.csv").open(encoding="utf-8", newline="") as file:
        assert [row["account_no"] for row in csv.DictReader(file)] == [no for no, *_ in built.breaks]


def test_as_many_customers_as_asked_for_three_of_a_hundred_firms(reading):
    kinds = Counter(row["kind"] for row in reading.live["customers.csv"].values())
    assert kinds.total() == 1_300
    assert 0.028 < kinds["corporate"] / 1_300 < 0.032


def test_every_identity_number_passes_but_the_declared_ones_and_none_was_ever_issued(reading, demo_folder):
    declared = {no: row["flaw"] for no, row in truths(demo_folder[0]).items() if row["flaw"]}
    numbers = defaultdict(list)
    for row in reading.live["customers.csv"].values():
        flaw = declared.get(row["customer_no"], "")
        if row["kind"] != "individual":
            continue
        if not row["id_no"]:
            assert flaw == "id_missing"
            continue
        numbers[row["id_no"]].append(row["customer_no"])
        assert row["id_no"][2:6] == "0000"  # a province registers nobody: counties do
        assert row["id_no"][6:14] == row["birth_on"].replace("-", "")
        assert (int(row["id_no"][16]) % 2 == 1) == (row["gender"] == "M")
        assert ric.is_valid(row["id_no"]) == (flaw != "id_checksum")
    shared = [owners for owners in numbers.values() if len(owners) > 1]
    assert sorted(no for owners in shared for no in owners) == sorted(
        no for no, flaw in declared.items() if flaw.startswith("id_shared:")
    )
    assert {"id_missing", "id_checksum", "uscc_checksum"} <= set(declared.values())
    assert shared


def test_every_credit_code_passes_but_the_declared_ones_and_names_a_district_that_does_not_exist(
    reading, demo_folder
):
    declared = {no: row["flaw"] for no, row in truths(demo_folder[0]).items()}
    firms = [row for row in reading.live["customers.csv"].values() if row["kind"] == "corporate"]
    for row in firms:
        if not row["uscc"]:
            assert declared[row["customer_no"]] == "uscc_missing"
            continue
        assert row["uscc"][2:8] == UNASSIGNED_DISTRICT
        assert organisation_check(row["uscc"][8:16]) == row["uscc"][16]
        assert uscc.is_valid(row["uscc"]) == (declared[row["customer_no"]] != "uscc_checksum")
    assert len({row["uscc"] for row in firms if row["uscc"]}) == sum(1 for row in firms if row["uscc"])


def test_no_telephone_number_is_anybodys(reading):
    numbers = [row["mobile"] for row in reading.live["customers.csv"].values() if row["mobile"]]
    assert {number[:3] for number in numbers} <= set(UNASSIGNED_SEGMENTS)
    assert {len(number) for number in numbers} == {11}
    assert len(set(numbers)) == len(numbers)


def test_an_account_number_is_customer_currency_product_and_serial(reading):
    for row in reading.live["accounts.csv"].values():
        first_owner = row["account_no"][:10]
        assert row["account_no"][10:17] == row["currency"] + row["product_code"]
        assert row["account_no"][17:].isdigit()
        assert (first_owner,) in reading.live["customers.csv"]


def test_debts_are_positive_and_a_closed_account_is_empty(reading):
    for no, balance in last_balances(reading).items():
        account = reading.live["accounts.csv"][no,]
        if family(reading, account) in DEBTS:
            assert balance >= 0, no
            assert (account["days_past_due"] == "0") == (account["five_class"] == "normal"), no
        if account["status"] == "closed":
            assert balance == 0, no
            assert account["closed_on"]


def test_signs_are_as_the_customer_sees_them(reading):
    outgoing = (
        "cash_withdrawal transfer_out card_payment card_withdrawal interest_charge penalty_interest fee"
    )
    for kind in outgoing.split():
        assert all(row["amount"].startswith("-") for row in bookings_of(reading, kind)), kind
    for kind in ("cash_deposit", "transfer_in", "salary", "pension", "interest_credit"):
        assert not any(row["amount"].startswith("-") for row in bookings_of(reading, kind)), kind
    for row in bookings_of(reading, "loan_disbursement") + bookings_of(reading, "loan_repayment"):
        debt = family(reading, reading.live["accounts.csv"][row["account_no"],]) in DEBTS
        assert row["amount"].startswith("-") == (debt == (row["kind"] == "loan_disbursement"))


def test_every_kind_of_thing_a_bank_lives_with_is_there(reading):
    accounts, customers = reading.live["accounts.csv"].values(), reading.live["customers.csv"].values()
    assert {row["family"] for row in reading.live["products.csv"].values()} == set(LISTS["family"].split())
    assert {row["status"] for row in accounts} >= {"open", "dormant", "closed"}
    assert {row["currency"] for row in accounts} >= {"CNY", "USD"}
    assert {row["role"] for row in reading.live["account_holders.csv"].values()} == {
        "owner",
        "joint",
        "authorised",
    }
    wanted = set(LISTS["relation"].split())
    assert {row["kind"] for row in reading.live["relations.csv"].values()} == wanted
    assert any(row["closed_on"] for row in customers)
    assert any(not row["manager_no"] for row in customers)
    assert any(row["id_expires_on"] and row["id_expires_on"] < "2026-11-23" for row in customers)
    assert any(row["days_past_due"] not in ("", "0") for row in accounts)
    assert any(row["closed_on"] for row in reading.live["branches.csv"].values())
    assert {row["post"] for row in reading.live["employees.csv"].values()} == set(LISTS["post"].split())
    deposits = [no for no, b in last_balances(reading).items() if b < 0]
    assert deposits, "no deposit is overdrawn"
    assert all(
        row["risk_rating"] for row in reading.live["products.csv"].values() if row["family"] == "wealth"
    )


def test_the_nights_tell_what_changed(reading, demo_folder):
    rows = {(batch, name): count for batch, name, count in reading.rows_of}
    nights = [day.isoformat() for day in reading.batches[1:]]
    for night in nights:
        assert rows[night, "transactions.csv"] and rows[night, "balances.csv"] and rows[night, "rates.csv"]
    customers, accounts = reading.live["customers.csv"].values(), reading.live["accounts.csv"].values()
    assert any(row["opened_on"] in nights for row in customers)
    assert any(row["closed_on"] in nights for row in accounts)
    moved = [row for row in accounts if row["account_no"][:10] != row["customer_no"]]
    assert moved, "no account changed its owner"
    for row in moved:
        holders = reading.live["account_holders.csv"]
        assert holders[row["account_no"], row["customer_no"]]["role"] == "owner"
        assert holders[row["account_no"], row["account_no"][:10]]["role"] == "joint"
    left = [row for row in reading.live["employees.csv"].values() if row["left_on"]]
    assert len(left) == 1
    assert not any(row["manager_no"] == left[0]["employee_no"] for row in customers)


def test_a_reversed_booking_names_the_one_it_undoes(reading):
    bookings = reading.live["transactions.csv"]
    reversals = [row for row in bookings.values() if row["memo"].startswith("冲正")]
    assert reversals
    for row in reversals:
        undone = bookings[row["memo"].removeprefix("冲正"),]
        assert undone["account_no"] == row["account_no"]
        assert Decimal(undone["amount"]) == -Decimal(row["amount"])


def test_payments_between_customers_are_booked_on_both_sides(reading):
    """Wages: what a firm pays out on a day is what its people receive from it on that day."""
    received, paid = defaultdict(Decimal), defaultdict(Decimal)
    for row in bookings_of(reading, "salary"):
        if row["counterparty_bank"] == "云澜银行":
            received[row["counterparty_account"], row["booked_on"]] += Decimal(row["amount"])
    for row in bookings_of(reading, "transfer_out"):
        if row["memo"] == "代发工资":
            paid[row["account_no"], row["booked_on"]] -= Decimal(row["amount"])
    assert received and received == paid


def test_activity_is_skewed_and_private_banking_has_customers(reading):
    per_customer = Counter(no[:10] for (no,) in reading.live["accounts.csv"])
    per_customer = dict.fromkeys(per_customer, 0)
    for row in reading.live["transactions.csv"].values():
        per_customer[row["account_no"][:10]] += 1
    counts = sorted(per_customer.values(), reverse=True)
    assert sum(counts[: len(counts) // 5]) / sum(counts) > 0.6
    assert 3.5 < sum(counts) / 1_300 / 5 < 7
    assets = Counter()
    for no, balance in last_balances(reading).items():
        if family(reading, reading.live["accounts.csv"][no,]) not in DEBTS and no[10:13] == "CNY":
            assets[no[:10]] += balance
    lines = [50_000, 200_000, 500_000, 2_000_000]
    persons = [value for no, value in assets.items() if no[0] == "1"]
    bands = [sum(1 for value in persons if value >= line) for line in lines]
    assert bands[0] > bands[1] > bands[2] > bands[3] > 0


def test_the_truth_is_told_apart_and_never_listed_in_a_batch(demo_folder):
    folder, built = demo_folder
    rows = truths(folder)
    assert len(rows) == 1_300
    assert any(row["leaves_on"] > "2026-11-23" for row in rows.values()), "nobody will leave"
    assert any("" < row["leaves_on"] <= "2026-11-23" for row in rows.values()), "nobody has left"
    assert any(row["defaults_on"] for row in rows.values())
    for batch in built.folders:
        assert "truth" not in (batch / "manifest.json").read_text(encoding="utf-8")
        assert not list(batch.glob("truth*"))
