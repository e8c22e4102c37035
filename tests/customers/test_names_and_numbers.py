"""Sort keys of names, and account numbers that say whose they are."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.core import clock, parameters
from customers.account_numbers import STRUCTURE, AccountNumber, take_apart
from customers.models import Quality, QualityIssue
from customers.names import LONGEST, sort_key
from tests.customers.feeding import ACCOUNTS, DAY, FIRST, deliver, deliver_bank, whole_bank

PARTS = ["customer", "currency", "product"]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("曾国藩", "zeng guo fan"),
        ("单雄信", "shan xiong xin"),
        ("仇英", "qiu ying"),
        ("尉迟恭", "yu chi gong"),
        ("万俟卨", "mo qi xie"),
        ("张伟", "zhang wei"),
        ("Client 12", "client 12"),
        ("  ", ""),
    ],
)
def test_surnames_are_read_as_surnames(name, key):
    assert sort_key(name) == key


def test_a_firms_name_has_no_surname():
    assert sort_key("单位食堂", person=False).startswith("dan wei")
    assert sort_key("上海ABC公司", person=False) == "shang hai abc gong si"


@given(st.text(max_size=300))
def test_any_name_has_a_key_that_fits(name):
    assert len(sort_key(name)) <= LONGEST


def test_an_account_number_is_taken_apart():
    facts = {"customer": "C1", "currency": "CNY", "product": "DD", "parts": PARTS}
    assert take_apart("C1CNYDD007", **facts) == AccountNumber("007")
    assert take_apart("C1USDDD007", **facts).contradicts == "currency"
    assert take_apart("C2CNYDD007", **facts).contradicts == "customer"
    assert take_apart("anything", **facts | {"parts": []}) == AccountNumber("anything")


@pytest.mark.django_db
def test_a_number_that_contradicts_its_account_stands_on_the_fix_list(tmp_path):
    parameters.put(STRUCTURE, PARTS, valid_from=datetime.date(2020, 1, 1), why="test", at=clock.now())
    deliver_bank(tmp_path)
    rows = [
        ACCOUNTS[0] | {"account_no": "X3CNYXD01", "customer_no": "X3"},
        ACCOUNTS[0] | {"account_no": "X3USDXD01", "customer_no": "X1"},
    ]
    deliver(tmp_path, FIRST + DAY, {"accounts.csv": rows})
    wrong = QualityIssue.rows.filter(rule="account_number").values_list("customer__customer_no", flat=True)
    assert sorted(wrong) == ["X1", "X2"]  # X1-D and X2-D have no structure at all
    deliver(tmp_path, FIRST + 2 * DAY, {"accounts.csv": [rows[1] | {"customer_no": "X3", "currency": "USD"}]})
    assert "X3" not in QualityIssue.rows.filter(rule="account_number").values_list(
        "customer__customer_no", flat=True
    )


@pytest.mark.django_db
def test_the_score_is_the_mean_of_three_indicators(tmp_path):
    deliver_bank(tmp_path)
    judged = {
        one.customer.customer_no: one
        for one in Quality.rows.filter(customer__customer_no__startswith="X").select_related("customer")
    }
    best, worst = judged["X1"], judged["X2"]
    # X1 lacks an occupation alone (1 of 6); X2: its number fails, its mobile is malformed, three of six are missing.
    assert (best.accuracy, best.completeness, best.timeliness, best.score) == (100, 83, 100, 94)
    assert (worst.accuracy, worst.completeness) == (50, 50)


@pytest.mark.django_db
def test_a_document_that_expires_between_two_feeds_comes_onto_the_fix_list(tmp_path):
    bank = whole_bank()["customers.csv"]
    bank[0] |= {"id_expires_on": FIRST.isoformat(), "risk_assessed_on": "2024-04-01"}
    bank[1] |= {"id_expires_on": "2049-12-31", "risk_assessed_on": ""}
    bank[2] |= {"id_expires_on": "", "risk_assessed_on": ""}
    deliver_bank(tmp_path, **{"customers.csv": bank})
    expired = QualityIssue.rows.filter(customer__customer_no="X1", rule__endswith="expired")
    assert list(expired) == []
    deliver(tmp_path, FIRST + DAY, {})
    assert list(expired.values_list("rule", "since")) == [("identity_expired", FIRST + DAY)]
    deliver(tmp_path, FIRST + 2 * DAY, {})
    assert sorted(expired.values_list("rule", flat=True)) == ["identity_expired", "risk_assessment_expired"]
    assert Quality.rows.get(customer__customer_no="X1").timeliness == 0
