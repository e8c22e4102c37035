"""Field classes of JR/T 0171-2020 as code: what is sensitive, how it is masked, searched and stored.

C1 internal (opening date, branch) · C2 identifies a person or his money (numbers, phone, address, balances) · C3
credentials and biometrics, which this product never stores: :func:`refuse_c3` and a system check keep them out.

An app declares its columns once, next to the model::

    classify(Customer, {"name": C2("name"), "id_no": C2("identity", searchable=True, encrypted=True)})

and masking, serializers, exports, the log filter, reveal and key rotation read the same table.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from django.core import checks
from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.core.privacy.identity import card_valid
from crm.core.privacy.masks import MASKS, mask


class Sensitivity(StrEnum):
    C1 = "C1"
    C2 = "C2"
    C3 = "C3"


# What people call a value of a kind, wherever one is asked for or shown.
LABELS = {
    "mobile": _("mobile number"),
    "phone": _("phone number"),
    "identity": _("identity number"),
    "account": _("account number"),
    "card": _("card number"),
    "email": _("e-mail address"),
    "address": _("postal address"),
    "name": _("name"),
    "note": _("note"),
}


@dataclass(frozen=True)
class FieldClass:
    """``kind``: name of the mask and of the normalisation."""

    level: Sensitivity
    kind: str = ""
    searchable: bool = False
    encrypted: bool = False

    def __post_init__(self) -> None:
        if self.level is Sensitivity.C3:
            raise NeverStored("C3 data has no column here")
        if self.level is Sensitivity.C2 and self.kind and self.kind not in MASKS:
            raise ValueError(f"no mask called {self.kind}")

    @property
    def revealable(self) -> bool:
        # An account number is stored in the clear (it is a key) but shown by its last four digits like the others.
        return self.encrypted or self.kind in ("account", "card")

    @property
    def label(self) -> str:
        return LABELS.get(self.kind, "")

    def masked(self, value: str | None) -> str:
        return mask(self.kind, value)


class NeverStored(ValueError):
    """A column or form field for a password, card code, track, PIN or biometric: refused with its name."""


def C1() -> FieldClass:
    return FieldClass(Sensitivity.C1)


def C2(kind: str = "", *, searchable: bool = False, encrypted: bool = False) -> FieldClass:
    """Return class C2. Without a ``kind`` the value (a balance) is protected by rights alone, not by a mask."""
    return FieldClass(Sensitivity.C2, kind, searchable, encrypted)


# "app.Model.field" → class. Filled while the models load, read afterwards.
REGISTRY: dict[str, FieldClass] = {}


def classify(model: type[models.Model], fields: Mapping[str, FieldClass]) -> None:
    """Declare the classes of a model's fields. A second, different declaration of one field is an error."""
    for name, field_class in fields.items():
        model._meta.get_field(name)
        label = f"{model._meta.label}.{name}"
        if REGISTRY.setdefault(label, field_class) != field_class:
            raise ValueError(f"{label} is classified twice, differently")


def class_of(model: type[models.Model] | models.Model, field: str) -> FieldClass | None:
    """Return the class of a field, or None where nothing was declared (treat as C1)."""
    return REGISTRY.get(f"{model._meta.label}.{field}")


def encrypted_fields() -> list[str]:
    return sorted(label for label, field_class in REGISTRY.items() if field_class.encrypted)


# --- C3 -----------------------------------------------------------------------------------------------------------
_CREDENTIALS = (
    "password passwd passcode pwd cvv cvv2 cvc cvc2 cvn cvn2 csc track track1 track2 track3 magstripe pin pinblock otp "
    "totp biometric biometrics fingerprint faceprint voiceprint iris palmprint"
)
_C3_WORDS = frozenset(_CREDENTIALS.split())
_C3_PHRASES = (
    "pinblock",
    "pincode",
    "magneticstripe",
    "faceimage",
    "facetemplate",
    "irisscan",
    "securitycode",
)
_C3_HAN = ("密码", "口令", "磁道", "指纹", "人脸", "虹膜", "声纹", "掌纹", "验证码", "安全码")
_CARD_WORDS = ("pan", "cardno", "cardnumber", "卡号")
_EXPIRY_WORDS = ("expiry", "expirydate", "expdate", "cardexpiry", "validthru", "validthrough", "有效期")


def is_c3(name: str) -> bool:
    """Return whether a column or field of this name would hold credentials or biometrics."""
    text = unicodedata.normalize("NFKC", name)
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text).casefold()
    parts = [part for part in re.split(r"[\W_]+", words) if part]
    joined = "".join(parts)
    return (
        any(part in _C3_WORDS for part in parts)
        or any(phrase in joined for phrase in _C3_PHRASES)
        or any(word in text for word in _C3_HAN)
    )


def refuse_c3(names: Iterable[str]) -> None:
    """Raise NeverStored naming the first C3 column; a card number together with its expiry counts as one."""
    names = list(names)
    for name in names:
        if is_c3(name):
            raise NeverStored(
                f"column {name!r}: passwords, card codes, tracks, PINs and biometrics are never stored"
            )
    bare = {re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", name)).casefold(): name for name in names}
    expiry = next((bare[word] for word in _EXPIRY_WORDS if word in bare), None)
    if expiry is not None and any(word in bare for word in _CARD_WORDS):
        raise NeverStored(f"column {expiry!r}: the expiry of a card beside its number is never stored")


# Sixteen digits or more, each with at most one space or dash before it.
_CARD_LIKE = re.compile(r"\d(?:[ \-]?\d){15,}")
_GROUP = re.compile(r"\d+")


def mask_cards(text: str) -> str:
    """Return free text with every card number in it (16 to 19 digits, Luhn-valid, spaced or not) cut to its last 4."""
    return _CARD_LIKE.sub(lambda found: _mask_cluster(found[0]), text)


def _mask_cluster(cluster: str) -> str:
    groups = list(_GROUP.finditer(cluster))
    out, written, first = [], 0, 0
    while first < len(groups):
        digits, hit = "", None
        for last in range(first, len(groups)):
            digits += groups[last][0]
            if len(digits) > 19:
                break
            if card_valid(digits):
                hit = last
        if hit is None:
            first += 1
            continue
        end = groups[hit].end()
        digits = "".join(_GROUP.findall(cluster[groups[first].start() : end]))
        out += [cluster[written : groups[first].start()], "****", digits[-4:]]
        written, first = end, hit + 1
    return "".join(out) + cluster[written:]


# The account's own password hash is the one credential this product keeps, and it is not a customer's.
_ALLOWED_C3 = frozenset({"core.User.password"})
# A date called password_set_at holds no password.
_HOLDS_TEXT = (models.CharField, models.TextField, models.BinaryField, models.JSONField, models.FileField)


@checks.register(checks.Tags.models)
def no_c3_columns(app_configs, **kwargs) -> list[checks.CheckMessage]:
    """No model of ours has a column that would hold C3 data."""
    from django.apps import apps

    ours = [m for m in apps.get_models() if not m.__module__.startswith(("django.", "rest_framework."))]
    return [
        checks.Error(f"{model._meta.label}.{field.name} would hold C3 data", id="privacy.E001")
        for model in ours
        for field in model._meta.local_fields
        if isinstance(field, _HOLDS_TEXT)
        and is_c3(field.name)
        and f"{model._meta.label}.{field.name}" not in _ALLOWED_C3
    ]
