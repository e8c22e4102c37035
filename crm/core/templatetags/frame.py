"""The frame of a page says on top what is only known once the page below has been rendered."""

from typing import Any

from django import template
from django.template.base import FilterExpression, NodeList, Parser, Token

register = template.Library()


class AboveNode(template.Node):
    """``{% above "_fragment.html" %}…{% endabove %}``: renders what it encloses first, the fragment second, and puts the
    fragment on top. A mark of stale figures must come first on the page, yet parts of it read them as they render."""

    def __init__(self, fragment: FilterExpression, nodelist: NodeList) -> None:
        self.fragment = fragment
        self.nodelist = nodelist

    def render(self, context: template.Context) -> str:
        below = self.nodelist.render(context)
        fragment = context.template.engine.get_template(self.fragment.resolve(context))
        return fragment.render(context) + below


@register.tag
def above(parser: Parser, token: Token) -> Any:
    """Put a fragment above what is enclosed, rendered after it."""
    try:
        _name, fragment = token.split_contents()
    except ValueError:
        raise template.TemplateSyntaxError("above takes the name of one fragment") from None
    nodelist = parser.parse(("endabove",))
    parser.delete_first_token()
    return AboveNode(parser.compile_filter(fragment), nodelist)
