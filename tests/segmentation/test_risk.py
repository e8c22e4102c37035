"""Risk as pure functions: every component at its limits, and what a score owes the reader whatever it saw."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segmentation import policy, risk
from segmentation.risk import Debt, Seen

RULES = policy.Policy({name: choice[0] for name, choice in policy._CHOICES.items()})
OWES = Debt(Decimal(1_000), 0, "normal")


def subs(seen: Seen, rules: policy.Policy = RULES) -> dict[str, Decimal | None]:
    return risk.score(seen, rules).subs


def with_values(**values) -> policy.Policy:
    return policy.Policy(RULES.values | values)


@pytest.mark.parametrize(
    ("days", "sub"),
    [
        (0, 0),
        (1, 25),
        (30, 25),
        (31, 45),
        (60, 45),
        (61, 60),
        (90, 60),
        (91, 80),
        (270, 80),
        (271, 95),
        (9_999, 95),
    ],
)
def test_days_overdue_fall_into_bands(days, sub):
    assert risk.overdue(days, RULES) == sub


@pytest.mark.parametrize(
    ("default", "sub"),
    [
        ("0", "0"), ("0.0003", "0"), ("0.012", "45.4759"), ("0.08", "68.8632"), ("0.30", "85.1576"), ("0.60", "93.7026"),
        ("1", "100"), ("1.5", "100"),
    ],
)  # fmt: skip
def test_a_default_probability_counts_by_its_logarithm(default, sub):
    """By hand: ln(0.012 ÷ 0.0003) ÷ ln(1 ÷ 0.0003) = ln 40 ÷ ln 3333.33 = 3.688879 ÷ 8.111728 = 0.454759…"""
    assert risk.probability(Decimal(default), RULES) == Decimal(sub)


def test_the_most_overdue_loan_and_the_likeliest_default_count():
    found = risk.score(
        Seen("individual", (Debt(Decimal(1), 5, "special_mention"), Debt(Decimal(1), 91, "substandard"))),
        RULES,
    )
    assert found.raws["overdue_days"] == 91 and found.subs["overdue"] == 80
    assert found.raws["default_probability"] == Decimal("0.30")
    assert found.raws["worst_class"] == "substandard"


def test_without_a_loan_nothing_is_overdue_and_that_is_known():
    found = risk.score(Seen("individual"), RULES)
    assert (found.subs["overdue"], found.subs["probability"], found.subs["leverage"]) == (0, 0, 0)
    assert found.raws["overdue_days"] == 0 and found.raws["default_probability"] == 0


def test_a_loan_nobody_classed_is_not_taken_for_a_good_one():
    unknown = subs(Seen("individual", (Debt(Decimal(1_000)),), annual_income=Decimal(1)))
    assert unknown["overdue"] is None and unknown["probability"] is None
    # A normal loan is not overdue, whether or not its days are told; a worse class says nothing of the days.
    assert subs(Seen("individual", (Debt(five_class="normal"),)))["overdue"] == 0
    assert subs(Seen("individual", (Debt(five_class="doubtful"),)))["overdue"] is None
    assert subs(Seen("individual", (Debt(days_past_due=0),)))["overdue"] == 0


def test_what_only_some_loans_tell_counts_fully_and_covers_in_part():
    half = risk.score(Seen("corporate", (Debt(days_past_due=91, five_class="substandard"), Debt())), RULES)
    full = risk.score(Seen("corporate", (Debt(days_past_due=91, five_class="substandard"),)), RULES)
    assert half.points == full.points
    # Overdue, probability and warnings are known: 25 + 25 + 15 of 100; of the first two only one loan in two.
    assert (full.coverage, half.coverage) == (Decimal("0.65"), Decimal("0.4"))


@pytest.mark.parametrize(
    ("repaid", "sub"),
    [
        ("0", "0"),
        ("9000", "0"),
        ("9000.01", "0.0001"),
        ("15000", "50"),
        ("20999.99", "99.9999"),
        ("21000", "100"),
        ("-5", "0"),
    ],
)
def test_a_persons_leverage_is_repayment_of_income(repaid, sub):
    """10,000 a month: 3,000 of it is the lower anchor, 7,000 the upper one; three months are looked at."""
    seen = Seen("individual", (OWES,), repaid=Decimal(repaid), annual_income=Decimal(120_000))
    assert abs(subs(seen)["leverage"] - Decimal(sub)) <= Decimal("0.0001")


@pytest.mark.parametrize("income", [None, Decimal(0), Decimal(-1)])
def test_leverage_is_missing_where_the_income_is(income):
    assert subs(Seen("individual", (OWES,), annual_income=income))["leverage"] is None
    assert subs(Seen("individual", (), annual_income=income))["leverage"] == 0
    assert subs(Seen("corporate", (OWES,), annual_income=Decimal(1)))["leverage"] is None


def test_an_income_of_a_cent_does_not_burst_the_column():
    seen = Seen("individual", (OWES,), repaid=Decimal(10**15), annual_income=Decimal("0.01"))
    assert risk.score(seen, RULES).raws["debt_ratio"] == 1_000_000 and subs(seen)["leverage"] == 100


@pytest.mark.parametrize(
    ("received", "sub"),
    [
        (None, None), ({}, None), ({"a": "5"}, "100"), ({"a": "1", "b": "1"}, "100"), ({"a": "1", "b": "1", "c": "1"}, "58.3333"),
        (dict.fromkeys("abcdefghij", "7"), "0"), (dict.fromkeys("abcdefghijk", "7"), "0"), ({"a": "3", "b": "1"}, "100"),
    ],
)  # fmt: skip
def test_few_payers_are_a_concentration(received, sub):
    given_by = None if received is None else {name: Decimal(amount) for name, amount in received.items()}
    found = subs(Seen("corporate", received=given_by))["concentration"]
    assert found == (None if sub is None else Decimal(sub))
    assert subs(Seen("individual", received=given_by))["concentration"] is None


def test_the_worse_of_the_known_concentrations_counts():
    spread = {name: Decimal(1) for name in "abcdefghij"}
    rules = with_values(bank_net_capital="100000")
    seen = Seen("corporate", (replace(OWES, exposure=Decimal(5_000)), replace(OWES, exposure=Decimal(-9))))
    assert subs(seen, rules)["concentration"] == 50
    assert subs(replace(seen, received=spread), rules)["concentration"] == 50
    assert subs(replace(seen, received={"a": Decimal(1)}), rules)["concentration"] == 100
    assert (
        subs(replace(seen, debts=(replace(OWES, exposure=Decimal(10_000)),)), rules)["concentration"] == 100
    )
    assert subs(Seen("corporate"), rules)["concentration"] == 0
    # One of the two inputs is half of what is asked for.
    both = risk.score(replace(seen, received=spread), rules).coverage
    assert both - risk.score(seen, rules).coverage == Decimal("0.05")
    assert subs(seen, with_values(bank_net_capital="0"))["concentration"] is None


@pytest.mark.parametrize(
    ("guarantors", "in_ring", "sub"),
    [
        (None, False, None), (None, True, None), ((), False, "0"), ((False,), False, "0"), ((True,), False, "100"),
        ((True, False, False), False, "33.3333"), ((False,), True, "30"), ((True, False), True, "80"),
        ((True, True, True, False), True, "100"),
    ],
)  # fmt: skip
def test_warned_guarantors_and_rings_of_guarantees_count(guarantors, in_ring, sub):
    seen = Seen("corporate", guarantors=guarantors, in_ring=in_ring)
    assert subs(seen)["guarantee"] == (None if sub is None else Decimal(sub))


def test_a_ring_is_found_up_to_its_longest():
    six = [(n, n % 6 + 1) for n in range(1, 7)]
    assert risk.rings(six, 6) == {1, 2, 3, 4, 5, 6} and risk.rings(six, 5) == set()
    assert risk.rings([(1, 2), (2, 1)], 6) == {1, 2}
    # A tail leads into the ring and is none of it.
    assert risk.rings([(1, 2), (2, 3), (3, 1), (4, 1), (3, 5)], 6) == {1, 2, 3}
    assert risk.rings([(1, 2), (1, 3), (2, 4), (3, 4)], 6) == set()


@pytest.mark.parametrize(
    ("warnings", "sub"),
    [((), 0), (("blue",), 15), (("yellow", "blue"), 40), (("blue", "orange"), 70), (("orange", "red"), 100)],
)
def test_the_gravest_warning_counts(warnings, sub):
    assert subs(Seen("individual", warnings=warnings))["warning"] == sub


@pytest.mark.parametrize(
    ("grade", "expired", "sub"),
    [
        (None, False, None), (None, True, None), ("low", False, 0), ("low", True, 20), ("medium", False, 40), ("medium", True, 60),
        ("high", False, 100), ("high", True, 100),
    ],
)  # fmt: skip
def test_what_the_bank_knows_of_the_customer_counts(grade, expired, sub):
    assert subs(Seen("individual", kyc_grade=grade, identity_expired=expired))["kyc"] == sub


@pytest.mark.parametrize(
    ("five_class", "floor"),
    [("normal", 0), ("special_mention", 40), ("substandard", 70), ("doubtful", 85), ("loss", 95)],
)
def test_the_worst_class_is_a_floor(five_class, floor):
    found = risk.score(Seen("corporate", (Debt(Decimal(1), 0, five_class),), kyc_grade="low"), RULES)
    weighed = sum(found.points.values())
    assert found.score == max(floor, weighed) and found.floor_points == found.score - weighed >= 0


def test_nothing_known_is_no_score():
    weights = {"corporate": {**dict.fromkeys(risk.COMPONENTS, "0"), "kyc": "5"}}
    found = risk.score(Seen("corporate", (OWES,)), with_values(risk_component_weights=weights))
    assert (found.score, found.coverage, found.floor_points) == (None, 0, 0)
    assert set(found.points.values()) == {0}


def test_seven_roundings_up_do_not_leave_the_scale():
    """Six equal weights are 16.6667 each: their sum is a hair above 100."""
    weights = {"individual": {**dict.fromkeys(risk.COMPONENTS, "1"), "concentration": "0"}}
    worst = Seen(
        "individual", (Debt(Decimal(1), 400, "loss"),), repaid=Decimal(9), annual_income=Decimal(1), guarantors=(True,),
        warnings=("red",), kyc_grade="high",
    )  # fmt: skip
    bands = [[None, "100"]]
    found = risk.score(worst, with_values(risk_component_weights=weights, risk_overdue_bands=bands))
    assert sum(found.points.values()) == Decimal("100.0002")
    assert (found.score, found.floor_points) == (100, Decimal("-0.0002"))


debts = st.builds(
    Debt,
    st.decimals(0, 10**9, places=2),
    st.none() | st.integers(0, 500),
    st.none() | st.sampled_from(risk.CLASSES),
)
customers = st.builds(
    Seen,
    st.sampled_from(["individual", "corporate"]),
    st.lists(debts, max_size=3).map(tuple),
    st.decimals(0, 10**6, places=2),
    st.none() | st.decimals(0, 10**6, places=2),
    st.none() | st.lists(st.booleans(), max_size=4).map(tuple),
    st.booleans(),
    st.none() | st.dictionaries(st.text(max_size=2), st.decimals(1, 10**6, places=2), max_size=5),
    st.lists(st.sampled_from(["red", "orange", "yellow", "blue"]), max_size=2).map(tuple),
    st.none() | st.sampled_from(["low", "medium", "high"]),
    st.booleans(),
)


@settings(deadline=None)
@given(customers)
def test_the_lines_add_up_and_what_is_missing_has_no_points(seen):
    found = risk.score(seen, RULES)
    assert found.score == sum(found.points.values()) + found.floor_points
    assert 0 <= found.score <= 100 and 0 < found.coverage <= 1
    assert all(found.points[name] == 0 for name, sub in found.subs.items() if sub is None)


@settings(deadline=None)
@given(customers)
def test_the_weights_of_missing_components_are_shared_out(seen):
    """The mean over what is known, weighted: within the rounding of seven lines."""
    found = risk.score(seen, RULES)
    weights = {name: Fraction(value) for name, value in RULES["risk_component_weights"][seen.kind].items()}
    known = {name: Fraction(sub) for name, sub in found.subs.items() if sub is not None}
    mean = sum(weights[name] * sub for name, sub in known.items()) / sum(weights[name] for name in known)
    assert abs(mean - Fraction(sum(found.points.values()))) <= Fraction(7, 20_000)


@settings(deadline=None)
@given(customers, st.integers(1, 500))
def test_more_days_overdue_never_make_a_customer_safer(seen, days):
    known = replace(seen, debts=(*seen.debts, Debt(Decimal(1), 0, "normal")))
    worse = replace(seen, debts=(*seen.debts, Debt(Decimal(1), days, "normal")))
    assert risk.score(worse, RULES).score >= risk.score(known, RULES).score
