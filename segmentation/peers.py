"""Peers: whom a customer is compared with, and how a value becomes a percentile, as pure functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from segmentation.policy import Policy

CHOICES = {
    "peer_group_at_least": (30, "customers", "D", "Fewer, and the wider group counts: the bank's, then the kind's."),
}  # fmt: skip


def parameters(policy: Policy) -> dict[str, Any]:
    """Return the values the statements take."""
    return {"peer_floor": int(policy["peer_group_at_least"])}
