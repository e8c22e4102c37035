"""Peers: whom a customer is compared with, and how a value becomes a percentile, as pure functions: the formulas to read,
and the oracle the night's statements are held against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from segmentation.contribution import rounded

if TYPE_CHECKING:
    from segmentation.policy import Policy

CHOICES = {
    "peer_group_at_least": (30, "customers", "D", "Fewer, and the wider group counts: the bank's, then the kind's."),
}  # fmt: skip

Group = tuple[str, str, int | None]  # kind, tier ("": every tier), branch (None: every branch)


def parameters(policy: Policy) -> dict[str, Any]:
    """Return the values the statements take."""
    return {"peer_floor": int(policy["peer_group_at_least"])}


def groups_of(kind: str, tier: str, branch: int) -> list[Group]:
    """Return the three groups a customer belongs to, narrowest first."""
    return [(kind, tier, branch), (kind, tier, None), (kind, "", None)]


def group_of(kind: str, tier: str, branch: int, sizes: Mapping[Group, int], floor: int) -> Group:
    """Return the group a customer is compared with: the narrowest with at least ``floor`` open members, else his kind."""
    narrow, wide, all_of_kind = groups_of(kind, tier, branch)
    return next((group for group in (narrow, wide) if sizes.get(group, 0) >= floor), all_of_kind)


def mid_rank(value: Any, members: Sequence[Any]) -> Decimal | None:
    """Return 100 × (below + ½ level) ÷ all, four decimals; ties share the middle of their places. ``members`` without a
    value do not count; None without a value or without members."""
    known = [member for member in members if member is not None]
    if value is None or not known:
        return None
    below = sum(member < value for member in known)
    level = sum(member == value for member in known)
    return rounded(Fraction(100 * below + 50 * level, len(known)), 4)


def fifth(value: Any, members: Sequence[Any]) -> int:
    """Return 1–5, 5 = highest: a fifth more each 20 of the exact mid-rank. Without members 1."""
    if not members:
        return 1
    below = sum(member < value for member in members)
    level = sum(member == value for member in members)
    return 1 + min(4, 5 * (2 * below + level) // (2 * len(members)))


def quartiles(members: Sequence[Decimal]) -> tuple[Decimal, Decimal, Decimal]:
    """Return p25, median, p75, ten decimals: the q-th lies q × (n − 1) ÷ 4 places above the lowest, straight between two
    members. Raises ValueError without members."""
    if not members:
        raise ValueError("no members, no quartiles")
    ordered = sorted(members)

    def at(quarter: int) -> Decimal:
        whole, rest = divmod(quarter * (len(ordered) - 1), 4)
        lower, upper = Fraction(ordered[whole]), Fraction(ordered[min(whole + 1, len(ordered) - 1)])
        return rounded(lower + (upper - lower) * Fraction(rest, 4), 10)

    return at(1), at(2), at(3)


def mean(members: Sequence[Decimal]) -> Decimal:
    """Return the mean, ten decimals. Raises ZeroDivisionError without members."""
    return rounded(sum((Fraction(member) for member in members), Fraction(0)) / len(members), 10)
