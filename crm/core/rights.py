"""The table of rights as people read it: which post may do which verb, grouped by the noun before the dot."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from crm.core.access import VERBS
from crm.core.models.people import Post

# The verbs in words. A verb without words here shows its dotted name: it is never hidden.
WORDS: dict[str, Any] = {
    "home.view": _("see today's page"),
    "account.sign_out": _("sign out"),
    "account.set_language": _("choose the language"),
    "account.change_password": _("change one's own password"),
    "customers.view": _("see customers in one's scope"),
    "customers.view_accounts": _("see accounts, bookings and contribution"),
    "customers.view_quality": _("see the data to fix"),
    "customers.assign": _("assign a manager"),
    "privacy.reveal": _("show a masked value for a purpose"),
    "feeds.view": _("see the data feeds"),
    "feeds.upload": _("upload a batch"),
    "feeds.override": _("replace a batch or accept a gap, with a second person"),
    "feeds.download_rejects": _("download rejected rows"),
    "nights.view": _("see the nightly runs"),
    "nights.start": _("start a nightly run"),
    "alerts.view": _("see what the night tells of customers in one's scope"),
    "overview.view": _("see the overview"),
    "parameters.view": _("see the parameters"),
    "parameters.set": _("set a parameter, with a second person"),
    "org.view": _("see the branches"),
    "staff.view": _("see colleagues"),
    "staff.invite": _("give a one-time link"),
    "staff.suspend": _("suspend an account"),
    "staff.restore": _("lift a suspension"),
    "staff.end_sessions": _("sign somebody out everywhere"),
    "rights.view": _("see this table"),
    "tiers.override": _("give a tier against the figures, with a second person"),
    "approvals.view": _("see approvals"),
    "approvals.decide": _("approve or reject"),
    "audit.view": _("read the audit trail"),
    "audit.verify": _("verify the audit trail"),
}
GROUPS: dict[str, Any] = {
    "home": _("Today"),
    "account": _("One's own account"),
    "customers": _("Customers"),
    "privacy": _("Privacy"),
    "feeds": _("Data feeds"),
    "nights": _("Nightly runs"),
    "alerts": _("Alerts"),
    "overview": _("Bank overview"),
    "org": _("Branches"),
    "staff": _("Staff"),
    "rights": _("Rights"),
    "tiers": _("Tiers"),
    "approvals": _("Approvals"),
    "audit": _("Audit trail"),
    "parameters": _("Parameters"),
}


@dataclass(frozen=True)
class Row:
    """One verb and, in the order of :func:`posts`, whether each post may do it."""

    verb: str
    words: Any
    allowed: tuple[tuple[Any, bool], ...]


@dataclass(frozen=True)
class Group:
    name: Any
    rows: tuple[Row, ...]


def posts() -> list[Any]:
    return [Post(post).label for post in Post]


def table() -> list[Group]:
    """Return every verb of the product, grouped; nothing is left out."""
    rows: dict[str, list[Row]] = {}
    for verb, holders in VERBS.items():
        allowed = tuple((Post(post).label, post in holders) for post in Post)
        rows.setdefault(verb.split(".")[0], []).append(Row(verb, WORDS.get(verb, verb), allowed))
    return [Group(GROUPS.get(noun, noun), tuple(found)) for noun, found in rows.items()]


def of_post(post: str) -> list[Any]:
    """Return what a post may do, in words."""
    return [WORDS.get(verb, verb) for verb, holders in VERBS.items() if post in holders]
