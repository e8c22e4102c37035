"""What the nights have told of a customer, for his page."""

from typing import Any

from django import template

from crm.core.access import may
from segmentation import alerts, standing

register = template.Library()


@register.simple_tag(takes_context=True)
def alerts_of(context: dict[str, Any], customer) -> list[alerts.Told] | None:
    """Alerts of 90 days, newest first; one query. None for who has no business with them, and before his first night."""
    request = context["request"]
    at = standing.of_customer(request, customer.pk)
    if at is None or not may(request.user, "alerts.view"):
        return None
    return alerts.of_customer(request.user, customer.pk, at)
