"""What a customer does and holds, as pure functions: the formulas to read, and the oracle the night's statements are held
against. Classes of products, bookings of his own, deposit points, and where he is in his life with the bank.

Statements: ``20_sums_from_months`` or ``21_sums_as_known`` (per account), ``22_outflows``, ``30_account_measures`` (points),
``42_behaviour`` (per customer).
"""

from __future__ import annotations

import datetime
import json
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from segmentation import periods
from segmentation.contribution import rounded

if TYPE_CHECKING:
    from segmentation.policy import Policy

# Not the customer's own doing: an account that only bears interest is asleep. No parameter: the accumulators hold counts of
# many months, which a change from a day on could not follow.
BANK_MADE = ["interest_credit", "interest_charge", "penalty_interest", "fee"]
MASK_MONTHS = 6  # complete months that a mask of salaries or outflows looks back
WAKING_DAYS = 90  # within which a booking of his own tells that a sleeper woke up
# Days from opening to maturity, up to which a term deposit counts as one of the named term. Longer: five years.
TERMS = [(183, "six_months"), (366, "one_year"), (731, "two_years"), (1096, "three_years")]
POINT_FAMILIES = {
    "demand_deposit": "demand", "notice_deposit": "notice", "margin_deposit": "margin", "structured_deposit": "structured",
}  # fmt: skip

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
    "payroll_from_months": (3, "months", "D", "Salary in so many of the last six complete months counts as payroll."),
    "deposit_point_coefficients": (
        {
            "demand": "1.5", "notice": "1.2", "six_months": "1.0", "one_year": "0.9", "two_years": "0.8",
            "three_years": "0.6", "five_years": "0.5", "margin": "0.8", "structured": "0.4",
        },
        "points per 10,000 of month day-average", "D", "By family, and for time deposits by term.",
    ),
    "own_bank_names": ([], "names", "D", "How this bank is named as a counterparty's bank: money sent there has not left it."),
    "dormant_after_days": (180, "days", "D", "Without a booking of his own; 90 to 365, which is how far back is looked."),
    "lost_below_share": (
        "0.5", "share", "D", "Of the assets of the three months before the last three (the month to date is one of these).",
    ),
    "lost_below_assets": ("1000", "base currency", "D", "And less than this, or asleep."),
    "new_for_days": (90, "days", "D", "A customer is new for so long."),
}  # fmt: skip


def parameters(policy: Policy) -> dict[str, Any]:
    """Return the values the statements take."""
    coefficients = policy["deposit_point_coefficients"]
    return {
        "bank_made": BANK_MADE,
        "own_bank_names": [name.strip() for name in policy["own_bank_names"]],
        "product_classes": json.dumps(policy["product_classes"]),
        "payroll_from_months": int(policy["payroll_from_months"]),
        # The place of a term among its floors is the place of its coefficient.
        "term_floors": [days + 1 for days, _ in TERMS],
        "term_coefficients": [Decimal(coefficients[term]) for term in [*dict(TERMS).values(), "five_years"]],
        "point_families": list(POINT_FAMILIES),
        "point_coefficients": [Decimal(coefficients[name]) for name in POINT_FAMILIES.values()],
        "dormant_after": int(policy["dormant_after_days"]),
        "lost_share": policy.decimal("lost_below_share"),
        "lost_below": policy.decimal("lost_below_assets"),
        "new_for": int(policy["new_for_days"]),
    }


def own_bookings(bookings: Iterable[tuple[datetime.date, str]], as_of: datetime.date, days: int) -> int:
    """Count the bookings the customer made himself, given as (day, kind), in the ``days`` days that end on ``as_of``."""
    first = as_of - datetime.timedelta(days=days - 1)
    return sum(first <= day <= as_of and kind not in BANK_MADE for day, kind in bookings)


def last_own(bookings: Iterable[tuple[datetime.date, str]], as_of: datetime.date) -> datetime.date | None:
    """Return the day of the last booking of his own in the rolling year; None: nothing for a year."""
    first = periods.of(as_of).rolling.first
    return max(
        (day for day, kind in bookings if first <= day <= as_of and kind not in BANK_MADE), default=None
    )


def months_mask(days: Iterable[datetime.date], as_of: datetime.date) -> int:
    """Return the mask of the six complete months before ``as_of`` in which one of the days lies; bit 0 = last month."""
    days = list(days)
    months = periods.of(as_of).recent[1 : MASK_MONTHS + 1]
    return sum(1 << n for n, month in enumerate(months) if any(month.first <= d <= month.last for d in days))


def repaid(bookings: Iterable[tuple[datetime.date, str, Decimal]], as_of: datetime.date) -> Decimal:
    """Return what was paid into a loan account, given (day, kind, amount), in the three complete months before."""
    months = periods.of(as_of).recent
    first, after = months[3].first, months[0].first
    return sum(
        (a for day, kind, a in bookings if kind == "loan_repayment" and a > 0 and first <= day < after),
        Decimal(0),
    )


def leaves_the_bank(
    *, owner: str, kind: str, amount: Decimal, name: str | None, bank: str | None, policy: Policy
) -> bool:
    """Return whether a booking takes money to an account in the owner's own name at another bank.

    Only a named bank counts as another one, and names are compared as they are, but for blanks around them.
    """
    at, ours = (bank or "").strip(" "), {own.strip() for own in policy["own_bank_names"]}
    to_himself = (name or "").strip(" ") == owner.strip(" ")
    return kind == "transfer_out" and amount < 0 and to_himself and at != "" and at not in ours


def coefficient(
    family: str, opened_on: datetime.date, matures_on: datetime.date | None, policy: Policy
) -> Decimal:
    """Return the deposit points per 10,000 of month day-average; a term deposit without an end counts as of a year."""
    of = policy["deposit_point_coefficients"]
    if family == "term_deposit":
        days = (matures_on - opened_on).days if matures_on else 365
        place = bisect_right([limit + 1 for limit, _ in TERMS], days)
        return Decimal(of[[*dict(TERMS).values(), "five_years"][place]])
    return Decimal(of[POINT_FAMILIES[family]]) if family in POINT_FAMILIES else Decimal(0)


def points(month_average: Fraction, fx_rate: Decimal, factor: Decimal) -> Decimal:
    """Return the deposit points of an account in a month, of the exact day-average in its currency. Overdrawn: none."""
    return rounded(max(month_average, Fraction(0)) * Fraction(fx_rate) * Fraction(factor) / 10_000)


def points_of_year(
    day_sums: Sequence[Decimal], as_of: datetime.date, fx_rate: Decimal, factor: Decimal
) -> Decimal:
    """Return the points of the months of the year to date, each rounded; ``day_sums``: the month to date first.

    Months before count at tonight's rate of exchange: the feed of an old month end is not looked up again.
    """
    months = periods.of(as_of).recent[: as_of.month]
    return sum(
        (points(Fraction(s) / m.days, fx_rate, factor) for s, m in zip(day_sums, months, strict=False)),
        Decimal(0),
    )


def classes_of(open_families: Iterable[str], salary_mask: int, policy: Policy) -> list[str]:
    """Return the product classes a customer holds, sorted; salaries that keep coming count as payroll."""
    of = policy["product_classes"]
    held = {of[family] for family in open_families if family in of}
    if salary_mask.bit_count() >= int(policy["payroll_from_months"]):
        held.add("payroll")
    return sorted(held)


@dataclass(frozen=True)
class Facts:
    """What ``life_of`` judges by.

    ``asset_sums``: Σ over days, base currency, the month to date first, then the complete months before it. ``own_before``:
    his own bookings in the ``dormant_after_days`` that ended 90 days ago. ``heard_since``: the first booking of anybody the
    bank knows of, None without any.
    """

    opened_on: datetime.date
    closed_on: datetime.date | None
    asset_sums: Sequence[Decimal]
    own_90d: int
    own_before: int
    last_own_on: datetime.date | None
    heard_since: datetime.date | None


def life_of(facts: Facts, as_of: datetime.date, policy: Policy) -> str:
    """Return where a customer is in his life with the bank; the first that holds:

    - closed: on or before the date;
    - new: opened less than ``new_for_days`` ago;
    - lost: the assets' day-average of the month to date is below ``lost_below_share`` of that of the third to the fifth
      complete month before, and below ``lost_below_assets`` or the customer is asleep. Who held nothing then cannot lose it;
    - dormant: asleep, that is without a booking of his own for ``dormant_after_days``;
    - reactivated: he was asleep 90 days ago and has booked himself since;
    - active: everybody else.

    Nobody is asleep who has not been a customer for that long, and silence is judged only where bookings of that time are
    known at all: a bank that has fed them for a month does not make everybody sleep.
    """
    asleep_after = datetime.timedelta(days=int(policy["dormant_after_days"]))
    woken_since = as_of - datetime.timedelta(days=WAKING_DAYS)

    def is_judged(on: datetime.date) -> bool:
        begin = on - asleep_after
        return facts.opened_on <= begin and facts.heard_since is not None and facts.heard_since <= begin

    silent = facts.last_own_on is None or facts.last_own_on <= as_of - asleep_after
    asleep = is_judged(as_of) and silent
    months = periods.of(as_of).recent
    now = Fraction(facts.asset_sums[0]) / months[0].days
    before = Fraction(sum(facts.asset_sums[3:6])) / sum(month.days for month in months[3:6])
    fell = before > 0 and now < Fraction(policy.decimal("lost_below_share")) * before

    if facts.closed_on is not None and facts.closed_on <= as_of:
        return "closed"
    if facts.opened_on > as_of - datetime.timedelta(days=int(policy["new_for_days"])):
        return "new"
    if fell and (asleep or now < Fraction(policy.decimal("lost_below_assets"))):
        return "lost"
    if asleep:
        return "dormant"
    if is_judged(woken_since) and facts.own_before == 0 and facts.own_90d > 0:
        return "reactivated"
    return "active"
