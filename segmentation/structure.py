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
from crm.core.scope import Level, branches_for, level_of, sees_restricted
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
class Structure:
    """``total`` over everything, ``cells`` by kind and tier (highest first), empty ones left out."""

    total: Cell
    cells: list[Cell]

    def of_kind(self, kind: str) -> list[Cell]:
        return [cell for cell in self.cells if cell.kind == kind]


def link(**chosen: str) -> str:
    """Return the address of the customer list with exactly these filters; empty ones are left out."""
    kept = {name: value for name, value in chosen.items() if value}
    return reverse("customers") + ("?" + urlencode(kept) if kept else "")


def structure(user, night: PublishedNight, *, branch: str = "", kind: str = "") -> Structure:
    """Return the structure of the customers ``user`` sees, narrowed to a branch with all below it and a kind."""
    days = night.periods.month.days
    narrowed: dict[str, str] = {"branch": branch, "kind": kind}
    total = Cell(kind, "", link(**narrowed), days)
    cells: dict[tuple[str, str], Cell] = {}
    for row, sign in _rows(user, night, branch, kind):
        total.add(row, sign)
        key = (row["kind"], row["tier"])
        if key not in cells:
            cells[key] = Cell(*key, link(branch=branch, kind=row["kind"], tier=row["tier"]), days)
        cells[key].add(row, sign)
    order = [(k, tier) for k, tiers in TIERS.items() for tier in tiers]
    return Structure(total, [cells[key] for key in order if key in cells and cells[key].customers])


def _rows(user, night: PublishedNight, branch: str, kind: str) -> list[tuple[dict[str, Any], int]]:
    level = level_of(user)
    if level is Level.NOTHING:
        return []
    chosen = Q(run_id=night.run_id)
    if kind:
        chosen &= Q(kind=kind)
    if branch:
        chosen &= Q(branch_id__in=places.subtree(branch))
    sums = [Sum(name) for name in SUMS]
    if level is Level.OWN:
        # A manager's book is small and has no summary of its own.
        rows = Standing.objects.visible_to(user).filter(chosen).values("kind", "tier")
        return [(row, 1) for row in rows.annotate(*sums, customers=Count("customer_id"))]
    if level is Level.SUBTREE:
        chosen &= Q(branch_id__in=list(branches_for(user).values_list("pk", flat=True)))
    summary = BranchSummary.objects.filter(chosen).values("kind", "tier").annotate(*sums, customers=Sum("customers"))
    found = [(row, 1) for row in summary]
    if not sees_restricted(user):
        hidden = Standing._base_manager.filter(chosen, customer__restricted_on__isnull=False).values("kind", "tier")
        found += [(row, -1) for row in hidden.annotate(*sums, customers=Count("customer_id"))]
    return found


@dataclass(frozen=True)
class Line:
    """One branch or manager of a comparison."""

    label: str
    href: str
    cell: Cell


def by_branch(user, night: PublishedNight, branches: list) -> list[Line]:
    """Return one line for each of ``branches`` with everything below it, best contribution first."""
    days = night.periods.month.days
    visible = list(branches_for(user).values_list("pk", "path"))
    rows = BranchSummary.objects.filter(run_id=night.run_id, branch_id__in=[pk for pk, _ in visible]).values("branch_id")
    sums = {row["branch_id"]: row for row in rows.annotate(*[Sum(name) for name in SUMS], customers=Sum("customers"))}
    taken = {}
    if not sees_restricted(user):
        hidden = Standing._base_manager.filter(run_id=night.run_id, customer__restricted_on__isnull=False).values("branch_id")
        taken = {row["branch_id"]: row for row in hidden.annotate(*[Sum(n) for n in SUMS], customers=Count("customer_id"))}
    lines = []
    for branch in branches:
        cell = Cell("", "", link(branch=branch.branch_no), days)
        for pk, path in visible:
            if path.startswith(branch.path):
                if pk in sums:
                    cell.add(sums[pk])
                if pk in taken:
                    cell.add(taken[pk], -1)
        lines.append(Line(branch.name, cell.href, cell))
    return sorted(lines, key=lambda line: -line.cell.contribution)


def by_manager(user, night: PublishedNight) -> list[Line]:
    """Return one line for each manager who looks after customers the reader sees, best contribution first."""
    days = night.periods.month.days
    rows = Standing.objects.visible_to(user).filter(run_id=night.run_id, customer__manager__isnull=False)
    rows = rows.values("customer__manager__employee_no", "customer__manager__name")
    lines = []
    for row in rows.annotate(*[Sum(name) for name in SUMS], customers=Count("customer_id")):
        cell = Cell("", "", link(manager=row["customer__manager__employee_no"]), days)
        cell.add(row)
        lines.append(Line(row["customer__manager__name"], cell.href, cell))
    return sorted(lines, key=lambda line: -line.cell.contribution)


INDICATORS = {
    "contribution": "-contribution",
    "assets": "-asset_month_sum",
    "deposits": "-deposit_month_sum",
    "loans": "-loan_balance",
}


def top(user, night: PublishedNight, *, by: str, count: int, branch: str = "", kind: str = "", tier: str = "") -> list[Standing]:
    """Return the first ``count`` standings by an indicator, each with its customer, branch and manager."""
    rows = Standing.objects.visible_to(user).filter(run_id=night.run_id)
    if branch:
        rows = rows.filter(branch_id__in=places.subtree(branch))
    if kind:
        rows = rows.filter(kind=kind)
    if tier:
        rows = rows.filter(tier=tier)
    rows = rows.select_related("customer__branch", "customer__manager")
    return list(rows.order_by(INDICATORS[by], "customer_id")[:count])
