"""How a customer came to his tier and how far it is to the next one, up and down, as the reader may see it."""

import datetime
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from segmentation import tiers
from segmentation.kin import Kin
from segmentation.models import PublishedNight, Standing, Tier, TierChange, TierWhy
from segmentation.policy import Policy


@dataclass(frozen=True)
class Stretch:
    """A tier held from ``since`` until before ``until`` (None: now), and the one before it, empty for the first."""

    tier: str
    words: Any
    was: str
    was_words: Any
    why: Any
    since: datetime.date
    until: datetime.date | None
    rose: bool | None  # None: the first


def of_customer(user, customer_id: int, kind: str, policy: Policy) -> list[Stretch]:
    """Return the tiers a customer held on published nights, half-open intervals, newest first; one query."""
    published = PublishedNight.objects.values("run_id")
    rows = TierChange.objects.visible_to(user).filter(customer_id=customer_id, run_id__in=published)
    place = {rung.tier: rung.place for rung in tiers.ladder(kind, policy)}
    found: list[Stretch] = []
    until = None
    for row in rows.order_by("-on_date"):
        known = row.was in place and row.becomes in place
        found.append(
            Stretch(
                tier=row.becomes,
                words=Tier(row.becomes).label,
                was=row.was,
                was_words=Tier(row.was).label if row.was else "",
                why=TierWhy(row.why).label,
                since=row.on_date,
                until=until,
                rose=place[row.becomes] > place[row.was] if known else None,
            )
        )
        until = row.on_date
    return found


@dataclass(frozen=True)
class Way:
    """One measure the tier looks at: where it stands, the floor of the next tier, and the line below which the held tier is
    at risk. ``now`` None: it counts customers outside the reader's scope. Amounts in base currency, exact."""

    label: Any
    note: Any
    now: Decimal | None
    next_floor: Decimal | None
    keep_from: Decimal | None

    @property
    def lacks(self) -> Decimal | None:
        if self.now is None or self.next_floor is None:
            return None
        return max(self.next_floor - self.now, Decimal(0))

    @property
    def spare(self) -> Decimal | None:
        return None if self.now is None or self.keep_from is None else self.now - self.keep_from


def ways(standing: Standing, kin: Kin, policy: Policy) -> list[Way]:
    """Return the ways up and down: one for individuals, for firms contribution and deposits, of which the better counts."""
    rungs = tiers.ladder(standing.kind, policy)
    place = next((rung.place for rung in rungs if rung.tier == standing.tier), None)
    if place is None:
        return []
    here, above = rungs[place], rungs[place + 1] if place + 1 < len(rungs) else None
    share = policy.decimal("tier_downgrade_share")

    def way(label: Any, note: Any, now: Decimal | None, column: str) -> Way:
        floor = getattr(here, column)
        next_floor = getattr(above, column) if above else None
        return Way(label, note, now, next_floor, None if floor is None else floor * share)

    if standing.kind == "individual":
        note = _("month's day average, each family with its weight")
        return [way(_("Assets that count"), note, standing.weighted_month_average, "floor")]
    return [
        way(_("Contribution a year"), _("with related customers"), kin.total_annual, "floor"),
        way(_("Deposits"), _("year's day average"), standing.deposit_year_average, "deposit_floor"),
    ]
