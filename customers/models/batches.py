"""What came through the feed's door: batches, their files, rejected rows, breaks, and the versions they replaced."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.core.privacy.fields import EncryptedText
from crm.core.scope import ScopedManager


class BatchState(models.TextChoices):
    RECEIVED = "received", _("received")
    STAGED = "staged", _("staged")
    PUBLISHED = "published", _("loaded")
    REFUSED = "refused", _("refused")
    REPLACED = "replaced", _("replaced by a correction")


class FeedBatch(models.Model):
    """One business date of one source, as delivered. Known by (source, business_date, manifest_sha256)."""

    source = models.CharField(max_length=40)
    business_date = models.DateField()
    manifest_sha256 = models.CharField(max_length=64)
    mode = models.CharField(max_length=10)
    state = models.CharField(max_length=12, choices=BatchState.choices, default=BatchState.RECEIVED)
    reason = models.TextField(default="")  # why it was refused, in English; screens translate by reason_code
    reason_code = models.CharField(max_length=40, default="")
    reason_values = models.JSONField(default=dict)
    rows_read = models.BigIntegerField(default=0)
    rows_loaded = models.BigIntegerField(default=0)
    rows_unchanged = models.BigIntegerField(default=0)
    rows_rejected = models.BigIntegerField(default=0)
    breaks = models.BigIntegerField(default=0)
    report = models.JSONField(
        default=dict
    )  # what a correction changed, keys missing from a full file, manager differences
    is_first = models.BooleanField(
        default=False
    )  # the first of its source: its rows were known from their own dates on
    accepted_gap = models.BooleanField(default=False)
    replaces = models.ForeignKey("self", models.PROTECT, null=True, related_name="corrections")
    received_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "business_date"],
                condition=Q(state="published"),
                name="batch_one_published_per_source_and_day",
            ),
            models.UniqueConstraint(
                fields=["source", "business_date", "manifest_sha256"],
                condition=Q(state__in=["received", "staged", "published"]),
                name="batch_is_known_by_its_manifest",
            ),
            models.CheckConstraint(condition=Q(mode__in=["full", "delta", ""]), name="batch_mode_is_known"),
            models.CheckConstraint(condition=Q(state__in=BatchState.values), name="batch_state_is_known"),
            models.CheckConstraint(
                condition=~Q(state="published")
                | Q(
                    rows_read=models.F("rows_loaded") + models.F("rows_unchanged") + models.F("rows_rejected")
                ),
                name="batch_accounts_for_every_row",
            ),
        ]
        indexes = [models.Index(fields=["-business_date", "source"], name="batch_list_newest_first")]

    def __str__(self) -> str:
        return f"{self.source} {self.business_date}"


class FeedFile(models.Model):
    """One file of a batch: what the manifest promised and what was found. Amounts are decimal strings per currency."""

    batch = models.ForeignKey(FeedBatch, models.CASCADE, related_name="files")
    name = models.CharField(max_length=60)
    sha256 = models.CharField(max_length=64)
    rows_declared = models.BigIntegerField()
    rows_read = models.BigIntegerField(default=0)
    rows_loaded = models.BigIntegerField(default=0)
    rows_unchanged = models.BigIntegerField(default=0)
    rows_rejected = models.BigIntegerField(default=0)
    control_declared = models.JSONField(default=dict)  # {"amount": {"CNY": "1.00"}}
    control_loaded = models.JSONField(default=dict)  # of the rows loaded or unchanged
    control_rejected = models.JSONField(default=dict)  # of the rows rejected

    class Meta:
        constraints = [models.UniqueConstraint(fields=["batch", "name"], name="file_once_per_batch")]


class FeedReject(models.Model):
    """A row that broke a rule. ``raw`` is the row as it came, encrypted: it may hold personal data."""

    batch = models.ForeignKey(FeedBatch, models.CASCADE, related_name="rejects")
    file_name = models.CharField(max_length=60)
    line_no = models.BigIntegerField()
    column = models.CharField(max_length=60, default="")
    reason_code = models.CharField(max_length=40)
    raw = EncryptedText("note", row_key="batch_id/file_name/line_no")

    class Meta:
        indexes = [models.Index(fields=["batch", "file_name", "line_no"], name="reject_list_by_line")]


class FeedBreak(models.Model):
    """An account and day whose bookings do not add up to the fed balance: expected, found, and by how much."""

    customer = models.ForeignKey(
        "customers.Customer", models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    account = models.ForeignKey(
        "customers.Account", models.CASCADE, related_name="breaks", db_constraint=False
    )
    on_date = models.DateField()
    currency = models.CharField(max_length=3)
    expected = models.DecimalField(max_digits=20, decimal_places=2)
    found = models.DecimalField(max_digits=20, decimal_places=2)
    batch = models.ForeignKey(FeedBatch, models.CASCADE, related_name="break_rows", db_constraint=False)

    rows = models.Manager()
    objects = ScopedManager("customer")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "on_date"], name="break_once_per_account_and_day")
        ]


class FeedTouch(models.Model):
    """Which account-months a batch changed balances or bookings of: what the night must add up anew."""

    batch = models.ForeignKey(FeedBatch, models.CASCADE, related_name="+", db_constraint=False)
    customer = models.ForeignKey(
        "customers.Customer", models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    account = models.ForeignKey(
        "customers.Account", models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    month = models.DateField()

    rows = models.Manager()
    objects = ScopedManager("customer")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "account", "month"], name="touch_once_per_batch")
        ]


class RowHistory(models.Model):
    """A version of a fed row that a later batch changed or replaced. Read through the ``…_as_of(date)`` functions."""

    entity = models.CharField(max_length=30)  # the table without its app: customer, account, transaction, …
    key = models.CharField(max_length=120)
    customer = models.ForeignKey(
        "customers.Customer", models.CASCADE, null=True, related_name="+", db_constraint=False, db_index=False
    )
    row = models.JSONField()
    known_on = models.DateField()
    superseded_on = models.DateField()
    batch = models.ForeignKey(FeedBatch, models.PROTECT, related_name="+", db_constraint=False, null=True)
    superseded_by = models.ForeignKey(FeedBatch, models.PROTECT, related_name="+", db_constraint=False)

    rows = models.Manager()
    objects = ScopedManager("customer")

    class Meta:
        indexes = [
            # The as-of functions ask for what was still in force on a day; at the newest day that is nothing.
            models.Index(fields=["entity", "superseded_on"], name="history_in_force_on_a_day"),
            models.Index(fields=["customer", "entity"], name="history_of_a_customer"),
            models.Index(fields=["entity", "key"], name="history_of_a_row"),
        ]
