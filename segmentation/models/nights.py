"""Which run of a date people read, and the small table every dashboard reads."""

import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.core.models import Run
from crm.core.models.people import Branch
from segmentation import periods
from segmentation.models.measures import DaySumField, LineField
from segmentation.models.standings import Tier


class PublishedNight(models.Model):
    """The pointer: the run of a business date that readers see. It never goes back to an earlier attempt (trigger)."""

    business_date = models.DateField(primary_key=True)
    run = models.ForeignKey(Run, models.PROTECT, related_name="+")
    customers = models.BigIntegerField()
    base_currency = models.CharField(max_length=3)
    published_at = models.DateTimeField()
    kept = models.BooleanField(
        default=True
    )  # the customers' rows of older nights are let go; the summary stays

    class Meta:
        verbose_name = _("published night")

    def __str__(self) -> str:
        return self.business_date.isoformat()

    @property
    def as_of(self) -> datetime.date:
        return self.business_date

    @property
    def periods(self) -> periods.Periods:
        return periods.of(self.business_date)


class BranchSummary(models.Model):
    """One row per run, branch, kind and tier: sums of the standings, in base currency. Serves every dashboard."""

    pk = models.CompositePrimaryKey("run_id", "branch_id", "kind", "tier")
    run = models.ForeignKey(Run, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False)
    branch = models.ForeignKey(
        Branch, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    kind = models.CharField(max_length=10)
    tier = models.CharField(max_length=12, choices=Tier.choices)
    customers = models.BigIntegerField()
    closed_customers = models.BigIntegerField()
    accounts = models.BigIntegerField()
    deposit_balance = DaySumField()
    deposit_month_sum = DaySumField()
    deposit_year_sum = DaySumField()
    loan_balance = DaySumField()
    loan_month_sum = DaySumField()
    loan_year_sum = DaySumField()
    asset_balance = DaySumField()
    asset_month_sum = DaySumField()
    contribution = LineField(max_digits=24)
    contribution_annual = LineField(max_digits=24)
    pretax = LineField(max_digits=24)
    # Denominators and sums of the averages people ask for.
    deposit_holders = models.BigIntegerField(default=0)  # a deposit above zero on a day of the year
    loan_holders = models.BigIntegerField(default=0)
    deposit_points = LineField(max_digits=24, default=0)
    loyalty_count = models.BigIntegerField(default=0)
    loyalty_sum = LineField(max_digits=24, decimal_places=4, default=0)
    risk_count = models.BigIntegerField(default=0)
    risk_sum = LineField(max_digits=24, decimal_places=4, default=0)
    # Where the customers are in their life with the bank; closed ones are counted above.
    new_customers = models.BigIntegerField(default=0)
    active_customers = models.BigIntegerField(default=0)
    reactivated_customers = models.BigIntegerField(default=0)
    dormant_customers = models.BigIntegerField(default=0)
    lost_customers = models.BigIntegerField(default=0)
