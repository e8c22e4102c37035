"""Whose contribution and deposits count with a customer's: weights over the relation graph, as pure functions. The oracle
of 43_related_shares and 44_related.

Relations count both ways. w(c, j) is the product along the heaviest path from c to j of at most ``relation_depth`` steps,
rounded to 8 decimals at each step; everybody counts once, nobody with himself.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from segmentation.contribution import rounded

if TYPE_CHECKING:
    from segmentation.policy import Policy

DEEPEST = 3
GROUP = "group"  # one group number, as a kind of relation
BY_SHARE = "share"
FULL_SHARE = 50  # per cent: from here on the holder counts whole

CHOICES = {
    "relation_weights": (
        {
            "group": "1", "group_member": "1", "group_parent": "1", "legal_representative": "1", "controller": "1",
            "spouse": "0.5", "parent": "0.5", "child": "0.5", "household": "0.5", "payroll": "0.3", "supplier": "0.2",
            "buyer": "0.2", "guarantor": "0.1", "shareholder": "share",
        },
        "share", "D", "Of the related customer's value; share: the percentage held, 1 from 50 % on, unknown counts nothing.",
    ),
    "relation_depth": (1, "steps", "D", "How many relations a path may follow, 1 to 3; the heaviest path counts."),
    "related_group_limit": (
        500, "customers", "D",
        "A group number shared by more counts with its parent alone, and no path passes through somebody with more relations.",
    ),
}  # fmt: skip


def parameters(policy: Policy) -> dict[str, Any]:
    """Return the values the statements take."""
    weights = policy["relation_weights"]
    return {
        "relation_weights": json.dumps(
            [
                {"kind": kind, "weight": None if weight == BY_SHARE else weight}
                for kind, weight in weights.items()
            ]
        ),
        "relation_depth": depth_of(policy),
        "related_group_limit": int(policy["related_group_limit"]),
    }


def depth_of(policy: Policy) -> int:
    return min(max(int(policy["relation_depth"]), 1), DEEPEST)


@dataclass(frozen=True)
class Tie:
    """One relation in force on the date: ``other`` is the customer's spouse, shareholder, parent of the group, …"""

    customer: int
    other: int
    kind: str
    share_percent: Decimal | None = None


@dataclass(frozen=True)
class Share:
    """The heaviest path to a member: its weight, its steps, and the kind of its first step."""

    weight: Decimal
    depth: int
    kind: str


def weight_of(tie: Tie, policy: Policy) -> Decimal:
    """Return what one relation weighs; 0: it does not count (its kind has no weight, its share is unknown or nothing)."""
    weight = policy["relation_weights"].get(tie.kind, "0")
    if weight != BY_SHARE:
        return Decimal(weight)
    if tie.share_percent is None:
        return Decimal(0)
    return Decimal(1) if tie.share_percent >= FULL_SHARE else _round(tie.share_percent / 100)


def leader(members: Iterable[int], ties: Iterable[Tie]) -> int:
    """Return who leads a group: a parent of others of it, one without a parent above him first, then the one with the most
    below him; nobody's parent is known → the smallest id."""
    inside = set(members)
    parents = [t for t in ties if t.kind == "group_parent" and t.customer in inside and t.other in inside]
    below, has_parent = defaultdict(set), set()
    for tie in parents:
        below[tie.other].add(tie.customer)
        has_parent.add(tie.customer)
    return min(inside, key=lambda m: (m not in below, m in has_parent, -len(below.get(m, ())), m))


def shares(groups: Mapping[int, str], ties: Iterable[Tie], policy: Policy) -> dict[int, dict[int, Share]]:
    """Return customer → member → share. ``groups``: every customer known to the night with his group number or ``""``."""
    ties = list(ties)
    edges = _edges(groups, ties, policy)
    limit = int(policy["related_group_limit"])
    best = {customer: dict(found) for customer, found in edges.items()}
    reached = edges
    for depth in range(2, depth_of(policy) + 1):
        further: dict[int, dict[int, Share]] = defaultdict(dict)
        for customer, found in reached.items():
            for middle, so_far in found.items():
                if len(edges[middle]) > limit:
                    continue
                for member, step in edges[middle].items():
                    weight = _round(so_far.weight * step.weight)
                    if member != customer and weight > 0:
                        _keep(further[customer], member, Share(weight, depth, so_far.kind))
        for customer, found in further.items():
            for member, share in found.items():
                _keep(best.setdefault(customer, {}), member, share)
        reached = further
    return best


def _edges(groups: Mapping[int, str], ties: list[Tie], policy: Policy) -> dict[int, dict[int, Share]]:
    found: dict[int, dict[int, Share]] = defaultdict(dict)

    def join(one: int, other: int, kind: str, weight: Decimal) -> None:
        if weight > 0 and one in groups and other in groups:
            _keep(found[one], other, Share(weight, 1, kind))
            _keep(found[other], one, Share(weight, 1, kind))

    for tie in ties:
        join(tie.customer, tie.other, tie.kind, weight_of(tie, policy))
    by_group = defaultdict(list)
    for customer, group in groups.items():
        if group:
            by_group[group].append(customer)
    weight = Decimal(policy["relation_weights"].get(GROUP, "0"))
    for members in by_group.values():
        if len(members) <= int(policy["related_group_limit"]):
            pairs = [(one, other) for one in members for other in members if one < other]
        else:
            parents = {t.other for t in ties if t.kind == "group_parent" and t.customer in members}
            head = leader(members, ties)
            pairs = [(head, other) for other in members if other != head] if head in parents else []
        for one, other in pairs:
            join(one, other, GROUP, weight)
    return found


def _keep(found: dict[int, Share], member: int, share: Share) -> None:
    """Keep the heaviest; of equals the shorter, then the first kind in the alphabet: a fixed order."""
    held = found.get(member)
    if held is None or (-share.weight, share.depth, share.kind) < (-held.weight, held.depth, held.kind):
        found[member] = share


def together(own: Decimal, members: Iterable[tuple[Decimal, Decimal]]) -> Decimal:
    """Return own value + Σ of the rounded terms weight × value."""
    return own + sum((counted(weight, value) for weight, value in members), Decimal(0))


def counted(weight: Decimal, value: Decimal) -> Decimal:
    """Return what a member's value counts: to the cent, half away from zero, as the night rounds it."""
    return rounded(Fraction(weight) * Fraction(value))


def _round(weight: Decimal) -> Decimal:
    return rounded(Fraction(weight), 8)
