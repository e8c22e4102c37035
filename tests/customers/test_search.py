"""Finding customers by what people type: never more than the reader may see, never a scan by guess."""

import pytest

from customers.models import Account, Customer, CustomerNumber
from customers.search import matching
from tests.customers.feeding import deliver_bank, whole_bank

pytestmark = pytest.mark.django_db


@pytest.fixture
def bank(tmp_path):
    files = whole_bank()
    files["customers.csv"][0]["name"] = "欧阳震华"
    files["customers.csv"][2]["name"] = "ACME 100% 进出口_公司"
    assert deliver_bank(tmp_path, **{"customers.csv": files["customers.csv"]}).outcome == "loaded"
    CustomerNumber.rows.create(
        customer=Customer.rows.get(customer_no="X1"), customer_no="OLD-77", since="2025-01-01"
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("震", ["X1"]),
        ("阳震", ["X1"]),
        ("欧阳震华", ["X1"]),
        ("震阳", []),
        ("acme", ["X3"]),
        ("100%", ["X3"]),
        ("口_公", ["X3"]),
        ("口x公", []),
        ("X1", ["X1"]),
        ("OLD-77", ["X1"]),
        ("X2-D", ["X2"]),
        ("13800138000", ["X1"]),
        ("+86 138-0013-8000", ["X1"]),
        ("１３８００１３８０００", ["X1"]),
        ("1380013800", []),
        ("110105197812310018", ["X1"]),
        ("310115198205150038", ["X2"]),
        ("31011519820515003", []),
        ("", []),
        ("   ", []),
        ("\0", []),
        ("'; drop table customers_customer; --", []),
    ],
)
def test_what_is_typed_leads_to_the_customer(bank, text, found):
    rows = Customer.rows.filter(customer_no__startswith="X")
    assert sorted(matching(rows, text).values_list("customer_no", flat=True)) == found


def test_part_of_a_name_is_answered_by_the_index(bank, django_assert_num_queries):
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("set local enable_seqscan = off")
    with django_assert_num_queries(1):
        plan = matching(Customer.rows.all(), "阳震").explain()
    assert "customer_name_grams" in plan


def test_a_number_takes_one_look_and_the_list_another(bank, django_assert_num_queries):
    with django_assert_num_queries(2):
        assert [
            one.customer_no for one in matching(Customer.rows.all(), "13800138000") if one.customer_no == "X1"
        ] == ["X1"]


def test_an_endless_text_is_cut(bank):
    assert list(matching(Customer.rows.all(), "欧" * 50_000)) == []
    assert Account.rows.exists()
