"""The scores of a night when its full rows are gone: one narrow row a customer, kept for many nights."""

from django.db import models

from crm.core.scope import ScopedManager
from customers.models import Customer
from segmentation.models.scores import PointField


class PastScore(models.Model):
    """Enough to draw a trend and to say what a customer's scores were; the lines come back by running the date again."""

    pk = models.CompositePrimaryKey("run_id", "customer_id")
    run_id = models.BigIntegerField()
    customer = models.ForeignKey(
        Customer, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    contribution = models.DecimalField(max_digits=20, decimal_places=2)
    contribution_score = PointField(null=True)
    loyalty = PointField(null=True)
    risk = PointField(null=True)
    tier = models.CharField(max_length=12)

    rows = models.Manager()
    objects = ScopedManager("customer")

    class Meta:
        managed = False
        db_table = "segmentation_pastscore"
