"""Tags of the shared list: a column heading that sorts, and a link that keeps what the reader chose."""

from typing import Any

from django import template

from crm.core.listing import Page

register = template.Library()


@register.inclusion_tag("_column.html")
def column(page: Page, name: str, label: Any, kind: str = "") -> dict[str, Any]:
    """A ``<th>`` that sorts the list; ``kind="num"`` aligns it with its figures."""
    turned = page.turned(name)
    return {
        "page": page,
        "name": name,
        "label": label,
        "kind": kind,
        "sorted": page.sorted_by(name),
        "turned": turned,
        "query": page.query({"sort": turned}),
    }
