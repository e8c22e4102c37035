"""The masked value, the question what it is needed for, and the value itself for a minute: one place, three faces."""

import logging

from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from crm.core import clock
from crm.core.access import needs
from crm.core.forms import RevealForm
from crm.core.privacy import crypto, reveal
from crm.core.privacy.classes import class_of

log = logging.getLogger(__name__)


@needs("privacy.reveal")
@require_http_methods(["GET", "POST"])
def reveal_value(request: HttpRequest, model: str, field: str, key: str) -> HttpResponse:
    """GET: the masked value, or with ``?ask`` the form. POST: the value. ``key`` is an id, never a person's number."""
    try:
        instance = reveal.find(request.user, model, field, key)
    except ObjectDoesNotExist:
        raise Http404 from None
    context = {
        "place": {"model": model, "field": field, "key": key},
        "label": class_of(instance, field).label,
        "masked": reveal.masked_value(instance, field),
    }
    if request.method == "GET":
        if "ask" not in request.GET:
            return _answer(request, "core/_masked.html", context | context["place"])
        return _answer(request, "core/_reveal.html", context | {"form": RevealForm()})
    form = RevealForm(request.POST)
    if form.is_valid():
        try:
            value = reveal.reveal(
                actor=request.user, instance=instance, field=field, at=clock.now(), **form.cleaned_data
            )
        except reveal.QuotaUsedUp:
            form.add_error(
                None, _("You have seen as many values today as the bank allows. Ask your supervisor.")
            )
        except crypto.Unreadable:
            # Moved from another row, or of a lost key: somebody has to look.
            log.error("%s.%s of %s cannot be read", model, field, key)
            form.add_error(None, _("This value cannot be read. The security officer has to look at it."))
        else:
            seconds = int(reveal.SHOWN_FOR.total_seconds())
            return _answer(request, "core/_revealed.html", context | {"value": value, "seconds": seconds})
    return _answer(request, "core/_reveal.html", context | {"form": form}, status=422)


def _answer(request: HttpRequest, fragment: str, context: dict, status: int = 200) -> HttpResponse:
    if request.htmx:
        return render(request, fragment, context, status=status)
    # Opened as a page, without scripts: whole, and it goes away by itself too.
    response = render(request, "core/reveal.html", context | {"fragment": fragment}, status=status)
    if "seconds" in context:
        response["Refresh"] = f"{context['seconds']}; url={request.path}"
    return response
