"""Screens of signing in and out, one-time links, passwords and the language."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from crm.core import clock, language
from crm.core import sign_in as signing
from crm.core.access import needs, public
from crm.core.forms import ChangePasswordForm, NewPasswordForm, SignInForm
from crm.core.requests import relative

YEAR = 365 * 24 * 3600
# Whatever the browser kept of this person: the next one at this computer must not find it.
CLEAR_SITE_DATA = '"cache", "cookies", "storage"'


@public("Nobody is signed in yet.")
@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("password")
def sign_in(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect(relative(request.GET.get("next")))
    if request.method == "GET":
        return render(
            request, "core/sign_in.html", {"form": SignInForm(initial={"next": request.GET.get("next", "")})}
        )
    form = SignInForm(request.POST)
    if not form.is_valid():
        return render(request, "core/sign_in.html", {"form": form}, status=422)
    answer = signing.sign_in(
        request=request,
        username=form.cleaned_data["username"],
        password=form.cleaned_data["password"],
        at=clock.now(),
    )
    if answer.user:
        return redirect(relative(form.cleaned_data["next"]))
    if answer.token:
        return redirect("welcome", token=answer.token)
    if answer.wait:
        form.add_error(None, _wait_text(answer.wait))
        response = render(request, "core/sign_in.html", {"form": form}, status=429)
        response["Retry-After"] = str(answer.wait)
        return response
    # The same words whether the name is unknown, the password wrong or the account closed.
    form.add_error(None, _("User name and password do not match."))
    return render(request, "core/sign_in.html", {"form": form}, status=422)


@needs("account.sign_out")
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    signing.sign_out(request=request)
    response = redirect("sign_in")
    response["Clear-Site-Data"] = CLEAR_SITE_DATA
    return response


@public("The one-time link is the proof.")
@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("password", "again")
def welcome(request: HttpRequest, token: str) -> HttpResponse:
    """Let the holder of a one-time link choose a password; he is signed in with it."""
    at = clock.now()
    form = NewPasswordForm(request.POST or None, profile=settings.PASSWORD_PROFILE)
    try:
        invited = signing.invitation(token, at)
        if request.method == "POST" and form.is_valid():
            signing.accept_invitation(
                request=request, token=token, password=form.cleaned_data["password"], at=at
            )
            return redirect("/")
    except signing.LinkNotValid:
        return _without_referrer(render(request, "core/welcome.html", {"invited": None}, status=404))
    except ValidationError as broken:
        form.add_error("password", broken)
    status = 422 if request.method == "POST" else 200
    page = render(request, "core/welcome.html", {"invited": invited, "form": form}, status=status)
    return _without_referrer(page)


def _without_referrer(response: HttpResponse) -> HttpResponse:
    response["Referrer-Policy"] = "no-referrer"  # the address is the secret
    return response


@needs("account.change_password")
@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("current", "password", "again")
def change_password(request: HttpRequest) -> HttpResponse:
    form = ChangePasswordForm(request.POST or None, profile=settings.PASSWORD_PROFILE)
    if request.method == "POST" and form.is_valid():
        try:
            answer = signing.change_password(
                request=request,
                current=form.cleaned_data["current"],
                password=form.cleaned_data["password"],
                at=clock.now(),
            )
        except ValidationError as broken:
            form.add_error("password", broken)
        else:
            if answer.user:
                return redirect("/")
            form.add_error(
                "current", _wait_text(answer.wait) if answer.wait else _("This is not your password.")
            )
    status = 422 if request.method == "POST" else 200
    return render(request, "core/change_password.html", {"form": form}, status=status)


@public("The sign-in page speaks both languages.")
@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Keep the language: in a cookie for the browser, and with the account for somebody signed in."""
    chosen = request.POST.get("language", "")
    if chosen not in language.LANGUAGES:
        return HttpResponseBadRequest(_("This language is not spoken here."))
    if request.user.is_authenticated:
        language.set_language(actor=request.user, language=chosen)
    response = redirect(relative(request.POST.get("next")))
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        chosen,
        max_age=YEAR,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


def _wait_text(seconds: int) -> str:
    text = ngettext(
        "Too many tries. Try again in %(n)d second.", "Too many tries. Try again in %(n)d seconds.", seconds
    )
    return text % {"n": seconds}
