"""Enterprise size by the statistical standard of 2017: large, medium, small, micro, or unknown where an indicator is
missing; never guessed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from segmentation.policy import Policy

CHOICES: dict[str, Any] = {}


def parameters(policy: Policy) -> dict[str, Any]:
    """Return the values the statements take."""
    return {}
