"""Parameters of the bank as dated, versioned rows: who set what from when on, and why."""

from django.conf import settings
from django.db import models


class Parameter(models.Model):
    """One value from ``valid_from`` on. A correction is a new version of the same day; nothing is overwritten."""

    name = models.CharField(max_length=80)
    valid_from = models.DateField()
    version = models.IntegerField(default=1)
    value = models.JSONField()
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    set_at = models.DateTimeField()
    why = models.CharField(max_length=300)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["name", "valid_from", "version"], name="parameter_once_per_day_and_version"
            ),
            models.CheckConstraint(condition=models.Q(version__gte=1), name="parameter_version_counts_up"),
        ]
