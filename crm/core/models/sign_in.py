"""What signing in leaves behind: failed attempts, one-time links, live sessions, old passwords, and reveals."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class AttemptKind(models.TextChoices):
    ACCOUNT = "account"
    ADDRESS = "address"
    PLACE = "place"


class FailedSignIns(models.Model):
    """How often signing in failed of late, and how long the next try must wait.

    Counted for an account, for a network address, and for a known place (an account at an address it has signed in
    from before). ``subject`` is a keyed digest: what people type into the name box is now and then their password.
    """

    kind = models.CharField(max_length=10, choices=AttemptKind.choices)
    subject = models.BinaryField(max_length=16)
    failures = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField()
    wait_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "subject"], name="failed_sign_ins_one_row_per_subject"),
            models.CheckConstraint(
                condition=Q(kind__in=AttemptKind.values), name="failed_sign_ins_kind_is_known"
            ),
        ]


class KnownPlace(models.Model):
    """A network address an account has signed in from. Its owner is not slowed down by strangers' failures."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="known_places")
    address = models.BinaryField(max_length=16)
    last_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "address"], name="known_place_one_row_per_address"),
        ]


class Invitation(models.Model):
    """A one-time link that lets its holder choose the password. Only the token's SHA-256 is kept."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="invitations")
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    token_hash = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            # An older link must not outlive the newer one that replaced it.
            models.UniqueConstraint(
                fields=["user"], condition=Q(used_at__isnull=True), name="invitation_one_open_per_user"
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")), name="invitation_expires_after_it_is_made"
            ),
        ]


class OldPassword(models.Model):
    """A password once chosen, hashed, so that it is not chosen again."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="old_passwords")
    encoded = models.CharField(max_length=200)
    set_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["user", "-set_at"], name="old_passwords_newest_first")]


class LiveSession(models.Model):
    """A signed-in browser. Django's own session row carries the data; this one carries the limits."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="live_sessions")
    session_key = models.CharField(max_length=40, unique=True)
    created_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["user", "created_at"], name="live_sessions_oldest_first")]


class RevealPurpose(models.TextChoices):
    """Closed, so that purposes can be counted; the free text beside it says the rest."""

    CONTACT = "contact", _("contact the customer")
    TRANSACTION = "transaction", _("carry out business")
    IDENTITY_CHECK = "identity_check", _("check an identity")
    CORRECTION = "correction", _("correct the data")
    COMPLAINT = "complaint", _("handle a complaint")
    INVESTIGATION = "investigation", _("investigation or legal duty")


class Reveal(models.Model):
    """One masked value shown to one person for one minute: who, which, why. Never the value."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="reveals")
    field = models.CharField(max_length=120)
    object_key = models.CharField(max_length=200)  # primary key as text: bookings have one of several parts
    purpose = models.CharField(max_length=20, choices=RevealPurpose.choices)
    note = models.CharField(max_length=200, blank=True, default="")
    business_date = models.DateField()
    revealed_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(purpose__in=RevealPurpose.values), name="reveal_purpose_is_known"
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("revealed_at")), name="reveal_ends_after_it_starts"
            ),
        ]
        # The quota counts a person's reveals of a day before each one.
        indexes = [models.Index(fields=["user", "business_date"], name="reveals_of_a_person_a_day")]
