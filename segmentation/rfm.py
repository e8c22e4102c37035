"""How recently, how often and how much: the customers of a reader as a matrix of quintiles, and what each square holds."""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Q, Sum

from crm.core.scope import Level, level_of, places_of
from segmentation.models import PublishedNight, Standing
from segmentation.structure import hidden_standings, less_hidden, link

QUINTILES = (5, 4, 3, 2, 1)  # best first


@dataclass
class Square:
    """The open customers of one recency and one frequency; ``money`` is the mean of their money quintile, 1 to 5."""

    recency: int
    frequency: int
    href: str
    count: int = 0
    money_sum: int = 0

    @property
    def money(self) -> Decimal | None:
        return Decimal(self.money_sum) / self.count if self.count else None

    @property
    def shade(self) -> int:
        """0–5, how dark the square is: its mean money quintile to the nearest."""
        return int(self.money + Decimal("0.5")) if self.money is not None else 0


@dataclass(frozen=True)
class Matrix:
    """``rows`` by recency, each a list of squares by frequency, best first on both sides."""

    rows: list[tuple[int, list[Square]]]
    quintiles: tuple[int, ...] = QUINTILES

    @property
    def total(self) -> int:
        return sum(square.count for _r, squares in self.rows for square in squares)


def matrix(user, night: PublishedNight, *, places: list[int] | None, branch: str, kind: str) -> Matrix:
    """Return the matrix of the open customers a reader sees, narrowed to branches and a kind; one query."""
    squares = {
        (r, f): Square(r, f, link(r=str(r), f=str(f), branch=branch, kind=kind, open="yes"))
        for r in QUINTILES
        for f in QUINTILES
    }
    for row, sign in _rows(user, night, places, kind):
        square = squares[row["recency_rank"], row["frequency_rank"]]
        square.count += sign * row["n"]
        square.money_sum += sign * (row["money"] or 0)
    return Matrix([(r, [squares[r, f] for f in QUINTILES]) for r in QUINTILES])


def _rows(user, night: PublishedNight, places: list[int] | None, kind: str):
    level = level_of(user)
    if level is Level.NOTHING:
        return []
    chosen = Q(run_id=night.run_id, is_closed=False) & (Q(kind=kind) if kind else Q())
    sums = {"n": Count("customer_id"), "money": Sum("money_rank")}
    by = ("recency_rank", "frequency_rank")
    if level is Level.OWN:
        own = Standing.objects.visible_to(user).filter(chosen)
        return [(row, 1) for row in own.values(*by).annotate(**sums)]
    if places is None and level is Level.SUBTREE:
        places = [place.pk for place in places_of(user)]
    if places is not None:
        chosen &= Q(branch_id__in=places)
    # Everybody first, without a million joins; then off with those who hide from the reader, as on every dashboard.
    everybody = Standing._base_manager.filter(chosen).values(*by).annotate(**sums)
    return less_hidden(user, everybody, hidden_standings(chosen).values(*by).annotate(**sums))
