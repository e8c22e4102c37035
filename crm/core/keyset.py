"""One position in an ordered list: the order of the rows, and the condition that a row lies beyond another.

Paging by position costs the same on page 1 and page 10,000 and never shows a row twice when rows are added
meanwhile. The order must end in a unique key; unknown values (NULL) come last in both directions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import F, Q, QuerySet
from django.db.models.expressions import OrderBy
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan


@dataclass(frozen=True)
class Term:
    """One column of an order: its path, its direction, and where rows without a value stand."""

    name: str
    descending: bool = False
    nullable: bool = False
    nulls_last: bool = True

    def flipped(self) -> Term:
        """The same column read from the other end."""
        return Term(self.name, not self.descending, self.nullable, not self.nulls_last)

    def order_by(self) -> OrderBy:
        # Only a nullable column says where its NULLs stand: "DESC NULLS LAST" on a column that has none
        # would keep PostgreSQL from reading its index backwards.
        nulls: dict[str, Any] = {}
        if self.nullable:
            nulls = {"nulls_last": True} if self.nulls_last else {"nulls_first": True}
        return F(self.name).desc(**nulls) if self.descending else F(self.name).asc(**nulls)

    def equal(self, value: Any) -> Q:
        return Q(**{f"{self.name}__isnull": True}) if value is None else Q(**{self.name: value})

    def beyond(self, value: Any) -> Q | None:
        """Rows that come after ``value`` by this column alone; None when nothing can."""
        if value is None:
            return None if self.nulls_last else Q(**{f"{self.name}__isnull": False})
        further = Q(**{f"{self.name}__{'lt' if self.descending else 'gt'}": value})
        if self.nullable and self.nulls_last:
            further |= Q(**{f"{self.name}__isnull": True})
        return further


def terms(queryset: QuerySet, columns: Sequence[str], *, reverse: bool = False) -> tuple[Term, ...]:
    """Resolve columns such as ``("-assets", "id")`` against the queryset; ``reverse`` turns each round."""
    found = []
    for column in columns:
        name = column.lstrip("-")
        found.append(Term(name, column.startswith("-") is not reverse, _may_be_null(queryset, name)))
    return tuple(found)


def _may_be_null(queryset: QuerySet, name: str) -> bool:
    if name in queryset.query.annotations:
        return True  # an expression can always be NULL (an outer join, a division)
    model = queryset.model
    for part in name.split("__"):
        try:
            field = model._meta.pk if part == "pk" else model._meta.get_field(part)
        except FieldDoesNotExist:
            return True  # a transform such as "born__year": say nothing about it
        # A reverse one-to-one has no row for some.
        if field.null or (field.is_relation and not field.concrete):
            return True
        if field.is_relation:
            model = field.related_model
    return False


def position(queryset: QuerySet, order: Sequence[Term], pk: Any) -> tuple[Any, ...] | None:
    """The sort values of one row of the queryset, or None when it is not (any longer) among its rows."""
    return queryset.filter(pk=pk).order_by().values_list(*(term.name for term in order)).first()


def beyond(order: Sequence[Term], values: Sequence[Any]) -> Q:
    """The condition that a row comes after the row with these sort values."""
    uniform = len({term.descending for term in order}) == 1
    if uniform and not any(term.nullable for term in order):
        # (a, b) > (x, y): PostgreSQL walks straight to the place in an index on (a, b).
        compare = TupleLessThan if order[0].descending else TupleGreaterThan
        return Q(compare(Tuple(*(F(term.name) for term in order)), tuple(values)))
    result = Q(pk__in=[])
    same = Q()
    for term, value in zip(order, values, strict=True):
        further = term.beyond(value)
        if further is not None:
            result |= same & further
        same &= term.equal(value)
    return result


def ordered(queryset: QuerySet, order: Sequence[Term]) -> QuerySet:
    return queryset.order_by(*(term.order_by() for term in order))
