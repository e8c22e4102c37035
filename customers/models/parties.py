"""Parties: individuals and corporates in one table, their identities, contact persons and consents.

A field-encrypted fact stands in three columns: ``mobile`` (ciphertext), ``mobile_print`` (blind index, equality only)
and ``mobile_mask`` (what a screen may show).
"""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from crm.core.models.people import Branch, Staff
from crm.core.privacy.fields import EncryptedText
from crm.core.scope import ScopedManager
from customers.models.batches import FeedBatch


class FedFact(models.Model):
    """Provenance of a fed row: the batch that wrote this version and since when the bank knew it."""

    batch = models.ForeignKey(
        FeedBatch, models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False
    )
    known_on = models.DateField()

    class Meta:
        abstract = True


class PartyKind(models.TextChoices):
    INDIVIDUAL = "individual", _("individual")
    CORPORATE = "corporate", _("corporate")


class Grade(models.TextChoices):
    LOW = "low", _("low")
    MEDIUM = "medium", _("medium")
    HIGH = "high", _("high")


class Gender(models.TextChoices):
    FEMALE = "F", _("female")
    MALE = "M", _("male")


RISK_TOLERANCES = ["C1", "C2", "C3", "C4", "C5"]


class Customer(FedFact):
    """One party of the bank, the root of everything a customer owns."""

    customer_no = models.CharField(max_length=40, unique=True)
    kind = models.CharField(max_length=10, choices=PartyKind.choices)
    name = models.CharField(max_length=200)
    name_sort = models.CharField(
        max_length=400, default=""
    )  # pinyin with the surname table: there is no pinyin collation
    branch = models.ForeignKey(Branch, models.PROTECT, related_name="customers")
    # Scope anchors: kept by the assignment verbs and the loader, read by crm.core.scope.
    manager = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="customers")
    shares = ArrayField(models.BigIntegerField(), default=list)
    feed_manager = models.ForeignKey(
        Staff, models.PROTECT, null=True, related_name="+"
    )  # as the feed last said
    opened_on = models.DateField()
    closed_on = models.DateField(null=True)
    deceased_on = models.DateField(null=True)
    restricted_on = models.DateField(null=True)
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, related_name="absorbed")
    mobile = EncryptedText("mobile", searchable=True, null=True)
    mobile_print = models.BinaryField(null=True)
    mobile_mask = models.CharField(max_length=40, null=True)
    mobile_ok = models.BooleanField(null=True)  # well formed; null: none given
    email = EncryptedText("email", null=True)
    email_print = models.BinaryField(null=True)
    email_mask = models.CharField(max_length=200, null=True)
    address = EncryptedText("address", null=True)
    address_print = models.BinaryField(null=True)
    address_mask = models.CharField(max_length=200, null=True)
    region_code = models.CharField(max_length=20, null=True)
    risk_tolerance = models.CharField(max_length=2, null=True)
    risk_assessed_on = models.DateField(null=True)
    kyc_grade = models.CharField(max_length=6, choices=Grade.choices, null=True)
    # individuals
    birth_on = models.DateField(null=True)
    gender = models.CharField(max_length=1, choices=Gender.choices, null=True)
    marital_status = models.CharField(max_length=40, null=True)
    education = models.CharField(max_length=60, null=True)
    occupation = models.CharField(max_length=100, null=True)
    employer = models.CharField(max_length=200, null=True)
    annual_income = models.DecimalField(max_digits=20, decimal_places=2, null=True)
    # corporates
    uscc = models.CharField(max_length=40, null=True)
    uscc_ok = models.BooleanField(null=True)  # form and check character of GB 32100; null: none given
    industry_code = models.CharField(max_length=20, null=True)
    registered_capital = models.DecimalField(max_digits=20, decimal_places=2, null=True)
    staff_count = models.IntegerField(null=True)
    annual_revenue = models.DecimalField(max_digits=20, decimal_places=2, null=True)
    total_assets = models.DecimalField(max_digits=20, decimal_places=2, null=True)
    legal_representative = models.CharField(max_length=200, null=True)
    established_on = models.DateField(null=True)
    group_no = models.CharField(max_length=60, null=True)
    # Facts that another batch than ``batch`` delivered last: {"mobile": 17}. Everything else came with ``batch``'s row.
    fact_batches = models.JSONField(default=dict)

    rows = models.Manager()
    objects = ScopedManager("")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=PartyKind.values), name="customer_kind_is_known"),
            models.CheckConstraint(
                condition=Q(closed_on__isnull=True) | Q(closed_on__gte=F("opened_on")),
                name="customer_closes_after_opening",
            ),
            models.CheckConstraint(
                condition=Q(risk_tolerance__isnull=True) | Q(risk_tolerance__in=RISK_TOLERANCES),
                name="customer_risk_tolerance_is_known",
            ),
            models.CheckConstraint(
                condition=Q(kyc_grade__isnull=True) | Q(kyc_grade__in=Grade.values),
                name="customer_kyc_grade_is_known",
            ),
            models.CheckConstraint(
                condition=Q(gender__isnull=True) | Q(gender__in=Gender.values),
                name="customer_gender_is_known",
            ),
            models.CheckConstraint(
                condition=~Q(merged_into=F("id")), name="customer_is_not_merged_into_itself"
            ),
        ]
        indexes = [
            # Lists are read within a branch or a manager's book, by number or by name.
            models.Index(fields=["branch", "customer_no"], name="customer_list_of_branch"),
            models.Index(fields=["manager", "customer_no"], name="customer_list_of_manager"),
            models.Index(fields=["name_sort", "id"], name="customer_list_by_name"),
            models.Index(fields=["branch", "name_sort", "id"], name="customer_branch_by_name"),
            models.Index(fields=["manager", "name_sort", "id"], name="customer_manager_by_name"),
            GinIndex(fields=["shares"], name="customer_shared_with"),
            models.Index(fields=["mobile_print"], name="customer_by_full_phone"),
            models.Index(fields=["uscc"], name="customer_by_uscc"),
            # Dashboards take the few under a processing stop off their sums.
            models.Index(
                fields=["id"], condition=Q(restricted_on__isnull=False), name="customer_under_a_stop"
            ),
        ]

    def __str__(self) -> str:
        return self.customer_no


class Identity(FedFact):
    """A document that proves who the customer is. Its number is never stored in the clear."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="identities")
    id_type = models.CharField(max_length=40)
    number = EncryptedText("identity", row_key="customer__customer_no", searchable=True)
    number_print = models.BinaryField()
    number_mask = models.CharField(max_length=60)
    expires_on = models.DateField(null=True)
    checksum_ok = models.BooleanField(null=True)  # null: no checksum is known for this type
    is_primary = models.BooleanField(default=True)

    rows = models.Manager()
    objects = ScopedManager("customer")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer"], condition=Q(is_primary=True), name="identity_one_primary_per_customer"
            )
        ]
        indexes = [models.Index(fields=["number_print"], name="identity_by_full_number")]


class CustomerNumber(models.Model):
    """Another number the customer is or was known by: two numbers that became one keep leading to him."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="numbers")
    customer_no = models.CharField(max_length=40, unique=True)
    since = models.DateField()

    rows = models.Manager()
    objects = ScopedManager("customer")


class ContactPerson(models.Model):
    """Somebody at a firm one can call."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="contact_persons")
    name = models.CharField(max_length=200)
    duty = models.CharField(max_length=100, blank=True, default="")
    mobile = EncryptedText("mobile", row_key="customer__customer_no", null=True)
    mobile_print = models.BinaryField(null=True)
    mobile_mask = models.CharField(max_length=40, null=True)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True)

    rows = models.Manager()
    objects = ScopedManager("customer")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="contact_ends_after_start",
            )
        ]


class ConsentPurpose(models.TextChoices):
    CONTACT = "contact", _("contact")
    PERSONALISED_MARKETING = "personalised_marketing", _("personalised marketing")
    SHARING = "sharing", _("giving data to another handler")
    SENSITIVE = "sensitive", _("sensitive personal information")


class Consent(models.Model):
    """What the customer agreed to, in which words, and when he took it back. Effective = the latest not withdrawn."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="consents")
    purpose = models.CharField(max_length=30, choices=ConsentPurpose.choices)
    channel = models.CharField(max_length=20)
    text_version = models.CharField(max_length=40)
    given_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)
    expires_on = models.DateField(null=True)
    evidence = models.CharField(max_length=200, blank=True, default="")

    rows = models.Manager()
    objects = ScopedManager("customer")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(purpose__in=ConsentPurpose.values), name="consent_purpose_is_known"
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True) | Q(withdrawn_at__gte=F("given_at")),
                name="consent_withdrawn_after_given",
            ),
        ]


class RelationKind(models.TextChoices):
    SPOUSE = "spouse", _("spouse")
    PARENT = "parent", _("parent")
    CHILD = "child", _("child")
    HOUSEHOLD = "household", _("household")
    GROUP_MEMBER = "group_member", _("group member")
    GROUP_PARENT = "group_parent", _("group parent")
    LEGAL_REPRESENTATIVE = "legal_representative", _("legal representative")
    CONTROLLER = "controller", _("controller")
    SHAREHOLDER = "shareholder", _("shareholder")
    GUARANTOR = "guarantor", _("guarantor")
    SUPPLIER = "supplier", _("supplier")
    BUYER = "buyer", _("buyer")
    PAYROLL = "payroll", _("payroll")


class Relation(FedFact):
    """``related`` is the customer's spouse, shareholder, guarantor, …"""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="relations")
    related = models.ForeignKey(Customer, models.CASCADE, related_name="related_from")
    kind = models.CharField(max_length=24, choices=RelationKind.choices)
    share_percent = models.DecimalField(max_digits=9, decimal_places=6, null=True)
    since = models.DateField(null=True)
    until = models.DateField(null=True)

    rows = models.Manager()
    objects = ScopedManager("customer")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer", "related", "kind"], name="relation_once_per_kind"),
            models.CheckConstraint(condition=Q(kind__in=RelationKind.values), name="relation_kind_is_known"),
            models.CheckConstraint(condition=~Q(customer=F("related")), name="relation_joins_two"),
            models.CheckConstraint(
                condition=Q(share_percent__isnull=True) | Q(share_percent__gte=0, share_percent__lte=100),
                name="relation_share_is_a_percentage",
            ),
            models.CheckConstraint(
                condition=Q(until__isnull=True) | Q(since__isnull=True) | Q(until__gte=F("since")),
                name="relation_ends_after_it_starts",
            ),
        ]
