"""What a customer does and holds, as one row a night: what loyalty, risk, tiers and retention are judged by."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.core.scope import ScopedManager
from customers.models import Customer
from segmentation.models.measures import DaySumField, LineField


class Life(models.TextChoices):
    """Where a customer is in his life with the bank, by money and bookings of his own."""

    NEW = "new", _("new")
    ACTIVE = "active", pgettext_lazy("life stage", "active")
    REACTIVATED = "reactivated", _("reactivated")
    DORMANT = "dormant", _("dormant")
    LOST = "lost", _("lost")
    CLOSED = "closed", _("closed")


class Behaviour(models.Model):
    """One row per customer known on the night's date; sums over his accounts, amounts in base currency.

    ``asset_sums`` and ``deposit_sums`` are exact sums over days of twelve months: the month to date first, then the
    complete months before it, newest first. ``salary_mask`` and ``outflow_mask`` have bit n set where something happened
    in the n-th of the six complete months before the night's month (bit 0 = last month).
    """

    pk = models.CompositePrimaryKey("run_id", "customer_id")
    run_id = models.BigIntegerField()
    customer = models.ForeignKey(
        Customer, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    as_of = models.DateField()
    classes = ArrayField(models.CharField(max_length=16))  # product classes held, sorted
    own_90d = models.IntegerField()  # bookings the customer made himself in 90 days
    own_180d = models.IntegerField()
    last_own_on = models.DateField(null=True)
    salary_mask = models.SmallIntegerField()
    outflow_mask = models.SmallIntegerField()
    repaid = LineField()  # loan repayments of the three complete months before
    asset_sums = ArrayField(DaySumField())
    deposit_sums = ArrayField(DaySumField())
    points_month = LineField()  # deposit points of the month to date
    points_year = LineField()  # of the year: the sum of its months
    outside_assets = LineField(null=True)  # known to be held elsewhere; null: nothing is known
    life = models.CharField(max_length=12, choices=Life.choices)

    rows = models.Manager()
    objects = ScopedManager("customer")

    class Meta:
        managed = False
        db_table = "segmentation_behaviour"
