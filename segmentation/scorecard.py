"""What the head of a customer's page says of his scores: each beside its peers' mean and the night before, and whether the
night they are of still stands. Read with the standing, in its one question: the head is part of every page of a customer."""

import datetime
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery, TextField
from django.db.models.functions import Cast, Coalesce, JSONObject
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from crm.core import parameters
from customers.models import Customer
from segmentation import nights, policy
from segmentation.models import PeerFigure, PublishedNight, RelatedShare, Standing

LABELS = {"contribution": _("Contribution"), "loyalty": _("Loyalty"), "risk": _("Risk")}
# The tab that explains each of them.
TABS = {"contribution": "customer_contribution", "loyalty": "customer_loyalty", "risk": "customer_risk"}
# The column of the standing that is on the scale 0–100: the contribution itself is an amount.
COLUMNS = {"contribution": "contribution_score", "loyalty": "loyalty", "risk": "risk"}
SCORES, SCORE_COLUMNS = tuple(COLUMNS), tuple(COLUMNS.values())
# Values of customers outside a reader's scope are told of so many together, never of fewer.
FEWEST_HIDDEN = 3
RAISED, HIGH = Decimal(40), Decimal(70)
WORTH_A_MARK = Decimal("0.05")  # less is shown as 0.0


@dataclass(frozen=True)
class Score:
    """One score 0–100; ``value`` None: nothing is known. ``before`` is of the night before, None where there was none."""

    code: str
    label: Any
    value: Decimal | None
    peer: Decimal | None
    percentile: Decimal | None
    coverage: Decimal
    before: Decimal | None
    href: str

    @property
    def band(self) -> str:
        """How grave a risk is, by the floors of the loan classes: low, raised from special mention, high from substandard."""
        if self.code != "risk" or self.value is None:
            return ""
        return "low" if self.value < RAISED else "raised" if self.value < HIGH else "high"

    @property
    def change(self) -> Decimal | None:
        """What moved since the night before; None where nothing is known or nothing moved that a tenth would show."""
        if self.value is None or self.before is None or abs(self.value - self.before) < WORTH_A_MARK:
            return None
        return self.value - self.before


def columns(user, newest: QuerySet[PublishedNight]) -> dict[str, Any]:
    """Return what to annotate a standing of the ``newest`` night with, so that ``scores`` and ``nights.has_changed`` need
    no question of their own: the night before, what the scores were then, the peers' means.

    One subquery a table, the run given by one that depends on nothing: each names all kept partitions to the planner.
    """
    earlier = PublishedNight.objects.filter(
        kept=True, business_date__lt=Subquery(newest.values("business_date")[:1])
    ).order_by("-business_date")
    before = Standing.objects.visible_to(user).filter(
        customer_id=OuterRef("customer_id"), run_id=Subquery(earlier.values("run_id")[:1])
    )
    # The mean of one or two others would tell of each of them.
    peers = PeerFigure.objects.filter(
        run_id=OuterRef("run_id"), peer_id=OuterRef("peer_id"), figure__in=SCORE_COLUMNS, n__gte=FEWEST_HIDDEN
    )
    # As text: JSON would make floats of exact numbers.
    were = {column: Cast(column, TextField()) for column in SCORE_COLUMNS}
    means = JSONObject(figure="figure", mean=Cast("mean", TextField()))
    return {
        "before": Subquery(
            before.values(were=JSONObject(on=Cast("as_of", TextField()), tier="tier", **were))[:1]
        ),
        "peers": ArraySubquery(peers.values(told=means)),
        **members_seen(user),
        **nights.basis("as_of"),
    }


def members_seen(user) -> dict[str, Any]:
    """Return what to annotate a standing with, so that ``related`` can tell: how many of those related to him the reader
    may see himself."""
    his = Customer.objects.visible_to(user).filter(pk=OuterRef("member_id"))
    seen = RelatedShare.objects.visible_to(user).filter(
        Exists(his), run_id=OuterRef("run_id"), customer_id=OuterRef("customer_id")
    )
    counted = seen.order_by().values("customer_id").annotate(n=Count("member_id")).values("n")
    return {"members_seen": Coalesce(Subquery(counted), 0)}


def tells_related(standing: Standing) -> bool:
    """Whether figures with those related to a customer may be told: not where they would tell of one or two customers the
    reader may not see. What is outside his scope is told of three or more together."""
    return not 0 < standing.related_members - standing.members_seen < FEWEST_HIDDEN


def related(standing: Standing) -> Decimal | None:
    """Return the contribution together with those related to him; None where it may not be told."""
    return standing.related_contribution if tells_related(standing) else None


def policy_of(row: Standing | PublishedNight) -> policy.Policy:
    """Return the policy in force on the date of a standing or a night read with its ``nights.basis``."""
    pairs = ((pair["name"], pair["value"]) for pair in row.values_now)
    return policy.Policy(parameters.over_defaults(policy.NAMES, pairs))


def scores(standing: Standing) -> list[Score]:
    """Return the three scores of a standing read with ``columns``."""
    coverage = {
        "contribution": standing.coverage,
        "loyalty": standing.loyalty_coverage,
        "risk": standing.risk_coverage,
    }
    means = {told["figure"]: Decimal(told["mean"]) for told in standing.peers}
    were = standing.before or {}
    return [
        Score(
            code,
            LABELS[code],
            value=getattr(standing, column),
            peer=means.get(column),
            percentile=getattr(standing, f"{code}_percentile"),
            coverage=coverage[code],
            before=Decimal(were[column]) if were.get(column) is not None else None,
            href=reverse(TABS[code], args=[standing.customer_id]),
        )
        for code, column in COLUMNS.items()
    ]


def night_before(standing: Standing) -> datetime.date | None:
    """Return the date of the night before, as read with ``columns``; None where it did not know the customer."""
    return datetime.date.fromisoformat(standing.before["on"]) if standing.before else None
