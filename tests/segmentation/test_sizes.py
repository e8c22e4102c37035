"""Enterprise size by the statistical standard: the published examples, every limit, every spelling of an industry, and the
night's statement against the pure function."""

import datetime
import json
import random
from decimal import Decimal

import pytest

from crm.core import clock, parameters
from segmentation import policy, sizes
from segmentation.models import Standing
from tests.segmentation.rows import Hand, run_night

AS_OF = datetime.date(2026, 11, 18)
RULES = policy.Policy({name: choice[0] for name, choice in sizes.CHOICES.items()})
TEN_THOUSAND = 10_000


def size_of(code, staff=None, revenue=None, assets=None) -> str:
    """Revenue and assets in ten thousands, as the standard writes them."""
    scale = lambda value: None if value is None else Decimal(str(value)) * TEN_THOUSAND  # noqa: E731
    return sizes.size(code, RULES, staff=staff, revenue=scale(revenue), assets=scale(assets))


def test_the_published_software_firm_is_medium():
    assert size_of("6513", staff=150, revenue=15_735) == "medium"


def test_an_industrial_firm_with_little_revenue_is_small_whatever_its_staff():
    assert size_of("C3489", staff=1_200, revenue=1_500) == "small"


@pytest.mark.parametrize("name", RULES["enterprise_size_limits"])
def test_each_limit_of_the_table_belongs_to_the_larger_class(name):
    indicators = RULES["enterprise_size_limits"][name]
    code = {
        "agriculture": "A", "industry": "B06", "construction": "E", "wholesale": "F51", "retail": "52", "transport": "G54",
        "storage": "G59", "post": "60", "accommodation": "H61", "catering": "H62", "telecommunication": "63",
        "software": "I65", "real_estate": "701", "property": "K702", "business_services": "L", "other": "M",
    }[name]  # fmt: skip
    for position, size in enumerate(["large", "medium", "small"]):
        at = {indicator: Decimal(steps[position]) for indicator, steps in indicators.items()}
        assert size_of(code, **at) == size
        below = ["medium", "small", "micro"][position]
        for indicator in at:
            step = 1 if indicator == "staff" else Decimal("0.000001")  # one cent
            assert size_of(code, **{**at, indicator: at[indicator] - step}) == below


def test_what_is_not_known_is_not_guessed():
    assert size_of("C26", staff=5) == "unknown"
    assert size_of("C26", revenue=1) == "unknown"
    assert size_of(None, staff=5, revenue=1) == "unknown"
    assert size_of("A01", revenue=1) == "micro"  # staff is not asked for


@pytest.mark.parametrize(
    ("code", "industry"),
    [
        ("A", "agriculture"), ("A05", "agriculture"), ("01", "agriculture"), ("B", "industry"), ("C", "industry"),
        ("C26", "industry"), ("26", "industry"), ("2651", "industry"), ("c2651", "industry"), (" C26 ", "industry"),
        ("D44", "industry"), ("06", "industry"), ("46", "industry"), ("E", "construction"), ("50", "construction"),
        ("F51", "wholesale"), ("5211", "retail"), ("G5430", "transport"), ("58", "transport"), ("591", "transport"),
        ("G5910", "transport"), ("59", "storage"), ("5990", "storage"), ("60", "post"), ("6110", "accommodation"),
        ("62", "catering"), ("I63", "telecommunication"), ("6429", "telecommunication"), ("65", "software"),
        ("6510", "software"), ("701", "real_estate"), ("K7010", "real_estate"), ("702", "property"), ("703", "other"),
        ("709", "other"), ("L", "business_services"), ("7299", "business_services"), ("73", "other"), ("N", "other"),
        ("82", "other"), ("85", "other"), ("R8710", "other"),
        # Too little is said, or two things at once, or the standard does not judge it.
        ("F", None), ("G", None), ("H", None), ("I", None), ("K", None), ("70", None), ("K70", None), ("Q", None),
        ("C65", None), ("I26", None), ("53", None), ("G5310", None), ("J66", None), ("704", None), ("P83", None), ("84", None),
        ("91", None), ("S", None), ("97", None), ("00", None), ("98", None), ("1", None), ("26510", None), ("C2", None),
        ("Z26", None), ("CC26", None), ("software", None), ("26-51", None), ("", None), (None, None),
    ],
)  # fmt: skip
def test_an_industry_is_read_from_every_spelling_of_its_code(code, industry):
    assert sizes.industry(code, RULES) == industry


def test_sections_and_divisions_of_the_table_are_those_of_the_classification():
    ends = [5, 12, 43, 46, 50, 52, 60, 62, 65, 69, 70, 72, 75, 79, 82, 83, 85, 90, 96, 97]
    last_of = dict(zip("ABCDEFGHIJKLMNOPQRST", ends, strict=True))
    rows = json.loads(sizes.parameters(RULES)["size_industries"])
    assert len(rows) > 80
    for row in rows:
        if row["digits"]:
            division = int(row["digits"][:2])
            assert (
                row["section"]
                == min((last, section) for section, last in last_of.items() if last >= division)[1]
            )


CODES = [
    "A", "A0141", "C", "C3489", "26", "E4790", "F5122", "F5211", "F", "G5430", "G5310", "5910", "59", "60", "H61", "62",
    "I64", "65", "7010", "70", "K7020", "704", "L72", "M73", "J66", "85", "C65", " c26", "x", "", None,
]  # fmt: skip


@pytest.mark.django_db
def test_the_night_sizes_every_firm_as_the_formula_does():
    rng, hand = random.Random(5), Hand(AS_OF)
    limits = [
        (indicator, Decimal(step))
        for indicators in RULES["enterprise_size_limits"].values()
        for indicator, steps in indicators.items()
        for step in steps
    ]

    def some(indicator: str) -> Decimal | int | None:
        if rng.random() < 0.1:
            return None
        step = rng.choice([step for name, step in limits if name == indicator])
        if indicator == "staff":
            return int(step) - rng.randrange(2)
        return step * TEN_THOUSAND - Decimal(rng.randrange(2)) / 100

    firms = [
        hand.customer(
            "corporate", industry_code=code, staff_count=some("staff"), annual_revenue=some("revenue"), total_assets=some("assets")
        )
        for code in CODES * 6
    ]  # fmt: skip
    person = hand.customer("individual", industry_code="C26", annual_income="1")
    run = run_night(AS_OF)
    found = dict(Standing.rows.filter(run_id=run.pk).values_list("customer_id", "enterprise_size"))
    for firm in firms:
        wanted = sizes.size(
            firm.industry_code, RULES, staff=firm.staff_count, revenue=firm.annual_revenue, assets=firm.total_assets
        )  # fmt: skip
        assert found[firm.pk] == wanted, (
            firm.industry_code,
            firm.staff_count,
            firm.annual_revenue,
            firm.total_assets,
        )
    assert {found[firm.pk] for firm in firms} == {"large", "medium", "small", "micro", "unknown"}
    assert found[person.pk] == ""


@pytest.mark.django_db
def test_the_limits_of_a_date_are_those_in_force_on_it():
    hand = Hand(AS_OF)
    firm = hand.customer("corporate", industry_code="M73", staff_count=100)
    limits = {**RULES["enterprise_size_limits"], "other": {"staff": ["300", "101", "10"]}}
    parameters.put("enterprise_size_limits", limits, valid_from=AS_OF, why="test", at=clock.now())
    run = run_night(AS_OF)
    assert Standing.rows.get(run_id=run.pk, customer_id=firm.pk).enterprise_size == "small"
