"""Who looks after whom, from when to when: dated rows, one open main manager, no gap and no overlap."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from crm.core.models.people import Staff, span_of
from crm.core.scope import ScopedManager
from customers.models.parties import Customer


class AssignmentRole(models.TextChoices):
    MAIN = "main", _("main manager")
    ASSIST = "assist", _("assisting manager")


class Assignment(models.Model):
    """One stretch, half-open ``[starts_on, ends_on)``. ``manager`` null: the branch's pool looks after the customer.

    The database holds that main stretches of a customer neither overlap (exclusion) nor leave a gap (deferred trigger).
    """

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="assignments")
    manager = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="assignments")
    role = models.CharField(max_length=8, choices=AssignmentRole.choices, default=AssignmentRole.MAIN)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True)
    origin = models.CharField(max_length=4, default="feed")
    reason = models.CharField(max_length=200, blank=True, default="")
    batch_no = models.BigIntegerField(null=True)

    rows = models.Manager()
    objects = ScopedManager("customer")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(origin__in=["feed", "crm"]), name="assignment_origin_is_known"
            ),
            models.CheckConstraint(
                condition=Q(role__in=AssignmentRole.values), name="assignment_role_is_known"
            ),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gt=F("starts_on")),
                name="assignment_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=Q(role="main") | Q(manager__isnull=False), name="assignment_to_the_pool_is_main"
            ),
            models.UniqueConstraint(
                fields=["customer"],
                condition=Q(role="main", ends_on__isnull=True),
                name="assignment_one_open_per_customer",
            ),
            ExclusionConstraint(
                name="assignment_main_stretches_do_not_overlap",
                expressions=[
                    ("customer", RangeOperators.EQUAL),
                    (span_of("starts_on", "ends_on"), RangeOperators.OVERLAPS),
                ],
                condition=Q(role="main"),
            ),
        ]
        indexes = [
            models.Index(
                fields=["manager"], condition=Q(ends_on__isnull=True), name="assignment_open_of_manager"
            )
        ]
