"""What the nights have told a reader: alerts of his customers as sentences in his language, and how many of which kind.

An alert counts only while its run is the published run of its date: what a superseded attempt told, nobody was told.
"""

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.db.models import Case, Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Value, When
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext

from crm.core.privacy.masks import mask
from crm.core.scope import sees_bank
from crm.core.templatetags import display
from customers import facts
from customers.models import Account, Customer
from customers.models.accounts import FiveClass
from customers.models.parties import PartyKind
from segmentation import scorecard
from segmentation.models import Alert, AlertKind, Level, PublishedNight, RelatedShare, Standing, Tier

LAST_DAYS = 30  # how far back the list goes
ON_A_CUSTOMER = 90  # and a customer's own page
# The level in words and its colour on screen: a warning is never told by colour alone.
MARKS = {
    Level.RED: "mark-bad",
    Level.ORANGE: "mark-warn",
    Level.YELLOW: "mark-warn",
    Level.BLUE: "mark-accent",
    Level.NOTE: "",
}
GRAVITY = Case(
    *[When(level=level, then=Value(place)) for place, level in enumerate(Level.values)],
    output_field=IntegerField(),
)
MOST_AT_STAKE = F("stake").desc(nulls_last=True)
# What a firm lacks to a tier is of the contribution with those related to it.
OF_RELATED = Q(kind__in=[AlertKind.NEAR_UP, AlertKind.NEAR_DOWN], customer__kind=PartyKind.CORPORATE)


@dataclass(frozen=True)
class Told:
    """One alert as a reader sees it: of whom, as a sentence with reason, figure, money at stake and account."""

    alert: Alert
    name: str = field(repr=False)
    sentence: str = field(repr=False)

    @property
    def pk(self) -> int:
        return self.alert.pk

    @property
    def customer(self) -> Customer:
        return self.alert.customer

    @property
    def amount(self) -> Decimal | None:
        """The money at stake; None where it may not be told."""
        return self.alert.stake

    @property
    def mark(self) -> str:
        return MARKS[Level(self.alert.level)]


@dataclass
class Kind:
    """How often one kind was told in some days: by level (gravest first, none left out), and on the last night."""

    kind: str
    levels: dict[str, int] = field(default_factory=lambda: dict.fromkeys(Level.values, 0))
    last_night: int = 0

    @property
    def words(self) -> Any:
        return AlertKind(self.kind).label

    @property
    def count(self) -> int:
        return sum(self.levels.values())


@dataclass(frozen=True)
class Counts:
    """What was told since ``days`` days, by kind, most first. ``chosen`` (branch, kind of customer) is part of each link."""

    days: int
    kinds: list[Kind]
    chosen: dict[str, str]

    @property
    def levels(self) -> list[tuple[str, Any, int, str]]:
        """(level, words, how many, link) of each level that was told, gravest first."""
        found = {level: sum(kind.levels[level] for kind in self.kinds) for level in Level}
        return [(lv, lv.label, n, self.href(level=lv)) for lv, n in found.items() if n]

    @property
    def level_words(self) -> list[Any]:
        return [level.label for level in Level]

    @property
    def total(self) -> int:
        return sum(kind.count for kind in self.kinds)

    @property
    def last_night(self) -> int:
        return sum(kind.last_night for kind in self.kinds)

    @property
    def all_href(self) -> str:
        return self.href()

    @property
    def last_night_href(self) -> str:
        return link(days="1", **self.chosen)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The kinds with the link behind each of their numbers."""
        return [
            {
                "kind": kind,
                "href": self.href(kind=kind.kind),
                "last_night_href": link(days="1", **self.chosen | {"kind": kind.kind}),
                "levels": [
                    (Level(level).label, n, self.href(kind=kind.kind, level=level))
                    for level, n in kind.levels.items()
                ],
            }
            for kind in self.kinds
        ]

    def href(self, **more: str) -> str:
        return link(days=str(self.days), **self.chosen | more)


def link(**chosen: str) -> str:
    """Return the address of the list of alerts with exactly these filters; the list goes back LAST_DAYS by itself."""
    kept = {
        name: str(value)
        for name, value in chosen.items()
        if value and (name, value) != ("days", str(LAST_DAYS))
    }
    return reverse("alerts") + ("?" + urlencode(kept) if kept else "")


def since(night: PublishedNight | Standing, days: int) -> datetime.date:
    """Return the first of the ``days`` days that end with the night's."""
    return night.as_of - datetime.timedelta(days=days - 1)


def of_reader(user, night: PublishedNight | Standing | None, *, days: int = LAST_DAYS) -> QuerySet[Alert]:
    """Return what was told of the customers a reader sees on the last ``days`` days up to the night: gravest first, then
    the most money at stake, each with its customer, branch, manager and account. Nothing before the first night.

    ``stake`` is the amount, or NULL where it would tell of one or two customers outside the reader's scope.
    """
    rows = Alert.objects.visible_to(user).annotate(gravity=GRAVITY, stake=_stake(user, night))
    rows = rows.order_by("gravity", MOST_AT_STAKE, "-pk")
    if night is None:
        return rows.none()
    first = since(night, days)
    published = PublishedNight.objects.filter(business_date__range=(first, night.as_of))
    rows = rows.filter(raised_on__gte=first, run_id__in=published.values("run_id"))
    return rows.select_related("customer__branch", "customer__manager", "account__product")


def _stake(user, night: PublishedNight | Standing | None) -> Any:
    if night is None or sees_bank(user):
        return F("amount")
    seen = Customer.objects.visible_to(user).filter(pk=OuterRef("member_id"))
    hidden = RelatedShare.objects.visible_to(user).filter(
        ~Exists(seen), run_id=night.run_id, customer_id=OuterRef("customer_id")
    )
    count = hidden.order_by().values("customer_id").annotate(n=Count("member_id")).values("n")
    few = Exists(count.filter(n__lt=scorecard.FEWEST_HIDDEN))
    # Asked of the firms concerned alone: the first condition that holds ends the case.
    return Case(When(~OF_RELATED, then=F("amount")), When(few, then=Value(None)), default=F("amount"))


def first_of_today(user, night: PublishedNight, *, days: int, count: int) -> list[Told]:
    """Return what to look at first this morning: what last night told, then what was told before in ``days`` days, each the
    gravest and most valuable first; one query."""
    tonight = Case(When(raised_on=night.as_of, then=Value(0)), default=Value(1))
    rows = of_reader(user, night, days=days).order_by(tonight, "gravity", MOST_AT_STAKE, "-pk")
    return [told(alert, user) for alert in rows[:count]]


def of_customer(user, customer_id: int, night: PublishedNight | Standing | None) -> list[Told]:
    """Return what was told of one customer lately, newest first; one query. ``night`` may be his standing of it."""
    rows = of_reader(user, night, days=ON_A_CUSTOMER).filter(customer_id=customer_id)
    return [told(alert, user) for alert in rows.order_by("-raised_on", "gravity", MOST_AT_STAKE, "-pk")]


def counts(
    user, night: PublishedNight, *, days: int, places: list[int] | None = None, **chosen: str
) -> Counts:
    """Return how many alerts of which kind and level a reader was told in ``days`` days; one query.

    ``places`` narrows it to the branches of ``chosen["branch"]``; ``chosen["of"]`` to individuals or corporates.
    """
    rows = of_reader(user, night, days=days).order_by()
    if places is not None:
        rows = rows.filter(customer__branch_id__in=places)
    if chosen.get("of"):
        rows = rows.filter(customer__kind=chosen["of"])
    found: dict[str, Kind] = {}
    tonight = Count("pk", filter=Q(raised_on=night.as_of))
    for row in rows.select_related(None).values("kind", "level").annotate(n=Count("pk"), tonight=tonight):
        kind = found.setdefault(row["kind"], Kind(row["kind"]))
        kind.levels[row["level"]] += row["n"]
        kind.last_night += row["tonight"]
    return Counts(days, sorted(found.values(), key=lambda k: (-k.count, k.kind)), chosen)


def told(alert: Alert, user) -> Told:
    """Return an alert with its customer's name as the reader may see it and its sentence in his language."""
    return Told(alert, facts.name_of(alert.customer, user), sentence(alert))


def sentence(alert: Alert) -> str:
    """Return what happened, by how much, and on which account, in the reader's language. ``alert`` comes from
    :func:`of_reader`, which knows what may be told."""
    return _SENTENCES[alert.kind](alert)


def _money(amount: Decimal | None) -> str:
    return "—" if amount is None else display.exact(abs(amount))


def _share(figure: Decimal | None) -> str:
    return "—" if figure is None else f"{abs(figure) * 100:.0f}%"


def _account(account: Account | None) -> str:
    """The product and the end of the number: enough to find it, too little to give away."""
    if account is None:
        return gettext("An account")
    return gettext("%(product)s %(account)s") % {
        "product": capfirst(account.product.get_family_display()),
        "account": mask("account", account.account_no),
    }


def _until(alert: Alert) -> str:
    """When something falls due, counted from the night that said so."""
    if alert.due_on is None:
        return "—"
    days = (alert.due_on - alert.raised_on).days
    if days < 0:
        return gettext("on %(day)s") % {"day": alert.due_on}
    if days == 0:
        return gettext("on the same day")
    words = ngettext("in %(count)d day", "in %(count)d days", days) % {"count": days}
    return gettext("%(words)s (%(day)s)") % {"words": words, "day": alert.due_on}


def _named(alert: Alert, choices: Any) -> dict[str, str]:
    names = dict(choices.choices)
    return {"was": names.get(alert.was, alert.was), "becomes": names.get(alert.becomes, alert.becomes)}


def _deposits_down(alert: Alert) -> str:
    if alert.figure is not None and alert.figure > 1:  # a share above the whole is no share
        return gettext("Deposits are overdrawn, %(amount)s below the day-average of the three months before") % {
            "amount": _money(alert.amount),
        }  # fmt: skip
    return gettext("Deposits are %(share)s below the day-average of the three months before (−%(amount)s)") % {
        "share": _share(alert.figure), "amount": _money(alert.amount),
    }  # fmt: skip


def _large_outflow(alert: Alert) -> str:
    if alert.figure is None or alert.figure > 1:  # more than there was: a share of it would say nothing
        return gettext("%(amount)s left on one day") % {"amount": _money(alert.amount)}
    return gettext("%(amount)s left on one day, %(share)s of the deposits") % {
        "amount": _money(alert.amount), "share": _share(alert.figure),
    }  # fmt: skip


def _large_inflow(alert: Alert) -> str:
    return gettext("%(amount)s came in on one day") % {"amount": _money(alert.amount)}


def _maturity(alert: Alert) -> str:
    return gettext("%(account)s: %(amount)s falls due %(until)s") % {
        "account": _account(alert.account), "amount": _money(alert.amount), "until": _until(alert),
    }  # fmt: skip


def _overdue_days(alert: Alert) -> str:
    days = int(alert.figure or 0)
    return ngettext("%(count)d day", "%(count)d days", days) % {"count": days}


def _first_overdue(alert: Alert) -> str:
    return gettext("%(account)s is overdue for the first time, %(days)s by now, %(amount)s owed") % {
        "account": _account(alert.account), "days": _overdue_days(alert), "amount": _money(alert.amount),
    }  # fmt: skip


def _class_downgraded(alert: Alert) -> str:
    return gettext("%(account)s was downgraded from “%(was)s” to “%(becomes)s”, %(amount)s owed") % {
        "account": _account(alert.account), "amount": _money(alert.amount), **_named(alert, FiveClass),
    }  # fmt: skip


def _class_mismatch(alert: Alert) -> str:
    return gettext("%(account)s is classed “%(was)s” though %(days)s overdue ask for “%(becomes)s”, %(amount)s owed") % {
        "account": _account(alert.account), "days": _overdue_days(alert), "amount": _money(alert.amount),
        **_named(alert, FiveClass),
    }  # fmt: skip


def _identity_expiring(alert: Alert) -> str:
    if alert.due_on is not None and alert.due_on < alert.raised_on:
        return gettext("The identity document ran out %(until)s") % {"until": _until(alert)}
    return gettext("The identity document runs out %(until)s") % {"until": _until(alert)}


def _assessment_expiring(alert: Alert) -> str:
    return gettext("The risk assessment runs out %(until)s") % {"until": _until(alert)}


def _tier_won(alert: Alert) -> str:
    return gettext("The tier rose from “%(was)s” to “%(becomes)s”") % _named(alert, Tier)


def _tier_lost(alert: Alert) -> str:
    return gettext("The tier fell from “%(was)s” to “%(becomes)s”") % _named(alert, Tier)


def _near_up(alert: Alert) -> str:
    names = {"amount": _money(alert.stake), **_named(alert, Tier)}
    if alert.stake is None:
        return gettext("Close to “%(becomes)s”") % names
    if alert.stake <= 0:
        return gettext("The figures have reached “%(becomes)s”: the tier changes at month end") % names
    return gettext("%(amount)s short of “%(becomes)s”") % names


def _near_down(alert: Alert) -> str:
    names = {"amount": _money(alert.stake), **_named(alert, Tier)}
    if alert.stake is None:
        return gettext("“%(was)s” is at risk: “%(becomes)s” is next") % names
    if alert.stake < 0:
        return gettext("%(amount)s below the line of “%(was)s”: “%(becomes)s” is next") % names
    return gettext("%(amount)s above the line from which “%(was)s” is lost") % names


_SENTENCES: dict[str, Callable[[Alert], str]] = {
    AlertKind.DEPOSITS_DOWN: _deposits_down,
    AlertKind.LARGE_OUTFLOW: _large_outflow,
    AlertKind.LARGE_INFLOW: _large_inflow,
    AlertKind.MATURITY: _maturity,
    AlertKind.FIRST_OVERDUE: _first_overdue,
    AlertKind.CLASS_DOWNGRADED: _class_downgraded,
    AlertKind.CLASS_MISMATCH: _class_mismatch,
    AlertKind.IDENTITY_EXPIRING: _identity_expiring,
    AlertKind.ASSESSMENT_EXPIRING: _assessment_expiring,
    AlertKind.TIER_WON: _tier_won,
    AlertKind.TIER_LOST: _tier_lost,
    AlertKind.NEAR_UP: _near_up,
    AlertKind.NEAR_DOWN: _near_down,
}
