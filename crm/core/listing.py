"""The one list of the product: search, filters, sort, keyset pages and an honest count.

A screen declares its list once and asks for a page of rows that are already narrowed to the reader::

    CUSTOMERS = Listing(
        name="customers",
        sorts={"name": Sort(("pinyin", "id")), "assets": Sort(("-assets", "id"))},
        default="name",
        filters=(Filter("q", _("Name, phone, number"), narrow=by_text, private=True),
                 Filter("tier", _("Tier"), narrow=by_tier, choices=tier_choices)),
    )

    def customer_list(request):
        page = CUSTOMERS.page(request, Customer.objects.visible_to(request.user))
        return respond(request, page, "customers/list.html", "customers/_list.html")

Nothing personal reaches an address: a private filter is read from the body of a POST only, and a cursor holds
the key of a row, never its name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.core import signing
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.functional import cached_property

from crm.core import keyset

MAX_SIZE = 200
COUNT_CAP = 1000
LONGEST_TEXT = 200  # what a person types into a search box; the rest is cut, not refused

Choices = Iterable[tuple[str, Any]]


@dataclass(frozen=True)
class Sort:
    """Columns in order, each with "-" for descending, ending in a unique key."""

    columns: tuple[str, ...]


@dataclass(frozen=True)
class Filter:
    """One way to narrow a list.

    ``narrow(queryset, value)`` gets a non-empty string and returns the narrowed queryset. ``choices`` (pairs,
    or a function of the request giving pairs) makes it a select whose unknown values are ignored; without it
    it is a text, or a date when ``kind`` says so. ``private`` values travel in a POST body only; a ``rare`` one is folded
    away until it is used.
    """

    name: str
    label: Any
    narrow: Callable[[QuerySet, str], QuerySet]
    choices: Choices | Callable[[HttpRequest], Choices] | None = None
    private: bool = False
    kind: str = "text"
    rare: bool = False


@dataclass(frozen=True)
class BoundFilter:
    """A filter with what the reader chose; ``shown`` is the choice in words."""

    filter: Filter
    value: str = field(repr=False)  # may be a name somebody searched for
    choices: tuple[tuple[str, Any], ...] = field(repr=False)

    @property
    def name(self) -> str:
        return self.filter.name

    @property
    def label(self) -> Any:
        return self.filter.label

    @property
    def private(self) -> bool:
        return self.filter.private

    @property
    def rare(self) -> bool:
        return self.filter.rare

    @property
    def kind(self) -> str:
        return "choice" if self.filter.choices is not None else self.filter.kind

    @property
    def shown(self) -> Any:
        return dict(self.choices).get(self.value, self.value)


@dataclass(frozen=True)
class Count:
    """Rows of the list; ``capped`` means there are more than ``number``."""

    number: int
    capped: bool


@dataclass(frozen=True)
class Step:
    """A way to another page of the list: one parameter more than the list has now."""

    page: Page
    name: str
    value: str

    @property
    def query(self) -> str:
        return self.page.query({self.name: self.value} if self.value else {})


@dataclass(frozen=True)
class Chip:
    """One active filter and the address of the list without it."""

    bound: BoundFilter
    query: str


@dataclass
class Page:
    """What a template needs: ``rows``, ``count``, ``chips``, ``filters`` and the steps to other pages."""

    listing: Listing
    path: str
    rows: list[Any] = field(repr=False)  # a fault's report must not carry customers
    size: int
    sort: str
    filters: tuple[BoundFilter, ...]
    narrowed: QuerySet = field(repr=False)
    columns: str = ""  # which of the listing's sets of columns is shown
    previous: Step | None = None
    next: Step | None = None
    restarted: bool = False  # the row the cursor pointed at has left the list: this is its first page again

    @property
    def name(self) -> str:
        return self.listing.name

    @property
    def element(self) -> str:
        """Id of the element that holds the list and is swapped as a whole."""
        return f"list-{self.listing.name}"

    @property
    def posts(self) -> bool:
        """A private value is in use: further steps go by POST."""
        return any(f.private and f.value for f in self.filters)

    @property
    def takes_private(self) -> bool:
        return any(f.private for f in self.filters)

    @property
    def chips(self) -> list[Chip]:
        return [Chip(f, self.query({f.name: ""})) for f in self.filters if f.value]

    @property
    def rare_filters(self) -> list[BoundFilter]:
        return [f for f in self.filters if f.rare]

    @property
    def rare_in_use(self) -> bool:
        return any(f.value for f in self.rare_filters)

    @property
    def sets(self) -> list[tuple[str, Any, str]]:
        """(name, label, query) of each set of columns."""
        return [
            (name, label, self.query({"columns": "" if name == self.default_columns else name}))
            for name, label in self.listing.columns.items()
        ]

    @property
    def default_columns(self) -> str:
        return next(iter(self.listing.columns), "")

    @property
    def first(self) -> Step | None:
        return Step(self, "after", "") if self.previous else None

    @property
    def address(self) -> str:
        """Where this list is found again, without anything private and without the place in it."""
        return self.path + self.query({})

    @cached_property
    def count(self) -> Count:
        # Counting a million rows costs more than the page: past the cap the list says "1,000+".
        found = self.narrowed.order_by()[: self.listing.cap + 1].count()
        return Count(min(found, self.listing.cap), found > self.listing.cap)

    def query(self, changes: Mapping[str, str]) -> str:
        """Query string of the list with ``changes``; defaults and private values are left out."""
        values = {f.name: f.value for f in self.filters if not f.private}
        values["sort"] = "" if self.sort == self.listing.default else self.sort
        values["size"] = "" if self.size == self.listing.size else str(self.size)
        values["columns"] = "" if self.columns == self.default_columns else self.columns
        values.update(changes)
        kept = {name: value for name, value in values.items() if value}
        return "?" + urlencode(kept) if kept else "?"

    def sorted_by(self, name: str) -> str:
        """``ascending`` or ``descending`` when the list is in this order, else an empty string.

        The word is about the figures the reader sees: a sort that starts with the largest is descending.
        """
        if self.sort.lstrip("-") != name:
            return ""
        starts_high = self.listing.sorts[name].columns[0].startswith("-")
        return "descending" if starts_high is not self.sort.startswith("-") else "ascending"

    def turned(self, name: str) -> str:
        """The sort a click on the column asks for: this order, or the other way round when it already is."""
        return f"-{name}" if self.sort == name else name


@dataclass(frozen=True)
class Listing:
    """A list as its screen declares it. ``name`` is unique on a page; ``default`` is a key of ``sorts``; ``columns`` are
    the sets of columns a reader may choose from (name → label), the first of them shown unless he does."""

    name: str
    sorts: Mapping[str, Sort]
    default: str
    filters: Sequence[Filter] = ()
    columns: Mapping[str, Any] = field(default_factory=dict)
    size: int = 50
    cap: int = COUNT_CAP

    def page(self, request: HttpRequest, queryset: QuerySet) -> Page:
        """Return the page the request asks for from rows already narrowed to the reader.

        Parameters ``sort``, ``size`` (1 to 200), ``columns``, ``after`` or ``before`` and the filters; nonsense is
        ignored, so that an old address still shows the list.
        """
        asked = request.POST if request.method == "POST" else request.GET
        filters = tuple(_bind(f, request, asked) for f in self.filters)
        for bound in filters:
            if bound.value:
                queryset = bound.filter.narrow(queryset, bound.value)
        sort = asked.get("sort", "")
        if sort.lstrip("-") not in self.sorts or sort.startswith("--"):
            sort = self.default
        page = Page(self, request.path, [], _size(asked.get("size", ""), self.size), sort, filters, queryset)
        columns = asked.get("columns", "")
        page.columns = columns if columns in self.columns else page.default_columns
        self._fill(page, asked.get("after", ""), asked.get("before", ""))
        return page

    def _fill(self, page: Page, after: str, before: str) -> None:
        order = keyset.terms(
            page.narrowed, self.sorts[page.sort.lstrip("-")].columns, reverse=page.sort.startswith("-")
        )
        at = None
        if cursor := before or after:
            pk = self._read(cursor)
            at = None if pk is None else keyset.position(page.narrowed, order, pk)
            page.restarted = at is None
        if at is not None and before:
            backwards = tuple(term.flipped() for term in order)
            rows = self._beyond(page, backwards, at)
            # Fewer rows than a page: the start of the list, shown whole rather than as a stub.
            if len(rows) > page.size:
                page.rows = rows[: page.size][::-1]
                page.previous, page.next = self._step(page, "before", 0), self._step(page, "after", -1)
                return
            at = None
        rows = self._beyond(page, order, at)
        page.rows = rows[: page.size]
        if at is not None and page.rows:
            page.previous = self._step(page, "before", 0)
        if len(rows) > page.size:
            page.next = self._step(page, "after", -1)

    def _beyond(self, page: Page, order: Sequence[keyset.Term], at: Sequence[Any] | None) -> list[Any]:
        """One row more than a page: it says whether the list goes on."""
        rows = page.narrowed if at is None else page.narrowed.filter(keyset.beyond(order, at))
        return list(keyset.ordered(rows, order)[: page.size + 1])

    def _step(self, page: Page, name: str, index: int) -> Step:
        row = page.rows[index]
        pk = row["pk"] if isinstance(row, dict) else row.pk
        return Step(page, name, signing.dumps(pk, salt=self._salt))

    def _read(self, cursor: str) -> Any:
        try:
            return signing.loads(cursor, salt=self._salt)
        except signing.BadSignature:
            return None

    @property
    def _salt(self) -> str:
        return f"crm.core.listing.{self.name}"


def respond(
    request: HttpRequest, page: Page, template: str, fragment: str, context: Mapping[str, Any] | None = None
) -> HttpResponse:
    """Render the list as a page, or as its fragment when htmx asks for the list's element alone.

    The fragment's outermost element carries ``id="{{ page.element }}"``. The address shown in the browser
    becomes that of the list without anything private.
    """
    if request.method == "POST" and not page.posts and not request.htmx:
        return HttpResponseRedirect(page.address)  # nothing private was asked: a list that can be bookmarked
    alone = request.htmx and request.htmx.target == page.element
    response = render(request, fragment if alone else template, {"page": page, **(context or {})})
    if alone:
        response["HX-Push-Url"] = page.address
    return response


def _bind(declared: Filter, request: HttpRequest, asked: Mapping[str, str]) -> BoundFilter:
    source = request.POST if declared.private else asked
    value = source.get(declared.name, "").replace("\x00", "").strip()[:LONGEST_TEXT]
    found = declared.choices(request) if callable(declared.choices) else declared.choices
    choices = tuple((str(key), label) for key, label in found or ())
    if declared.choices is not None and value not in dict(choices):
        value = ""
    return BoundFilter(declared, value, choices)


def _size(asked: str, default: int) -> int:
    try:
        return max(1, min(int(asked), MAX_SIZE))
    except ValueError:
        return default
