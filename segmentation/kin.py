"""Whose value counts with a customer's, as one reader may see it.

Members in the reader's scope stand by name with their own figures. The others, restricted customers among them, are told
only together, and only where they are at least ``FEWEST_HIDDEN``: of fewer the reader learns neither count nor sum. Then no
total may be shown either, because total − own − the named members would be the hidden value.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import OuterRef, Subquery
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from customers import facts
from customers.models import Customer
from customers.models.parties import RelationKind
from segmentation import related
from segmentation.models import RelatedShare, Standing
from segmentation.scorecard import FEWEST_HIDDEN

LISTED = 20  # an employer of thousands fills no page


@dataclass(frozen=True)
class Member:
    """``contribution`` and ``points`` are his own, year to date; ``counted…`` are what of them counts: weight × own."""

    customer: Customer
    name: str
    kind: Any
    weight: Decimal
    depth: int
    contribution: Decimal
    points: Decimal
    counted: Decimal
    counted_points: Decimal
    href: str


@dataclass(frozen=True)
class Rest:
    """Members told only together; without figures (None) where they are outside the reader's scope and too few."""

    count: int | None
    counted: Decimal | None
    counted_points: Decimal | None


@dataclass(frozen=True)
class Kin:
    """Own value, members (heaviest counted value first), ``further`` in scope beyond the list, ``hidden`` out of scope, and
    the totals, None where they would betray who is hidden. ``leader``: the member who leads his group, None: he himself, or
    somebody the reader may not see."""

    own: Decimal
    own_points: Decimal
    members: list[Member]
    further: Rest | None
    hidden: Rest | None
    total: Decimal | None
    total_annual: Decimal | None
    total_points: Decimal | None
    leader: Customer | None

    @property
    def is_alone(self) -> bool:
        return not self.members and self.hidden is None


def of_customer(user, standing: Standing) -> Kin:
    """Return who counts with the customer of a standing the reader may see; one query, whatever their number."""
    members = sorted(_members(user, standing), key=lambda m: (-m.counted, m.customer.pk))
    counted = sum((m.counted for m in members), Decimal(0))
    points = sum((m.counted_points for m in members), Decimal(0))
    # What is hidden is what is left of the total: nobody's row is read for it.
    missing = standing.related_members - len(members)
    hidden = None
    if missing:
        left = standing.related_contribution - standing.contribution - counted
        left_points = standing.related_deposit_points - standing.deposit_points - points
        hidden = Rest(missing, left, left_points) if missing >= FEWEST_HIDDEN else Rest(None, None, None)
    tells = hidden is None or hidden.count is not None
    rest = members[LISTED:]
    return Kin(
        own=standing.contribution,
        own_points=standing.deposit_points,
        members=members[:LISTED],
        further=_together(rest) if rest else None,
        hidden=hidden,
        total=standing.related_contribution if tells else None,
        total_annual=standing.related_annual if tells else None,
        total_points=standing.related_deposit_points if tells else None,
        leader=next((m.customer for m in members if m.customer.pk == standing.primary_id), None),
    )


def _members(user, standing: Standing) -> Iterator[Member]:
    shares = RelatedShare.objects.visible_to(user).filter(
        run_id=standing.run_id, customer_id=standing.customer_id
    )
    his = shares.filter(member_id=OuterRef("customer_id"))
    rows = Standing.objects.visible_to(user).filter(
        run_id=standing.run_id, customer_id__in=shares.values("member_id")
    )
    told = {f"share_{name}": Subquery(his.values(name)) for name in ("weight", "depth", "kind")}
    for row in rows.select_related("customer").annotate(**told):
        yield Member(
            customer=row.customer,
            name=facts.name_of(row.customer, user),
            kind=_words(row.share_kind),
            weight=row.share_weight,
            depth=row.share_depth,
            contribution=row.contribution,
            points=row.deposit_points,
            counted=related.counted(row.share_weight, row.contribution),
            counted_points=related.counted(row.share_weight, row.deposit_points),
            href=reverse("customer", args=[row.customer_id]),
        )


def _words(kind: str) -> Any:
    return _("the same group") if kind == related.GROUP else RelationKind(kind).label


def _together(rest: list[Member]) -> Rest:
    return Rest(
        len(rest),
        sum((m.counted for m in rest), Decimal(0)),
        sum((m.counted_points for m in rest), Decimal(0)),
    )
