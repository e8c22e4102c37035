"""What people call the parameters, and what a value somebody sets must keep to beyond the shape of its default."""

import datetime

from django.utils.translation import gettext_lazy as _

from crm.core import parameter_desk, parameters
from crm.core.privacy import reveal  # noqa: F401  declares a parameter
from customers import account_numbers, quality  # noqa: F401  declare parameters
from segmentation import parameter_keys, policy
from segmentation.models import AlertKind, PublishedNight
from segmentation.models.signals import Level

# By the part of the night that reads them.
TITLES = {
    "contribution": {
        "default_interest_rates": _("Interest rates assumed"),
        "default_transfer_rates": _("Transfer prices assumed"),
        "default_sales_fee_rates": _("Sales fees assumed"),
        "default_exchange_rate": _("Exchange rate assumed"),
        "interest_day_base": _("Days of a year, interest"),
        "annual_day_base": _("Days of a year, everything else"),
        "unit_cost_counter": _("Cost of a booking at the counter"),
        "unit_cost_digital": _("Cost of a digital booking"),
        "cost_per_manager_minute": _("Cost of a manager's minute"),
        "account_maintenance": _("Cost of keeping an account"),
        "default_probability": _("Probability of default"),
        "loss_given_default": _("Loss given default"),
        "risk_weights": _("Risk weights"),
        "mortgage_bands": _("Risk weights of mortgages"),
        "sme_revenue_limit": _("Revenue limit of small firms"),
        "surcharge_rate": _("Turnover taxes"),
        "tax_rate": _("Income tax"),
        "capital_ratio": _("Capital ratio"),
        "capital_hurdle": _("Return on capital expected"),
        "base_currency": _("Base currency"),
    },
    "tiers": {
        "asset_coefficients": _("Coefficients of comprehensive assets"),
        "personal_tiers": _("Tiers of individuals"),
        "corporate_tiers_by_contribution": _("Tiers of firms by contribution"),
        "corporate_tiers_by_deposit": _("Tiers of firms by deposit"),
        "strategic_customers": _("Strategic customers"),
        "tier_downgrade_months": _("Months before a tier is lost"),
        "tier_downgrade_share": _("Share of the floor below which a tier is lost"),
        "tier_protection_months": _("Months a new tier is protected"),
        "top_tier_at_once": _("Top tier at once"),
    },
    "behaviour": {
        "product_classes": _("Classes of products"),
        "payroll_from_months": _("Months of salary that count as payroll"),
        "deposit_point_coefficients": _("Deposit point coefficients"),
        "own_bank_names": _("Names of this bank"),
        "dormant_after_days": _("Asleep after"),
        "lost_below_share": _("Lost below this share of earlier assets"),
        "lost_below_assets": _("Lost below these assets"),
        "new_for_days": _("New for"),
    },
    "related": {
        "relation_weights": _("Weights of relations"),
        "relation_depth": _("Depth of relations"),
        "related_group_limit": _("Largest group whose members count together"),
    },
    "loyalty": {
        "loyalty_weights": _("Weights of loyalty"),
        "loyalty_adjustments": _("Adjustments of loyalty"),
        "loyalty_tenure_months": _("Months of full tenure"),
        "loyalty_holding_steps": _("Steps of holdings"),
        "loyalty_activity": _("Activity"),
        "loyalty_stability_least_months": _("Months stability needs"),
        "loyalty_advocacy": _("Advocacy"),
        "loyalty_regular_months": _("Months that make a habit"),
    },
    "risk": {
        "risk_component_weights": _("Weights of risk"),
        "risk_floors": _("Floors of risk by loan class"),
        "bank_net_capital": _("Net capital of the bank"),
        "risk_overdue_bands": _("Bands of days past due"),
        "risk_lowest_probability": _("Lowest probability of default"),
        "risk_anchors": _("Anchors of leverage and concentration"),
        "risk_guarantee_ring": _("Rings of guarantees"),
        "risk_warning_points": _("Points of warnings"),
        "risk_kyc_points": _("Points of the due diligence grade"),
        "risk_assessment_valid_months": _("Months a risk assessment counts"),
    },
    "alerts": {
        "deposits_down_shares": _("Deposits down"),
        "deposits_down_from": _("Deposits down: smallest average"),
        "large_move": _("Large moves"),
        "large_outflow_share": _("Large outflow: share of the deposits"),
        "maturity_days": _("Maturity: days before"),
        "document_days": _("Documents: days before they expire"),
        "risk_assessment_months": _("Months a risk assessment holds"),
        "overdue_classes": _("Mildest class by days past due"),
        "warning_kinds": _("Signals that are warnings"),
        "near_threshold_share": _("Close to a threshold"),
        "alert_cooldown_days": _("Cool-down of alerts"),
        "tier_alert_levels": _("Levels of tier alerts"),
    },
    "peers": {
        "peer_group_at_least": _("Smallest group of peers"),
        "enterprise_size_limits": _("Limits of enterprise size"),
        "enterprise_size_industries": _("Industries of enterprise size"),
    },
    "keeping": {
        "nights_kept": _("Nights kept in full"),
        "month_ends_kept": _("Month ends kept in full"),
        "past_scores_kept": _("Nights whose scores are kept"),
    },
    "other": {
        "privacy.reveals_per_day": _("Masked values shown a day"),
        "account_number_parts": _("Parts of an account number"),
    },
}

# What a value must keep to beyond its unit's range; a year of no days would stop the night.
LIMITS: dict[str, dict] = {
    "base_currency": {"settable": False},  # chosen with the first batch; every amount kept is in it
    "interest_day_base": {"least": 360, "most": 366},
    "annual_day_base": {"least": 360, "most": 366},
    "default_exchange_rate": {"most": 1000},
    "risk_weights": {"most": 13},
    "mortgage_bands": {"most": 13, "rising": True},
    "personal_tiers": {"rising": True},
    "corporate_tiers_by_contribution": {"rising": True},
    "corporate_tiers_by_deposit": {"rising": True},
    "dormant_after_days": {"least": 90, "most": 365},
    "loyalty_tenure_months": {"least": 1},
    "loyalty_holding_steps": {"rising": True},
    "loyalty_activity": {"most": 366},
    "risk_floors": {"rising": True},
    "risk_overdue_bands": {"most": 3660, "rising": True},
    "risk_anchors": {"most": 10},
    "deposits_down_shares": {"rising": True},
    "tier_downgrade_months": {"least": 1, "most": 12},
    "maturity_days": {"rising": True},
    "peer_group_at_least": {"least": 1},
    "enterprise_size_industries": {"codes": True},
    "warning_kinds": {"words": tuple(AlertKind.values)},
    "tier_alert_levels": {"words": tuple(Level.values)},
}


def say() -> None:
    """Give every parameter its words, and the desk who counts the nights a change touches; once, as the app starts."""
    declared = {definition.name for definition in parameters.declared()}
    for group, titles in TITLES.items():
        for name, title in titles.items():
            if name in declared:
                parameters.describe(name, title, group, **LIMITS.get(name, {}))
    parameters.name_keys(parameter_keys.WORDS)
    parameter_desk.nights_are_counted_by(nights_from)


def nights_from(name: str, day: datetime.date) -> int:
    """Return how many published nights rest on a parameter from a day on; none for what changes no figure."""
    if name not in policy.NAMES:
        return 0
    return PublishedNight.objects.filter(business_date__gte=day).count()
