"""A language that is no language: every translated text comes back in ⟦ ⟧, so what stays bare was never translated.

``bare_texts(html)`` lists the visible texts of a page that are neither wrapped nor data. Data is what has no letters,
what stands in an element marked ``data-data``, in ``<data>``, ``<time>``, ``<code>`` or ``<kbd>``, and what the caller
knows to come from the database. Attributes people read (title, placeholder, aria-label, alt, data-label) count too.
"""

import contextlib
import re
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from unittest import mock

from django.utils import translation
from django.utils.translation import trans_real

OPEN, CLOSE = "⟦", "⟧"
WRAPPED = re.compile(f"{OPEN}.*{CLOSE}", re.S)
LETTERS = re.compile(r"[^\W\d_]")
CODE = re.compile(r"\b[A-Z]{1,4}\d\w*")  # C001, DD01: numbers by another name
READ_ATTRIBUTES = {"title", "placeholder", "aria-label", "alt", "data-label", "data-confirm"}
# Buttons say their value to people; other inputs carry what somebody typed.
SILENT = {"script", "style", "template", "textarea"}
DATA = {"data", "time", "code", "kbd", "pre"}
VOID = {"area", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


def _wrap(text: str) -> str:
    # An empty message is the header of the catalogue; a blank one holds a place.
    return f"{OPEN}{text}{CLOSE}" if text.strip() else text


def _gettext(message: str) -> str:
    # Django glues a context and its message with this mark before it asks a catalogue.
    return _wrap(str(message).rpartition(trans_real.CONTEXT_SEPARATOR)[2])


def _ngettext(singular: str, plural: str, number: int) -> str:
    return _gettext(singular if number == 1 else plural)


PSEUDO = {
    "gettext": _gettext,
    "ngettext": _ngettext,
    "pgettext": lambda context, message: _gettext(message),
    "npgettext": lambda context, singular, plural, number: _ngettext(singular, plural, number),
}


@contextlib.contextmanager
def speaking_pseudo() -> Iterator[None]:
    """Every language is the pseudo one within; the page still believes it is the one it was asked for."""
    with contextlib.ExitStack() as stack:
        for name, function in PSEUDO.items():
            stack.enter_context(mock.patch.object(trans_real, name, function))
            # django.utils.translation keeps the functions it has used once.
            stack.enter_context(mock.patch.object(translation._trans, name, function, create=True))
        yield


class _Texts(HTMLParser):
    """Collects what a reader sees or hears and no translation produced.

    A translated text may run over several elements (a link, a date within it): what stands between its brackets is
    translated wherever it stands.
    """

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.bare: list[str] = []
        self._depth = 0
        self._stack: list[tuple[str, bool, bool]] = []  # tag, silent, data

    def _state(self) -> tuple[bool, bool]:
        return (self._stack[-1][1], self._stack[-1][2]) if self._stack else (False, False)

    def handle_starttag(self, tag, attrs) -> None:
        given = dict(attrs)
        silent, data = self._state()
        silent = silent or tag in SILENT
        data = data or tag in DATA or "data-data" in given
        # The exact value of a figure stands in its title: data, as the figure is.
        if not silent and not data:
            self.bare += [WRAPPED.sub("", given[name] or "") for name in sorted(READ_ATTRIBUTES & set(given))]
        if tag not in VOID:
            self._stack.append((tag, silent, data))

    def handle_endtag(self, tag) -> None:
        while self._stack and self._stack.pop()[0] != tag:
            pass

    def handle_data(self, text) -> None:
        silent, data = self._state()
        outside = ""
        for mark in text:
            if mark == OPEN:
                self._depth += 1
            elif mark == CLOSE:
                self._depth -= 1
            elif self._depth == 0:
                outside += mark
        if not silent and not data:
            self.bare.append(outside)


def bare_texts(html: str, known: Iterable[str] = ()) -> list[str]:
    """Texts of the page that no translation produced; ``known`` values of the database are taken for data."""
    parser = _Texts()
    parser.feed(html)
    parser.close()
    values = sorted((value for value in known if value), key=len, reverse=True)
    found = []
    for text in parser.bare:
        rest = CODE.sub("", text)
        for value in values:
            rest = rest.replace(value, "")
        if LETTERS.search(rest):
            found.append(text.strip())
    return found
