"""How good what we know of a customer is: accuracy, completeness, timeliness, and what to fix."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.core.scope import ScopedManager
from customers.models.parties import Customer


class QualityRule(models.TextChoices):
    IDENTITY_CHECKSUM = "identity_checksum", _("identity number fails its checksum")
    IDENTITY_SHARED = "identity_shared", _("identity number is shared with another customer")
    IDENTITY_MISSING = "identity_missing", _("identity is missing")
    IDENTITY_EXPIRED = "identity_expired", _("identity document has expired")
    USCC_CHECKSUM = "uscc_checksum", _("credit code fails its checksum")
    USCC_MISSING = "uscc_missing", _("credit code is missing")
    MOBILE_MISSING = "mobile_missing", _("mobile number is missing")
    MOBILE_MALFORMED = "mobile_malformed", _("mobile number is malformed")
    ADDRESS_MISSING = "address_missing", _("address is missing")
    OCCUPATION_MISSING = "occupation_missing", _("occupation is missing")
    INDUSTRY_MISSING = "industry_missing", _("industry is missing")
    BIRTH_MISSING = "birth_missing", _("birth date is missing")
    RISK_ASSESSMENT_EXPIRED = "risk_assessment_expired", _("risk assessment has expired")
    NO_MANAGER = "no_manager", _("no manager looks after the customer")
    ACCOUNT_NUMBER = "account_number", _("account number contradicts customer, currency or product")


class QualityIssue(models.Model):
    """One thing to fix. Rewritten after every load for the customers it touched."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="quality_issues")
    rule = models.CharField(max_length=40, choices=QualityRule.choices)
    since = models.DateField()

    rows = models.Manager()
    objects = ScopedManager("customer")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["customer", "rule"], name="quality_issue_once")]


class Quality(models.Model):
    """Three indicators and their mean, 0–100, as judged on ``as_of``."""

    customer = models.OneToOneField(Customer, models.CASCADE, primary_key=True, related_name="quality")
    as_of = models.DateField()
    accuracy = models.SmallIntegerField()
    completeness = models.SmallIntegerField()
    timeliness = models.SmallIntegerField()
    score = models.SmallIntegerField()

    rows = models.Manager()
    objects = ScopedManager("customer")
