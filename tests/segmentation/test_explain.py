"""Why a score is what it is: lines that add up to it, the accounts behind them, what changed since, in both languages."""

import datetime
from decimal import Decimal
from random import Random

import pytest
from django.utils import translation

from crm.core import clock, parameters, scope
from customers.models import Customer
from segmentation import explain, sentences
from segmentation.models import Loyalty, PublishedNight, Risk, Standing
from tests.bank import LAST_DAY
from tests.segmentation.rows import Hand, run_night

pytestmark = pytest.mark.django_db
FIRST, DAY = datetime.date(2026, 11, 1), datetime.timedelta(days=1)
BEFORE, TONIGHT = datetime.date(2026, 11, 24), datetime.date(2026, 11, 25)


def standing_of(customer: Customer, run) -> Standing:
    return Standing.rows.get(run_id=run.pk, customer=customer)


def known(reader):
    """A reader whose post and place have been read, as the first line of every view does."""
    scope.rows_for(reader)
    return reader


def lines(ledger: explain.Ledger) -> dict[str, explain.Line]:
    return {line.code: line for line in ledger.lines}


def owner_of_everything(hand: Hand) -> Customer:
    """A person with a salary account, a fund and an overdue loan, known for eight years."""
    owner = hand.customer(
        "individual", opened_on=datetime.date(2018, 11, 25), annual_income="120000", kyc_grade="medium"
    )
    current = hand.account(
        owner, "demand_deposit", {FIRST: "52000"}, interest_rate="0.2", transfer_rate="2.1"
    )
    hand.account(owner, "fund", {FIRST: "30000"})
    hand.account(
        owner, "consumer_loan", {FIRST: "-90000"}, interest_rate="7", transfer_rate="2.6", five_class="special_mention",
        days_past_due=35,
    )  # fmt: skip
    hand.bookings(current, [(FIRST.replace(day=d), "-10", "transfer_out", "mobile") for d in (3, 4, 20)])
    return owner


@pytest.mark.parametrize("score", explain.SCORES)
def test_the_lines_of_every_customer_add_up_to_his_score(score, bank):
    for standing in Standing.rows.filter(as_of=LAST_DAY).select_related("customer"):
        ledger = explain.ledger(bank.mira, standing, score)
        total = sum(line.points for line in ledger.lines if not line.total)
        assert ledger.lines and total == (ledger.amount if score == "contribution" else ledger.value or 0)
        assert ledger.value == getattr(standing, "contribution_score" if score == "contribution" else score)


def test_each_total_of_the_contribution_is_the_sum_of_the_lines_above_it(bank):
    for standing in Standing.rows.filter(as_of=LAST_DAY):
        so_far = Decimal(0)
        for line in explain.ledger(bank.mira, standing, "contribution").lines:
            assert not line.total or line.points == so_far
            so_far += 0 if line.total else line.points


def test_a_ledger_says_what_was_measured_with_its_unit_in_the_readers_language(bank):
    owner = owner_of_everything(Hand(TONIGHT))
    standing = standing_of(owner, run_night(TONIGHT))
    said = {}
    for language in ("zh-hans", "en"):
        with translation.override(language):
            found = explain.ledgers(bank.han, standing)
            said[language] = {
                code: str(line.raw_words)
                for score in ("loyalty", "risk")
                for code, line in lines(found[score]).items()
            }
            said[language]["deposit"] = lines(found["contribution"])["deposit"].raw_words
            said[language]["rank"] = found["contribution"].words
            said[language]["group"] = found["loyalty"].comparison.words
    zh, en = said["zh-hans"], said["en"]
    assert (zh["tenure"], en["tenure"]) == ("96 个月", "96 months")
    assert (zh["holdings"], en["holdings"]) == ("3 类", "3 classes")
    assert zh["activity"] == "近 90 天 3 笔，最近一笔在 5 天前，手机银行登录未知"
    assert en["activity"] == "3 bookings in 90 days, the last 5 days ago, app logins not known"
    assert (zh["overdue"], en["overdue"]) == ("最长逾期 35 天", "longest overdue 35 days")
    assert (zh["floor"], en["floor"]) == ("关注", "special mention")
    assert (zh["wallet"], en["wallet"]) == (
        "未知：没有其行外资产信息",
        "not known: no word of what he holds elsewhere",
    )
    assert (zh["payroll"], en["payroll"]) == ("否", "no")
    # 52,000 × 25 days × (2.1 − 0.2) % ÷ 360
    assert (zh["deposit"], en["deposit"]) == ("68.61 元", "¥68.61")
    assert (
        f"{standing.contribution_among} 位存续个人客户中 {standing.contribution_less} 位贡献更低"
        in zh["rank"]
    )
    assert f"{standing.contribution_less} of {standing.contribution_among} open individuals" in en["rank"]
    assert zh["group"].startswith("个人客户 · 全行，") or "位客户" in zh["group"]
    assert en["group"].endswith("customers")


def test_a_missing_input_is_said_and_its_weight_shared_out(bank):
    owner = owner_of_everything(Hand(TONIGHT))
    standing = standing_of(owner, run_night(TONIGHT))
    loyalty = explain.ledger(bank.han, standing, "loyalty")
    wallet = lines(loyalty)["wallet"]
    assert wallet.missing and wallet.sub is None and wallet.points == 0 and wallet.weight is None
    known = [line for line in loyalty.lines if line.weight is not None]
    # Tenure, holdings, activity: 15, 25 and 20 of 60. Stability needs three months of balances… here it has them.
    assert abs(sum(line.weight for line in known) - 100) <= Decimal("0.02")
    assert all(line.weight > 0 and not line.missing for line in known)
    assert loyalty.coverage == standing.loyalty_coverage < 1


def test_the_peers_means_of_the_lines_add_up_to_their_mean(bank):
    hand = Hand(TONIGHT)
    for n in range(4):
        hand.account(hand.customer("corporate"), "demand_deposit", {FIRST: f"{n * 1000}"})
    run = run_night(TONIGHT)
    standing = Standing.rows.filter(run_id=run.pk, kind="corporate").first()
    for score, ledger in explain.ledgers(bank.mira, standing).items():
        told = sum(line.peer for line in ledger.lines if not line.total and line.peer is not None)
        # Lines left out because they count for nobody of the kind have a mean of nothing.
        assert abs(told - ledger.comparison.mean) < Decimal("0.000001"), score
        totals = [line.peer for line in ledger.lines if line.total]
        assert score != "contribution" or abs(totals[-1] - ledger.comparison.mean) < Decimal("0.000001")


def test_averages_of_fewer_than_three_are_not_told(bank):
    Customer.rows.filter(kind="corporate").update(closed_on=TONIGHT)
    hand = Hand(TONIGHT)
    firms = [hand.customer("corporate") for _ in range(2)]
    run = run_night(TONIGHT)
    compared = explain.compared(bank.han, standing_of(firms[0], run))
    assert compared["contribution"].size == 2 and compared["contribution"].mean is None
    assert compared["contribution"].gap(Decimal(1)) is None and compared["contribution"].percentile == 50
    assert all(
        line.peer is None for line in explain.ledger(bank.han, standing_of(firms[0], run), "loyalty").lines
    )


def test_a_comparison_shows_the_average_of_the_month(bank):
    hand = Hand(TONIGHT)
    owners = [hand.customer("corporate") for _ in range(3)]
    for owner, amount in zip(owners, ("1000", "2000", "6000"), strict=True):
        hand.account(owner, "demand_deposit", {FIRST: amount})
    Customer.rows.filter(kind="corporate").exclude(pk__in=[o.pk for o in owners]).update(closed_on=TONIGHT)
    run = run_night(TONIGHT)
    deposits = explain.compared(bank.han, standing_of(owners[1], run))["deposits"]
    assert (deposits.value, deposits.mean, deposits.median) == (2000, 3000, 2000)
    assert (deposits.p25, deposits.p75, deposits.gap(deposits.value)) == (1500, 4000, -1000)


@pytest.mark.parametrize(
    "code", ["deposit", "loan", "fee", "wealth", "operation", "loss", "surcharge", "capital_cost", "pretax"]
)
def test_the_accounts_behind_a_part_of_the_contribution_add_up_to_it(code, bank):
    standing = standing_of(owner_of_everything(Hand(TONIGHT)), run_night(TONIGHT))
    line = lines(explain.ledger(bank.han, standing, "contribution"))[code]
    behind = explain.accounts_behind(bank.han, standing, "contribution", code)
    assert sum(row.figure for row in behind) == line.points
    assert all(row.figure and row.figure_words and row.account.account_no for row in behind)
    assert [abs(row.figure) for row in behind] == sorted((abs(row.figure) for row in behind), reverse=True)


@pytest.mark.parametrize(
    ("score", "code", "families", "words"),
    [
        ("loyalty", "tenure", {"demand_deposit", "fund", "consumer_loan"}, "2020-01-01 开户"),
        ("loyalty", "holdings", {"demand_deposit", "fund", "consumer_loan"}, "贷款 · 消费贷款"),
        ("loyalty", "activity", {"demand_deposit"}, "3 笔，最近一笔 2026-11-20"),
        ("loyalty", "stability", {"demand_deposit", "fund"}, "52,000.00 元 ← 0.00 元"),
        ("loyalty", "payroll", set(), ""),
        ("loyalty", "clamp", set(), ""),
        ("risk", "overdue", {"consumer_loan"}, "逾期 35 天 · 关注"),
        ("risk", "floor", {"consumer_loan"}, "逾期 35 天 · 关注"),
        ("risk", "concentration", {"consumer_loan"}, "-90,000.00 元"),
        ("risk", "kyc", set(), ""),
        ("contribution", "tax", set(), ""),
    ],
)
def test_behind_a_line_stand_the_accounts_it_was_measured_on(score, code, families, words, bank):
    standing = standing_of(owner_of_everything(Hand(TONIGHT)), run_night(TONIGHT))
    with translation.override("zh-hans"):
        behind = explain.accounts_behind(bank.han, standing, score, code)
    assert {row.family for row in behind} == families
    assert not words or any(words in row.figure_words for row in behind)


def test_behind_the_early_warning_stand_the_accounts_that_are_warned_of(bank):
    standing = standing_of(owner_of_everything(Hand(TONIGHT)), run_night(TONIGHT))
    behind = explain.accounts_behind(bank.han, standing, "risk", "warning")
    assert {row.family for row in behind} <= {"consumer_loan", "demand_deposit", "fund"}
    assert all(row.figure in range(1, 5) and " · " in row.figure_words for row in behind)


def test_nothing_is_explained_to_who_may_not_see_the_customer(bank):
    standing = Standing.rows.get(as_of=LAST_DAY, customer__customer_no="C001")
    for reader, sees in ((bank.ann, True), (bank.bob, False), (bank.dora, False), (bank.adam, False)):
        ledgers = explain.ledgers(reader, standing)
        assert all(bool(ledger.lines) is sees for ledger in ledgers.values())
        assert bool(explain.accounts_behind(reader, standing, "contribution", "deposit")) is sees
        assert bool(explain.trend(reader, standing)) is sees
    run_night(LAST_DAY)
    assert explain.earlier(bank.bob, standing) == explain.Earlier(None, None)


def test_what_changed_is_told_line_by_line_with_the_facts(bank):
    hand = Hand(BEFORE)
    owner = hand.customer("individual")
    account = hand.account(owner, "demand_deposit", {FIRST: "1000"}, interest_rate="0", transfer_rate="3.6")
    hand.bookings(account, [(FIRST.replace(day=d), "-1", "transfer_out", "mobile") for d in (1, 2, 24)])
    before = standing_of(owner, run_night(BEFORE))
    more = Hand(TONIGHT, first=False, source=hand.source)
    more.bookings(account, [(TONIGHT, "-1", "transfer_out", "mobile")] * 6)
    tonight = standing_of(owner, run_night(TONIGHT))
    with translation.override("zh-hans"):
        changes = {c.code: c for c in explain.changes(bank.han, tonight, before, "loyalty")}
        money = {c.code: c for c in explain.changes(bank.han, tonight, before, "contribution")}
    activity = changes["activity"]
    assert activity.points > 0 and activity.points == activity.after - activity.before
    assert activity.sentence == f"近 90 天自主交易由 3 笔增至 9 笔，活跃度 {activity.points:+.2f} 分"
    # Another day at 1,000 × 3.6 % ÷ 360; six bookings at 0.35.
    assert money["deposit"].sentence == "存款由 2.40 元增至 2.50 元，贡献 +0.10 元"
    assert money["operation"].sentence == "运营成本由 1.05 元增至 3.15 元，贡献 -2.10 元"
    with translation.override("en"):
        changes = explain.changes(bank.han, tonight, before, "loyalty")
        assert changes[0].sentence == (
            f"own bookings in 90 days rose from 3 bookings to 9 bookings: Activity {activity.points:+.2f} points"
        )


def told(code: str, was: sentences.Fact, now: sentences.Fact, change: str, *, same_sub: bool = False) -> str:
    return sentences.of_points(code, "Line", [was], [now], Decimal(change), same_sub=same_sub)


def test_a_change_says_what_moved_or_why_nothing_did():
    unknown, half = sentences.Fact("share", None, ""), sentences.Fact("share", Decimal("0.5"), "50.00%")
    hardly = sentences.Fact("share", Decimal("0.500001"), "50.00%")
    no, yes = sentences.Fact("salary", False, "no"), sentences.Fact("salary", True, "yes")
    with translation.override("en"):
        assert told("wallet", unknown, half, "7.5") == "share became known: 50.00%: Line +7.50 points"
        assert told("wallet", half, unknown, "-7.5").startswith("share is not known any more (was 50.00%)")
        assert told("wallet", half, hardly, "0.0012") == "share rose slightly: Line +0.0012 points"
        assert told("wallet", half, half, "1", same_sub=True).startswith("the weights were shared out anew")
        assert told("wallet", half, half, "1").startswith("the rules changed, not what was measured")
        assert told("floor", half, half, "1").startswith("what the lines above come to changed")
        assert told("payroll", no, yes, "3") == "Line applies now: +3.00 points"
        assert told("payroll", yes, no, "-3") == "Line applies no longer: -3.00 points"
        year = sentences.of_amount("Deposits", Decimal(9), Decimal(1), Decimal(-8), new_year=True)
        assert year == "A new year began at zero; Deposits fell from ¥9.00 to ¥1.00: contribution -¥8.00"


def test_chinese_sentences_space_figures_and_not_words():
    index = [sentences.Fact("集中度（HHI）", Decimal(n), f"0.{n}") for n in (2525, 2527)]
    level = [sentences.Fact("最重预警", 3, "橙色"), sentences.Fact("最重预警", 0, "无")]
    with translation.override("zh-hans"):
        assert told("concentration", *index, "0.01") == "集中度（HHI）由 0.2525 增至 0.2527，Line +0.01 分"
        assert told("warning", *level, "-11.67") == "最重预警由橙色降至无，Line -11.67 分"


@pytest.mark.parametrize("seed", [3, 4])
def test_changes_add_up_exactly_for_every_customer_of_a_random_bank(seed, bank):
    rng = Random(seed)
    hand = Hand(BEFORE)
    accounts = []
    for _ in range(15):
        owner = hand.customer(rng.choice(["individual", "corporate"]))
        family = rng.choice(["demand_deposit", "fund", "consumer_loan"])
        amount = Decimal(rng.randint(1, 9_000_000)) / 100
        amount = -amount if family == "consumer_loan" else amount
        facts = {"days_past_due": rng.choice([0, 10]), "five_class": "normal"} if amount < 0 else {}
        accounts.append(hand.account(owner, family, {FIRST: amount}, **facts))
    before = run_night(BEFORE)
    more = Hand(TONIGHT, first=False, source=hand.source)
    for account in rng.sample(accounts, 10):
        more.balances(account, {TONIGHT: Decimal(rng.randint(1, 900_000)) / 100})
        more.bookings(
            account, [(TONIGHT, "-5", "transfer_out", rng.choice(["mobile", "counter"]))] * rng.randint(0, 4)
        )
    parameters.put(
        "loyalty_weights", {"tenure": "5", "holdings": "25", "wallet": "15", "activity": "30", "stability": "15",
        "advocacy": "10"}, valid_from=TONIGHT, why="test", at=clock.now(),
    )  # fmt: skip
    tonight = run_night(TONIGHT)
    for now in Standing.rows.filter(run_id=tonight.pk):
        was = Standing.rows.get(run_id=before.pk, customer_id=now.customer_id)
        for score in explain.SCORES:
            for language in ("zh-hans", "en"):
                with translation.override(language):
                    changes = explain.changes(bank.mira, now, was, score)
                assert sum(c.points for c in changes) == (getattr(now, score) or 0) - (
                    getattr(was, score) or 0
                )
                sizes = [abs(change.points) for change in changes]
                assert all(sizes) and sizes == sorted(sizes, reverse=True)
                assert all(change.sentence and "%(" not in change.sentence for change in changes)


def test_a_page_compares_with_the_night_before_and_the_last_month_end(bank, django_assert_num_queries):
    hand = Hand(BEFORE)
    owner = owner_of_everything(hand)
    october, before = run_night(LAST_DAY), run_night(BEFORE)
    first = standing_of(owner, before)
    assert explain.earlier(bank.han, standing_of(owner, october)) == explain.Earlier(None, None)
    told = explain.earlier(bank.han, first)
    assert told.previous.run_id == told.month_end.run_id == october.pk
    Hand(TONIGHT, first=False, source=hand.source)
    standing = standing_of(owner, run_night(TONIGHT))
    reader = known(bank.han)
    with django_assert_num_queries(1):
        told = explain.earlier(reader, standing)
    assert (told.previous.run_id, told.month_end.run_id) == (before.pk, october.pk)
    PublishedNight.objects.filter(run=before).update(kept=False)
    told = explain.earlier(bank.han, standing)
    assert told.previous.run_id == told.month_end.run_id == october.pk, (
        "rows that are gone compare with nothing"
    )


def test_a_trend_is_the_month_ends_and_tonight_even_where_only_the_scores_are_left(
    bank, django_assert_num_queries
):
    hand = Hand(BEFORE)
    owner = owner_of_everything(hand)
    for day in (datetime.date(2026, 8, 31), datetime.date(2026, 9, 30), LAST_DAY, BEFORE):
        run_night(day)
    Hand(TONIGHT, first=False, source=hand.source)
    standing = standing_of(owner, run_night(TONIGHT))
    Standing.rows.filter(as_of=LAST_DAY).delete()
    reader = known(bank.han)
    with django_assert_num_queries(2):
        points = explain.trend(reader, standing)
    assert [point.on for point in points] == [
        datetime.date(2026, 8, 31), datetime.date(2026, 9, 30), LAST_DAY, TONIGHT,
    ]  # fmt: skip
    assert points[-1] == explain.Point(
        TONIGHT,
        standing.contribution,
        standing.contribution_score,
        standing.loyalty,
        standing.risk,
        standing.tier,
    )
    assert [point.on for point in explain.trend(bank.han, standing, months=1)] == [LAST_DAY, TONIGHT]


def test_explaining_asks_few_questions(bank, django_assert_num_queries):
    reader = known(bank.ann)
    standing = Standing.rows.get(as_of=LAST_DAY, customer__customer_no="C001")
    with django_assert_num_queries(5):
        explain.ledgers(reader, standing)
    for score in explain.SCORES:
        with django_assert_num_queries(3):
            explain.ledger(reader, standing, score)
        with django_assert_num_queries(2):
            explain.moves(reader, standing, score)
        with django_assert_num_queries(2):
            explain.changes(reader, standing, standing, score)
            explain.compared(reader, standing)
    with pytest.raises(KeyError):
        explain.ledger(reader, standing, "beauty")


def test_every_column_of_points_has_its_line():
    """A component added to the table without words would drop out of the sum."""
    for model, words in ((Loyalty, sentences.LOYALTY), (Risk, sentences.RISK)):
        columns = [field.name for field in model._meta.fields if field.name.endswith("_points")]
        assert {column.removesuffix("_points") for column in columns} == set(words)
