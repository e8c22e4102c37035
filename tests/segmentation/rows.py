"""Rows written by hand, so that a test says exactly what the feed delivered and when it was known."""

import datetime
import itertools
from decimal import Decimal

from django.db import connection

from crm.core import clock, jobs
from crm.core.models import Branch, Run, RunState
from crm.core.privacy import fields
from customers.models import (
    Account,
    Balance,
    Customer,
    FeedBatch,
    FeedTouch,
    Identity,
    Product,
    Rate,
    Relation,
    Transaction,
)
from segmentation import nightly
from segmentation.models import (
    AccountMeasure,
    AccountMonth,
    Alert,
    Behaviour,
    BranchSummary,
    Contribution,
    Loyalty,
    PastScore,
    PeerFigure,
    PeerGroup,
    Related,
    RelatedShare,
    Risk,
    Signal,
    Standing,
    TierChange,
)

EVER = datetime.date(1, 1, 1)
RESULTS = [
    AccountMeasure, Alert, Behaviour, BranchSummary, Contribution, Loyalty, PastScore, PeerFigure, PeerGroup, Related,
    RelatedShare, Risk, Signal, Standing, TierChange,
]  # fmt: skip
_numbers = itertools.count(1)


class Hand:
    """A source of its own with one batch of ``day``; its rows were known from their own dates on."""

    def __init__(self, day: datetime.date, *, first: bool = True, source: str | None = None):
        self.n = next(_numbers)
        self.day = day
        self.known_on = EVER if first else day
        self.source = source or f"hand{self.n}"
        self.batch = FeedBatch.objects.create(
            source=self.source, business_date=day, manifest_sha256=f"{self.n:064}", mode="delta", state="published",
            is_first=first, received_at=clock.now(), published_at=clock.now(),
        )  # fmt: skip
        self.branch = Branch.objects.order_by("pk").first()
        self._touched: set[tuple[int, datetime.date]] = set()

    @property
    def _fed(self) -> dict:
        return {"batch": self.batch, "known_on": self.known_on}

    def customer(
        self, kind: str = "corporate", opened_on: datetime.date = datetime.date(2020, 1, 1), **facts
    ) -> Customer:
        no = f"H{self.n}-{next(_numbers)}"
        facts = {"customer_no": no, "name": no, "branch": self.branch, **self._fed, **facts}
        return Customer.rows.create(kind=kind, opened_on=opened_on, **facts)

    def product(self, family: str, **facts) -> Product:
        return Product.objects.create(
            product_code=f"H{self.n}-{next(_numbers)}", name=family, family=family, **self._fed, **facts
        )

    def account(
        self, customer: Customer, family: str | Product, balances: dict | None = None, **facts
    ) -> Account:
        product = family if isinstance(family, Product) else self.product(family)
        row = Account.rows.create(
            account_no=f"H{self.n}-{next(_numbers)}", customer=customer, product=product, branch=customer.branch, status="open",
            **{"opened_on": datetime.date(2020, 1, 1), "currency": "CNY", **self._fed, **facts},
        )  # fmt: skip
        self.balances(row, balances or {})
        return row

    def balances(self, account: Account, amounts: dict[datetime.date, str | Decimal]) -> None:
        for day, amount in amounts.items():
            self._touch(account, day)
            Balance.rows.create(
                account=account, customer=account.customer, on_date=day, balance=amount, **self._fed
            )

    def bookings(self, account: Account, rows: list[tuple[datetime.date, str, str, str]]) -> None:
        """Rows of (day, amount, kind, channel)."""
        for day, amount, kind, channel in rows:
            self._touch(account, day)
            Transaction.rows.create(
                account=account, customer=account.customer, booked_on=day, txn_no=f"H{next(_numbers)}", amount=amount, kind=kind,
                channel=channel, **self._fed,
            )  # fmt: skip

    def relation(self, customer: Customer, related: Customer, kind: str = "guarantor", **facts) -> Relation:
        return Relation.rows.create(customer=customer, related=related, kind=kind, **self._fed, **facts)

    def identity(self, customer: Customer, expires_on: datetime.date | None) -> Identity:
        row = Identity(customer=customer, id_type="passport", expires_on=expires_on, **self._fed)
        fields.seal(row, "number", f"H{next(_numbers)}")
        row.save()
        return row

    def change(self, row, **facts) -> None:
        """Deliver a newer version of a fed row on this hand's day; the version it replaces goes to the history."""
        table = row._meta.db_table
        with connection.cursor() as cursor:
            cursor.execute(
                "insert into customers_rowhistory"
                " (entity, key, customer_id, row, known_on, superseded_on, batch_id, superseded_by_id)"
                f" select %s, %s, %s, to_jsonb(t), t.known_on, %s, t.batch_id, %s from {table} as t where t.id = %s",
                [
                    table.removeprefix("customers_"),
                    str(row.pk),
                    getattr(row, "customer_id", row.pk),
                    self.day,
                    self.batch.pk,
                    row.pk,
                ],
            )
        type(row).rows.filter(pk=row.pk).update(batch=self.batch, known_on=self.day, **facts)

    def rate(
        self, kind: str, currency: str, valid_from: datetime.date, rate: str, term_days: int = 0
    ) -> Rate:
        return Rate.objects.create(
            kind=kind, currency=currency, term_days=term_days, valid_from=valid_from, rate=rate, **self._fed
        )

    def _touch(self, account: Account, day: datetime.date) -> None:
        month = day.replace(day=1)
        with connection.cursor() as cursor:
            cursor.execute("select customers_ensure_month(%s)", [day])
        if (account.pk, month) not in self._touched:
            self._touched.add((account.pk, month))
            FeedTouch.rows.create(batch=self.batch, account=account, customer=account.customer, month=month)


def run_night(as_of: datetime.date) -> Run:
    """Run the night of a date as a worker does and return its finished run."""
    run = nightly.run_for(as_of, at=clock.now())
    jobs.work_on(run.pk, worker="test", at=clock.now(), seconds=600)
    run.refresh_from_db()
    assert run.state == RunState.DONE, run.error
    return run


def results_of(run: Run) -> dict[str, list[tuple]]:
    """Everything the night wrote for readers, without the run's number, in a fixed order: what must be equal to the byte."""
    tables = {}
    for model in RESULTS:
        columns = [
            field.column for field in model._meta.concrete_fields if field.column not in ("run_id", "id")
        ]
        manager = getattr(model, "rows", None) or model.objects
        rows = manager.filter(run_id=run.pk).values_list(*columns)
        tables[model.__name__] = sorted(tuple(str(value) for value in row) for row in rows)
    return tables


def months() -> list[tuple]:
    """The accumulators, in a fixed order."""
    return sorted(
        AccountMonth.rows.values_list(
            "account_id",
            "month",
            "customer_id",
            "delta",
            "delta_day",
            "fees",
            "counter_count",
            "digital_count",
            "own_count",
            "last_own_day",
            "salary_count",
            "repaid",
        )
    )
