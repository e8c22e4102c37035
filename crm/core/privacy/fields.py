"""Encrypted columns of a model, and the quick path for the loader.

A value of kind ``mobile`` on a model is three columns::

    mobile = EncryptedText("mobile", searchable=True)   # the ciphertext
    mobile_print = models.BinaryField(null=True)         # blind index: full search, and "has it changed?"
    mobile_mask = models.CharField(max_length=40, ...)   # what lists show, so that no list decrypts

An instance holds the ciphertext as :class:`Sealed`, which prints as stars. It is opened by :func:`open_sealed` alone,
and that is called by the reveal verb and by unattended work, never by a template.
"""

from typing import NamedTuple

from django.core import checks
from django.core.exceptions import FieldError
from django.db import models
from django.db.models.lookups import IsNull

from crm.core.privacy import classes, crypto, index, masks


class Protected(NamedTuple):
    """The three stored parts of one value. All of an empty value is (None, None, "")."""

    ciphertext: str | None
    print: bytes | None
    mask: str


def protect(plain: str | None, table: str, column: str, row_key: object, kind: str) -> Protected:
    """Return what to store for ``plain`` in ``table.column`` of the row ``row_key`` (the natural key).

    For the loader: no ORM, no model; ``table`` and ``column`` are the database's names. About 10 µs a value.
    """
    if not plain:
        return Protected(None, None, "")
    return Protected(
        crypto.encrypt(plain, crypto.cell(table, column, row_key)),
        index.blind_index(plain, table, column, kind),
        masks.mask(kind, plain),
    )


class Sealed:
    """A ciphertext on its way through the program. Shows stars wherever it is printed, formatted or logged."""

    __slots__ = ("token",)

    def __init__(self, token: str) -> None:
        self.token = token

    def __str__(self) -> str:
        return masks.HIDDEN

    __repr__ = __str__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sealed) and other.token == self.token

    def __hash__(self) -> int:
        return hash(self.token)


class EncryptedText(models.TextField):
    """Ciphertext of one value. ``row_key``: attribute path to the natural key of the row (``account__account_no``),
    or several joined by ``/`` (``batch_id/line_no``), whose values are joined by ``/`` too.

    Plain text cannot be assigned: :func:`seal` writes the three columns at once. It cannot be filtered, sorted or
    searched either, only asked whether it is empty.
    """

    description = "Encrypted text"

    def __init__(
        self, kind: str = "note", *, row_key: str = "customer_no", searchable: bool = False, **options
    ) -> None:
        self.kind, self.row_key, self.searchable = kind, row_key, searchable
        options.setdefault("editable", False)
        super().__init__(**options)

    def deconstruct(self):
        # To a migration the column is plain text, whatever kind of value the program keeps in it.
        name, _path, args, kwargs = super().deconstruct()
        kwargs.pop("editable", None)
        return name, "django.db.models.TextField", args, kwargs

    def contribute_to_class(self, cls, name, private_only=False) -> None:
        super().contribute_to_class(cls, name, private_only)
        if not cls._meta.abstract and cls.__module__ != "__fake__":
            field_class = classes.C2(self.kind, searchable=self.searchable, encrypted=True)
            classes.REGISTRY[f"{cls._meta.label}.{name}"] = field_class

    def from_db_value(self, value, expression, connection) -> Sealed | None:
        return None if value is None else Sealed(value)

    def to_python(self, value) -> Sealed | None:
        return value if value is None or isinstance(value, Sealed) else Sealed(_ciphertext(value, self.name))

    def get_prep_value(self, value) -> str | None:
        if value is None:
            return None
        return value.token if isinstance(value, Sealed) else _ciphertext(value, self.name)

    def value_to_string(self, obj) -> str:
        return masks.HIDDEN

    def get_lookup(self, lookup_name: str):
        if lookup_name == "isnull":
            return IsNull
        raise FieldError(f"{self.name} is encrypted: search {self.name}_print, show {self.name}_mask")

    def check(self, **kwargs) -> list[checks.CheckMessage]:
        found = super().check(**kwargs)
        # A note is neither searched nor shown in part: it needs no columns beside it.
        wanted = [] if self.kind == "note" else [f"{self.name}_mask", f"{self.name}_print"]
        present = {field.name for field in self.model._meta.get_fields()}
        found += [
            checks.Error(
                f"{self.model._meta.label}.{self.name} has no column {name}", obj=self, id="privacy.E002"
            )
            for name in wanted
            if name not in present
        ]
        return found


def _ciphertext(value: str, name: str) -> str:
    if not isinstance(value, str) or not crypto.is_ciphertext(value):
        # Not repeated in the message: it may be somebody's phone number.
        raise ValueError(f"{name} takes a ciphertext; plain text goes through seal()")
    return value


def _field(instance: models.Model, name: str) -> EncryptedText:
    field = instance._meta.get_field(name)
    if not isinstance(field, EncryptedText):
        raise FieldError(f"{instance._meta.label}.{name} is not encrypted")
    return field


def cell_of(instance: models.Model, name: str) -> str:
    """Return the associated data of an instance's cell: ``table/column/natural key``."""
    field = _field(instance, name)
    parts = []
    for path in field.row_key.split("/"):
        part: object = instance
        for step in path.split("__"):
            part = getattr(part, step)
        parts.append(str(part))
    return crypto.cell(instance._meta.db_table, field.column, "/".join(parts))


def seal(instance: models.Model, name: str, plain: str | None) -> None:
    """Put ``plain`` into the three columns of ``name`` on an unsaved or about-to-be-saved instance."""
    field = _field(instance, name)
    row_key = cell_of(instance, name).split("/", 2)[2]
    ciphertext, print_, masked = protect(plain, instance._meta.db_table, field.column, row_key, field.kind)
    setattr(instance, name, None if ciphertext is None else Sealed(ciphertext))
    if field.kind != "note":
        setattr(instance, f"{name}_mask", masked)
        setattr(instance, f"{name}_print", print_)


def open_sealed(instance: models.Model, name: str) -> str | None:
    """Return the plain text of one cell. Raises crypto.Unreadable where the ciphertext is not this cell's."""
    value = getattr(instance, name)
    return None if value is None else crypto.decrypt(value.token, cell_of(instance, name))


def print_of(model: type[models.Model], name: str, value: str) -> bytes:
    """Return the print to search ``<name>_print`` of a model with."""
    field = model._meta.get_field(name)
    if not isinstance(field, EncryptedText) or not field.searchable:
        raise FieldError(f"{model._meta.label}.{name} cannot be searched")
    return index.blind_index(value, model._meta.db_table, field.column, field.kind)
