"""What needs attention: signals are what holds tonight, alerts what is new enough to be told to somebody."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.core.models import Run
from crm.core.scope import ScopedManager
from customers.models import Account, Customer


class AlertKind(models.TextChoices):
    DEPOSITS_DOWN = "deposits_down", _("deposits down")
    LARGE_OUTFLOW = "large_outflow", _("large outflow")
    LARGE_INFLOW = "large_inflow", _("large inflow")
    MATURITY = "maturity", _("maturity")
    FIRST_OVERDUE = "first_overdue", _("first overdue")
    CLASS_DOWNGRADED = "class_downgraded", _("class downgraded")
    CLASS_MISMATCH = "class_mismatch", _("class milder than the days overdue")
    IDENTITY_EXPIRING = "identity_expiring", _("identity document expires")
    ASSESSMENT_EXPIRING = "assessment_expiring", _("risk assessment expires")
    TIER_WON = "tier_won", _("tier won")
    TIER_LOST = "tier_lost", _("tier lost")
    NEAR_UP = "near_up", _("close to the next tier")
    NEAR_DOWN = "near_down", _("tier at risk")


class Level(models.TextChoices):
    """How grave, as the supervisors' early-warning colours; ``note`` is news or an opportunity, no warning."""

    RED = "red", _("red")
    ORANGE = "orange", _("orange")
    YELLOW = "yellow", _("yellow")
    BLUE = "blue", _("blue")
    NOTE = "note", pgettext_lazy("alert level", "note")


class Signal(models.Model):
    """What holds of a customer tonight, from facts alone: the same date gives the same rows whatever ran before.

    ``amount`` is the money at stake in base currency; ``figure`` what the rule measured (a share, days).
    """

    pk = models.CompositePrimaryKey("run_id", "customer_id", "kind", "account_id")
    run_id = models.BigIntegerField()
    customer = models.ForeignKey(
        Customer, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    kind = models.CharField(max_length=24, choices=AlertKind.choices)
    account_id = models.BigIntegerField()  # 0: about no account in particular
    level = models.CharField(max_length=6, choices=Level.choices)
    amount = models.DecimalField(max_digits=20, decimal_places=2, null=True)
    figure = models.DecimalField(max_digits=20, decimal_places=4, null=True)
    due_on = models.DateField(null=True)
    was = models.CharField(max_length=16)
    becomes = models.CharField(max_length=16)

    rows = models.Manager()
    objects = ScopedManager("customer")

    class Meta:
        managed = False
        db_table = "segmentation_signal"


class Alert(models.Model):
    """One thing a night told somebody: a signal or a tier move that was not told within its cool-down already.

    Rows of a run count only while it is the published run of its date.
    """

    run = models.ForeignKey(Run, models.PROTECT, related_name="+", db_index=False)
    raised_on = models.DateField()
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="alerts", db_index=False)
    account = models.ForeignKey(Account, models.PROTECT, null=True, related_name="+", db_index=False)
    kind = models.CharField(max_length=24, choices=AlertKind.choices)
    level = models.CharField(max_length=6, choices=Level.choices)
    amount = models.DecimalField(max_digits=20, decimal_places=2, null=True)
    figure = models.DecimalField(max_digits=20, decimal_places=4, null=True)
    due_on = models.DateField(null=True)
    was = models.CharField(max_length=16, default="")
    becomes = models.CharField(max_length=16, default="")

    rows = models.Manager()
    objects = ScopedManager("customer")

    class Meta:
        constraints = [
            # Two, where one with nulls_distinct=False would do: Django asks the server's version for it while it checks the
            # models, and the first migration has no login that may answer yet.
            models.UniqueConstraint(fields=["run", "customer", "kind", "account"], name="alert_once_a_night"),
            models.UniqueConstraint(
                fields=["run", "customer", "kind"],
                condition=Q(account__isnull=True),
                name="alert_about_no_account_once_a_night",
            ),
            models.CheckConstraint(condition=Q(kind__in=AlertKind.values), name="alert_kind_is_known"),
            models.CheckConstraint(condition=Q(level__in=Level.values), name="alert_level_is_known"),
        ]
        indexes = [
            # Cool-down and a customer's page ask by customer; a morning's list by day.
            models.Index(fields=["customer", "kind", "raised_on"], name="alerts_of_customer"),
            models.Index(fields=["raised_on", "customer"], name="alerts_of_day"),
        ]

    def __str__(self) -> str:
        return f"{self.raised_on} {self.kind}"
