"""Who stays and who goes: customers by where they are in their life with the bank, and the rate at which they are lost."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from segmentation.models import Life
from segmentation.structure import Cell, link
from segmentation.trends import Point

LIVES = [Life.NEW, Life.ACTIVE, Life.REACTIVATED, Life.DORMANT, Life.LOST]


def gone(cell: Cell) -> int:
    """Return how many customers have left: their money, or altogether."""
    return cell.lost_customers + cell.closed_customers


def kept(cell: Cell) -> int:
    return cell.customers - gone(cell)


def lost_share(cell: Cell) -> Decimal | None:
    """Return the share of the open customers whose money has left; None without open customers."""
    return Decimal(cell.lost_customers) / cell.open_customers if cell.open_customers else None


@dataclass(frozen=True)
class Stage:
    """One stage of life: how many, which share of the open customers, and the rows."""

    life: str
    words: Any
    count: int
    share: Decimal | None
    href: str


def stages(total: Cell, **chosen: str) -> list[Stage]:
    """Return the open customers by stage, then the closed ones (their share is of all customers ever)."""
    found = [
        Stage(life, life.label, n, Decimal(n) / total.open_customers if total.open_customers else None,
              link(life=life.value, **chosen))
        for life in LIVES
        for n in [getattr(total, f"{life}_customers")]
    ]  # fmt: skip
    closed = total.closed_customers
    return [
        *found,
        Stage(Life.CLOSED, Life.CLOSED.label, closed, total.share(closed), link(life="closed", **chosen)),
    ]


@dataclass(frozen=True)
class Split:
    """One tier, branch or manager: its open customers by stage and the share lost, each with its rows."""

    label: Any
    tier: str
    cell: Cell
    chosen: dict[str, str]

    @property
    def href(self) -> str:
        return link(**self.chosen)

    @property
    def numbers(self) -> list[tuple[Any, int, str]]:
        return [
            (life.label, getattr(self.cell, f"{life}_customers"), link(life=life.value, **self.chosen))
            for life in LIVES
        ]

    @property
    def lost_share(self) -> Decimal | None:
        return lost_share(self.cell)

    @property
    def lost_href(self) -> str:
        return link(life=Life.LOST.value, **self.chosen)


@dataclass(frozen=True)
class Month:
    """What became of the customers between one night and the next: ``left`` nets those lost against those who came back,
    ``rate`` is its share of those who were there before; None where the night before was never run."""

    point: Point
    left: int | None
    rate: Decimal | None

    @property
    def lost_share(self) -> Decimal | None:
        return lost_share(self.point.cell) if self.point.cell is not None else None


def months(points: list[Point]) -> list[Month]:
    """Return one row per point. The rate is of stocks: (gone now − gone before) ÷ customers there before."""
    found = []
    before: Cell | None = None
    for point in points:
        left = rate = None
        if point.cell is not None and before is not None:
            left = gone(point.cell) - gone(before)
            rate = Decimal(left) / kept(before) if kept(before) else None
        found.append(Month(point, left, rate))
        before = point.cell
    return found
