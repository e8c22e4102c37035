"""Contribution of a customer as pure functions: the formulas in one place to read, and the oracle the night's statements
are held against. Exact fractions inside, one rounding per line (half up, away from zero), totals are sums of lines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segmentation.policy import Policy

CENT = 100


def rounded(amount: Fraction, places: int = 2) -> Decimal:
    """Round half up, away from zero, to ``places`` decimals."""
    scale = 10**places
    scaled = abs(amount) * scale
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return Decimal(whole if amount >= 0 else -whole).scaleb(-places)


@dataclass(frozen=True)
class Held:
    """An account over a period: ``day_sum`` = Σ end-of-day balances in its own currency; rates are % a year, as used."""

    side: str  # deposit, debt, investment, service
    day_sum: Decimal = Decimal(0)
    interest_rate: Decimal = Decimal(0)
    transfer_rate: Decimal = Decimal(0)
    fee_rate: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)  # + earned by the bank
    counter_count: int = 0
    digital_count: int = 0
    open_days: int = 0
    fx_rate: Decimal = Decimal(1)
    probability: Decimal = Decimal(0)  # of default, a year
    loss_share: Decimal = Decimal(0)
    risk_weight: Decimal = Decimal(0)


@dataclass(frozen=True)
class Lines:
    """The rounded lines of one account, base currency."""

    margin: Decimal = Decimal(0)
    fee: Decimal = Decimal(0)
    operation: Decimal = Decimal(0)
    loss: Decimal = Decimal(0)
    surcharge: Decimal = Decimal(0)
    capital: Decimal = Decimal(0)
    capital_cost: Decimal = Decimal(0)


@dataclass(frozen=True)
class Total:
    """The contribution of a customer; ``raroc`` is a fraction a year, None where no capital is bound."""

    deposit: Decimal
    loan: Decimal
    fee: Decimal
    wealth: Decimal
    operation: Decimal
    loss: Decimal
    surcharge: Decimal
    pretax: Decimal
    tax: Decimal
    net: Decimal
    capital: Decimal
    capital_cost: Decimal
    eva: Decimal
    eva_annual: Decimal
    raroc: Decimal | None


def lines(held: Held, policy: Policy, days: int) -> Lines:
    """Return the lines of an account over a period of ``days`` calendar days."""
    interest_base, year_base = int(policy["interest_day_base"]), int(policy["annual_day_base"])
    in_base = Fraction(held.day_sum) * Fraction(held.fx_rate)
    fee = Fraction(held.fees) * Fraction(held.fx_rate)
    interest = (
        in_base * Fraction(held.interest_rate) / (CENT * interest_base)
        if held.side == "debt"
        else Fraction(0)
    )
    exposed = held.side == "debt"
    bound = (
        in_base * Fraction(held.risk_weight) * Fraction(policy.decimal("capital_ratio"))
        if exposed
        else Fraction(0)
    )
    return Lines(
        margin=rounded(_margin(held, in_base, interest_base, year_base)),
        fee=rounded(fee),
        operation=rounded(
            held.counter_count * Fraction(policy.decimal("unit_cost_counter"))
            + held.digital_count * Fraction(policy.decimal("unit_cost_digital"))
            + held.open_days * Fraction(policy.decimal("account_maintenance")) / year_base
        ),
        loss=rounded(
            in_base * Fraction(held.probability) * Fraction(held.loss_share) / year_base
            if exposed
            else Fraction(0)
        ),
        surcharge=rounded((interest + fee) * Fraction(policy.decimal("surcharge_rate"))),
        capital=rounded(bound / days),
        capital_cost=rounded(bound * Fraction(policy.decimal("capital_hurdle")) / year_base),
    )


def total(
    accounts: Iterable[tuple[str, Lines]], policy: Policy, days: int, *, minutes: Decimal = Decimal(0)
) -> Total:
    """Add the lines of a customer's accounts up, given as (side, lines); ``minutes`` of his relationship manager."""
    accounts = list(accounts)
    sums = {
        field.name: sum((getattr(line, field.name) for _, line in accounts), Decimal(0))
        for field in fields(Lines)
    }
    margin = {
        side: sum((line.margin for its_side, line in accounts if its_side == side), Decimal(0))
        for side in ("deposit", "debt", "investment")
    }
    operation = sums["operation"] + rounded(
        Fraction(minutes) * Fraction(policy.decimal("cost_per_manager_minute"))
    )
    pretax = sum(margin.values()) + sums["fee"] - operation - sums["loss"] - sums["surcharge"]
    tax = rounded(Fraction(pretax) * Fraction(policy.decimal("tax_rate")))
    net = pretax - tax
    eva = net - sums["capital_cost"]
    year = int(policy["annual_day_base"])
    return Total(
        deposit=margin["deposit"],
        loan=margin["debt"],
        fee=sums["fee"],
        wealth=margin["investment"],
        operation=operation,
        loss=sums["loss"],
        surcharge=sums["surcharge"],
        pretax=pretax,
        tax=tax,
        net=net,
        capital=sums["capital"],
        capital_cost=sums["capital_cost"],
        eva=eva,
        eva_annual=rounded(Fraction(eva) * year / days),
        raroc=rounded(Fraction(net) * year / days / Fraction(sums["capital"]), 6)
        if sums["capital"]
        else None,
    )


def _margin(held: Held, in_base: Fraction, interest_base: int, year_base: int) -> Fraction:
    interest, transfer = Fraction(held.interest_rate), Fraction(held.transfer_rate)
    if held.side == "deposit":
        return in_base * (transfer - interest) / (CENT * interest_base)
    if held.side == "debt":
        return in_base * (interest - transfer) / (CENT * interest_base)
    if held.side == "investment":
        return in_base * Fraction(held.fee_rate) / (CENT * year_base)
    return Fraction(0)
