"""``{% may "customers.view" as ok %}``: does the reader's post allow a verb? Templates ask before they draw a button."""

from typing import Any

from django import template

from crm.core import access

register = template.Library()


@register.simple_tag(takes_context=True)
def may(context: dict[str, Any], verb: str) -> bool:
    """Return whether the reader may do the verb; nobody may, where there is no request."""
    user = getattr(context.get("request"), "user", None)
    return user is not None and access.may(user, verb)
