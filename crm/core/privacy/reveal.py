"""Show one masked value to one person for one minute: with a purpose, under a quota, never without a trace.

An app opens its encrypted fields once, naming how one of its rows is found within a person's scope::

    reveal.open_to(Customer, lambda user, key: Customer.objects.visible_to(user).get(pk=key), customer="pk")
"""

import datetime
from collections.abc import Callable
from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _

from crm.core import audit, clock, parameters
from crm.core.access import require
from crm.core.models.sign_in import Reveal, RevealPurpose
from crm.core.privacy.classes import class_of, mask_cards
from crm.core.privacy.fields import open_sealed

SHOWN_FOR = datetime.timedelta(seconds=60)
QUOTA = parameters.define(
    "privacy.reveals_per_day",
    100,
    unit="reveals a person a day",
    note="more looks like copying, not like work",
)

Loader = Callable[[models.Model, str], models.Model]


@dataclass(frozen=True)
class Opened:
    """``load(user, key)``: the row within the person's scope, or ObjectDoesNotExist. ``customer``: attribute with the
    customer's id, for the audit trail."""

    load: Loader
    customer: str


class QuotaUsedUp(Exception):
    """The person has revealed as many values today as the bank allows."""


_OPENED: dict[str, Opened] = {}


def open_to(model: type[models.Model], load: Loader, *, customer: str = "customer_id") -> None:
    """Let the encrypted fields of ``model`` be revealed to whoever ``load`` finds the row for."""
    _OPENED[model._meta.label] = Opened(load, customer)


def find(user, label: str, field: str, key: str) -> models.Model:
    """Return the row of a request to reveal, within the person's scope.

    Raises ObjectDoesNotExist for a model or field that is not open, a malformed key, and a row out of scope alike.
    """
    opened = _OPENED.get(label)
    if opened is None:
        raise ObjectDoesNotExist(label)
    try:
        instance = opened.load(user, key)
    except (ValueError, TypeError, OverflowError, ValidationError):
        raise ObjectDoesNotExist(label) from None
    field_class = class_of(instance, field)
    if field_class is None or not field_class.revealable:
        raise ObjectDoesNotExist(field)
    return instance


@transaction.atomic
def reveal(
    *, actor, instance: models.Model, field: str, purpose: str, at: datetime.datetime, note: str = ""
) -> str:
    """Return the plain value of one field and write down who saw it and why.

    ``instance`` is loaded again through the person's scope. Raises PermissionDenied, ObjectDoesNotExist (out of
    scope), ValidationError (no purpose of the list), QuotaUsedUp, or crypto.Unreadable (not this cell's ciphertext).
    """
    require(actor, "privacy.reveal")
    label = instance._meta.label
    # Two requests at once must not share the last one of the quota.
    get_user_model().objects.select_for_update(of=("self",)).get(pk=actor.pk)
    instance = find(actor, label, field, key_of(instance))
    if purpose not in RevealPurpose.values:
        raise ValidationError(_("Say what you need it for."), code="purpose")
    today = clock.business_date(at)
    if Reveal.objects.filter(user=actor, business_date=today).count() >= parameters.value(QUOTA, today):
        raise QuotaUsedUp
    value = plain_value(instance, field)
    Reveal.objects.create(
        user=actor,
        field=f"{label}.{field}",
        object_key=key_of(instance),
        purpose=purpose,
        note=mask_cards(note)[:200],
        business_date=today,
        revealed_at=at,
        expires_at=at + SHOWN_FOR,
    )
    audit.record(
        actor,
        "privacy.reveal",
        instance,
        customer_id=getattr(instance, _OPENED[label].customer),
        payload={"field": f"{label}.{field}", "purpose": purpose},
    )
    return value or ""


def plain_value(instance: models.Model, field: str) -> str | None:
    """Return the value behind a mask: opened where it is encrypted, as it stands where it is a key in the clear."""
    found = class_of(instance, field)
    return open_sealed(instance, field) if found and found.encrypted else getattr(instance, field)


def masked_value(instance: models.Model, field: str) -> str:
    """Return what a screen may show of the field."""
    found = class_of(instance, field)
    if found is not None and not found.encrypted:
        return found.masked(getattr(instance, field))
    return getattr(instance, f"{field}_mask", "") or ""


def key_of(instance: models.Model) -> str:
    """Return the primary key as text; the parts of a composite one are joined by ``|``."""
    key = instance.pk
    return "|".join(map(str, key)) if isinstance(key, tuple) else str(key)
