"""What every request gets: an id that its log lines and its answer carry, and an answer that no cache keeps."""

import logging
import uuid
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from crm.core.privacy import logs

log = logging.getLogger(__name__)


class RequestIdMiddleware:
    """Give the request an id of our own: one sent by the client could forge log lines."""

    def __init__(self, get_response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.request_id = uuid.uuid4().hex
        request_mark = logs.request_id.set(request.request_id)
        user_mark = logs.user_id.set("-")
        try:
            response = self.get_response(request)
        finally:
            # A thread serves many requests; the next one must not log under this one's name.
            logs.request_id.reset(request_mark)
            logs.user_id.reset(user_mark)
        response["X-Request-ID"] = request.request_id
        return response


class PrivateResponseMiddleware:
    """Forbid every cache to keep what a signed-in person saw, and never let htmx swap a sign-in page into a fragment."""

    def __init__(self, get_response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            request.reader_id = str(request.user.pk)
            logs.user_id.set(request.reader_id)
        response = self.get_response(request)
        if request.user.is_authenticated or "Cache-Control" not in response:
            # The shared computer of a branch: nothing may be left for the next person's back button.
            response["Cache-Control"] = "no-store, private"
        target = response.get("HX-Redirect") or response.get("Location")
        if getattr(request, "htmx", False) and target and _is_sign_in(target):
            return _sent_to_sign_in(request, response)
        return response


def _is_sign_in(location: str) -> bool:
    return urlsplit(location).path == resolve_url(settings.LOGIN_URL)


def _sent_to_sign_in(request: HttpRequest, redirect: HttpResponse) -> HttpResponse:
    # Back to the page the person was on: a fragment alone would open without its page around it.
    back = request.htmx.current_url_abs_path or "/"
    response = HttpResponse(status=401)
    response["HX-Redirect"] = f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': relative(back)})}"
    response["Cache-Control"] = "no-store, private"
    response.cookies = redirect.cookies
    return response


def relative(target: str | None) -> str:
    """Return ``target`` if it is a path of this site, else the front page: a sign-in link must not lead elsewhere."""
    safe = target and target.startswith("/") and url_has_allowed_host_and_scheme(target, allowed_hosts=None)
    return target if safe else "/"


def address_of(request: HttpRequest) -> str:
    """Return the network address the request came from; behind the bank's proxy, the one the proxy saw."""
    if settings.SECURE_PROXY_SSL_HEADER:
        # Only the last entry was written by our own proxy; what stands before it is what the client claims.
        forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
        if forwarded:
            return forwarded
    return request.META.get("REMOTE_ADDR", "")
