"""The customers a person sees, by kind and tier: the figures of every dashboard, from the small summary of the night.

Each figure belongs to exactly the rows its link leads to. The summary counts everybody; customers under a processing
stop are invisible to all but compliance, so what they hold is taken off again.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, F, Q, QuerySet, Sum, Value
from django.urls import reverse

from crm.core import places
from crm.core.models import Branch
from crm.core.scope import Level, level_of, places_of, sees_bank, sees_restricted
from customers.models.parties import PartyKind
from segmentation import scorecard
from segmentation.models import BranchSummary, Life, PublishedNight, Standing, Tier
from segmentation.periods import Periods

# Sums that the summary of the night and the standings carry under one name.
SUMS = (
    "deposit_balance", "deposit_month_sum", "deposit_year_sum", "loan_balance", "loan_year_sum", "asset_month_sum",
    "contribution",
)  # fmt: skip
# What the summary has counted and standings are counted by.
COUNTED = {
    "accounts": Sum("account_count"),
    "deposit_holders": Count("customer_id", filter=Q(deposit_year_sum__gt=0)),
    "loan_holders": Count("customer_id", filter=Q(loan_year_sum__gt=0)),
    "loyalty_count": Count("loyalty"),
    "loyalty_sum": Sum("loyalty"),
    "risk_count": Count("risk"),
    "risk_sum": Sum("risk"),
    "closed_customers": Count("customer_id", filter=Q(is_closed=True)),
    **{
        f"{life}_customers": Count("customer_id", filter=Q(life=life)) for life in Life if life != Life.CLOSED
    },
}
# Highest first, as people read them; individuals and corporates have tiers of their own.
TIERS = {
    PartyKind.INDIVIDUAL: [Tier.PRIVATE, Tier.DIAMOND, Tier.VIP, Tier.PLATINUM, Tier.GOLD, Tier.ORDINARY],
    PartyKind.CORPORATE: [Tier.STRATEGIC, Tier.KEY, Tier.QUALITY, Tier.GENERAL, Tier.INEFFICIENT],
}


# What an average per customer divides by: everybody with an account of that sort this year, everybody, or accounts.
PER = ("holders", "all", "accounts")


@dataclass
class Cell:
    """Sums over some customers, in base currency; averages are over the days of the month or the year so far."""

    kind: str
    tier: str
    href: str
    periods: Periods
    customers: int = 0
    deposit_balance: Decimal = Decimal(0)
    deposit_month_sum: Decimal = Decimal(0)
    deposit_year_sum: Decimal = Decimal(0)
    loan_balance: Decimal = Decimal(0)
    loan_year_sum: Decimal = Decimal(0)
    asset_month_sum: Decimal = Decimal(0)
    contribution: Decimal = Decimal(0)
    accounts: int = 0
    deposit_holders: int = 0
    loan_holders: int = 0
    loyalty_count: int = 0
    loyalty_sum: Decimal = Decimal(0)
    risk_count: int = 0
    risk_sum: Decimal = Decimal(0)
    closed_customers: int = 0
    new_customers: int = 0
    active_customers: int = 0
    reactivated_customers: int = 0
    dormant_customers: int = 0
    lost_customers: int = 0

    def add(self, row: dict[str, Any], sign: int = 1) -> None:
        self.customers += sign * row["customers"]
        for name in SUMS:
            setattr(self, name, getattr(self, name) + sign * (row[f"{name}__sum"] or 0))
        for name in COUNTED:
            setattr(self, name, getattr(self, name) + sign * (row[name] or 0))

    @property
    def words(self) -> Any:
        return Tier(self.tier).label if self.tier else ""

    @property
    def kind_words(self) -> Any:
        return PartyKind(self.kind).label if self.kind else ""

    @property
    def deposits(self) -> Decimal:
        return self.deposit_month_sum / self.periods.month.days

    @property
    def assets(self) -> Decimal:
        return self.asset_month_sum / self.periods.month.days

    @property
    def loans(self) -> Decimal:
        return self.loan_balance

    @property
    def open_customers(self) -> int:
        return self.customers - self.closed_customers

    @property
    def loyalty(self) -> Decimal | None:
        """The mean over those whose loyalty is known."""
        return self.loyalty_sum / self.loyalty_count if self.loyalty_count else None

    @property
    def risk(self) -> Decimal | None:
        return self.risk_sum / self.risk_count if self.risk_count else None

    def share(self, count: int) -> Decimal | None:
        return Decimal(count) / self.customers if self.customers else None

    @property
    def loyalty_known(self) -> Decimal | None:
        """The share of the customers whose loyalty is known."""
        return self.share(self.loyalty_count)

    @property
    def risk_known(self) -> Decimal | None:
        return self.share(self.risk_count)

    def divisor(self, side: str, per: str) -> int:
        """Return what an average of ``side`` (deposit, loan) is divided by: one of PER."""
        counts = {
            "holders": getattr(self, f"{side}_holders"),
            "all": self.open_customers,
            "accounts": self.accounts,
        }
        return counts[per]

    def average(self, side: str, per: str) -> Decimal | None:
        """Return the year day-average of deposits or loans per customer or account; None where there is nobody."""
        divisor = self.divisor(side, per)
        return getattr(self, f"{side}_year_sum") / self.periods.year.days / divisor if divisor else None


@dataclass(frozen=True)
class Line:
    """One branch or manager of a comparison; ``chosen`` are the filters of the list that hold exactly its customers."""

    label: str
    chosen: dict[str, str]
    cell: Cell

    @property
    def href(self) -> str:
        return link(**self.chosen)


@dataclass(frozen=True)
class Structure:
    """``total`` over everything, ``cells`` by kind and tier (highest first), empty ones left out."""

    total: Cell
    cells: list[Cell]

    def of_kind(self, kind: str) -> list[Cell]:
        return [cell for cell in self.cells if cell.kind == kind]


def link(*, sort: str = "contribution", **chosen: str) -> str:
    """Return the address of the customer list with exactly these filters; empty ones are left out.

    Sorted by a figure the list holds the customers the night knew, so that its rows are those the number counts.
    """
    kept = {name: value for name, value in chosen.items() if value} | {"sort": sort}
    return reverse("customers") + "?" + urlencode(kept)


@dataclass(frozen=True)
class Figures:
    """Sums a reader may see, by branch, kind and tier: asked once, added up as the page needs them."""

    user: Any
    night: PublishedNight
    rows: list[tuple[dict[str, Any], int]]

    def structure(self, *, branch: str = "", kind: str = "") -> Structure:
        """Return the structure, narrowed to a branch with all below it and to a kind."""
        below = set(places.subtree(self.user, branch)) if branch else None
        total = Cell(kind, "", link(branch=branch, kind=kind), self.night.periods)
        cells: dict[tuple[str, str], Cell] = {}
        for row, sign in self.rows:
            if (kind and row["kind"] != kind) or (below is not None and row["branch_id"] not in below):
                continue
            total.add(row, sign)
            key = (row["kind"], row["tier"])
            if key not in cells:
                href = link(branch=branch, kind=row["kind"], tier=row["tier"])
                cells[key] = Cell(*key, href, self.night.periods)
            cells[key].add(row, sign)
        order = [(k, tier) for k, tiers in TIERS.items() for tier in tiers]
        return Structure(total, [cells[key] for key in order if key in cells and cells[key].customers])

    def by_branch(self, branches: list[Branch], *, kind: str = "") -> list[Line]:
        """Return one line for each of ``branches`` with everything below it, best contribution first."""
        paths = {branch.pk: branch.path for branch in places_of(self.user)}
        found = {}
        for branch in branches:
            own = {"branch": branch.branch_no, "kind": kind}
            found[branch.pk] = Line(branch.name, own, Cell(kind, "", link(**own), self.night.periods))
        for row, sign in self.rows:
            if kind in ("", row["kind"]):
                # A path is the keys of the places above and the place's own.
                for above in paths.get(row["branch_id"], "").split("/"):
                    if above and int(above) in found:
                        found[int(above)].cell.add(row, sign)
        return sorted(found.values(), key=lambda line: -line.cell.contribution)


def of_standings() -> dict[str, Any]:
    """The sums of a row of Figures, worked out from standings."""
    return {f"{name}__sum": Sum(name) for name in SUMS} | COUNTED | {"customers": Count("customer_id")}


def of_summary() -> dict[str, Any]:
    """The same from the summary of a night, in the same order."""
    return {f"{name}__sum": Sum(name) for name in SUMS} | {
        name: Sum(name) for name in [*COUNTED, "customers"]
    }


def less_hidden(user, shown: QuerySet, hidden: QuerySet) -> list[tuple[dict[str, Any], int]]:
    """Return rows with the sign they count with: those of ``shown``, which counts everybody, and for all but compliance
    those of ``hidden`` taken off again: standings of customers under a processing stop, which no rows of the reader's lists
    hold. One query; both must give the same columns."""
    if not sees_restricted(user):
        shown = shown.annotate(sign=Value(1)).union(hidden.annotate(sign=Value(-1)), all=True)
    return [(row, row.pop("sign", 1)) for row in shown]


def hidden_standings(chosen: Q) -> QuerySet:
    """The one question that looks past the scope: what to take off a figure, so that it is the sum of its rows."""
    return Standing._base_manager.filter(chosen, customer__restricted_on__isnull=False)


def figures(user, night: PublishedNight) -> Figures:
    """Return what dashboards of a reader are made of; one query."""
    level = level_of(user)
    chosen = Q(run_id=night.run_id)
    by = ("branch_id", "kind", "tier")
    if level is Level.NOTHING:
        return Figures(user, night, [])
    if level is Level.OWN:
        # A manager's book is small and has no summary of its own.
        own = Standing.objects.visible_to(user).filter(chosen).values(*by)
        return Figures(user, night, [(row, 1) for row in own.annotate(**of_standings())])
    if level is Level.SUBTREE:
        chosen &= Q(branch_id__in=[branch.pk for branch in places_of(user)])
    summary = BranchSummary.objects.filter(chosen).values(*by).annotate(**of_summary())
    hidden = hidden_standings(chosen).values(*by).annotate(**of_standings())
    return Figures(user, night, less_hidden(user, summary, hidden))


# The summary knows no managers: past this many customers their sums would keep the page waiting, and a region compares
# its branches anyway.
MOST_COMPARED = 50_000


def by_manager(user, night: PublishedNight) -> list[Line]:
    """Return one line for each manager who looks after customers the reader sees, best contribution first."""
    rows = Standing.objects.visible_to(user).filter(run_id=night.run_id, customer__manager__isnull=False)
    rows = rows.values("customer__manager__employee_no", "customer__manager__name")
    lines = []
    for row in rows.annotate(**of_standings()):
        own = {"manager": row["customer__manager__employee_no"]}
        cell = Cell("", "", link(**own), night.periods)
        cell.add(row)
        lines.append(Line(row["customer__manager__name"], own, cell))
    return sorted(lines, key=lambda line: -line.cell.contribution)


INDICATORS = {
    "contribution": "-contribution",
    "related": "-related_contribution",
    "points": "-related_deposit_points",
    "loyalty": "-loyalty",
    "risk": "-risk",
    "assets": "-asset_month_sum",
    "deposits": "-deposit_month_sum",
    "loans": "-loan_balance",
}


# They count customers the reader may not see himself.
OF_RELATED = ("related", "points")


def top(
    user, night: PublishedNight, *, by: str, count: int, branch: str = "", kind: str = "", tier: str = ""
) -> list[Standing]:
    """Return the first ``count`` standings by an indicator, each with its customer, branch and manager, and with
    ``members_seen`` where the indicator is of related customers. A score nobody knows is no score: who has none is left
    out; so is, below head office, who would tell of one or two related customers outside the reader's scope."""
    rows = Standing.objects.visible_to(user).filter(run_id=night.run_id)
    rows = rows.filter(**{f"{INDICATORS[by].lstrip('-')}__isnull": False})
    if branch:
        rows = rows.filter(branch_id__in=places.subtree(user, branch))
    if kind:
        rows = rows.filter(kind=kind)
    if tier:
        rows = rows.filter(tier=tier)
    if by in OF_RELATED:
        rows = rows.annotate(**scorecard.members_seen(user))
        if not sees_bank(user):
            # The order alone would tell the figure. Most have nobody related: the cheap question comes first.
            hidden = F("related_members") - F("members_seen")
            rows = rows.annotate(hidden=hidden).filter(
                Q(related_members=0) | Q(hidden__lte=0) | Q(hidden__gte=scorecard.FEWEST_HIDDEN)
            )
    rows = rows.select_related("customer__branch", "customer__manager")
    return list(rows.order_by(INDICATORS[by], "-customer_id")[:count])
