"""What one person proposes and another decides: the payload is frozen the moment it is proposed."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class ApprovalState(models.TextChoices):
    PROPOSED = "proposed", _("waiting")
    APPROVED = "approved", _("approved")
    EXECUTED = "executed", _("carried out")
    REJECTED = "rejected", _("rejected")
    WITHDRAWN = "withdrawn", _("withdrawn")


DECIDED_BY_CHECKER = [ApprovalState.APPROVED, ApprovalState.EXECUTED, ApprovalState.REJECTED]


class Approval(models.Model):
    """One proposal. Triggers let its state only go proposed → approved → executed, or proposed → rejected or withdrawn,
    and nothing else of it change; it is never deleted."""

    verb = models.CharField(max_length=80)
    payload = models.JSONField()
    payload_hash = models.BinaryField(max_length=32)
    target_type = models.CharField(max_length=80, default="")
    target_id = models.CharField(max_length=200, default="")
    maker = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="proposed")
    reason = models.CharField(max_length=300)
    proposed_at = models.DateTimeField(db_default=Now())
    state = models.CharField(max_length=9, choices=ApprovalState.choices, default=ApprovalState.PROPOSED)
    checker = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="checked")
    decision = models.CharField(max_length=300, default="")
    decided_at = models.DateTimeField(null=True)
    executed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=ApprovalState.values), name="approval_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(checker__isnull=True) | ~Q(checker=F("maker")), name="approval_takes_two_people"
            ),
            models.CheckConstraint(
                condition=(
                    Q(state=ApprovalState.PROPOSED, checker__isnull=True, decided_at__isnull=True)
                    | Q(state=ApprovalState.WITHDRAWN, checker__isnull=True, decided_at__isnull=False)
                    | Q(state__in=DECIDED_BY_CHECKER, checker__isnull=False, decided_at__isnull=False)
                ),
                name="approval_is_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(state=ApprovalState.EXECUTED, executed_at__isnull=False)
                | (~Q(state=ApprovalState.EXECUTED) & Q(executed_at__isnull=True)),
                name="approval_executed_says_when",
            ),
        ]
        indexes = [models.Index(fields=["state", "verb", "-id"], name="approvals_on_a_desk")]

    def __str__(self) -> str:
        return f"{self.pk} {self.verb}"
