"""What the head of a customer's page says of his scores: each beside its peers' mean and the night before, and whether the
night they are of still stands. Read with the standing, in its one question: the head is part of every page of a customer."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, Exists, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from crm.core import parameters
from customers.models import Customer
from segmentation import nights, policy
from segmentation.models import PastScore, PeerFigure, PublishedNight, RelatedShare, Standing

SCORES = ("contribution", "loyalty", "risk")
LABELS = {"contribution": _("Contribution"), "loyalty": _("Loyalty"), "risk": _("Risk")}
# The tab that explains each of them.
TABS = {"contribution": "customer_contribution", "loyalty": "customer_loyalty", "risk": "customer_risk"}
# The column of the standing that is on the scale 0–100: the contribution itself is an amount.
COLUMNS = {"contribution": "contribution_score", "loyalty": "loyalty", "risk": "risk"}
# Values of customers outside a reader's scope are told of so many together, never of fewer.
FEWEST_HIDDEN = 3
RAISED, HIGH = Decimal(40), Decimal(70)


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
        """What moved since the night before; None where nothing did or nothing is known."""
        if self.value is None or self.before is None or self.value == self.before:
            return None
        return self.value - self.before


def columns(user) -> dict[str, Any]:
    """Return what to annotate a standing with, so that ``scores`` and ``nights.has_changed`` need no question of their own."""
    earlier = PublishedNight.objects.filter(business_date__lt=OuterRef("as_of")).order_by("-business_date")
    peers = PeerFigure.objects.filter(run_id=OuterRef("run_id"), peer_id=OuterRef("peer_id"))
    past = PastScore.objects.visible_to(user).filter(
        customer_id=OuterRef("customer_id"), run_id=OuterRef("run_before")
    )
    found: dict[str, Any] = {
        "before_on": Subquery(earlier.values("business_date")[:1]),
        "run_before": Subquery(earlier.values("run_id")[:1]),
        "tier_before": Subquery(past.values("tier")[:1]),
    }
    for code, column in COLUMNS.items():
        found[f"{code}_before"] = Subquery(past.values(column)[:1])
        found[f"{code}_peer"] = Subquery(peers.filter(figure=column).values("mean")[:1])
    return found | members_seen(user) | nights.basis("as_of")


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
    return [
        Score(
            code,
            LABELS[code],
            value=getattr(standing, COLUMNS[code]),
            peer=getattr(standing, f"{code}_peer"),
            percentile=getattr(standing, f"{code}_percentile"),
            coverage=coverage[code],
            before=getattr(standing, f"{code}_before"),
            href=reverse(TABS[code], args=[standing.customer_id]),
        )
        for code in SCORES
    ]
