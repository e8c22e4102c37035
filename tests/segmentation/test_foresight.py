"""Foresight: the AUC as an exact law, and the scores of a made-up bank against what it turns out to have known all along."""

import csv
import datetime
import itertools
import json
from decimal import Decimal
from fractions import Fraction

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from segmentation import foresight
from segmentation.foresight import Bin
from segmentation.models import PublishedNight, Standing
from tests.segmentation.rows import Hand, run_night

SEPTEMBER, NOVEMBER = datetime.date(2026, 9, 30), datetime.date(2026, 11, 30)
JULY = datetime.date(2026, 7, 1)

people = st.lists(st.tuples(st.integers(0, 6).map(Decimal), st.booleans()), max_size=40)


def bins_of(pairs) -> list[Bin]:
    return [Bin(score, int(happened), int(not happened)) for score, happened in pairs]


def pair_by_pair(pairs) -> Fraction | None:
    """The definition: every pair of one whom it happened to and one whom it did not; a tie is half."""
    hit = [score for score, happened in pairs if happened]
    spared = [score for score, happened in pairs if not happened]
    if not hit or not spared:
        return None
    halves = sum(2 * (a > b) + (a == b) for a, b in itertools.product(hit, spared))
    return Fraction(halves, 2 * len(hit) * len(spared))


@given(people)
def test_the_auc_is_its_definition_counted_pair_by_pair(pairs):
    assert foresight.auc(bins_of(pairs)) == pair_by_pair(pairs)


@given(people)
def test_turning_the_scores_round_turns_the_auc_round(pairs):
    area = foresight.auc(bins_of(pairs))
    turned = foresight.auc(bins_of([(-score, happened) for score, happened in pairs]))
    safer = foresight.auc(bins_of(pairs), higher_is_safer=True)
    assert (turned, safer) == ((None, None) if area is None else (1 - area, 1 - area))


@given(people, st.integers(1, 9), st.integers(-50, 50))
def test_only_the_order_of_the_scores_counts(pairs, times, plus):
    stretched = [(score**3 * times + plus, happened) for score, happened in pairs]
    assert foresight.auc(bins_of(stretched)) == foresight.auc(bins_of(pairs))


@given(people, st.data())
def test_customers_of_one_score_may_come_in_one_bin_or_in_many(pairs, data):
    shuffled = data.draw(st.permutations(pairs))
    gathered = [
        Bin(score, sum(h for s, h in pairs if s == score), sum(not h for s, h in pairs if s == score))
        for score in {score for score, _ in pairs}
    ]
    assert foresight.auc(gathered) == foresight.auc(bins_of(shuffled))


@pytest.mark.parametrize(
    ("pairs", "area"),
    [
        ([(1, False), (2, True)], Fraction(1)),
        ([(2, False), (1, True)], Fraction(0)),
        ([(1, False), (1, True)], Fraction(1, 2)),
        # 3 beats 1 and ties with 3; 2 beats 1 and loses to 3: 1 + ½ + 1 + 0 of 4
        ([(3, True), (2, True), (1, False), (3, False)], Fraction(5, 8)),
        ([(1, True), (2, True)], None),
        ([], None),
    ],
)
def test_the_auc_of_a_few_by_hand(pairs, area):
    assert foresight.auc(bins_of([(Decimal(score), happened) for score, happened in pairs])) == area


@given(people)
def test_the_tenths_hold_everybody_once(pairs):
    tenths = foresight.deciles(bins_of(pairs))
    assert len(tenths) == 10
    assert sum(n for n, _ in tenths) == len(pairs)
    assert sum(hit for _, hit in tenths) == sum(happened for _, happened in pairs)


def test_twenty_different_scores_make_ten_pairs():
    tenths = foresight.deciles(bins_of([(Decimal(n), n < 3) for n in range(20)]))
    assert tenths == [(2, 2), (2, 1), *[(2, 0)] * 8]


def test_few_cases_say_less_than_many():
    area = Fraction(7, 10)
    assert foresight.standard_error(area, 5, 100) > foresight.standard_error(area, 50, 1000) > 0
    # Hanley and McNeil's own table: 0.7 with 50 against 50.
    assert foresight.standard_error(area, 50, 50) == pytest.approx(0.0523, abs=0.0005)


# --- two nights of a bank written by hand ------------------------------------------------------------------------------


def asked(first=SEPTEMBER, second=NOVEMBER, **options) -> dict:
    from io import StringIO

    out = StringIO()
    call_command(
        "foresight", as_of=first.isoformat(), until=second.isoformat(), json=True, stdout=out, **options
    )
    return json.loads(out.getvalue())["questions"]


@pytest.mark.django_db
def test_only_who_could_lose_is_asked_and_half_is_not_less_than_half():
    """Who came within the three months, was closed before or had nothing is not asked."""
    hand = Hand(NOVEMBER)
    mine = {
        "keeps": {JULY: "100"},
        "keeps half": {JULY: "100", datetime.date(2026, 11, 1): "50"},
        "loses": {JULY: "100", datetime.date(2026, 11, 1): "49.99"},
        "loses in the end": {JULY: "100", datetime.date(2026, 11, 10): "0"},
        "has nothing": {},
    }
    owners = {name: hand.customer("corporate") for name in mine}
    for name, moves in mine.items():
        hand.account(owners[name], "demand_deposit", moves)
    leaver = hand.customer("corporate", closed_on=NOVEMBER)
    hand.account(leaver, "demand_deposit", {JULY: "100"})
    gone = hand.customer("corporate", closed_on=JULY)
    hand.account(gone, "demand_deposit", {JULY: "100"})
    late = hand.customer("corporate", opened_on=datetime.date(2026, 7, 2))
    hand.account(late, "demand_deposit", {datetime.date(2026, 7, 2): "100"})
    loans = hand.customer("corporate"), hand.customer("corporate")
    hand.account(loans[0], "business_loan", {JULY: "5"}, days_past_due=0, five_class="normal")
    hand.account(loans[1], "business_loan", {JULY: "5"}, days_past_due=3, five_class="special_mention")
    first, second = run_night(SEPTEMBER), run_night(NOVEMBER)
    told = asked()
    others = _others({owner.pk for owner in [*owners.values(), leaver, gone, late, *loans]}, first, second)
    loss = told["loss"]["corporate"]["loyalty"]
    assert (loss["n"] - others["n"], loss["positives"] - others["lost"]) == (5, 3)
    assert told["overdue_of_all"]["corporate"]["risk"]["n"] - others["loans"] == 2
    assert told["overdue"]["corporate"]["risk"]["n"] - others["sound"] == 1


def _others(ours: set[int], first, second) -> dict[str, int]:
    """Count, customer by customer in Python, what the rest of the small bank contributes to the same questions."""
    from segmentation.models import AccountMeasure, Behaviour

    counts = {"n": 0, "lost": 0, "loans": 0, "sound": 0}
    later = {row.customer_id: row for row in Standing.rows.filter(run_id=second.pk)}
    sums = dict(Behaviour.rows.filter(run_id=first.pk).values_list("customer_id", "asset_sums"))
    debts = AccountMeasure.rows.filter(run_id=first.pk, side="debt", is_open=True)
    for row in Standing.rows.filter(run_id=first.pk, kind="corporate", is_closed=False).select_related(
        "customer"
    ):
        if row.customer_id in ours:
            continue
        had = sum(sums[row.customer_id][:3])
        if had > 0 and row.customer.opened_on <= JULY:
            has = later[row.customer_id]
            counts["n"] += 1
            counts["lost"] += has.is_closed or has.asset_month_average < had / 92 / 2
        loans = [loan for loan in debts if loan.customer_id == row.customer_id]
        if loans:
            counts["loans"] += 1
            counts["sound"] += not any(
                loan.days_past_due or loan.five_class not in (None, "normal") for loan in loans
            )
    return counts


@pytest.mark.django_db
def test_nights_that_cannot_be_compared_are_refused():
    Hand(NOVEMBER)
    for day in (SEPTEMBER, NOVEMBER):
        run_night(day)
    for first, second, complaint in [
        ("2026-09-29", "2026-11-30", "no month end"),
        ("2026-11-30", "2026-09-30", "must be later"),
        ("1999-01-31", "2026-09-30", "run manage"),
        ("soon", "2026-09-30", "not a date"),
    ]:
        with pytest.raises(CommandError, match=complaint):
            call_command("foresight", as_of=first, until=second)
    PublishedNight.objects.filter(business_date=SEPTEMBER).update(kept=False)
    with pytest.raises(CommandError, match="run manage"):
        call_command("foresight", as_of="2026-09-30", until="2026-11-30")


# --- the made-up bank ---------------------------------------------------------------------------------------------------


def test_the_scores_foresee_what_the_made_up_bank_knew_all_along(empty_bank, tmp_path):
    """Fed as it was known then: the full batch at the end of May, what came later month by month. So the night of May sees no
    overdue day of November. A weak promise on a small bank; docs/foresight.md has the figures of larger ones."""
    from crm.core import clock
    from crm.demo.build import build
    from customers.feeds.load import load_paths

    may = datetime.date(2026, 5, 31)
    arguments = {
        "customers": 1_200,
        "months": 10,
        "seed": 7,
        "as_of": NOVEMBER,
        "full_on": may,
        "truth": True,
    }
    build(tmp_path / "bank", workers=1, **arguments)
    with (tmp_path / "bank/truth.csv").open(encoding="utf-8", newline="") as file:
        truths = {row["customer_no"]: row for row in csv.DictReader(file)}
    with empty_bank.connected():
        results = load_paths([tmp_path / "bank"], at=clock.now(), accept_gap=True)
        assert [result.outcome for result in results] == ["loaded"] * 7
        run_night(may)
        run_night(NOVEMBER)
        told = asked(may)
        judged = list(
            Standing.rows.filter(as_of=may, is_closed=False).values_list("customer__customer_no", "loyalty")
        )
    loyalty, risk = told["loss"]["all"]["loyalty"], told["overdue"]["all"]["risk"]
    assert loyalty["positives"] >= 40 and Decimal(loyalty["auc"]) > Decimal("0.5")
    assert risk["positives"] >= 4 and Decimal(risk["auc"]) > Decimal("0.5")
    # And who the maker of the bank knew would leave in between.
    leaves = [
        (score, may.isoformat() < truths[no]["leaves_on"] <= NOVEMBER.isoformat()) for no, score in judged
    ]
    assert sum(goes for _, goes in leaves) >= 15
    assert foresight.auc(bins_of(leaves), higher_is_safer=True) > Fraction(1, 2)
    least, most = loyalty["deciles"][0], loyalty["deciles"][9]
    assert Decimal(least["rate"]) > Decimal(most["rate"])
