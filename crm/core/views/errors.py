"""What people see when something may not be, is not there, or broke. A 403 says who could; a 404 says nothing."""

import logging

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from crm.core import audit
from crm.core.access import who_may

log = logging.getLogger(__name__)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """In scope but not allowed. Names the posts that may, so that people know whom to ask."""
    audit.denied(request, exception)
    verb = str(exception or "")
    return render(request, "403.html", {"posts": who_may(verb)}, status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Out of scope and not existing look alike, to the byte."""
    return render(request, "404.html", status=404)


def broken(request: HttpRequest) -> HttpResponse:
    """The last resort: a generic sentence and the request's id, nothing about the inside."""
    return render(request, "500.html", {"request_id": getattr(request, "request_id", "")}, status=500)
