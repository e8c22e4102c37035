"""System checks: every URL declares its right, or the product does not start."""

from collections.abc import Iterator

from django.core.checks import Error, register
from django.urls import URLPattern, URLResolver, get_resolver


def patterns(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Walk the URL configuration: (route, pattern) of every view."""
    for entry in (resolver or get_resolver()).url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from patterns(entry, route)
        else:
            yield route, entry


def declared(view) -> str | None:
    """Return the verb a view needs, ``public: why``, or None where it says nothing. API classes carry ``verb`` too."""
    owner = getattr(view, "view_class", None) or getattr(view, "cls", None) or view
    if verb := getattr(view, "verb", None) or getattr(owner, "verb", None):
        return verb
    reason = getattr(view, "public", None)
    return f"public: {reason}" if reason else None


@register("security")
def every_url_declares_its_right(app_configs, **kwargs) -> list[Error]:
    return [
        Error(f"/{route} declares neither a verb nor why it is public.", id="core.E001")
        for route, pattern in patterns()
        if declared(pattern.callback) is None
    ]
