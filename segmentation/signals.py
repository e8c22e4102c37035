"""What a night notices about a customer, and when it tells somebody: rules, levels, cool-downs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from segmentation.policy import Policy

CHOICES = {
    "deposits_down_shares": (
        {"yellow": "0.20", "orange": "0.30", "red": "0.50"}, "share", "D", "Fall against the average of the three months before.",
    ),
    "deposits_down_from": ("10000", "base currency", "D", "Smaller averages raise no alert."),
    "large_move": ({"individual": "500000", "corporate": "5000000"}, "base currency a day", "D", "Money out or in on one day."),
    "maturity_days": ([7, 30], "days", "D", "Before a deposit, an investment or a loan falls due."),
    "document_days": (30, "days", "D", "Before an identity document or a risk assessment expires."),
    "risk_assessment_months": (12, "months", "V", "How long a risk assessment holds."),
    "near_threshold_share": ("0.10", "share", "D", "This close to a tier's floor, from below or from above."),
    "alert_cooldown_days": (
        {
            "deposits_down": 30, "large_outflow": 7, "large_inflow": 7, "maturity": 15, "first_overdue": 30,
            "class_downgraded": 30, "class_mismatch": 30, "identity_expiring": 30, "assessment_expiring": 30, "tier_won": 0,
            "tier_lost": 0, "near_up": 30, "near_down": 30,
        },
        "days", "D", "The same alert of the same customer and account is not told again within so many days, unless it is graver.",
    ),
    "tier_alert_levels": (
        {"tier_won": "note", "tier_lost": "orange", "near_up": "note", "near_down": "blue", "below": "yellow"},
        "level", "D", "How grave what a tier tells is; below: already under the line from which a tier is lost.",
    ),
}  # fmt: skip


def parameters(policy: Policy) -> dict[str, Any]:
    """Return the values the statements take."""
    return {
        # What is told of the signals: 80_alerts.
        "near_share": policy.decimal("near_threshold_share"),
        "alert_cooldowns": json.dumps(policy["alert_cooldown_days"]),
        "tier_alert_levels": json.dumps(policy["tier_alert_levels"]),
    }
