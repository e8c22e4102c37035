"""Where a customer or an account stands on the published night, for the page that shows it."""

from typing import Any

from django import template

from crm.core.access import may
from segmentation import nights, reading, standing
from segmentation.models import AccountMeasure, PublishedNight, Standing

register = template.Library()


@register.simple_tag(takes_context=True)
def standing_of(context: dict[str, Any], customer) -> Standing | None:
    """The customer's standing on the night the page reads."""
    return standing.of_customer(context["request"], customer.pk)


@register.simple_tag(takes_context=True)
def measure_of(context: dict[str, Any], account) -> AccountMeasure | None:
    """The account's measures on the newest published night: balance, day-averages and contribution lines."""
    user = context["request"].user
    if not may(user, "customers.view_accounts"):
        return None
    newest = PublishedNight.objects.filter(kept=True).order_by("-business_date").values("run_id")[:1]
    rows = AccountMeasure.objects.visible_to(user).filter(run_id=newest)
    rows = rows.filter(customer_id=account.customer_id, account_id=account.pk)
    measure = rows.annotate(**nights.basis("as_of")).first()
    if measure is not None:
        reading.note(context["request"], measure)
    return measure
