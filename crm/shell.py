"""What frames every page: navigation by right, freshness of the data, language.

Everything is worked out when the template first asks for it, so a fragment that shows no frame pays for none.
"""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import cached_property
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from crm.core import access, approvals
from crm.core.models import Run, RunState


@dataclass(frozen=True)
class Entry:
    """One way into the product: the URL's name, its words and icon, and the verb it takes to open it."""

    url_name: str
    label: Any
    icon: str
    verb: str


# The three functions of the trade (find, deal with, analyse), then service and administration.
HOME = Entry("home", _("Today"), "home", "home.view")
SECTIONS: tuple[tuple[str, Any, tuple[Entry, ...]], ...] = (
    (
        "discover",
        _("Discover"),
        (
            Entry("customers", _("Customers"), "users", "customers.view"),
            Entry("quality", _("Data to fix"), "clipboard-check", "customers.view_quality"),
        ),
    ),
    ("engage", _("Engage"), (Entry("alerts", _("Alerts"), "alert-triangle", "alerts.view"),)),
    (
        "analyse",
        _("Analyse"),
        (Entry("overview", _("Bank overview"), "chart-bar", "overview.view"),),
    ),
    ("service", _("Service"), ()),
    (
        "administration",
        _("Administration"),
        (
            Entry("feeds", _("Data feeds"), "database-import", "feeds.view"),
            Entry("nights", _("Nightly runs"), "moon", "nights.view"),
            Entry("parameters", _("Parameters"), "adjustments", "parameters.view"),
            Entry("org", _("Branches"), "sitemap", "org.view"),
            Entry("staff", _("Staff"), "id-badge-2", "staff.view"),
            Entry("approvals", _("Approvals"), "checks", "approvals.view"),
            Entry("rights", _("Rights"), "key", "rights.view"),
            Entry("audit", _("Audit trail"), "shield-check", "audit.view"),
        ),
    ),
)


@dataclass(frozen=True)
class Link:
    """An entry this person may open, with its address; ``active`` when the page shown lies under it."""

    label: Any
    icon: str
    href: str
    active: bool


@dataclass(frozen=True)
class Section:
    key: str
    label: Any
    links: tuple[Link, ...]


# What a run is called where somebody waits for it, and where he watches it.
RUNS: dict[str, tuple[Any, str]] = {
    "night": (_("Nightly run"), "night"),
    "feed_upload": (_("Upload"), "feed_uploaded"),
}
RUNS_SHOWN = 3


@dataclass(frozen=True)
class Job:
    """Work under way: what, for which day, how far, and where to watch it."""

    label: Any
    day: datetime.date
    progress: str
    href: str


@dataclass(frozen=True)
class Language:
    code: str
    name: str
    active: bool


def address(url_name: str) -> str | None:
    """The address of a URL that takes no arguments, or None while no such URL exists."""
    try:
        return reverse(url_name)
    except NoReverseMatch:
        return None


class Shell:
    """The frame of one page for one reader."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request

    @cached_property
    def signed_in(self) -> bool:
        user = getattr(self.request, "user", None)
        return bool(user and user.is_authenticated)

    @cached_property
    def home(self) -> Link | None:
        return self._link(HOME)

    @cached_property
    def sections(self) -> list[Section]:
        """The sections this person has anything in."""
        found = []
        for key, label, entries in SECTIONS:
            links = tuple(link for entry in entries if (link := self._link(entry)))
            if links:
                found.append(Section(key, label, links))
        return found

    @cached_property
    def customers(self) -> Link | None:
        return self._link(SECTIONS[0][2][0])

    @cached_property
    def feeds(self) -> Link | None:
        return self._link(SECTIONS[4][2][0])

    @property
    def pages(self) -> Iterator[Link]:
        """Every page this person may open, for the palette."""
        if self.home:
            yield self.home
        for section in self.sections:
            yield from section.links

    def _link(self, entry: Entry) -> Link | None:
        if not self.signed_in or not access.may(self.request.user, entry.verb):
            return None
        href = address(entry.url_name)
        if href is None:
            return None
        path = self.request.path
        return Link(entry.label, entry.icon, href, path == href or (href != "/" and path.startswith(href)))

    @cached_property
    def freshness(self) -> Any:
        """How old and how well checked the data on screen is; None for outsiders."""
        from customers.feeds.freshness import freshness  # models must be loaded first

        return freshness(self.request.user) if self.signed_in else None

    @property
    def night_read(self) -> Any:
        """The night whose figures the page shows (``segmentation.reading``); the page must be rendered before it is asked."""
        from segmentation.reading import read_by  # models must be loaded first

        return read_by(self.request) if self.signed_in else None

    @cached_property
    def jobs(self) -> list[Job]:
        """Runs that are not finished, newest first, for those who may watch them."""
        if not self.signed_in or not access.may(self.request.user, "nights.view"):
            return []
        open_states = (RunState.WAITING, RunState.RUNNING, RunState.FAILED)
        runs = Run.objects.filter(state__in=open_states, kind__in=RUNS).order_by("-id")[:RUNS_SHOWN]
        return [
            Job(label, run.business_date, run.progress, reverse(url_name, kwargs={"run_id": run.pk}))
            for run in runs
            for label, url_name in [RUNS[run.kind]]
        ]

    @cached_property
    def waiting(self) -> int:
        """How many proposals wait for this person's decision."""
        if not self.signed_in or not access.may(self.request.user, "approvals.decide"):
            return 0
        return approvals.waiting_for(self.request.user).count()

    @cached_property
    def search(self) -> str | None:
        if not self.signed_in or not access.may(self.request.user, "customers.view"):
            return None
        return address("search")

    @property
    def sign_out(self) -> str | None:
        return address("sign_out")

    @property
    def set_language(self) -> str | None:
        return address("set_language")

    @property
    def change_password(self) -> str | None:
        return address("change_password")

    @property
    def languages(self) -> list[Language]:
        now = get_language()
        return [Language(code, name, code == now) for code, name in settings.LANGUAGES]

    @property
    def chinese(self) -> bool:
        return (get_language() or "").startswith("zh")

    @property
    def narrow(self) -> bool:
        """Whether this browser keeps the sidebar down to its icons; read here so that no page jumps."""
        return self.request.COOKIES.get("crm_sidebar") == "narrow"


def shell(request: HttpRequest) -> dict[str, Shell]:
    """Context processor: ``shell`` in every template."""
    return {"shell": Shell(request)}
