"""How old the data on the screens is, and whether it was checked: one line for the frame of every page."""

import datetime
from dataclasses import dataclass

from django.db.models import OuterRef, Subquery
from django.urls import NoReverseMatch, reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.core import clock
from crm.core.access import may
from customers.models.batches import BatchState, FeedBatch

DAY = datetime.timedelta(days=1)
CHECKED, BREAKS, LATE, MISSING = "checked", "breaks", "late", "missing"


@dataclass(frozen=True)
class Freshness:
    """``state`` is checked, breaks, late or missing; ``date`` the day up to which every source has delivered."""

    state: str
    date: datetime.date | None
    expected: datetime.date
    batch_id: int | None
    breaks: int
    refused_on: datetime.date | None
    href: str

    @property
    def warns(self) -> bool:
        return self.state in (LATE, MISSING)

    @property
    def words(self) -> str:
        if self.date is None:
            return _("No data yet")
        day = date_format(self.date, "Y-m-d")
        return {
            CHECKED: _("Data of %(day)s, checked"),
            BREAKS: _("Data of %(day)s, with differences"),
            LATE: _("Data of %(day)s, late"),
        }[self.state] % {"day": day}

    @property
    def explanation(self) -> str:
        """One or two sentences: what is missing since when, and what the check found."""
        if self.date is None:
            return _("No batch of the core system has been loaded yet.")
        if self.state == LATE:
            days = (self.expected - self.date).days
            sentence = ngettext(
                "The feed is %(days)s day late: what you see is as of %(day)s.",
                "The feed is %(days)s days late: what you see is as of %(day)s.",
                days,
            ) % {"days": days, "day": date_format(self.date, "Y-m-d")}
            if self.refused_on:
                sentence += " " + _("The batch of %(day)s was refused.") % {
                    "day": date_format(self.refused_on, "Y-m-d")
                }
            return sentence
        if self.state == BREAKS:
            return ngettext(
                "Bookings and balances differ on %(count)s account-day.",
                "Bookings and balances differ on %(count)s account-days.",
                self.breaks,
            ) % {"count": self.breaks}
        return _("Row counts, control totals and balances were checked against the bookings.")


def freshness(user, at: datetime.datetime | None = None) -> Freshness:
    """Return how fresh the data is at ``at`` (now where none is given). By now yesterday's batch should be here."""
    expected = clock.business_date(at or clock.now()) - DAY
    link = _link(user)
    # The newest published batch of each source; the data is as old as the one that is furthest behind. One query: the
    # frame of every page asks.
    refusals = FeedBatch.objects.filter(state=BatchState.REFUSED, source=OuterRef("source")).order_by(
        "-business_date"
    )
    newest = (
        FeedBatch.objects.filter(state=BatchState.PUBLISHED)
        .order_by("source", "-business_date")
        .distinct("source")
        .annotate(refused=Subquery(refusals.values("business_date")[:1]))
        .values("pk", "business_date", "breaks", "refused")
    )
    batch = min(newest, key=lambda row: row["business_date"], default=None)
    if batch is None:
        return Freshness(MISSING, None, expected, None, 0, None, link)
    day = batch["business_date"]
    refused = batch["refused"] if batch["refused"] and batch["refused"] > day else None
    state = LATE if day < expected else BREAKS if batch["breaks"] else CHECKED
    return Freshness(state, day, expected, batch["pk"], batch["breaks"], refused, link)


def _link(user) -> str:
    if not may(user, "feeds.view"):
        return ""
    try:
        return reverse("feeds")
    except NoReverseMatch:
        return ""
