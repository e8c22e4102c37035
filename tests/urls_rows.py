"""What each URL parameter stands for in the small bank: a row of the given customer's, or any row where it is nobody's.

A new kind of row goes here; the sweep over every URL then opens it as everybody.
"""

import datetime

from django.utils import timezone


def _customer(bank, owner):
    return bank.customer(owner).pk


def _account(bank, owner):
    return bank.account(f"{owner}CNYDD01").pk


def _batch(bank, owner):
    from customers.models import FeedBatch

    return FeedBatch.objects.order_by("pk").first().pk


def _run(bank, owner):
    from crm.core import jobs

    return jobs.ensure_run("night", datetime.date(2026, 10, 31), at=timezone.now()).pk


def _staff(bank, owner):
    return bank.ann.staff_id


def _entry(bank, owner):
    from crm.core import audit

    return audit.record(bank.ann, "customers.assign", bank.customer("C001"))


def _approval(bank, owner):
    from crm.core.models import Approval

    return Approval.objects.create(
        verb="feeds.override", payload={}, payload_hash="0" * 64, maker=bank.adam, proposed_at=timezone.now()
    ).pk


def _reveal(bank, owner):
    return {"model": "customers.Customer", "field": "mobile", "key": str(bank.customer(owner).pk)}


# by parameter name, or by URL name where a parameter alone says too little
ROWS = {
    "customer_id": _customer,
    "account_id": _account,
    "batch_id": _batch,
    "run_id": _run,
    "staff_id": _staff,
    "entry_id": _entry,
    "approval_id": _approval,
    "reveal": _reveal,
}
# URLs that name a customer's row by another parameter
OWNED = {"reveal"}
