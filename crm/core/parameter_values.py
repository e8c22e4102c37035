"""The shape of a parameter's value: its leaves, what each may be, and a new value built from what somebody typed.

A value keeps the shape of its default: the same keys, as many rows. Only leaves change, each within its range.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from crm.core.parameters import Definition

Path = tuple[str | int, ...]
AMOUNT, WHOLE, SWITCH, WORD, LINES = "amount", "whole", "switch", "word", "lines"
DECIMALS = 8
LONGEST_LIST = 500
LARGEST = Decimal(10) ** 15
# By how a unit begins: from, to. What is not named is an amount from 0 on.
RANGES: tuple[tuple[str, Decimal, Decimal], ...] = (
    ("share", Decimal(0), Decimal(1)),
    ("probability", Decimal(0), Decimal(1)),
    ("% a year", Decimal(0), Decimal(100)),
    ("factor", Decimal(0), Decimal(10)),
    ("days", Decimal(0), Decimal(3660)),
    ("months", Decimal(0), Decimal(600)),
    ("nights", Decimal(1), Decimal(4000)),
    ("steps", Decimal(1), Decimal(3)),
    ("weight", Decimal(0), Decimal(1000)),
    ("points per", Decimal(0), Decimal(1000)),
    ("points", Decimal(-100), Decimal(100)),
    ("sub-score", Decimal(0), Decimal(100)),
)


@dataclass(frozen=True)
class Leaf:
    """One thing to fill in: where it stands in the value, what it takes, and the words it may be where it takes words."""

    path: Path
    kind: str
    optional: bool
    words: tuple[str, ...] = ()


def leaves(definition: Definition) -> list[Leaf]:
    """Return the leaves of a parameter's default, in its order."""
    default = definition.default
    if default is None:
        return [Leaf((), AMOUNT, optional=True)]
    words = tuple(dict.fromkeys(definition.words or _words(default)))
    return list(_walk(default, (), words, definition.codes))


def _walk(node: Any, path: Path, words: tuple[str, ...], codes: bool) -> Iterator[Leaf]:
    if isinstance(node, dict):
        for key, below in node.items():
            yield from _walk(below, (*path, key), words, codes)
    elif isinstance(node, list) and (codes or all(_is_word(item) for item in node)):
        yield Leaf(path, LINES, optional=True)
    elif isinstance(node, list):
        for place, below in enumerate(node):
            # A row begins with what it is about (a tier), or ends a list without an end: neither is filled in.
            if below is not None and not (place == 0 and len(node) > 1 and _is_word(below)):
                yield from _walk(below, (*path, place), words, codes)
    elif isinstance(node, bool):
        yield Leaf(path, SWITCH, optional=True)
    elif isinstance(node, int):
        yield Leaf(path, WHOLE, optional=False)
    elif _is_word(node):
        yield Leaf(path, WORD, optional=False, words=words)
    else:
        yield Leaf(path, AMOUNT, optional=False)


def _words(node: Any) -> Iterator[str]:
    for below in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        if _is_word(below):
            yield below
        else:
            yield from _words(below)


def _is_word(node: Any) -> bool:
    return isinstance(node, str) and number(node) is None


def number(text: Any) -> Decimal | None:
    """Return a finite decimal, or None for what is none."""
    try:
        found = Decimal(str(text).strip().replace(",", ""))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def at(value: Any, path: Path) -> Any:
    """Return what stands at a path; None where the value has nothing there."""
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def label(definition: Definition, path: Path) -> list[str]:
    """Return the names on the way to a leaf: keys, and for a row what it is about or its number."""
    found, node = [], definition.default
    for place, step in enumerate(path):
        below = at(node, (step,))
        if isinstance(step, str):
            found.append(step)
        elif isinstance(below, list):
            found.append(below[0] if below and _is_word(below[0]) else str(step + 1))
        elif not (isinstance(node, list) and len(node) == 2 and _is_word(node[0])):
            found.append(str(step + 1))
        node = at(definition.default, path[: place + 1])
    return found


def read(definition: Definition, leaf: Leaf, text: str, before: Any) -> Any:
    """Return the value of a leaf as stored. Raises ValidationError. A number that is the same keeps its old spelling:
    a version must not change because somebody wrote 0.5 for 0.50."""
    text = text.strip()
    if leaf.kind == SWITCH:
        return text not in ("", "False", "false", "0", "off")
    if leaf.kind == LINES:
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        if len(lines) > LONGEST_LIST or len(set(lines)) != len(lines):
            raise ValidationError(_("At most %(count)s lines, each once.") % {"count": LONGEST_LIST})
        return lines
    if not text:
        if leaf.optional:
            return None
        raise ValidationError(_("This field is required."))
    if leaf.kind == WORD and text in leaf.words:
        return text
    if leaf.kind == WORD and (number(text) is None or not takes_numbers(definition)):
        raise ValidationError(_("One of: %(words)s.") % {"words": ", ".join(leaf.words)})
    found = number(text)
    if found is None:
        raise ValidationError(_("Enter a number."))
    low, high = limits(definition)
    if not low <= found <= high:
        raise ValidationError(_("Between %(low)s and %(high)s.") % {"low": f"{low:f}", "high": f"{high:f}"})
    if leaf.kind == WHOLE:
        if found != found.to_integral_value():
            raise ValidationError(_("Enter a whole number."))
        return int(found)
    if found != round(found, DECIMALS):
        raise ValidationError(_("At most %(count)s decimals.") % {"count": DECIMALS})
    return before if isinstance(before, str) and number(before) == found else f"{found:f}"


def limits(definition: Definition) -> tuple[Decimal, Decimal]:
    """Return the range of every number of a parameter: its own where declared, else its unit's."""
    low, high = next(
        ((low, high) for begins, low, high in RANGES if definition.unit.startswith(begins)),
        (Decimal(0), LARGEST),
    )
    return (
        low if definition.least is None else Decimal(definition.least),
        high if definition.most is None else Decimal(definition.most),
    )


def takes_numbers(definition: Definition) -> bool:
    """Return whether any leaf is a number; where none is, a word is chosen from a list."""
    return any(leaf.kind in (AMOUNT, WHOLE) for leaf in leaves(definition))


def build(definition: Definition, found: dict[Path, Any]) -> Any:
    """Return the value with ``found`` at its leaves and the default's shape around them."""
    if () in found:
        return found[()]
    return _built(definition.default, (), found)


def _built(node: Any, path: Path, found: dict[Path, Any]) -> Any:
    if path in found:
        return found[path]
    if isinstance(node, dict):
        return {key: _built(below, (*path, key), found) for key, below in node.items()}
    if isinstance(node, list):
        return [_built(below, (*path, place), found) for place, below in enumerate(node)]
    return node


def faults(definition: Definition, value: Any) -> dict[Path, str]:
    """Return what is wrong with a whole value, by leaf: rows that must rise and do not, weights that are all zero."""
    wrong: dict[Path, str] = {}
    if definition.unit == "weight":
        for group in _groups(value):
            if not any(number(weight) for weight in group.values()):
                wrong[()] = _("At least one weight must be above zero.")
    if not definition.rising:
        return wrong
    before: dict[Path, Decimal] = {}
    for leaf in leaves(definition):
        found = number(at(value, leaf.path))
        # Rows are held against the row before, column by column; plain lists and keys against the one before.
        ends_a_row = len(leaf.path) > 1 and isinstance(leaf.path[-2], int)
        column: Path = (*leaf.path[:-2], leaf.path[-1]) if ends_a_row else leaf.path[:-1]
        if found is not None:
            if column in before and found < before[column]:
                wrong[leaf.path] = _("It must not be below the one before it.")
            before[column] = found
    return wrong


def _groups(value: Any) -> Iterator[dict]:
    if isinstance(value, dict):
        if any(isinstance(below, dict) for below in value.values()):
            for below in value.values():
                yield from _groups(below)
        else:
            yield value
