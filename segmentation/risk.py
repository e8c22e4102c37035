"""Risk of a customer as pure functions, 0–100, higher = riskier: the formulas to read, and the oracle the night's
statement is held against."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from segmentation.policy import Policy

CHOICES = {
    "risk_component_weights": (
        {
            "corporate": {"overdue": "25", "probability": "25", "leverage": "10", "concentration": "10", "guarantee": "10",
                          "warning": "15", "kyc": "5"},
            "individual": {"overdue": "30", "probability": "30", "leverage": "10", "concentration": "0", "guarantee": "5",
                           "warning": "15", "kyc": "10"},
        },
        "weight", "D", "Weights of missing components are shared out among the others.",
    ),
    "risk_floors": (
        {"normal": "0", "special_mention": "40", "substandard": "70", "doubtful": "85", "loss": "95"},
        "points", "D", "A customer is at least as risky as the worst class of his loans.",
    ),
    "bank_net_capital": (None, "base currency", "D", "Unset: the share of net capital is not judged."),
}  # fmt: skip


def parameters(policy: Policy) -> dict[str, Any]:
    """Return the values the statement takes."""
    return {}
