"""The tier of one customer: how he came to it, how far it is up and down, who counts with him, and the form that proposes a
tier against the figures."""

import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from crm.core import clock
from crm.core.access import may, needs, who_may
from customers.models import Customer
from customers.views import customer_for, page
from segmentation import kin, overrides, scorecard, standing, tier_history, tiers
from segmentation.models import Standing, Tier, TierOverride
from segmentation.policy import Policy

USUAL_MONTHS = 6


def _day() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class OverrideForm(forms.Form):
    tier = forms.ChoiceField(label=_("Tier"))
    starts_on = forms.DateField(label=_("From"), widget=_day())
    ends_on = forms.DateField(
        label=_("Until before"),
        widget=_day(),
        help_text=_("At most 12 months. Then the figures count again."),
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("For the person who approves, and for whoever asks later."),
    )

    def __init__(self, *args: Any, kind: str, policy: Policy, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = [rung.tier for rung in reversed(tiers.ladder(kind, policy))]
        self.fields["tier"].choices = [("", "—"), *((name, Tier(name).label) for name in names)]


@needs("customers.view_accounts")
@require_GET
def customer_tier(request: HttpRequest, customer_id: int) -> HttpResponse:
    return _page(request, customer_for(request, customer_id))


@needs("tiers.override")
@require_http_methods(["GET", "POST"])
def tier_propose(request: HttpRequest, customer_id: int) -> HttpResponse:
    """Propose a tier for the customer; it holds once a second person has approved it. Opened, it is the customer's page."""
    customer = customer_for(request, customer_id)
    if request.method == "GET":
        return _page(request, customer)
    at = standing.of_customer(request, customer.pk)
    if at is None:
        return _page(request, customer, status=422)
    form = OverrideForm(request.POST, kind=customer.kind, policy=scorecard.policy_of(at))
    if form.is_valid():
        try:
            overrides.propose(actor=request.user, customer=customer, at=clock.now(), **form.cleaned_data)
        except ValidationError as broken:
            form.add_error(None, broken)
        else:
            if request.htmx:
                return _fragment(request, customer, at, None)
            return redirect("customer_tier", customer_id=customer.pk)
    if request.htmx:
        return _fragment(request, customer, at, form, status=422)
    return _page(request, customer, form, status=422)


def _page(
    request: HttpRequest, customer: Customer, form: OverrideForm | None = None, status: int = 200
) -> HttpResponse:
    at = standing.of_customer(request, customer.pk)
    context: dict[str, Any] = {"at": at, "night": None if at else standing.night_of(request)}
    if at is not None:
        policy = scorecard.policy_of(at)
        members = kin.of_customer(request.user, at)
        context |= {
            "kin": members,
            "ways": tier_history.ways(at, members, policy),
            "stretches": tier_history.of_customer(request.user, customer.pk, customer.kind, policy),
            "ladder": standing.ladder(customer.kind, at.as_of, policy),
            "rules": rules(customer.kind, policy),
            **_decisions(request, customer, at, form),
        }
    answer = page(request, customer, "tier", "segmentation/customer_tier.html", **context)
    answer.status_code = status
    return answer


def _fragment(
    request: HttpRequest, customer: Customer, at: Standing, form: OverrideForm | None, status: int = 200
) -> HttpResponse:
    context = {"customer": customer, "at": at, **_decisions(request, customer, at, form)}
    return render(request, "segmentation/_override.html", context, status=status)


def _decisions(
    request: HttpRequest, customer: Customer, at: Standing, form: OverrideForm | None
) -> dict[str, Any]:
    """What people decided or proposed about the tier, and the form for who may propose and has nothing open."""
    rows = TierOverride.objects.visible_to(request.user).filter(customer=customer, ends_on__gt=at.as_of)
    decided = list(rows.select_related("proposed_by__staff", "approved_by__staff").order_by("starts_on"))
    waiting = overrides.open_proposals(request.user, customer)
    may_propose = may(request.user, overrides.VERB) and not at.is_closed
    if form is None and may_propose and not waiting:
        starts = max([clock.business_date(clock.now()), *(row.ends_on for row in decided)])
        days = {"starts_on": starts, "ends_on": tiers.months_after(starts, USUAL_MONTHS)}
        form = OverrideForm(initial=days, kind=customer.kind, policy=scorecard.policy_of(at))
    return {
        "decided": decided,
        "waiting": [_told(approval) for approval in waiting],
        "form": form if may_propose else None,
        "posts": who_may(overrides.VERB),
    }


def _told(approval) -> dict[str, Any]:
    payload = approval.payload
    first, last = (datetime.date.fromisoformat(payload[name]) for name in ("starts_on", "ends_on"))
    return {
        "approval": approval,
        "tier": payload["tier"],
        "words": Tier(payload["tier"]).label,
        "first": first,
        "last": last,
    }


def rules(kind: str, policy: Policy) -> list[Any]:
    """Return the bank's rules for tiers as sentences, with the figures in force."""
    months, protected = int(policy["tier_downgrade_months"]), int(policy["tier_protection_months"])
    share = f"{(policy.decimal('tier_downgrade_share') * 100).normalize():f}"
    told = [
        _("A tier is won at the end of a month, when the figures have reached its floor.")
        if kind == "corporate" or not policy["top_tier_at_once"]
        else _(
            "A tier is won at the end of a month, when the figures have reached its floor; the top tier on the day."
        )
    ]
    lost = ngettext(
        "It is lost at the end of a month, after %(months)d complete month below %(share)s%% of its floor.",
        "It is lost at the end of a month, after %(months)d complete months in a row below %(share)s%% of its floor.",
        months,
    )
    told.append(lost % {"months": months, "share": share})
    safe = ngettext(
        "For %(months)d month after it was won it cannot be lost.",
        "For %(months)d months after it was won it cannot be lost.",
        protected,
    )
    told.append(safe % {"months": protected})
    if kind == "corporate":
        told.append(
            _(
                "A firm stands by the better of contribution and deposits; a firm the bank names strategic is so at once."
            )
        )
    told.append(
        _("What two people decide holds to its end, whatever the figures say; then the figures count.")
    )
    return told
