"""Loyalty and risk of a customer on a night: what each component saw, its sub-score and its points.

``…_sub`` is a component's sub-score 0–100, null where its input is missing; ``…_points`` what it adds to the score after
the weights of missing components have been shared out, rounded once. The score is the sum of its rounded points, so a
page always adds up; a check of every night holds it for all customers.
"""

from django.db import models

from crm.core.scope import ScopedManager
from customers.models import Customer


class PointField(models.DecimalField):
    """Points or a score on the scale 0–100, four decimals."""

    def __init__(self, **options):
        super().__init__(**{"max_digits": 8, "decimal_places": 4, **options})


class RawField(models.DecimalField):
    """A ratio as measured; null where an input is missing."""

    def __init__(self, **options):
        super().__init__(**{"max_digits": 24, "decimal_places": 8, "null": True, **options})


class _Score(models.Model):
    pk = models.CompositePrimaryKey("run_id", "customer_id")
    run_id = models.BigIntegerField()
    customer = models.ForeignKey(
        Customer, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    as_of = models.DateField()
    score = PointField(null=True)  # null: nothing was known (coverage 0)
    coverage = models.DecimalField(
        max_digits=5, decimal_places=4
    )  # share of the weights that had their input

    rows = models.Manager()
    objects = ScopedManager("customer")

    class Meta:
        abstract = True


class Loyalty(_Score):
    """0–100, higher = more loyal. Adjustments are points of their own; ``clamp`` brings the sum back into 0–100."""

    tenure_months = models.IntegerField()
    class_count = models.SmallIntegerField()
    wallet_share = RawField()
    own_90d = models.IntegerField()
    days_since_own = models.IntegerField(null=True)  # null: no booking of his own in the rolling year
    login_days = models.SmallIntegerField(null=True)  # days with an app login in 30; null: nobody tells us
    variation = RawField()  # σ ÷ μ of the last six month day-averages
    referrals = models.SmallIntegerField(null=True)
    nps = models.SmallIntegerField(null=True)
    tenure_sub, holdings_sub, wallet_sub = PointField(null=True), PointField(null=True), PointField(null=True)
    activity_sub, stability_sub, advocacy_sub = (
        PointField(null=True),
        PointField(null=True),
        PointField(null=True),
    )
    tenure_points, holdings_points, wallet_points = PointField(), PointField(), PointField()
    activity_points, stability_points, advocacy_points = PointField(), PointField(), PointField()
    complaint_points, dissatisfied_points = PointField(), PointField()
    outflow_points, payroll_points, clamp_points = PointField(), PointField(), PointField()

    class Meta:
        managed = False
        db_table = "segmentation_loyalty"


class Risk(_Score):
    """0–100, higher = riskier. ``floor_points`` lift the weighted mean to the floor of the worst five-class."""

    overdue_days = models.IntegerField(null=True)  # most over his loans; 0 without a loan
    default_probability = RawField()
    debt_ratio = RawField()  # firms: liabilities ÷ assets; individuals: monthly repayment ÷ income
    capital_share = RawField()  # own exposure ÷ the bank's net capital
    counterparty_hhi = RawField()
    guarantee_share = RawField()  # of his guarantors under a warning
    in_guarantee_ring = models.BooleanField()
    warning_level = models.CharField(max_length=6)  # of the worst open signal; empty: none
    kyc_grade = models.CharField(max_length=6, null=True)
    identity_expired = models.BooleanField()
    worst_class = models.CharField(max_length=16, null=True)
    overdue_sub, probability_sub, leverage_sub = (
        PointField(null=True),
        PointField(null=True),
        PointField(null=True),
    )
    concentration_sub, guarantee_sub = PointField(null=True), PointField(null=True)
    warning_sub, kyc_sub = PointField(null=True), PointField(null=True)
    overdue_points, probability_points, leverage_points = PointField(), PointField(), PointField()
    concentration_points, guarantee_points = PointField(), PointField()
    warning_points, kyc_points, floor_points = PointField(), PointField(), PointField()

    class Meta:
        managed = False
        db_table = "segmentation_risk"
