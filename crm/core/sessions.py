"""How long a sign-in lasts: idle and absolute limits, and how many browsers at once, all kept on the server.

Django's session row holds the data; :class:`LiveSession` holds the limits. A request that nobody made (a fragment that
polls) says so with the header ``X-Background`` and does not count as activity.
"""

import datetime

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse

from crm.core import audit, clock
from crm.core.access import require, works_here
from crm.core.models.sign_in import FailedSignIns, LiveSession

TOUCH_EVERY = 60


class AccountBackend(BaseBackend):
    """Loads the person of a session with post and branch, anew on every request. Passwords are checked by the verb
    ``sign_in`` alone, so nothing can be signed in past its counting."""

    def get_user(self, user_id):
        return (
            get_user_model()
            .objects.select_related("staff__branch")
            .filter(pk=user_id, is_active=True)
            .first()
        )


@receiver(user_logged_in)
def begin(sender, request: HttpRequest, user, **kwargs) -> None:
    """Register the browser that just signed in; over the limit, the oldest ones are signed out."""
    at = clock.now()
    if request.session.session_key is None:
        request.session.save()  # Django drops another person's session and gives the new one its key only later
    with transaction.atomic():
        # Two sign-ins at once must not both count themselves the last one allowed.
        get_user_model().objects.select_for_update(of=("self",)).get(pk=user.pk)
        LiveSession.objects.update_or_create(
            session_key=request.session.session_key,
            defaults={"user": user, "created_at": at, "last_seen_at": at},
        )
        for left_behind in LiveSession.objects.filter(user=user, last_seen_at__lt=at - _idle()):
            end(left_behind, why="idle")
        live = LiveSession.objects.filter(user=user).order_by("-created_at", "-pk")
        for surplus in live[settings.SESSION_CONCURRENT_LIMIT :]:
            end(surplus, why="too_many")


def end(session: LiveSession, *, why: str, actor=None) -> None:
    """Sign one browser out, wherever it is, and say so in the audit trail."""
    with transaction.atomic():
        SessionStore(session.session_key).delete()
        if not LiveSession.objects.filter(pk=session.pk).delete()[0]:
            return  # somebody else ended it this moment, and wrote it down
        audit.record(actor or session.user, "account.session_ended", session.user, payload={"why": why})


def end_all(*, actor, user, keep: str | None = None) -> int:
    """Sign a person out of every browser; returns how many. Anybody may do it to himself, others need the right."""
    if actor.pk != user.pk:
        require(actor, "staff.end_sessions")
    with transaction.atomic():
        sessions = list(
            LiveSession.objects.select_for_update(of=("self",))
            .filter(user=user)
            .exclude(session_key=keep or "")
        )
        for session in sessions:
            end(session, why="ended_by_person" if actor.pk == user.pk else "ended_by_officer", actor=actor)
    return len(sessions)


def sweep(at: datetime.datetime) -> int:
    """End every session nobody came back to, and forget old failures; returns how many sessions. Safe to repeat."""
    left_behind = list(LiveSession.objects.select_related("user").filter(last_seen_at__lt=at - _idle()))
    for session in left_behind:
        end(session, why="idle")
    Session.objects.filter(expire_date__lt=at).delete()
    FailedSignIns.objects.filter(last_at__lt=at - datetime.timedelta(days=1)).delete()
    return len(left_behind)


def _idle() -> datetime.timedelta:
    return datetime.timedelta(seconds=settings.SESSION_IDLE_SECONDS)


def limit_passed(live: LiveSession | None, user, at: datetime.datetime) -> str | None:
    """Return why the session may not go on, or None."""
    if live is None:
        return "ended"
    if (at - live.last_seen_at).total_seconds() > settings.SESSION_IDLE_SECONDS:
        return "idle"
    if (at - live.created_at).total_seconds() > settings.SESSION_ABSOLUTE_SECONDS:
        return "too_long"
    if not works_here(user, clock.business_date(at)):
        return "not_working_here"
    return None


class SessionLimitsMiddleware:
    """Turns whoever is over a limit, or no longer works here, into nobody before the view runs."""

    def __init__(self, get_response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            self._judge(request, clock.now())
        return self.get_response(request)

    @staticmethod
    def _judge(request: HttpRequest, at: datetime.datetime) -> None:
        live = LiveSession.objects.filter(
            session_key=request.session.session_key, user_id=request.user.pk
        ).first()
        why = limit_passed(live, request.user, at)
        if why:
            if live is not None:
                live.user = request.user
                end(live, why=why)
            request.session.flush()
            request.user = AnonymousUser()
        elif _is_due(live, at) and "X-Background" not in request.headers:
            # Once a minute is enough for a limit of minutes, and spares a write on every page.
            LiveSession.objects.filter(pk=live.pk).update(last_seen_at=at)


def _is_due(live: LiveSession, at: datetime.datetime) -> bool:
    return (at - live.last_seen_at).total_seconds() >= min(TOUCH_EVERY, settings.SESSION_IDLE_SECONDS / 4)
