"""How a customer came to his tier: every change a night made, and what people decided against the figures."""

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from crm.core.models import Approval, Run
from crm.core.models.people import span_of
from crm.core.scope import ScopedManager
from customers.models import Customer
from segmentation.models.standings import Tier


class TierWhy(models.TextChoices):
    FIRST = "first", _("first tier, by the figures")
    UPGRADE = "upgrade", _("figures reached a higher tier")
    DOWNGRADE = "downgrade", _("figures stayed too low too long")
    STRATEGIC = "strategic", _("named strategic by the bank")
    OVERRIDE = "override", _("decided by people")
    EXPIRED = "expired", _("the decision has run out")


class TierChange(models.Model):
    """One change; counts only while ``run`` is the published run of its date. ``was`` is empty for the first tier."""

    run = models.ForeignKey(Run, models.PROTECT, related_name="+", db_index=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="tier_changes", db_index=False)
    on_date = models.DateField()
    was = models.CharField(max_length=12, default="")
    becomes = models.CharField(max_length=12, choices=Tier.choices)
    why = models.CharField(max_length=10, choices=TierWhy.choices)

    rows = models.Manager()
    objects = ScopedManager("customer")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "customer"], name="tier_change_once_a_night"),
            models.CheckConstraint(condition=Q(becomes__in=Tier.values), name="tier_change_to_a_known_tier"),
            models.CheckConstraint(condition=Q(why__in=TierWhy.values), name="tier_change_why_is_known"),
            models.CheckConstraint(condition=~Q(was=F("becomes")), name="tier_change_changes"),
        ]
        indexes = [models.Index(fields=["customer", "-on_date"], name="tier_changes_of_customer")]

    def __str__(self) -> str:
        return f"{self.on_date} {self.was} → {self.becomes}"


class TierOverride(models.Model):
    """A tier people gave a customer against his figures, half-open ``[starts_on, ends_on)``; always with an end."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="tier_overrides")
    tier = models.CharField(max_length=12, choices=Tier.choices)
    starts_on = models.DateField()
    ends_on = models.DateField()
    reason = models.CharField(max_length=300)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    approval = models.OneToOneField(Approval, models.PROTECT, related_name="+")

    rows = models.Manager()
    objects = ScopedManager("customer")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__gt=F("starts_on")), name="tier_override_ends_after_it_starts"
            ),
            models.CheckConstraint(condition=Q(tier__in=Tier.values), name="tier_override_tier_is_known"),
            models.CheckConstraint(condition=~Q(reason=""), name="tier_override_says_why"),
            models.CheckConstraint(
                condition=~Q(proposed_by=F("approved_by")), name="tier_override_takes_two_people"
            ),
            ExclusionConstraint(
                name="tier_overrides_do_not_overlap",
                expressions=[
                    ("customer", RangeOperators.EQUAL),
                    (span_of("starts_on", "ends_on"), RangeOperators.OVERLAPS),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tier} {self.starts_on}–{self.ends_on}"
