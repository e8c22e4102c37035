"""What the customer's screens show beside his own facts: relations, history, accounts and their bookings."""

import calendar
import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core import signing
from django.db.models import Exists, OuterRef, prefetch_related_objects

from crm.core import keyset
from customers.models import Account, Balance, Customer, FeedBreak, Relation, Transaction
from customers.models.accounts import HolderRole
from customers.models.parties import RelationKind

BOOKINGS_A_PAGE = 100


@dataclass(frozen=True)
class Related:
    """Somebody related to the customer. ``other`` is None where he is outside the reader's scope: no name, no number."""

    relation: Relation
    other: Customer | None
    outgoing: bool

    @property
    def words(self) -> Any:
        return RelationKind(self.relation.kind).label


def relations(customer: Customer, user) -> list[Related]:
    """Return relations both ways; two queries. ``customer`` was loaded through the reader's scope."""
    found = list(customer.relations.all().union(customer.related_from.all()))
    others = {r.related_id if r.customer_id == customer.pk else r.customer_id for r in found}
    visible = Customer.objects.visible_to(user).only("id", "customer_no", "name", "kind").in_bulk(others)
    pairs = [
        Related(
            r,
            visible.get(r.related_id if r.customer_id == customer.pk else r.customer_id),
            r.customer_id == customer.pk,
        )
        for r in found
    ]
    return sorted(pairs, key=lambda pair: (not pair.outgoing, pair.relation.kind, pair.relation.pk))


@dataclass(frozen=True)
class Holder:
    """A holder of an account. ``customer`` is None where he is outside the reader's scope."""

    role: Any
    customer: Customer | None


def holders(accounts: list[Account], user) -> dict[int, list[Holder]]:
    """Return who else holds each account (owners left out); at most two queries whatever the number of accounts."""
    prefetch_related_objects(accounts, "holders")
    rows = [row for account in accounts for row in account.holders.all() if row.role != HolderRole.OWNER]
    ids = {row.customer_id for row in rows}
    visible = (
        Customer.objects.visible_to(user).only("id", "customer_no", "name", "kind").in_bulk(ids)
        if ids
        else {}
    )
    found: dict[int, list[Holder]] = {}
    for row in sorted(rows, key=lambda row: row.pk):
        found.setdefault(row.account_id, []).append(
            Holder(row.get_role_display(), visible.get(row.customer_id))
        )
    return found


def holders_of(account: Account, user) -> list[Holder]:
    """Return who else holds one account; a single query, because its page has many others to ask."""
    seen = Customer.objects.visible_to(user).filter(pk=OuterRef("customer_id"))
    rows = (
        account.holders.exclude(role=HolderRole.OWNER).annotate(seen=Exists(seen)).select_related("customer")
    )
    return [Holder(row.get_role_display(), row.customer if row.seen else None) for row in rows.order_by("pk")]


def newest_balances(accounts: Iterable[Account], user) -> dict[int, Balance]:
    """Return account → the newest end-of-day balance the feed gave; one query."""
    ids = [account.pk for account in accounts]
    rows = (
        Balance.objects.visible_to(user)
        .filter(account_id__in=ids)
        .order_by("account_id", "-on_date")
        .distinct("account_id")
    )
    return {row.account_id: row for row in rows}


@dataclass(frozen=True)
class Booking:
    """A booking with what happened to it: ``reverses`` another one, or was ``reversed_by`` one."""

    row: Transaction
    reversed_by: str | None

    @property
    def reverses(self) -> str | None:
        return self.row.reversal_of


@dataclass(frozen=True)
class Month:
    """One page of a month's bookings, newest first."""

    first: datetime.date
    last: datetime.date
    bookings: list[Booking]
    breaks: list[FeedBreak]
    next: str  # cursor of the rest of the month, or empty
    earlier: datetime.date | None
    later: datetime.date | None

    @property
    def total_in(self) -> Decimal:
        return sum((b.row.amount for b in self.bookings if b.row.amount > 0), Decimal(0))

    @property
    def total_out(self) -> Decimal:
        return sum((b.row.amount for b in self.bookings if b.row.amount < 0), Decimal(0))


_SALT = "customers.bookings"
_ORDER = (keyset.Term("booked_on", descending=True), keyset.Term("txn_no", descending=True))


def month_of(account: Account, user, first: datetime.date | None, cursor: str = "") -> Month:
    """Return a month of an account's bookings; without ``first`` the newest month that has any. Four queries."""
    rows = Transaction.objects.visible_to(user).filter(account_id=account.pk)
    months = list(rows.dates("booked_on", "month", order="DESC"))
    first = (first or (months[0] if months else account.opened_on)).replace(day=1)
    last = first.replace(day=calendar.monthrange(first.year, first.month)[1])
    page = rows.filter(booked_on__gte=first, booked_on__lte=last)
    if at := _position(cursor):
        page = page.filter(keyset.beyond(_ORDER, at))
    found = list(keyset.ordered(page, _ORDER)[: BOOKINGS_A_PAGE + 1])
    shown = found[:BOOKINGS_A_PAGE]
    numbers = [row.txn_no for row in shown]
    undone = (
        dict(rows.filter(reversal_of__in=numbers).values_list("reversal_of", "txn_no")) if numbers else {}
    )
    breaks = FeedBreak.objects.visible_to(user).filter(account=account, on_date__gte=first, on_date__lte=last)
    return Month(
        first=first,
        last=last,
        bookings=[Booking(row, undone.get(row.txn_no)) for row in shown],
        breaks=list(breaks.order_by("on_date")),
        next=_cursor(shown[-1]) if len(found) > BOOKINGS_A_PAGE else "",
        earlier=next((month for month in months if month < first), None),
        later=next((month for month in reversed(months) if month > first), None),
    )


def _cursor(row: Transaction) -> str:
    return signing.dumps([row.booked_on.isoformat(), row.txn_no], salt=_SALT)


def _position(cursor: str) -> tuple[datetime.date, str] | None:
    if not cursor:
        return None
    try:
        day, number = signing.loads(cursor, salt=_SALT)
    except signing.BadSignature:
        return None
    return datetime.date.fromisoformat(day), number
