"""What is to leave the house: written in the transaction that decides it, sent after it."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class OutboxItem(models.Model):
    """One thing to send. ``payload`` holds ids and codes; addresses and texts are looked up when it is sent.

    ``at_least_once``: marked after sending, so a crash between the two sends it again. Otherwise it is marked before,
    so a crash loses it. ``given_up``: tried too often; the error stays for somebody to read.
    """

    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=200)
    payload = models.JSONField(default=dict)
    at_least_once = models.BooleanField()
    created_at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True)
    attempts = models.IntegerField(default=0)
    error = models.CharField(max_length=500, default="")
    given_up = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "key"], name="outbox_once_per_kind_and_key"),
            models.CheckConstraint(condition=Q(attempts__gte=0), name="outbox_attempts_count_up"),
        ]
        indexes = [
            # The drain looks every ten seconds for what is due; what was sent is the many.
            models.Index(
                fields=["due_at", "id"],
                condition=Q(sent_at__isnull=True, given_up=False),
                name="outbox_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"
