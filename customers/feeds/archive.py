"""Opens a batch: a folder, a ``.zip`` or a ``.tar.gz``, within limits, never outside its own folder.

An archive is unpacked into a private temporary folder that is gone when the batch is closed; a folder is read in place.
"""

import contextlib
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from customers.feeds.refusal import Refused

MANIFEST = "manifest.json"
MIB = 1024 * 1024
PIECE = MIB
ZIP_SUFFIXES = (".zip",)
TAR_SUFFIXES = (".tar.gz", ".tgz")
RATIO_COUNTS_FROM = 10 * MIB  # a small file of equal lines compresses a thousandfold and hurts nobody


@dataclass(frozen=True)
class Limits:
    """Bytes unpacked, unpacked ÷ packed, and entries that one batch may have."""

    unpacked: int
    ratio: int
    entries: int


UPLOAD = Limits(unpacked=200 * MIB, ratio=100, entries=1_000)
INBOX = Limits(unpacked=50 * 1024 * MIB, ratio=1_000, entries=10_000)


@dataclass(frozen=True)
class Batch:
    """An opened batch: plain files directly below ``folder``."""

    folder: Path
    names: frozenset[str]

    def open(self, name: str) -> BinaryIO:
        return (self.folder / name).open("rb")


def is_archive(path: Path) -> bool:
    return path.name.lower().endswith(ZIP_SUFFIXES + TAR_SUFFIXES)


@contextlib.contextmanager
def opened(path: Path, limits: Limits = INBOX) -> Iterator[Batch]:
    """Open a batch for reading. Raises Refused for anything that is not one, or climbs, links or grows too large."""
    if path.is_dir():
        yield _folder(path, limits)
        return
    if not path.is_file():
        raise Refused("unreadable_batch", path=path.name)
    with tempfile.TemporaryDirectory(prefix="crm-feed-") as into:
        folder = Path(into)
        try:
            if zipfile.is_zipfile(path):
                _unzip(path, folder, limits)
            else:
                _untar(path, folder, limits)
        except (
            zipfile.BadZipFile,
            tarfile.TarError,
            EOFError,
            zlib.error,
            OSError,
            RuntimeError,
            NotImplementedError,
        ) as problem:
            raise Refused("unreadable_batch", path=path.name) from problem
        yield _folder(folder, limits)


def _folder(path: Path, limits: Limits) -> Batch:
    names = set()
    for number, entry in enumerate(path.iterdir()):
        if number >= limits.entries:
            raise Refused("archive_entries", limit=limits.entries)
        if entry.is_symlink():
            raise Refused("archive_not_plain", name=entry.name)
        if entry.is_file():
            names.add(entry.name)
    if MANIFEST not in names:
        raise Refused("no_manifest", path=path.name)
    return Batch(path, frozenset(names))


def _place(name: str) -> str | None:
    """Return the plain file name of an entry: directly in the archive, or in its one folder. None: nothing of ours."""
    if "\\" in name or "\0" in name or name.startswith("/") or (len(name) > 1 and name[1] == ":"):
        raise Refused("archive_climbs", name=name)
    parts = PurePosixPath(name).parts
    if ".." in parts:
        raise Refused("archive_climbs", name=name)
    if not parts or len(parts) > 2 or parts[0] == "__MACOSX":
        return None
    return parts[-1]


class _Room:
    """What is left of the limits while an archive unpacks. Headers are not believed: bytes are counted as they come."""

    def __init__(self, folder: Path, limits: Limits, packed: int) -> None:
        self.folder, self.limits, self.packed = folder, limits, max(packed, 1)
        self.unpacked = 0
        self.entries = 0

    def enter(self) -> None:
        self.entries += 1
        if self.entries > self.limits.entries:
            raise Refused("archive_entries", limit=self.limits.entries)

    def write(self, name: str, source, packed: int) -> None:
        target = self.folder / name
        if target.exists():
            raise Refused("archive_not_plain", name=name)  # the second of two entries would hide the first
        written = 0
        with target.open("xb") as out:
            while piece := source.read(PIECE):
                written += len(piece)
                self.unpacked += len(piece)
                if self.unpacked > self.limits.unpacked:
                    raise Refused("archive_too_large", limit=self.limits.unpacked)
                if written > RATIO_COUNTS_FROM and written > self.limits.ratio * max(packed, 1):
                    raise Refused("archive_ratio", name=name, limit=self.limits.ratio)
                out.write(piece)


def _unzip(path: Path, folder: Path, limits: Limits) -> None:
    with zipfile.ZipFile(path) as archive:
        room = _Room(folder, limits, path.stat().st_size)
        for entry in archive.infolist():
            room.enter()
            name = _place(entry.filename)
            unix_kind = (entry.external_attr >> 16) & 0o170000
            if unix_kind not in (0, 0o100000, 0o040000):
                raise Refused("archive_not_plain", name=entry.filename)
            if entry.is_dir() or name is None:
                continue
            with archive.open(entry) as source:
                room.write(name, source, entry.compress_size)


def _untar(path: Path, folder: Path, limits: Limits) -> None:
    packed = path.stat().st_size
    with tarfile.open(path, "r:gz") as archive:
        room = _Room(folder, limits, packed)
        while (entry := archive.next()) is not None:
            archive.members.clear()  # a million entries must not gather in memory
            room.enter()
            name = _place(entry.name)
            if entry.isdir():
                continue
            if not entry.isreg():
                raise Refused("archive_not_plain", name=entry.name)
            source = archive.extractfile(entry)
            if name is not None and source is not None:
                room.write(name, source, packed)
            elif entry.size > limits.unpacked:
                raise Refused("archive_too_large", limit=limits.unpacked)
