"""The customers a person sees, by kind and tier: the figures of every dashboard, from the small summary of the night.

Each figure belongs to exactly the rows its link leads to. The summary counts everybody; customers under a processing
stop are invisible to all but compliance, so what they hold is taken off again.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Q, Sum
from django.urls import reverse

from crm.core import places
from crm.core.models import Branch
from crm.core.scope import Level, level_of, places_of, sees_restricted
from customers.models.parties import PartyKind
from segmentation.models import BranchSummary, PublishedNight, Standing, Tier

SUMS = ("deposit_balance", "deposit_month_sum", "loan_balance", "asset_month_sum", "contribution")
# Highest first, as people read them; individuals and corporates have tiers of their own.
TIERS = {
    PartyKind.INDIVIDUAL: [Tier.PRIVATE, Tier.DIAMOND, Tier.VIP, Tier.PLATINUM, Tier.GOLD, Tier.ORDINARY],
    PartyKind.CORPORATE: [Tier.STRATEGIC, Tier.KEY, Tier.QUALITY, Tier.GENERAL, Tier.INEFFICIENT],
}


@dataclass
class Cell:
    """Sums over some customers, in base currency; averages are over the days of the month so far."""

    kind: str
    tier: str
    href: str
    days: int
    customers: int = 0
    deposit_balance: Decimal = Decimal(0)
    deposit_month_sum: Decimal = Decimal(0)
    loan_balance: Decimal = Decimal(0)
    asset_month_sum: Decimal = Decimal(0)
    contribution: Decimal = Decimal(0)

    def add(self, row: dict[str, Any], sign: int = 1) -> None:
        self.customers += sign * row["customers"]
        for name in SUMS:
            setattr(self, name, getattr(self, name) + sign * (row[f"{name}__sum"] or 0))

    @property
    def words(self) -> Any:
        return Tier(self.tier).label if self.tier else ""

    @property
    def kind_words(self) -> Any:
        return PartyKind(self.kind).label if self.kind else ""

    @property
    def deposits(self) -> Decimal:
        return self.deposit_month_sum / self.days

    @property
    def assets(self) -> Decimal:
        return self.asset_month_sum / self.days

    @property
    def loans(self) -> Decimal:
        return self.loan_balance


@dataclass(frozen=True)
class Line:
    """One branch or manager of a comparison."""

    label: str
    href: str
    cell: Cell


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
        days = self.night.periods.month.days
        below = set(places.subtree(self.user, branch)) if branch else None
        total = Cell(kind, "", link(branch=branch, kind=kind), days)
        cells: dict[tuple[str, str], Cell] = {}
        for row, sign in self.rows:
            if (kind and row["kind"] != kind) or (below is not None and row["branch_id"] not in below):
                continue
            total.add(row, sign)
            key = (row["kind"], row["tier"])
            if key not in cells:
                cells[key] = Cell(*key, link(branch=branch, kind=row["kind"], tier=row["tier"]), days)
            cells[key].add(row, sign)
        order = [(k, tier) for k, tiers in TIERS.items() for tier in tiers]
        return Structure(total, [cells[key] for key in order if key in cells and cells[key].customers])

    def by_branch(self, branches: list[Branch], *, kind: str = "") -> list[Line]:
        """Return one line for each of ``branches`` with everything below it, best contribution first."""
        days = self.night.periods.month.days
        paths = {branch.pk: branch.path for branch in places_of(self.user)}
        lines = [
            Line(b.name, link(branch=b.branch_no, kind=kind), Cell(kind, "", "", days)) for b in branches
        ]
        for line, branch in zip(lines, branches, strict=True):
            line.cell.href = line.href
            for row, sign in self.rows:
                if paths.get(row["branch_id"], "").startswith(branch.path) and kind in ("", row["kind"]):
                    line.cell.add(row, sign)
        return sorted(lines, key=lambda line: -line.cell.contribution)


def figures(user, night: PublishedNight) -> Figures:
    """Return what dashboards of a reader are made of: one query for a manager, two for everybody else."""
    level = level_of(user)
    sums = [Sum(name) for name in SUMS]
    chosen = Q(run_id=night.run_id)
    if level is Level.NOTHING:
        return Figures(user, night, [])
    if level is Level.OWN:
        # A manager's book is small and has no summary of its own.
        own = Standing.objects.visible_to(user).filter(chosen).values("branch_id", "kind", "tier")
        return Figures(user, night, [(row, 1) for row in own.annotate(*sums, customers=Count("customer_id"))])
    if level is Level.SUBTREE:
        chosen &= Q(branch_id__in=[branch.pk for branch in places_of(user)])
    summary = BranchSummary.objects.filter(chosen).values("branch_id", "kind", "tier")
    rows = [(row, 1) for row in summary.annotate(*sums, customers=Sum("customers"))]
    if not sees_restricted(user):
        # The one question that looks past the scope: what to take off, so that figure and rows agree.
        hidden = Standing._base_manager.filter(chosen, customer__restricted_on__isnull=False)
        hidden = hidden.values("branch_id", "kind", "tier").annotate(*sums, customers=Count("customer_id"))
        rows += [(row, -1) for row in hidden]
    return Figures(user, night, rows)


# The summary knows no managers: past this many customers their sums would keep the page waiting, and a region compares
# its branches anyway.
MOST_COMPARED = 50_000


def by_manager(user, night: PublishedNight) -> list[Line]:
    """Return one line for each manager who looks after customers the reader sees, best contribution first."""
    days = night.periods.month.days
    rows = Standing.objects.visible_to(user).filter(run_id=night.run_id, customer__manager__isnull=False)
    rows = rows.values("customer__manager__employee_no", "customer__manager__name")
    lines = []
    for row in rows.annotate(*[Sum(name) for name in SUMS], customers=Count("customer_id")):
        href = link(manager=row["customer__manager__employee_no"])
        cell = Cell("", "", href, days)
        cell.add(row)
        lines.append(Line(row["customer__manager__name"], href, cell))
    return sorted(lines, key=lambda line: -line.cell.contribution)


INDICATORS = {
    "contribution": "-contribution",
    "assets": "-asset_month_sum",
    "deposits": "-deposit_month_sum",
    "loans": "-loan_balance",
}


def top(
    user, night: PublishedNight, *, by: str, count: int, branch: str = "", kind: str = "", tier: str = ""
) -> list[Standing]:
    """Return the first ``count`` standings by an indicator, each with its customer, branch and manager."""
    rows = Standing.objects.visible_to(user).filter(run_id=night.run_id)
    if branch:
        rows = rows.filter(branch_id__in=places.subtree(user, branch))
    if kind:
        rows = rows.filter(kind=kind)
    if tier:
        rows = rows.filter(tier=tier)
    rows = rows.select_related("customer__branch", "customer__manager")
    return list(rows.order_by(INDICATORS[by], "-customer_id")[:count])
