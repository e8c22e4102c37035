"""What a reader has chosen on the pages of the overview: all of it codes in the address, the same on each of them."""

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.core import places
from crm.core.scope import sees_bank
from customers.models.parties import PartyKind
from segmentation import structure

COUNTS = (5, 10, 20)
# A figure of customers ranks customers; an average over customers ranks branches.
INDICATORS = (
    ("contribution", gettext_lazy("Contribution, year")),
    ("related", gettext_lazy("Related contribution")),
    ("points", gettext_lazy("Related points")),
    ("loyalty", gettext_lazy("Loyalty")),
    ("risk", gettext_lazy("Risk")),
    ("deposit", gettext_lazy("Deposit per customer")),
    ("loan", gettext_lazy("Loan per customer")),
    ("assets", gettext_lazy("Assets, month")),
    ("deposits", gettext_lazy("Deposits, month")),
    ("loans", gettext_lazy("Loans")),
)
OF_BRANCHES = ("deposit", "loan")
EXTRA = ("related", "points", "loyalty", "risk")  # no column of the table of the first shows them by itself
PER = {
    "deposit": {
        "holders": gettext_lazy("per customer with deposits"),
        "all": gettext_lazy("per open customer"),
        "accounts": gettext_lazy("per account"),
    },
    "loan": {
        "holders": gettext_lazy("per customer with loans"),
        "all": gettext_lazy("per open customer"),
        "accounts": gettext_lazy("per account"),
    },
}
PER_CHOICES = {
    "holders": gettext_lazy("customers who have any"),
    "all": gettext_lazy("all open customers"),
    "accounts": gettext_lazy("accounts"),
}
SPLITS = ("tier", "branch", "manager")
PAGES = (
    ("overview", gettext_lazy("Overview")),
    ("trends", gettext_lazy("Trends")),
    ("retention", gettext_lazy("Retention")),
    ("rfm", gettext_lazy("Value matrix")),
)
DEFAULTS = {"by": "contribution", "top": "5", "branch": "", "kind": "", "per": "holders", "split": "tier"}


@dataclass(frozen=True)
class Choice:
    """An indicator, how many, a branch, a kind of customer, what averages divide by, what retention is split by."""

    by: str = "contribution"
    count: int = 5
    branch: str = ""
    kind: str = ""
    per: str = "holders"
    split: str = "tier"

    def values(self) -> dict[str, str]:
        """Return what differs from the defaults, as parameters of an address."""
        all_of_them = {
            "by": self.by, "top": str(self.count), "branch": self.branch, "kind": self.kind, "per": self.per,
            "split": self.split,
        }  # fmt: skip
        return {name: value for name, value in all_of_them.items() if value != DEFAULTS[name]}

    def query(self, **changes: Any) -> str:
        return "?" + urlencode(replace(self, **changes).values())

    @property
    def hidden(self) -> dict[str, str]:
        """What a form that asks for the branch keeps beside it."""
        return {name: value for name, value in self.values().items() if name != "branch"}


def read(request: HttpRequest, branches: list[tuple[str, str]]) -> Choice:
    """Return the choice of the address; what is unknown or out of scope is ignored."""

    def one_of(name: str, known: Any) -> str:
        value = request.GET.get(name, "")
        return value if value in known else DEFAULTS[name]

    return Choice(
        by=one_of("by", dict(INDICATORS)),
        count=int(one_of("top", [str(count) for count in COUNTS])),
        branch=one_of("branch", dict(branches)),
        kind=one_of("kind", PartyKind.values),
        per=one_of("per", structure.PER),
        split=one_of("split", SPLITS),
    )


def frame(request: HttpRequest, page: str) -> dict[str, Any]:
    """Return what every page of the overview begins with: place, pages, branches and kinds to choose from."""
    branches = places.choices(request)
    choice = read(request, branches)
    own = "" if sees_bank(request.user) else request.user.staff.branch.name
    where = {name: value for name, value in choice.values().items() if name in ("branch", "kind")}
    query = "?" + urlencode(where) if where else ""
    return {
        "choice": choice,
        "branches": branches,
        "place": dict(branches)[choice.branch].strip() if choice.branch else own,
        "kinds": _switch(choice, "kind", _kinds()),
        "pages": [
            {"label": label, "href": reverse(name) + query, "active": name == page} for name, label in PAGES
        ],
    }


def tabs(choice: Choice) -> list[dict[str, Any]]:
    return _switch(choice, "by", dict(INDICATORS))


def counts(choice: Choice) -> list[dict[str, Any]]:
    return _switch(choice, "count", {count: count for count in COUNTS})


def divisors(choice: Choice) -> list[dict[str, Any]]:
    return _switch(choice, "per", PER_CHOICES)


def splits(choice: Choice, offered: tuple[str, ...]) -> list[dict[str, Any]]:
    words = {"tier": _("by tier"), "branch": _("by branch"), "manager": _("by manager")}
    return _switch(choice, "split", {split: words[split] for split in offered})


def _kinds() -> dict[str, Any]:
    return {
        "": _("together"),
        PartyKind.INDIVIDUAL.value: _("individuals"),
        PartyKind.CORPORATE.value: _("corporates"),
    }


def _switch(choice: Choice, name: str, words: dict[Any, Any]) -> list[dict[str, Any]]:
    """One link for each way to turn a switch."""
    return [
        {"label": label, "query": choice.query(**{name: value}), "active": getattr(choice, name) == value}
        for value, label in words.items()
    ]
