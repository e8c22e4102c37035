"""Compile the translations: ``locale/*/LC_MESSAGES/django.po`` → ``.mo``, without the gettext tools."""

import os
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from crm.local.folder import REPOSITORY


def sources() -> list[Path]:
    return sorted((REPOSITORY / "locale").glob("*/LC_MESSAGES/*.po"))


def compile_all() -> None:
    """Write each .mo whole or not at all. Raises ValueError for a broken catalogue."""
    for source in sources():
        with source.open("rb") as handle:
            catalogue = read_po(handle, abort_invalid=True)
        target = source.with_suffix(".mo")
        draft = source.with_suffix(".mo.new")
        with draft.open("wb") as handle:
            write_mo(handle, catalogue)
        os.replace(draft, target)
