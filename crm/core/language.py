"""The language of a page: the person's own choice, else the browser's cookie, else Chinese."""

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from crm.core import audit
from crm.core.access import require
from crm.core.models import User

LANGUAGES = frozenset(code for code, _name in settings.LANGUAGES)


class LanguageMiddleware:
    """Stands before the sign-in middleware, so the person's choice is read when the view is about to run."""

    def __init__(self, get_response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        cookie = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME)
        self._speak(request, cookie if cookie in LANGUAGES else settings.LANGUAGE_CODE)
        response = self.get_response(request)
        response.headers.setdefault("Content-Language", request.LANGUAGE_CODE)
        return response

    def process_view(self, request: HttpRequest, view, args, kwargs) -> None:
        chosen = getattr(request.user, "language", "") if request.user.is_authenticated else ""
        if chosen in LANGUAGES:
            self._speak(request, chosen)

    @staticmethod
    def _speak(request: HttpRequest, language: str) -> None:
        translation.activate(language)
        request.LANGUAGE_CODE = language


@transaction.atomic
def set_language(*, actor, language: str) -> None:
    """Keep the person's language with the account. Raises ValueError for one the product does not speak."""
    require(actor, "account.set_language")
    if language not in LANGUAGES:
        raise ValueError(language)
    # request.user is a lazy wrapper: its type is not the model.
    User.objects.filter(pk=actor.pk).update(language=language)
    audit.record(actor, "account.set_language", actor, payload={"language": language})
