"""What the customer's screens show beside his own facts: relations, history, accounts and their bookings."""

import calendar
import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core import signing
from django.db.models import Count, DateField, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import TruncMonth
from django.utils.translation import gettext_lazy as _

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


def with_holders(accounts: QuerySet[Account], user) -> list[Account]:
    """Return the accounts, each with ``others``: who else holds it, owners left out; one query more than the accounts.

    Holders outside the reader's scope are counted, not named.
    """
    others = ~Q(holders__role=HolderRole.OWNER)
    found = list(accounts.annotate(other_count=Count("holders", filter=others)))
    by_account: dict[int, list[Holder]] = {account.pk: [] for account in found}
    if any(account.other_count for account in found):
        rows = Customer.objects.visible_to(user).filter(holdings__account__in=by_account)
        seen = rows.annotate(at_account=F("holdings__account_id"), as_role=F("holdings__role")).order_by(
            "holdings__id"
        )
        for customer in seen:
            if customer.as_role != HolderRole.OWNER:
                by_account[customer.at_account].append(Holder(HolderRole(customer.as_role).label, customer))
    for account in found:
        named = by_account[account.pk]
        account.others = named + [Holder(_("holder"), None)] * (account.other_count - len(named))
    return found


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


def for_its_page(accounts: QuerySet[Account], user, first: datetime.date | None) -> QuerySet[Account]:
    """Return accounts with what their page needs to know beforehand: the day of the last booking, the nearest bookings
    before and after the month that begins on ``first`` (the month of the last booking), and whether any was reversed."""
    bookings = Transaction.objects.visible_to(user).filter(account_id=OuterRef("pk"))
    newest = bookings.order_by("-booked_on").values("booked_on")[:1]
    known = accounts.annotate(
        last_booked=Subquery(newest), has_reversals=Exists(bookings.filter(reversal_of__isnull=False))
    )
    if first is None:
        known = known.annotate(last_month=TruncMonth("last_booked"))
        before = bookings.filter(booked_on__lt=OuterRef("last_month"))
        after = bookings.none()
    else:
        before = bookings.filter(booked_on__lt=first)
        after = bookings.filter(booked_on__gt=_last_day(first))
    return known.annotate(
        earlier=Subquery(before.order_by("-booked_on").values("booked_on")[:1], output_field=DateField()),
        later=Subquery(after.order_by("booked_on").values("booked_on")[:1], output_field=DateField()),
    )


def _last_day(first: datetime.date) -> datetime.date:
    return first.replace(day=calendar.monthrange(first.year, first.month)[1])


def month_of(account: Account, user, first: datetime.date | None, cursor: str = "") -> Month:
    """Return a month of an account's bookings; without ``first`` the newest month that has any. At most three queries.

    ``account`` comes from :func:`for_its_page` with the same ``first``.
    """
    rows = Transaction.objects.visible_to(user).filter(account_id=account.pk)
    first = (first or account.last_booked or account.opened_on).replace(day=1)
    last = _last_day(first)
    page = rows.filter(booked_on__gte=first, booked_on__lte=last)
    if at := _position(cursor):
        page = page.filter(keyset.beyond(_ORDER, at))
    found = list(keyset.ordered(page, _ORDER)[: BOOKINGS_A_PAGE + 1])
    shown = found[:BOOKINGS_A_PAGE]
    undone = {}
    if account.has_reversals and shown:
        reversals = rows.filter(reversal_of__in=[row.txn_no for row in shown])
        undone = dict(reversals.values_list("reversal_of", "txn_no"))
    breaks = FeedBreak.objects.visible_to(user).filter(account=account, on_date__gte=first, on_date__lte=last)
    return Month(
        first=first,
        last=last,
        bookings=[Booking(row, undone.get(row.txn_no)) for row in shown],
        breaks=list(breaks.order_by("on_date")),
        next=_cursor(shown[-1]) if len(found) > BOOKINGS_A_PAGE else "",
        earlier=account.earlier and account.earlier.replace(day=1),
        later=account.later and account.later.replace(day=1),
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
