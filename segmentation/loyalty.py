"""Loyalty of a customer as pure functions, 0–100, higher = more loyal: the formulas to read, and the oracle the night's
statement is held against."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from segmentation.policy import Policy

CHOICES = {
    "loyalty_weights": (
        {"tenure": "15", "holdings": "25", "wallet": "15", "activity": "20", "stability": "15", "advocacy": "10"},
        "weight", "D", "Weights of missing components are shared out among the others.",
    ),
    "loyalty_adjustments": (
        {"complaint": "-5", "dissatisfied": "-10", "outflow": "-5", "payroll": "3"},
        "points", "D", "Open complaint; complaint closed dissatisfied in 12 months; regular transfers to himself at another "
        "bank; salary in each of six months.",
    ),
}  # fmt: skip


def parameters(policy: Policy) -> dict[str, Any]:
    """Return the values the statement takes."""
    return {}
