"""The night's statements against the pure functions, on random small banks: every line, every total, every tier."""

import datetime
import random
from decimal import Decimal

import pytest

from segmentation import contribution, periods, policy, tiers
from segmentation.models import AccountMeasure, BranchSummary, Contribution, Standing
from tests.segmentation.rows import Hand, run_night
from tests.segmentation.test_day_averages import sum_over_days

DAY = datetime.timedelta(days=1)
AS_OF = datetime.date(2026, 11, 18)
FAMILIES = [
    "demand_deposit",
    "term_deposit",
    "mortgage",
    "consumer_loan",
    "business_loan",
    "credit_card",
    "wealth",
    "fund",
    "mobile_banking",
]
STRETCH = {"mtd": "month", "ytd": "year", "r12": "rolling"}
COUNTER = {"counter", "phone"}


def some_rate(rng: random.Random) -> Decimal | None:
    return rng.choice([None, Decimal(rng.randrange(0, 8_000_000)) / 10**6])


def weight_of(account, owner, balance: Decimal, rules: policy.Policy) -> Decimal:
    weights = rules["risk_weights"]
    if account.product.family == "mortgage":
        if not account.collateral_value:
            return Decimal(weights["mortgage"])
        bands = [
            Decimal(w)
            for upto, w in rules["mortgage_bands"]
            if balance <= Decimal(upto) * account.collateral_value
        ]
        return bands[0] if bands else Decimal(weights["mortgage_high"])
    if owner.kind == "individual":
        return Decimal(weights["retail"])
    small = owner.annual_revenue is not None and owner.annual_revenue < rules.decimal("sme_revenue_limit")
    return Decimal(weights["sme" if small else "company"])


class RandomBank:
    def __init__(self, seed: int):
        self.rng = rng = random.Random(seed)
        self.hand = hand = Hand(AS_OF)
        hand.rate("fx", "GBP", AS_OF - DAY * 90, "9.12345678")
        self.owners = [
            hand.customer("individual"), hand.customer("individual", closed_on=AS_OF - DAY),
            hand.customer("corporate", annual_revenue="1000000"), hand.customer("corporate"),
        ]  # fmt: skip
        self.balances, self.bookings, self.accounts = {}, {}, []
        for family in FAMILIES * 2:
            owner = rng.choice(self.owners)
            moves = {
                AS_OF - DAY * rng.randrange(0, 420): Decimal(rng.randrange(-(10**7), 10**11)) / 100
                for _ in range(rng.randrange(5))
            }
            if family == "mobile_banking":
                moves = {}
            account = hand.account(
                owner, hand.product(family, sales_fee_rate=some_rate(rng)), moves, currency=rng.choice(["CNY", "GBP", "KRW"]),
                interest_rate=some_rate(rng), transfer_rate=some_rate(rng), collateral_value=rng.choice([None, "0", "1000000", "900000000"]),
                five_class=rng.choice([None, "normal", "special_mention", "loss"]),
            )  # fmt: skip
            account.refresh_from_db()
            rows = [(AS_OF - DAY * rng.randrange(0, 400), str(Decimal(rng.randrange(-10**6, 10**5)) / 100), rng.choice(["fee", "other"]),
                     rng.choice(["counter", "phone", "mobile", "batch"])) for _ in range(rng.randrange(6))]  # fmt: skip
            hand.bookings(account, rows)
            self.accounts.append(account)
            self.balances[account.pk], self.bookings[account.pk] = moves, rows

    def held(self, account, stretch: periods.Stretch, rules: policy.Policy) -> contribution.Held:
        family = account.product.family
        default = next(row for row in rules.families() if row["family"] == family)
        moves = self.balances[account.pk]
        rows = [row for row in self.bookings[account.pk] if row[0] >= stretch.first]
        pick = lambda given, assumed: given if given is not None else Decimal(assumed or 0)  # noqa: E731
        return contribution.Held(
            side=default["side"],
            day_sum=sum_over_days(moves, stretch),
            interest_rate=pick(account.interest_rate, default["interest"]),
            transfer_rate=pick(account.transfer_rate, default["transfer"]),
            fee_rate=pick(account.product.sales_fee_rate, default["fee"]),
            fees=-sum((Decimal(amount) for _, amount, kind, _ in rows if kind == "fee"), Decimal(0)),
            counter_count=sum(channel in COUNTER for *_, channel in rows),
            digital_count=sum(channel not in COUNTER for *_, channel in rows),
            fx_rate={"CNY": Decimal(1), "GBP": Decimal("9.12345678"), "KRW": Decimal(1)}[account.currency],
            probability=Decimal(rules["default_probability"][account.five_class or "normal"]),
            loss_share=Decimal(
                rules["loss_given_default"]["secured" if account.collateral_value else "unsecured"]
            ),
            risk_weight=weight_of(
                account, account.customer, moves[max(moves)] if moves else Decimal(0), rules
            ),
        )


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(4))
def test_the_night_says_what_the_formulas_say(seed):
    bank = RandomBank(seed)
    run = run_night(AS_OF)
    rules = policy.on(AS_OF)
    stretches = periods.of(AS_OF)
    measures = {m.account_id: m for m in AccountMeasure.rows.filter(run_id=run.pk)}
    standings = {s.customer_id: s for s in Standing.rows.filter(run_id=run.pk)}
    for owner in bank.owners:
        mine = [account for account in bank.accounts if account.customer_id == owner.pk]
        for period, name in STRETCH.items():
            stretch = getattr(stretches, name)
            held = {account.pk: bank.held(account, stretch, rules) for account in mine}
            told = {pk: contribution.lines(h, rules, stretch.days) for pk, h in held.items()}
            for pk, line in told.items():
                for part in ("margin", "fee", "operation", "loss", "surcharge", "capital", "capital_cost"):
                    assert getattr(measures[pk], f"{period}_{part}") == getattr(line, part), (
                        period,
                        part,
                        held[pk],
                    )
            expected = contribution.total(
                [(held[pk].side, line) for pk, line in told.items()], rules, stretch.days
            )
            found = Contribution.rows.get(run_id=run.pk, customer=owner, period=period)
            for part in expected.__dataclass_fields__:
                assert getattr(found, part) == getattr(expected, part), (period, part)
            if period == "ytd":
                standing = standings[owner.pk]
                assert standing.contribution == expected.eva
                assert standing.is_closed == (owner.closed_on is not None)
                if owner.kind == "corporate":
                    assert standing.tier == tiers.corporate(
                        expected.eva_annual, standing.deposit_year_average, rules
                    )
        if owner.kind == "individual":
            assert standings[owner.pk].tier == tiers.personal(
                standings[owner.pk].weighted_month_average, rules
            )


@pytest.mark.django_db
def test_customers_add_up_to_their_branches_and_the_bank():
    RandomBank(99)
    run = run_night(AS_OF)
    standings = list(Standing.rows.filter(run_id=run.pk))
    summary = list(BranchSummary.objects.filter(run_id=run.pk))
    for name in (
        "contribution",
        "deposit_month_sum",
        "deposit_balance",
        "loan_balance",
        "asset_balance",
        "pretax",
    ):
        for branch in {s.branch_id for s in standings}:
            assert sum(getattr(s, name) for s in standings if s.branch_id == branch) == sum(
                getattr(b, name) for b in summary if b.branch_id == branch
            )
    assert sum(b.customers for b in summary) == len(standings)
