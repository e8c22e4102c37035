"""Where a customer stands on a night: his assets, deposits, loans, tier, and what he contributed, part by part."""

from decimal import Decimal

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.core.models.people import Branch, Staff
from crm.core.scope import ScopedManager
from customers.models import Customer
from segmentation import periods
from segmentation.models.behaviour import Life
from segmentation.models.measures import DaySumField, LineField
from segmentation.models.scores import PointField


class Tier(models.TextChoices):
    """Codes of both kinds, lowest first: individuals by assets, corporates by contribution and deposits."""

    ORDINARY = "ordinary", _("ordinary")
    GOLD = "gold", _("gold card")
    PLATINUM = "platinum", _("platinum")
    VIP = "vip", _("VIP")
    DIAMOND = "diamond", _("diamond")
    PRIVATE = "private", _("private banking")
    INEFFICIENT = "inefficient", _("inefficient")
    GENERAL = "general", _("general")
    QUALITY = "quality", _("quality")
    KEY = "key", _("key customer")
    STRATEGIC = "strategic", _("strategic")


class Period(models.TextChoices):
    MTD = "mtd", _("month to date")
    YTD = "ytd", _("year to date")
    R12 = "r12", _("rolling 12 months")


class Standing(models.Model):
    """One row per customer known on the night's date, closed ones included. All amounts in base currency.

    ``…_sum`` are exact sums over days; an average is sum ÷ days of the period so far and is rounded only when shown.
    ``contribution`` is the EVA of the year to date, ``coverage`` the balance-weighted share of inputs that were given.
    """

    pk = models.CompositePrimaryKey("run_id", "customer_id")
    run_id = models.BigIntegerField()
    customer = models.ForeignKey(
        Customer, models.DO_NOTHING, related_name="standings", db_constraint=False, db_index=False
    )
    as_of = models.DateField()
    branch = models.ForeignKey(
        Branch, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    manager = models.ForeignKey(
        Staff, models.DO_NOTHING, null=True, related_name="+", db_constraint=False, db_index=False
    )
    kind = models.CharField(max_length=10)
    tier = models.CharField(max_length=12, choices=Tier.choices)
    is_closed = models.BooleanField()
    account_count = models.IntegerField()
    deposit_balance = DaySumField()
    deposit_month_sum = DaySumField()
    deposit_year_sum = DaySumField()
    loan_balance = DaySumField()
    loan_month_sum = DaySumField()
    loan_year_sum = DaySumField()
    asset_balance = DaySumField()
    asset_month_sum = DaySumField()
    weighted_month_sum = DaySumField()  # each asset × the coefficient of its family: what the tier looks at
    contribution = LineField()
    contribution_annual = LineField()
    pretax = LineField()
    coverage = models.DecimalField(max_digits=5, decimal_places=4)
    # Scores 0–100. Contribution: mid-rank of the amount among the open customers of his kind, from the counts beside it.
    contribution_score = PointField(null=True)
    contribution_less = models.BigIntegerField()
    contribution_equal = models.BigIntegerField()
    contribution_among = models.BigIntegerField()
    loyalty = PointField(null=True)
    loyalty_coverage = models.DecimalField(max_digits=5, decimal_places=4)
    risk = PointField(null=True)
    risk_coverage = models.DecimalField(max_digits=5, decimal_places=4)
    # Mid-rank within the peer group that applies to him.
    peer_id = models.IntegerField()
    contribution_percentile = PointField(null=True)
    loyalty_percentile = PointField(null=True)
    risk_percentile = PointField(null=True)
    # Tier: held, and what the figures alone would say; amounts in base currency, of the measure the tier looks at.
    tier_by_figures = models.CharField(max_length=12, choices=Tier.choices)
    tier_since = models.DateField()
    months_below = models.SmallIntegerField()  # complete months in a row below 90 % of the held tier's floor
    protected_until = models.DateField(null=True)
    next_tier = models.CharField(max_length=12)  # empty: nothing higher
    next_gap = LineField(null=True)  # what the measure lacks to the next tier
    drop_gap = LineField(
        null=True
    )  # what the measure may fall before the tier is at risk; negative: below already
    primary = models.ForeignKey(
        Customer, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    related_members = models.IntegerField()
    related_contribution = LineField()
    related_annual = LineField()
    deposit_points = LineField()
    related_deposit_points = LineField()
    enterprise_size = models.CharField(
        max_length=8
    )  # large medium small micro unknown; empty for individuals
    life = models.CharField(max_length=12, choices=Life.choices)
    last_own_on = models.DateField(null=True)
    own_180d = models.IntegerField()
    # Quintiles within his kind, 5 = best: recency, frequency, money.
    recency_rank = models.SmallIntegerField()
    frequency_rank = models.SmallIntegerField()
    money_rank = models.SmallIntegerField()

    rows = models.Manager()
    objects = ScopedManager("customer")

    class Meta:
        managed = False
        db_table = "segmentation_standing"

    def _average(self, day_sum: Decimal, stretch: str) -> Decimal:
        return day_sum / getattr(periods.of(self.as_of), stretch).days

    @property
    def deposit_month_average(self) -> Decimal:
        return self._average(self.deposit_month_sum, "month")

    @property
    def deposit_year_average(self) -> Decimal:
        return self._average(self.deposit_year_sum, "year")

    @property
    def loan_month_average(self) -> Decimal:
        return self._average(self.loan_month_sum, "month")

    @property
    def loan_year_average(self) -> Decimal:
        return self._average(self.loan_year_sum, "year")

    @property
    def asset_month_average(self) -> Decimal:
        return self._average(self.asset_month_sum, "month")

    @property
    def weighted_month_average(self) -> Decimal:
        return self._average(self.weighted_month_sum, "month")


class Contribution(models.Model):
    """What a customer brought in a period, part by part: sums of the rounded lines of his accounts, base currency."""

    pk = models.CompositePrimaryKey("run_id", "customer_id", "period")
    run_id = models.BigIntegerField()
    customer = models.ForeignKey(
        Customer, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    as_of = models.DateField()
    period = models.CharField(max_length=3, choices=Period.choices)
    days = models.SmallIntegerField()
    deposit, loan, fee, wealth = LineField(), LineField(), LineField(), LineField()
    operation, loss, surcharge = LineField(), LineField(), LineField()
    pretax, tax, net = LineField(), LineField(), LineField()
    capital, capital_cost, eva, eva_annual = LineField(), LineField(), LineField(), LineField()
    raroc = models.DecimalField(
        max_digits=18, decimal_places=6, null=True
    )  # a fraction; null without capital
    coverage = models.DecimalField(max_digits=5, decimal_places=4)

    rows = models.Manager()
    objects = ScopedManager("customer")

    class Meta:
        managed = False
        db_table = "segmentation_contribution"
