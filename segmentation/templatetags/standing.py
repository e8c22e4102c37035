"""Where a customer or an account stands on the published night, for the page that shows it."""

from typing import Any

from django import template

from crm.core.access import may
from segmentation import standing
from segmentation.models import AccountMeasure, Standing

register = template.Library()


@register.simple_tag(takes_context=True)
def standing_of(context: dict[str, Any], customer) -> Standing | None:
    """The customer's standing, or None where no night has run or the night did not know him yet."""
    request = context["request"]
    return standing.of_customers(request.user, standing.night_of(request), [customer.pk]).get(customer.pk)


@register.simple_tag(takes_context=True)
def measure_of(context: dict[str, Any], account) -> AccountMeasure | None:
    """The account's measures: balance, day-averages and contribution lines."""
    request = context["request"]
    night = standing.night_of(request)
    if night is None or not may(request.user, "customers.view_accounts"):
        return None
    rows = AccountMeasure.objects.visible_to(request.user)
    return rows.filter(run_id=night.run_id, customer_id=account.customer_id, account_id=account.pk).first()
