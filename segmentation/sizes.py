"""Enterprise size by the statistical standard of 2017: large, medium, small, micro, or unknown where an indicator is
missing; never guessed."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from segmentation.policy import Policy

SIZES = ["micro", "small", "medium", "large"]
UNKNOWN = "unknown"
# Indicator → the customer's fact, and how many of its units one unit of the limits is.
INDICATORS = {"staff": 1, "revenue": 10_000, "assets": 10_000}
CODE = re.compile(r"([A-T]?)([0-9]{2,4})|([A-T])")

CHOICES: dict[str, Any] = {
    "enterprise_size_limits": (
        {
            "agriculture": {"revenue": ["20000", "500", "50"]},
            "industry": {"staff": ["1000", "300", "20"], "revenue": ["40000", "2000", "300"]},
            "construction": {"revenue": ["80000", "6000", "300"], "assets": ["80000", "5000", "300"]},
            "wholesale": {"staff": ["200", "20", "5"], "revenue": ["40000", "5000", "1000"]},
            "retail": {"staff": ["300", "50", "10"], "revenue": ["20000", "500", "100"]},
            "transport": {"staff": ["1000", "300", "20"], "revenue": ["30000", "3000", "200"]},
            "storage": {"staff": ["200", "100", "20"], "revenue": ["30000", "1000", "100"]},
            "post": {"staff": ["1000", "300", "20"], "revenue": ["30000", "2000", "100"]},
            "accommodation": {"staff": ["300", "100", "10"], "revenue": ["10000", "2000", "100"]},
            "catering": {"staff": ["300", "100", "10"], "revenue": ["10000", "2000", "100"]},
            "telecommunication": {"staff": ["2000", "100", "10"], "revenue": ["100000", "1000", "100"]},
            "software": {"staff": ["300", "100", "10"], "revenue": ["10000", "1000", "50"]},
            "real_estate": {"revenue": ["200000", "1000", "100"], "assets": ["10000", "5000", "2000"]},
            "property": {"staff": ["1000", "300", "100"], "revenue": ["5000", "1000", "500"]},
            "business_services": {"staff": ["300", "100", "10"], "assets": ["120000", "8000", "100"]},
            "other": {"staff": ["300", "100", "10"]},
        },
        "persons; 10,000 of base currency: large, medium, small from", "M",
        "Every indicator of the industry must reach the limit; revenue of a year, total assets.",
    ),
    # Divisions and groups of GB/T 4754-2017. Railways (53), finance (66–69), renting out (704), education (83), health (84),
    # associations and government (91–97) are not in the standard's table; renting out is own property's.
    "enterprise_size_industries": (
        {
            "A": {"agriculture": ["01-05"]},
            "B": {"industry": ["06-12"]},
            "C": {"industry": ["13-43"]},
            "D": {"industry": ["44-46"]},
            "E": {"construction": ["47-50"]},
            "F": {"wholesale": ["51"], "retail": ["52"]},
            "G": {"transport": ["54-58", "591"], "storage": ["59"], "post": ["60"]},
            "H": {"accommodation": ["61"], "catering": ["62"]},
            "I": {"telecommunication": ["63-64"], "software": ["65"]},
            "K": {"real_estate": ["701"], "property": ["702"], "other": ["703", "709"]},
            "L": {"business_services": ["71-72"]},
            "M": {"other": ["73-75"]},
            "N": {"other": ["76-79"]},
            "O": {"other": ["80-82"]},
            "Q": {"other": ["85"]},
            "R": {"other": ["86-90"]},
        },
        "section of GB/T 4754, industry, divisions or groups", "M",
        "Handling (591) counts as transport, the rest of division 59 as storage. What is not listed has no size.",
    ),
}  # fmt: skip
# A section without a division says enough where all of it is judged alike.
WHOLE_SECTIONS = "ABCDELMNOR"


def parameters(policy: Policy) -> dict[str, Any]:
    """Return the values the statement takes: the limits in the customer's units, and the industries by code."""
    limits = [
        {"industry": industry, "indicator": indicator}
        | {
            size: str(Decimal(limit) * INDICATORS[indicator])
            for size, limit in zip(["large", "medium", "small"], steps, strict=True)
        }
        for industry, indicators in policy["enterprise_size_limits"].items()
        for indicator, steps in indicators.items()
    ]
    industries = [
        {"section": section, "digits": digits, "industry": industry}
        for (section, digits), industry in _industries(policy).items()
    ]
    return {"size_limits": json.dumps(limits), "size_industries": json.dumps(industries)}


def industry(code: str | None, policy: Policy) -> str | None:
    """Return the statistical industry of a GB/T 4754 code: a section letter (``A``), letter and digits (``C26``), or two to
    four digits (``6510``). None: the code says nothing, or too little, or something the standard does not judge."""
    found = CODE.fullmatch((code or "").strip(" ").upper())
    if found is None:
        return None
    given, digits, alone = found.groups()
    known = _industries(policy)
    if alone:
        return known.get((alone, ""))
    # A group may be judged otherwise than the rest of its division.
    for part in (digits[:3], digits[:2]):
        for (section, listed), name in known.items():
            if listed == part and given in ("", section):
                return name
    return None


def size(
    code: str | None,
    policy: Policy,
    *,
    staff: int | None = None,
    revenue: Decimal | None = None,
    assets: Decimal | None = None,
) -> str:
    """Return large, medium, small, micro or unknown; ``revenue`` of a year and ``assets`` in currency units.

    The limits of a class must all be reached, so the smallest verdict of an indicator is the firm's.
    """
    limits = policy["enterprise_size_limits"].get(industry(code, policy) or "")
    if not limits:
        return UNKNOWN
    facts = {"staff": staff, "revenue": revenue, "assets": assets}
    ranks = []
    for indicator, steps in limits.items():
        value = facts[indicator]
        if value is None:
            return UNKNOWN
        ranks.append(sum(value >= Decimal(step) * INDICATORS[indicator] for step in steps))
    return SIZES[min(ranks)]


def _industries(policy: Policy) -> dict[tuple[str, str], str]:
    """Return the industry by (section, digits): each listed division and group, and "" for a section judged as a whole."""
    found: dict[tuple[str, str], str] = {}
    for section, industries in policy["enterprise_size_industries"].items():
        for name, codes in industries.items():
            for code in codes:
                first, _, last = code.partition("-")
                for number in range(int(first), int(last or first) + 1):
                    found[section, f"{number:0{len(first)}}"] = name
            if section in WHOLE_SECTIONS and len(industries) == 1:
                found[section, ""] = name
    return found
