"""Measures of an account on a night: balance, sums of days, the rates used, and its lines of the contribution."""

from decimal import Decimal

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.core.scope import ScopedManager
from customers.models import Account, Customer, Product
from segmentation import periods


class Side(models.TextChoices):
    DEPOSIT = "deposit", _("deposit")
    DEBT = "debt", _("loan")
    INVESTMENT = "investment", _("investment")
    SERVICE = "service", _("service")


class LineField(models.DecimalField):
    """A rounded line of the contribution, in base currency."""

    def __init__(self, **options):
        super().__init__(**{"max_digits": 20, "decimal_places": 2, **options})


class DaySumField(models.DecimalField):
    """Σ over days of an end-of-day balance, exact: currency × days."""

    def __init__(self, **options):
        super().__init__(**{"max_digits": 38, "decimal_places": 10, **options})


class AccountMeasure(models.Model):
    """One row per account known on the night's date. ``balance`` and day sums are in the account's own currency, lines
    in base currency. ``margin`` is the deposit, loan or wealth line, by ``side``; rates are % a year, as used.

    Partitioned by run; indexes are made once the rows are in (``segmentation_seal_run``).
    """

    pk = models.CompositePrimaryKey("run_id", "customer_id", "account_id")
    run_id = models.BigIntegerField()
    customer = models.ForeignKey(
        Customer, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    account = models.ForeignKey(
        Account, models.DO_NOTHING, related_name="measures", db_constraint=False, db_index=False
    )
    product = models.ForeignKey(
        Product, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    as_of = models.DateField()
    family = models.CharField(max_length=24)
    side = models.CharField(max_length=10, choices=Side.choices)
    currency = models.CharField(max_length=3)
    fx_rate = models.DecimalField(max_digits=18, decimal_places=8)
    interest_rate = models.DecimalField(max_digits=12, decimal_places=6, null=True)
    transfer_rate = models.DecimalField(max_digits=12, decimal_places=6, null=True)
    fee_rate = models.DecimalField(max_digits=12, decimal_places=6, null=True)
    inputs_asked = models.SmallIntegerField()
    inputs_given = models.SmallIntegerField()
    balance = models.DecimalField(max_digits=20, decimal_places=2)
    month_sum = DaySumField(decimal_places=2)
    quarter_sum = DaySumField(decimal_places=2)
    year_sum = DaySumField(decimal_places=2)
    rolling_sum = DaySumField(decimal_places=2)
    is_open = models.BooleanField()
    days_past_due = models.IntegerField(null=True)
    five_class = models.CharField(max_length=16, null=True)
    own_90d = models.IntegerField()  # bookings the customer made himself in the 90 days to the date
    own_180d = models.IntegerField()
    last_own_on = models.DateField(null=True)  # within the rolling year
    salary_mask = (
        models.SmallIntegerField()
    )  # bit n: salary in the n-th complete month before (bit 0 = last month)
    outflow_mask = (
        models.SmallIntegerField()
    )  # bit n: a transfer to an account in his own name at another bank
    repaid = models.DecimalField(max_digits=20, decimal_places=2)  # in the three complete months before
    recent_sums = ArrayField(DaySumField(decimal_places=2))  # twelve months, the month to date first
    points_month, points_year = LineField(), LineField()  # deposit points
    mtd_margin, ytd_margin, r12_margin = LineField(), LineField(), LineField()
    mtd_fee, ytd_fee, r12_fee = LineField(), LineField(), LineField()
    mtd_operation, ytd_operation, r12_operation = LineField(), LineField(), LineField()
    mtd_loss, ytd_loss, r12_loss = LineField(), LineField(), LineField()
    mtd_surcharge, ytd_surcharge, r12_surcharge = LineField(), LineField(), LineField()
    mtd_capital, ytd_capital, r12_capital = LineField(), LineField(), LineField()
    mtd_capital_cost, ytd_capital_cost, r12_capital_cost = LineField(), LineField(), LineField()

    rows = models.Manager()
    objects = ScopedManager("customer")

    class Meta:
        managed = False
        db_table = "segmentation_accountmeasure"

    @property
    def month_average(self) -> Decimal:
        """Exact day-average of the month to date, in the account's currency."""
        return self.month_sum / periods.of(self.as_of).month.days

    @property
    def quarter_average(self) -> Decimal:
        return self.quarter_sum / periods.of(self.as_of).quarter.days

    @property
    def year_average(self) -> Decimal:
        return self.year_sum / periods.of(self.as_of).year.days

    @property
    def balance_base(self) -> Decimal:
        return self.balance * self.fx_rate
