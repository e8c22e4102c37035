"""The audit trail: what was done, by whom, to which object; and the seals that chain its entries together.

Both tables are append-only for everybody: the app's role may only insert (and of an entry only the columns that say
what was done), and triggers refuse the rest to the owner too.
"""

from django.conf import settings
from django.db import models
from django.db.models import Func, Q
from django.utils.translation import gettext_lazy as _


class TransactionId(models.Field):
    """PostgreSQL's ``xid8``: the 64-bit number of the transaction that wrote the row, an ``int`` in Python."""

    def db_type(self, connection) -> str:
        return "xid8"

    def from_db_value(self, value, expression, connection) -> int | None:
        return None if value is None else int(value)

    def get_prep_value(self, value) -> str | None:
        return None if value is None else str(int(value))


class ClockTimestamp(Func):
    """The database's own clock at the moment of the call, not at the start of the transaction."""

    function = "clock_timestamp"
    output_field = models.DateTimeField()


class CurrentTransaction(Func):
    function = "pg_current_xact_id"
    output_field = TransactionId()


class Outcome(models.TextChoices):
    OK = "ok", _("done")
    DENIED = "denied", _("denied")
    FAILED = "failed", _("failed")


class AuditEntry(models.Model):
    """One thing done or tried. Ids, codes and masked values only, so that erasing a person never touches the chain."""

    at = models.DateTimeField(db_default=ClockTimestamp())
    txid = TransactionId(db_default=CurrentTransaction())
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False
    )
    verb = models.CharField(max_length=80)
    object_type = models.CharField(max_length=80, default="")
    object_id = models.CharField(max_length=200, default="")
    customer_id = models.BigIntegerField(null=True)
    payload = models.JSONField(default=dict)
    request_id = models.CharField(max_length=40, default="")
    outcome = models.CharField(max_length=6, choices=Outcome.choices, default=Outcome.OK)

    class Meta:
        verbose_name_plural = "audit entries"
        constraints = [
            models.CheckConstraint(condition=Q(outcome__in=Outcome.values), name="audit_outcome_is_known"),
        ]
        indexes = [
            # The sealer asks every two seconds for what is newer than its last horizon.
            models.Index(fields=["txid"], name="audit_unsealed"),
            # The auditor's filters, newest first.
            models.Index(fields=["actor", "id"], name="audit_of_an_actor"),
            models.Index(fields=["verb", "id"], name="audit_of_a_verb"),
            models.Index(fields=["object_type", "object_id", "id"], name="audit_of_an_object"),
            models.Index(
                fields=["customer_id", "id"],
                condition=Q(customer_id__isnull=False),
                name="audit_of_a_customer",
            ),
            models.Index(fields=["at"], name="audit_of_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.verb}"


class AuditSeal(models.Model):
    """The place of one entry in the chain. ``hash`` = SHA-256 of the hash before it and of every column of the entry
    and of this seal. ``below``: every entry of a transaction below it is sealed by now."""

    seq = models.BigIntegerField(primary_key=True)
    # No foreign key: that an entry is missing is for the verification to find, not for the database to make impossible
    # to look at.
    entry = models.OneToOneField(AuditEntry, models.DO_NOTHING, db_constraint=False, related_name="seal")
    below = TransactionId()
    hash = models.BinaryField(max_length=32)
    sealed_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(seq__gte=1), name="audit_seal_counts_from_one")]

    def __str__(self) -> str:
        return str(self.seq)
