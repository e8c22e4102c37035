"""What a customer does and holds, as pure functions: classes of products, bookings of his own, deposit points, and where
he is in his life with the bank. The oracle of the night's statements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from segmentation.policy import Policy

# Not the customer's own doing: an account that only bears interest is asleep. No parameter: the accumulators hold counts of
# many months, which a change from a day on could not follow.
BANK_MADE = ["interest_credit", "interest_charge", "penalty_interest", "fee"]

CHOICES = {
    "product_classes": (
        {
            "demand_deposit": "demand", "term_deposit": "time", "notice_deposit": "time", "structured_deposit": "time",
            "margin_deposit": "time", "mortgage": "loan", "consumer_loan": "loan", "instalment_loan": "loan",
            "business_loan": "loan", "discounted_bill": "loan", "credit_card": "card", "debit_card": "card",
            "wealth": "wealth", "precious_metal": "wealth", "treasury_bond": "wealth", "trust": "wealth", "fund": "fund",
            "insurance": "insurance", "payroll": "payroll", "merchant": "merchant", "settlement": "merchant",
            "online_banking": "e_channel", "mobile_banking": "e_channel", "custody": "custody",
        },
        "class per family", "D", "What counts as one kind of business with the bank.",
    ),
    "deposit_point_coefficients": (
        {
            "demand": "1.5", "notice": "1.2", "six_months": "1.0", "one_year": "0.9", "two_years": "0.8",
            "three_years": "0.6", "five_years": "0.5", "margin": "0.8", "structured": "0.4",
        },
        "points per 10,000 of month day-average", "D", "By family, and for time deposits by term.",
    ),
    "dormant_after_days": (180, "days", "D", "Without a booking of his own."),
    "lost_below_share": ("0.5", "share", "D", "Of the assets of the three months before the last three."),
    "lost_below_assets": ("1000", "base currency", "D", "And less than this."),
    "new_for_days": (90, "days", "D", "A customer is new for so long."),
}  # fmt: skip


def parameters(policy: Policy) -> dict[str, Any]:
    """Return the values the statements take."""
    return {}
