"""A tier people give a customer against his figures: proposed with a reason, decided by a second person, always with an end."""

import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from crm.core import approvals, audit
from crm.core.access import require
from crm.core.clock import business_date
from crm.core.models import Approval, ApprovalState
from customers.models import Customer
from segmentation import policy, tiers
from segmentation.models import PublishedNight, Standing, Tier, TierOverride

VERB = "tiers.override"
LONGEST_MONTHS = 12


def earliest(at: datetime.datetime) -> datetime.date:
    """Return the first day a decision may hold from: the newest night's, which follows it, or today where none has run."""
    night = PublishedNight.objects.order_by("-business_date").values_list("business_date", flat=True).first()
    today = business_date(at)
    return min(today, night) if night else today


def open_proposals(user, customer: Customer) -> list[Approval]:
    """Return what waits for a decision about a customer's tier, as far as the reader may see it; one query."""
    return list(_open(customer, approvals.visible_to(user)).select_related("maker__staff").order_by("id"))


def _open(customer: Customer, rows):
    kind, key = audit.named(customer)
    return rows.filter(verb=VERB, target_type=kind, target_id=key, state=ApprovalState.PROPOSED)


@transaction.atomic
def propose(
    *,
    actor,
    customer: Customer,
    tier: str,
    starts_on: datetime.date,
    ends_on: datetime.date,
    reason: str,
    at: datetime.datetime,
) -> Approval:
    """Propose a tier of the customer's kind for ``[starts_on, ends_on)``; return the approval it waits for.

    Raises Customer.DoesNotExist out of scope; ValidationError, by field, for a day, tier or reason that cannot be, or where
    another proposal for the customer waits.
    """
    require(actor, VERB)
    customer = Customer.objects.visible_to(actor).select_for_update(of=("self",)).get(pk=customer.pk)
    if not reason.strip():
        raise ValidationError(
            {"reason": _("Say why, for the person who approves and for whoever asks later.")}
        )
    if starts_on < earliest(at):
        told = _("It cannot begin before the newest night, of %(day)s.") % {"day": earliest(at).isoformat()}
        raise ValidationError({"starts_on": told})
    _judge(customer, tier, starts_on, ends_on, on=business_date(at))
    if _open(customer, Approval.objects.all()).exists():
        raise ValidationError(_("Another proposal for this customer's tier waits for its decision."))
    newest = PublishedNight.objects.filter(kept=True).order_by("-business_date").values("run_id")[:1]
    held = Standing.objects.visible_to(actor).filter(run_id=newest, customer=customer)
    payload = {
        "customer": customer.pk,
        "tier": tier,
        "was": held.values_list("tier", flat=True).first() or "",
        "starts_on": starts_on.isoformat(),
        "ends_on": ends_on.isoformat(),
    }
    return approvals.propose(actor, VERB, payload, customer, reason=reason.strip())


def _judge(
    customer: Customer, tier: str, starts_on: datetime.date, ends_on: datetime.date, *, on: datetime.date
) -> None:
    """Raise ValidationError for what may neither be proposed nor carried out."""
    if customer.closed_on is not None and customer.closed_on <= on:
        raise ValidationError(_("The customer has left: he keeps his last tier."))
    if tier not in {rung.tier for rung in tiers.ladder(customer.kind, policy.on(starts_on))}:
        raise ValidationError({"tier": _("Choose a tier of the customer's kind.")})
    if ends_on <= starts_on:
        raise ValidationError({"ends_on": _("It must end after it begins.")})
    if ends_on > tiers.months_after(starts_on, LONGEST_MONTHS):
        told = _("At most %(count)d months; propose it anew when it runs out.") % {"count": LONGEST_MONTHS}
        raise ValidationError({"ends_on": told})
    other = TierOverride.rows.filter(customer=customer, starts_on__lt=ends_on, ends_on__gt=starts_on).first()
    if other is not None:
        told = _("A decision holds already from %(first)s until before %(last)s.")
        days = {"first": other.starts_on.isoformat(), "last": other.ends_on.isoformat()}
        raise ValidationError({"starts_on": told % days})


def _describe(payload: dict) -> approvals.Described:
    number = Customer.rows.filter(pk=payload["customer"]).values_list("customer_no", flat=True).first()
    was = Tier(payload["was"]).label if payload["was"] else "—"
    first, last = (datetime.date.fromisoformat(payload[name]) for name in ("starts_on", "ends_on"))
    return [
        (_("Customer"), number or "—"),
        (_("Tier"), f"{was} → {Tier(payload['tier']).label}"),
        (_("From"), date_format(first, "Y-m-d")),
        (_("Until before"), date_format(last, "Y-m-d")),
    ]


@approvals.executor(VERB, describe=_describe)
def carry_out(payload: dict, *, maker, checker, at: datetime.datetime) -> None:
    """Write the decided tier; every night of its days follows it. Raises ValidationError where it cannot be any more."""
    found = (
        Customer.objects.visible_to(checker).select_for_update(of=("self",)).filter(pk=payload["customer"])
    )
    customer = found.first()
    if customer is None:
        raise ValidationError(_("This customer is outside your scope: somebody who looks after him decides."))
    first, last = (datetime.date.fromisoformat(payload[name]) for name in ("starts_on", "ends_on"))
    _judge(customer, payload["tier"], first, last, on=business_date(at))
    # Deciding and carrying out are one transaction: the one that is approved but not done is the one being carried out.
    approval = _approved(customer, checker)
    row = TierOverride.rows.create(
        customer=customer,
        tier=payload["tier"],
        starts_on=first,
        ends_on=last,
        reason=approval.reason,
        proposed_by=maker,
        approved_by=checker,
        approval=approval,
    )
    told = {key: payload[key] for key in ("tier", "was", "starts_on", "ends_on")}
    told |= {"override": row.pk, "proposed_by": maker.pk}
    audit.record(checker, VERB, customer, customer_id=customer.pk, payload=told)


def _approved(customer: Customer, checker) -> Approval:
    kind, key = audit.named(customer)
    rows = Approval.objects.filter(verb=VERB, target_type=kind, target_id=key, checker=checker)
    return rows.get(state=ApprovalState.APPROVED)
