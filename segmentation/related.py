"""Whose contribution and deposits count with a customer's: weights over the relation graph, as pure functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from segmentation.policy import Policy

CHOICES = {
    "relation_weights": (
        {
            "group": "1", "group_member": "1", "group_parent": "1", "legal_representative": "1", "controller": "1",
            "spouse": "0.5", "parent": "0.5", "child": "0.5", "household": "0.5", "payroll": "0.3", "supplier": "0.2",
            "buyer": "0.2", "guarantor": "0.1", "shareholder": "share",
        },
        "share", "D", "Of the related customer's value; share: the percentage held, 1 from 50 % on.",
    ),
    "relation_depth": (1, "steps", "D", "How many relations a path may follow; the heaviest path counts."),
}  # fmt: skip


def parameters(policy: Policy) -> dict[str, Any]:
    """Return the values the statements take."""
    return {}
