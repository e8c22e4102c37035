"""The translations: every word the code shows, held against the file of each language.

Works without the gettext tools, which a bare machine does not have: Babel reads Python, Django turns a
template into something Babel can read. The words in the code are English; every other language has one complete file.
"""

import re
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

from crm.core import parameters

ROOMS = ("crm", "customers", "segmentation", "complaints", "marketing")
KEYWORDS: dict = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
# Needed before Babel's python-format flag is worth anything: the names of what is put into a sentence.
PLACEHOLDER = re.compile(r"%\([a-zA-Z_]\w*\)[sdifr]|%[sdifr]|\{[a-zA-Z_]\w*\}")
# Chinese sentences have Chinese punctuation; a half-width mark after a Chinese character is a slip.
HALF_WIDTH = re.compile(r"[\u4e00-\u9fff][,;!?]|[\u4e00-\u9fff]\.(?:\s|$)|[\u4e00-\u9fff]:(?!\S*//)")

Key = tuple[str, str | None]


def language_files() -> dict[str, Path]:
    """``{"zh_Hans": …/django.po}`` of every language that has a file."""
    folder = Path(settings.LOCALE_PATHS[0])
    return {path.parent.parent.name: path for path in sorted(folder.glob("*/LC_MESSAGES/django.po"))}


def key_of(message: Message) -> Key:
    singular = message.id[0] if isinstance(message.id, tuple | list) else message.id
    return singular, message.context


def found_in_code() -> Catalog:
    """Every message of the product with the files that say it."""
    catalogue = Catalog(charset="utf-8")
    root = Path(settings.BASE_DIR)
    for path in _sources(root):
        name = path.relative_to(root).as_posix()
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".html":
            # What is not a message becomes rows of X; their indentation would read as a fault.
            text = "\n".join(line.lstrip() for line in templatize(text, origin=name).splitlines())
        options = {"encoding": "utf-8"}
        for _line, message, comments, context in extract(
            "python", BytesIO(text.encode()), KEYWORDS, ["Translators:"], options
        ):
            catalogue.add(message, None, [(name, None)], auto_comments=comments, context=context)
    # Units and notes stand where the night declares its choices, and are shown translated.
    for definition in parameters.declared():
        for text in filter(None, (definition.unit, definition.note)):
            catalogue.add(text, None, [("crm/core/parameters.py", None)])
    return catalogue


def _sources(root: Path) -> Iterator[Path]:
    for room in ROOMS:
        for path in sorted((root / room).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path
    yield from sorted((root / "templates").rglob("*.html"))


def read(path: Path) -> Catalog:
    with path.open("rb") as handle:
        return read_po(handle, locale=path.parent.parent.name, abort_invalid=True)


def merged(known: Catalog, code: Catalog, more: dict[str, str]) -> Catalog:
    """The language's file brought up to the code: what is still said is kept, the rest is dropped.

    ``more`` gives translations by English text for messages that have none yet.
    """
    result = Catalog(
        locale=known.locale,
        charset="utf-8",
        project=known.project,
        version=known.version,
        copyright_holder=known.copyright_holder,
        creation_date=known.creation_date,
        revision_date=known.revision_date,
        header_comment=known.header_comment,
    )
    before = {key_of(message): message for message in known if message.id}
    for message in code:
        if not message.id:
            continue
        old = before.get(key_of(message))
        text = old.string if old is not None and _written(old) else _given(message, more)
        result.add(
            message.id,
            text,
            [(name, None) for name in sorted({name for name, _line in message.locations})],
            flags=message.flags - {"fuzzy"},
            auto_comments=message.auto_comments,
            user_comments=old.user_comments if old is not None else (),
            context=message.context,
        )
    return result


def _written(message: Message) -> bool:
    texts = message.string if isinstance(message.string, tuple | list) else (message.string,)
    return all(texts)


def _given(message: Message, more: dict[str, str]) -> str | tuple[str, ...]:
    if isinstance(message.id, tuple | list):
        return (next((more[text] for text in reversed(message.id) if text in more), ""),)
    return more.get(message.id, "")


def write(path: Path, catalogue: Catalog) -> None:
    # Without line numbers: a line added to a view must not change a hundred lines here.
    buffer = BytesIO()
    write_po(buffer, catalogue, width=110, sort_output=True, include_lineno=False, include_previous=False)
    draft = path.with_suffix(".po.new")
    draft.write_bytes(buffer.getvalue())
    draft.replace(path)


def faults(language: str, known: Catalog, code: Catalog) -> Iterator[str]:
    """One sentence a fault: missing, fuzzy, unused, placeholders that differ, half-width marks in Chinese."""
    said = {key_of(message) for message in code if message.id}
    there = {key_of(message): message for message in known if message.id}
    for text, context in sorted(said - set(there), key=str):
        yield f"{language}: missing: {_quoted(text, context)}"
    for key, message in sorted(there.items(), key=str):
        quoted = _quoted(*key)
        if key not in said:
            yield f"{language}: no longer said: {quoted}"
        elif not _written(message):
            yield f"{language}: not translated: {quoted}"
        elif message.fuzzy:
            yield f"{language}: fuzzy: {quoted}"
        else:
            yield from (f"{language}: {fault}: {quoted}" for fault in _wrong_words(language, message))


def _wrong_words(language: str, message: Message) -> Iterator[str]:
    sources = message.id if isinstance(message.id, tuple | list) else (message.id,)
    texts = message.string if isinstance(message.string, tuple | list) else (message.string,)
    wanted = _placeholders(sources[-1:])
    for text in texts:
        if _placeholders([text]) != wanted:
            yield f"placeholders differ in {text!r}"
        if language.startswith("zh") and HALF_WIDTH.search(text):
            yield f"half-width punctuation in {text!r}"


def _placeholders(texts: Iterable[str]) -> list[str]:
    return sorted({found for text in texts for found in PLACEHOLDER.findall(text.replace("%%", ""))})


def _quoted(text: str, context: str | None) -> str:
    return repr(text) + (f" ({context})" if context else "")


def pairs(path: Path) -> dict[str, str]:
    """Translations written as ``English ||| translation``, one a line."""
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        english, separator, other = line.partition("|||")
        if separator and english.strip() and other.strip():
            found[english.strip()] = other.strip()
    return found
