"""Why a score is what it is: lines that add up to it, the accounts behind them, what changed since, in both languages."""

import datetime

import pytest

from customers.models import Customer
from segmentation import explain
from segmentation.models import Standing
from tests.bank import LAST_DAY

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


def standing_of(customer_no: str, run=None) -> Standing:
    rows = Standing.rows.filter(customer__customer_no=customer_no)
    return rows.filter(run_id=run.pk).get() if run else rows.order_by("-as_of").first()


@pytest.mark.parametrize("score", explain.SCORES)
def test_the_lines_of_every_customer_add_up_to_his_score(score, bank):
    for standing in Standing.rows.filter(as_of=LAST_DAY).select_related("customer"):
        ledger = explain.ledger(bank.han, standing, score)
        total = sum(line.points for line in ledger.lines if not line.total)
        if not Customer.objects.visible_to(bank.han).filter(pk=standing.customer_id).exists():
            assert ledger.lines == []
            continue
        assert total == (ledger.amount if score == "contribution" else ledger.value or 0)
