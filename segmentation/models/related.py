"""What stands behind a customer: whose contribution and deposits count with his, by which relation, at which weight."""

from django.db import models

from crm.core.scope import ScopedManager
from customers.models import Customer
from segmentation.models.measures import LineField


class RelatedShare(models.Model):
    """One row per customer and related customer: the heaviest path between them, each pair counted once."""

    pk = models.CompositePrimaryKey("run_id", "customer_id", "member_id")
    run_id = models.BigIntegerField()
    customer = models.ForeignKey(
        Customer, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    member = models.ForeignKey(
        Customer, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    weight = models.DecimalField(max_digits=9, decimal_places=8)
    depth = models.SmallIntegerField()
    kind = models.CharField(
        max_length=24
    )  # relation kind of the first step, or ``group`` for one group number

    rows = models.Manager()
    objects = ScopedManager("customer")

    class Meta:
        managed = False
        db_table = "segmentation_relatedshare"


class Related(models.Model):
    """One row per customer. Sums of rounded terms weight × value, so that the members' lines add up to it.

    Never total ``contribution``: members overlap. ``primary`` partitions the customers: the one his group is led by,
    himself outside any group.
    """

    pk = models.CompositePrimaryKey("run_id", "customer_id")
    run_id = models.BigIntegerField()
    customer = models.ForeignKey(
        Customer, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    as_of = models.DateField()
    primary = models.ForeignKey(
        Customer, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    members = models.IntegerField()
    contribution = LineField()  # own + members', year to date
    contribution_annual = LineField()
    deposit_points = LineField()  # own + members', year to date

    rows = models.Manager()
    objects = ScopedManager("customer")

    class Meta:
        managed = False
        db_table = "segmentation_related"
