"""Which night a page reads, and where a customer or an account stands on it. Everything goes through the reader's scope."""

import datetime
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Subquery, Sum
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from crm.core.templatetags import display
from segmentation import nights, policy, reading, scorecard
from segmentation.models import AccountMeasure, BranchSummary, PublishedNight, Standing, Tier


def night_of(request: HttpRequest) -> PublishedNight | None:
    """Return the night a page reads, asked once a page: two parts of it must never show two nights."""
    if not hasattr(request, "_night"):
        request._night = nights.published()
        if request._night is not None:
            display.base_currency_is(request._night.base_currency)
            reading.note(request, request._night)
    return request._night


def of_customer(request: HttpRequest, customer_id: int) -> Standing | None:
    """Return a customer's standing on the newest published night, asked once a page; None where no night has run or it
    did not know him yet. Whatever else the page shows of him is of the same run."""
    known = request.__dict__.setdefault("_standings", {})
    if customer_id not in known:
        newest = PublishedNight.objects.filter(kept=True).order_by("-business_date")
        rows = Standing.objects.visible_to(request.user).filter(customer_id=customer_id)
        rows = rows.filter(run_id=newest.values("run_id")[:1])
        currency = Subquery(newest.values("base_currency")[:1])
        found = rows.annotate(base_currency=currency, **scorecard.columns(request.user, newest)).first()
        if found is not None:
            display.base_currency_is(found.base_currency)
            reading.note(request, found)
        known[customer_id] = found
    return known[customer_id]


def of_customers(user, at: PublishedNight | None, ids: list[int]) -> dict[int, Standing]:
    """Return customer → standing for the customers of a page; one query."""
    if at is None or not ids:
        return {}
    rows = Standing.objects.visible_to(user).filter(run_id=at.run_id, customer_id__in=ids)
    return {row.customer_id: row for row in rows.annotate(**scorecard.members_seen(user))}


def of_accounts(user, at: Standing | None) -> dict[int, AccountMeasure]:
    """Return account → measures, each with its account, for every account of a standing's customer; one query."""
    if at is None:
        return {}
    rows = AccountMeasure.objects.visible_to(user).filter(run_id=at.run_id, customer_id=at.customer_id)
    rows = rows.select_related("account__product").order_by("account_id")
    return {row.account_id: row for row in rows}


def share_of_branch(at: Standing) -> Decimal | None:
    """Return which part of its branch's contribution of the year to date a customer brings, as a fraction; None where the
    branch as a whole brings nothing. One query."""
    rows = BranchSummary.objects.filter(run_id=at.run_id, branch_id=at.branch_id)
    total = rows.aggregate(total=Sum("contribution"))["total"]
    return at.contribution / total if total and total > 0 else None


@dataclass(frozen=True)
class Threshold:
    """A figure that lifts a customer into a tier, in base currency."""

    words: Any
    amount: Decimal


@dataclass(frozen=True)
class Step:
    """One tier of a kind; without thresholds it is where everybody begins."""

    tier: str
    words: Any
    thresholds: list[Threshold]


def ladder(kind: str, on: datetime.date, values: policy.Policy | None = None) -> list[Step]:
    """Return the tiers of a kind with their thresholds as in force on a day, highest first; one query, none where the
    page has read the policy already."""
    names = {
        "individual": [("personal_tiers", _("assets"))],
        "corporate": [
            ("corporate_tiers_by_contribution", _("contribution a year")),
            ("corporate_tiers_by_deposit", _("deposits")),
        ],
    }[kind]
    values = values or policy.on(on)
    first = values[names[0][0]]
    steps = []
    for place, (tier, _floor) in enumerate(first):
        floors = [
            Threshold(words, Decimal(floor))
            for name, words in names
            for its_tier, floor in values[name]
            if its_tier == tier and (place or name != names[0][0])
        ]
        steps.append(Step(tier, Tier(tier).label, floors))
    return steps[::-1]
