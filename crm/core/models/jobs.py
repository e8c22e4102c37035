"""The job ledger: what is to be done, by whom it is being done, and which pieces are done. The broker only rings."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class RunState(models.TextChoices):
    WAITING = "waiting", _("waiting")
    RUNNING = "running", _("running")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")
    DEAD = "dead", _("given up")


class Run(models.Model):
    """One piece of unattended work for one business date. ``fence`` grows with every claim: a worker that was frozen
    past its lease holds an old number and can write nothing more."""

    kind = models.CharField(max_length=40)
    business_date = models.DateField()
    attempt = models.IntegerField(default=1)
    state = models.CharField(max_length=8, choices=RunState.choices, default=RunState.WAITING)
    fence = models.BigIntegerField(default=0)
    worker = models.CharField(max_length=120, default="")
    lease_until = models.DateTimeField(null=True)
    backend_pid = models.IntegerField(
        null=True
    )  # the holder's database connection, ended when it is taken over
    backend_started_at = models.DateTimeField(null=True)
    inputs = models.JSONField(default=dict)
    code_version = models.CharField(max_length=60, default="")
    parameters_version = models.CharField(max_length=64, default="")
    crashes = models.IntegerField(default=0)
    progress = models.CharField(max_length=200, default="")
    error = models.TextField(default="")
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "business_date", "attempt"], name="run_once_per_kind_date_and_attempt"
            ),
            models.CheckConstraint(condition=Q(state__in=RunState.values), name="run_state_is_known"),
            models.CheckConstraint(
                condition=Q(fence__gte=0, attempt__gte=1, crashes__gte=0), name="run_counts_up"
            ),
            models.CheckConstraint(
                condition=Q(finished_at__isnull=True) | Q(finished_at__gte=F("created_at")),
                name="run_finishes_after_it_is_made",
            ),
        ]
        indexes = [
            models.Index(
                fields=["state", "lease_until"],
                condition=Q(state__in=["waiting", "running", "failed"]),
                name="run_open",
            ),
            models.Index(fields=["kind", "-business_date", "-attempt"], name="run_list_newest_first"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.business_date} #{self.attempt}"


class Chunk(models.Model):
    """A piece of a run that is done, written in the transaction that did it."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="chunks")
    position = models.IntegerField()
    name = models.CharField(max_length=80)
    rows = models.BigIntegerField(default=0)
    ms = models.BigIntegerField(default=0)
    checksum = models.CharField(max_length=64, default="")
    fence = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "name"], name="chunk_once_per_run")]
        ordering = ["run_id", "position"]
