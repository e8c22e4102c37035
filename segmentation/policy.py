"""What the bank decides about the night: rates assumed where none is fed, costs, risk weights, tiers. All of it dated
parameters with unit and source (V read in a source, M memory, D our choice); a night pins the values of its date."""

import datetime
import hashlib
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from crm.core import parameters
from customers.models.accounts import DEBTS, DEPOSITS, INVESTMENTS, SERVICES
from segmentation import behaviour, loyalty, peers, related, risk, signals, sizes, tiers

# Each part of the night declares its own choices and how its statements take them.
PARTS = [behaviour, related, signals, loyalty, risk, sizes, tiers, peers]

BASE_CURRENCY = parameters.define(
    "base_currency", None, unit="ISO 4217", note="Unset: what most accounts of the first batch bear."
)

_CHOICES = {
    # Rates assumed per product family where the feed gives none: a night never fails for a missing rate, it says so.
    "default_interest_rates": (
        {
            "demand_deposit": "0.05", "term_deposit": "1.10", "notice_deposit": "0.45", "margin_deposit": "0.05",
            "structured_deposit": "1.80", "mortgage": "3.50", "consumer_loan": "4.50", "instalment_loan": "5.00",
            "business_loan": "3.80", "discounted_bill": "1.50", "credit_card": "6.00",
        },
        "% a year", "D", "Interest per family where an account bears none.",
    ),
    "default_transfer_rates": (
        {
            "demand_deposit": "1.50", "term_deposit": "1.80", "notice_deposit": "1.50", "margin_deposit": "1.50",
            "structured_deposit": "2.10", "mortgage": "2.60", "consumer_loan": "2.60", "instalment_loan": "2.60",
            "business_loan": "2.40", "discounted_bill": "1.20", "credit_card": "2.20",
        },
        "% a year", "D", "Transfer price per family where neither the account nor the curve of its origination day has one.",
    ),
    "default_sales_fee_rates": (
        {
            "wealth": "0.30", "fund": "0.60", "insurance": "0.50", "precious_metal": "0.20", "treasury_bond": "0.10",
            "trust": "0.50",
        },
        "% a year", "D", "Sales fee per family where the product bears none.",
    ),
    "default_exchange_rate": ("1", "base per unit", "D", "Where a currency has no rate; lowers coverage."),
    "asset_coefficients": (
        dict.fromkeys([*DEPOSITS, *INVESTMENTS], "1"),
        "factor", "D", "Weight of each family in comprehensive assets (the tier's measure).",
    ),
    "interest_day_base": (360, "days", "M", "Day base of interest on deposits and loans."),
    "annual_day_base": (365, "days", "D", "Day base of fees, losses and capital cost."),
    "unit_cost_counter": ("8.50", "base currency per booking", "D", "A booking at the counter or by phone."),
    "unit_cost_digital": ("0.35", "base currency per booking", "D", "A booking by any other channel."),
    "cost_per_manager_minute": ("2.00", "base currency per minute", "D", "A minute of a relationship manager."),
    "account_maintenance": ("0", "base currency a year", "D", "Keeping an account open."),
    "default_probability": (
        {"normal": "0.012", "special_mention": "0.08", "substandard": "0.30", "doubtful": "0.60", "loss": "1"},
        "probability a year", "D", "Per class of the credit system; a loan without a class counts as normal, lowering coverage.",
    ),
    "loss_given_default": ({"unsecured": "0.45", "secured": "0.40"}, "share", "M", "By whether collateral is recorded."),
    "risk_weights": (
        {"company": "1", "sme": "0.85", "retail": "0.75", "mortgage": "0.50", "mortgage_high": "0.70"},
        "share", "M", "mortgage: collateral unknown; mortgage_high: above the last band.",
    ),
    "mortgage_bands": (
        [["0.50", "0.20"], ["0.60", "0.25"], ["0.80", "0.30"], ["0.90", "0.40"], ["1.00", "0.50"]],
        "loan to value, risk weight", "M", "The first band whose limit is not exceeded.",
    ),
    "sme_revenue_limit": (
        "300000000", "base currency a year", "M", "Firms below count as small for capital; unknown counts as large.",
    ),
    "surcharge_rate": ("0.0634", "share of income", "D", "VAT and surcharges: 6 % / 1.06 × 1.12, rounded."),
    "tax_rate": ("0.25", "share", "V", "Enterprise income tax, management view: sign kept."),
    "capital_ratio": ("0.115", "share", "D", "Target capital ratio k."),
    "capital_hurdle": ("0.10", "share a year", "D", "Return the capital must earn, h."),
    "personal_tiers": (
        [["ordinary", "0"], ["gold", "50000"], ["platinum", "200000"], ["vip", "500000"], ["diamond", "2000000"],
         ["private", "6000000"]],
        "tier, month day-average of comprehensive assets from", "D", "Half-open; the first tier has no floor.",
    ),
    "corporate_tiers_by_contribution": (
        [["inefficient", "0"], ["general", "0"], ["quality", "200000"], ["key", "1000000"], ["strategic", "5000000"]],
        "tier, annualised contribution from", "D", "The first tier has no floor.",
    ),
    "corporate_tiers_by_deposit": (
        [["quality", "5000000"], ["key", "30000000"], ["strategic", "100000000"]],
        "tier, year day-average deposit from", "D", "The higher of the two verdicts counts.",
    ),
    "strategic_customers": ([], "customer numbers", "D", "Corporates the bank names strategic whatever their figures."),
    "nights_kept": (3, "nights", "D", "Newest nights whose customers' rows are kept beside the month ends."),
    "month_ends_kept": (25, "nights", "D", "Month ends whose customers' rows are kept."),
    "past_scores_kept": (400, "nights", "D", "Nights whose scores are kept, without their lines."),
}  # fmt: skip
for _part in PARTS:
    _CHOICES |= _part.CHOICES

for _name, (_default, _unit, _source, _note) in _CHOICES.items():
    parameters.define(_name, _default, unit=_unit, source=_source, note=_note)

KEEPING = {"nights_kept", "month_ends_kept", "past_scores_kept"}  # change no figure
NAMES = sorted(set(_CHOICES) - KEEPING)
SIDES = {**dict.fromkeys(DEPOSITS, "deposit"), **dict.fromkeys(DEBTS, "debt"), **dict.fromkeys(INVESTMENTS, "investment"),
         **dict.fromkeys(SERVICES, "service")}  # fmt: skip


@dataclass(frozen=True)
class Policy:
    """The values in force on a date. Amounts and rates are decimal strings, as stored."""

    values: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def decimal(self, name: str) -> Decimal:
        return Decimal(str(self.values[name]))

    @property
    def version(self) -> str:
        """Return what identifies these values."""
        canonical = json.dumps(self.values, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(canonical.encode()).hexdigest()

    def families(self) -> list[dict[str, Any]]:
        """Return one row per product family: side, rates assumed, coefficient; what the statements join."""
        return [
            {
                "family": family,
                "side": side,
                "interest": self["default_interest_rates"].get(family),
                "transfer": self["default_transfer_rates"].get(family),
                "fee": self["default_sales_fee_rates"].get(family),
                "coefficient": self["asset_coefficients"].get(
                    family, "1" if side in ("deposit", "investment") else "0"
                ),
            }
            for family, side in SIDES.items()
        ]

    def parameters(self) -> dict[str, Any]:
        """Return the values as the statements take them: plain numbers by name, lists as JSON."""
        weights, lgd = self["risk_weights"], self["loss_given_default"]
        personal = self["personal_tiers"]
        corporate = self["corporate_tiers_by_contribution"]
        rank = {tier: position for position, (tier, _) in enumerate(corporate)}
        of_parts: dict[str, Any] = {}
        for part in PARTS:
            of_parts |= part.parameters(self)
        return of_parts | {
            "families": json.dumps(self.families()),
            "classes": json.dumps(
                [{"class": name, "pd": pd} for name, pd in self["default_probability"].items()]
            ),
            "bands": json.dumps(
                [{"upto": upto, "weight": weight} for upto, weight in self["mortgage_bands"]]
            ),
            "default_fx": self.decimal("default_exchange_rate"),
            "day_base": int(self["interest_day_base"]),
            "year_base": int(self["annual_day_base"]),
            "counter_cost": self.decimal("unit_cost_counter"),
            "digital_cost": self.decimal("unit_cost_digital"),
            "minute_cost": self.decimal("cost_per_manager_minute"),
            "maintenance": self.decimal("account_maintenance"),
            "lgd_unsecured": Decimal(lgd["unsecured"]),
            "lgd_secured": Decimal(lgd["secured"]),
            "rw_company": Decimal(weights["company"]),
            "rw_sme": Decimal(weights["sme"]),
            "rw_retail": Decimal(weights["retail"]),
            "rw_mortgage": Decimal(weights["mortgage"]),
            "rw_mortgage_high": Decimal(weights["mortgage_high"]),
            "sme_limit": self.decimal("sme_revenue_limit"),
            "surcharge": self.decimal("surcharge_rate"),
            "tax": self.decimal("tax_rate"),
            "capital_ratio": self.decimal("capital_ratio"),
            "hurdle": self.decimal("capital_hurdle"),
            "personal_tiers": [tier for tier, _ in personal],
            "personal_floors": [Decimal(floor) for _, floor in personal[1:]],
            "corporate_tiers": [tier for tier, _ in corporate],
            "contribution_floors": [Decimal(floor) for _, floor in corporate[1:]],
            "deposit_floors": [Decimal(floor) for _, floor in self["corporate_tiers_by_deposit"]],
            "deposit_ranks": [rank[tier] for tier, _ in self["corporate_tiers_by_deposit"]],
            "strategic": list(self["strategic_customers"]),
        }


def on(day: datetime.date) -> Policy:
    """Return the policy in force on a day."""
    return Policy(parameters.values(day, NAMES))
