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
    from crm.core import approvals

    payload = {"file": "0.zip", "source": "core", "business_date": "2026-11-01", "manifest": "ab" * 32}
    payload |= {"replace": True, "accept_gap": False}
    return approvals.propose(
        bank.adam, "feeds.override", payload, ("feed", "core"), reason="corrected by the core"
    ).pk


def _reveal(bank, owner):
    return {"model": "customers.Customer", "field": "mobile", "key": str(bank.customer(owner).pk)}


def _upload(bank, owner):
    from crm.core import jobs
    from customers.feeds.uploads import KIND

    inputs = {"file": "0.zip", "by": bank.adam.pk, "source": "core", "business_date": "2026-11-01"}
    return jobs.ensure_run(KIND, datetime.date(2026, 11, 1), inputs=inputs, at=timezone.now()).pk


# by parameter name, or by URL name where a parameter alone says too little
ROWS = {
    "customer_id": _customer,
    "account_id": _account,
    "batch_id": _batch,
    "run_id": _run,
    "staff_id": _staff,
    "score": lambda bank, owner: "loyalty",
    "code": lambda bank, owner: "activity",
    "reveal": _reveal,
    "parameter": lambda bank, owner: {"parameter": "capital_hurdle"},
    "parameter_propose": lambda bank, owner: {"parameter": "capital_hurdle"},
    "feed_uploaded": lambda bank, owner: {"run_id": _upload(bank, owner)},
    "audit_entry": lambda bank, owner: {"pk": _entry(bank, owner)},
    "approval": lambda bank, owner: {"pk": _approval(bank, owner)},
    "approval_decide": lambda bank, owner: {"pk": _approval(bank, owner)},
    "approval_withdraw": lambda bank, owner: {"pk": _approval(bank, owner)},
}
# URLs that name a customer's row by another parameter
OWNED = {"reveal"}

# Rows that are nobody's customer and yet not everybody's: a colleague of another branch, what others have to decide.
OTHER_BRANCH = {"dora", "eva"}
NOT_THEIR_DECISION = {"cai", "dora", "rita", "han", "mira", "sean"}
HIDDEN_FROM = {
    "staff_page": OTHER_BRANCH,
    "approval": NOT_THEIR_DECISION,
    "approval_decide": NOT_THEIR_DECISION,
    "approval_withdraw": NOT_THEIR_DECISION,
}
