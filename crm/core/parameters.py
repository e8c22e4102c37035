"""The bank's parameters: defaults declared in code with unit and source, values as dated, versioned rows.

A computed row can name the version it used, so "why" has an answer years later.
"""

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction
from django.db.models import Max

from crm.core.models.parameters import Parameter


@dataclass(frozen=True)
class Definition:
    """``source``: V read in a source, M professional memory, D our design choice, as domain tables mark them.

    The rest is for people who look at it and set it: ``title`` and ``group`` in words, the range of its numbers where it is
    not its unit's, whether its rows must rise, which words its leaves may be, whether its lists hold codes even where they
    look like numbers, and whether anybody may set it on a screen.
    """

    name: str
    default: Any
    unit: str
    source: str
    note: str
    title: Any = ""
    group: str = "other"
    least: int | None = None
    most: int | None = None
    rising: bool = False
    words: tuple[str, ...] = ()
    codes: bool = False
    settable: bool = True


_definitions: dict[str, Definition] = {}
_keys: dict[str, Any] = {}

# The newest day wins, then the newest version of that day.
IN_ORDER = ("name", "valid_from", "version")


def define(name: str, default: Any, *, unit: str = "", source: str = "D", note: str = "") -> str:
    """Declare a parameter and its default; return the name. Values are JSON (amounts and rates as decimal strings)."""
    _definitions[name] = Definition(name, default, unit, source, note)
    return name


def describe(name: str, title: Any, group: str, **more: Any) -> None:
    """Say what people call a declared parameter, and what a value of it must keep to."""
    _definitions[name] = replace(_definitions[name], title=title, group=group, **more)


def name_keys(words: Mapping[str, Any]) -> None:
    """Say what people call the keys of values: product families, tiers, components."""
    _keys.update(words)


def in_words(keys: Iterable[str]) -> str:
    """Return the keys on the way to a leaf as people read them."""
    return " · ".join(str(_keys.get(key, key)) for key in keys)


def value(name: str, on: datetime.date) -> Any:
    """Return the value in force on a day. Raises KeyError for a name nobody declared."""
    return values(on, [name])[name]


def values(on: datetime.date, names: list[str] | None = None) -> dict[str, Any]:
    """Return the values in force on a day, every declared parameter unless ``names`` are given; one query."""
    wanted = names if names is not None else list(_definitions)
    rows = Parameter.objects.filter(name__in=wanted, valid_from__lte=on).order_by(*IN_ORDER)
    return over_defaults(wanted, rows.values_list("name", "value"))


def over_defaults(names: Iterable[str], rows: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Return the values in force given what was set, (name, value) as ``IN_ORDER`` sorts it."""
    in_force = {name: _definitions[name].default for name in names}
    for name, set_value in rows:
        if name in in_force:
            in_force[name] = set_value
    return in_force


def defined(name: str) -> Definition:
    """Return what a parameter is declared to be. Raises KeyError."""
    return _definitions[name]


def declared() -> list[Definition]:
    """Return every parameter, in the order of declaration."""
    return list(_definitions.values())


@transaction.atomic
def put(
    name: str, new: Any, *, valid_from: datetime.date, why: str, at: datetime.datetime, actor=None
) -> Parameter:
    """Add a value. An earlier value of the same day stays and is superseded by version."""
    if name not in _definitions:
        raise KeyError(name)
    newest = Parameter.objects.filter(name=name, valid_from=valid_from).aggregate(Max("version"))[
        "version__max"
    ]
    return Parameter.objects.create(
        name=name,
        value=new,
        valid_from=valid_from,
        version=(newest or 0) + 1,
        why=why,
        set_at=at,
        set_by=actor,
    )
