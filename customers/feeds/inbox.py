"""The inbox folder: batches that the core system puts there are loaded in turn and moved aside.

A batch counts as delivered when its manifest is there and nothing of it has changed for a while. One that comes before
its turn is held: it stays, and loads when the day before it has come. Killed between loading and moving, the next look
finds the batch loaded, changes nothing, and moves it.
"""

import datetime
import logging
import os
from pathlib import Path

from django.conf import settings

from crm.core import clock
from customers.feeds import archive, batches, manifest
from customers.feeds.batches import BatchResult, Order
from customers.feeds.load import load_batch
from customers.feeds.refusal import Refused
from customers.models.batches import FeedBatch

log = logging.getLogger(__name__)
QUIET = datetime.timedelta(seconds=20)
LOADED, REFUSED = "loaded", "refused"
UNFINISHED = (".part", ".tmp", ".filepart")


def look(
    at: datetime.datetime, *, folder: Path | None = None, quiet: datetime.timedelta = QUIET
) -> list[BatchResult]:
    """Load what lies ready, oldest date first; return the results."""
    inbox = Path(folder or settings.FEED_INBOX)
    inbox.mkdir(parents=True, exist_ok=True, mode=0o700)
    results = []
    for _date, _source, path, promised in _ready(inbox, at, quiet):
        if promised is not None and _held(promised):
            continue
        result = load_batch(path, at=at)
        results.append(result)
        if result.reason_code != "gap":
            _move(path, inbox / (REFUSED if result.outcome == "refused" else LOADED), at)
    return results


def _ready(
    inbox: Path, at: datetime.datetime, quiet: datetime.timedelta
) -> list[tuple[str, str, Path, manifest.Manifest | None]]:
    found = []
    for path in sorted(inbox.iterdir()):
        if path.name in (LOADED, REFUSED) or path.name.startswith(".") or path.name.endswith(UNFINISHED):
            continue
        if not (path.is_dir() and (path / archive.MANIFEST).exists()) and not archive.is_archive(path):
            continue
        if at - _changed(path) < quiet:
            continue  # still being copied
        try:
            with archive.opened(path) as batch:
                promised = manifest.read(batch)
        except Refused:
            found.append(("", "", path, None))
        else:
            found.append((promised.business_date.isoformat(), promised.source, path, promised))
    return sorted(found, key=lambda one: one[:3])


def _changed(path: Path) -> datetime.datetime:
    """Return when something of a batch last changed, by the clock of the file system."""
    stamps = [path.stat().st_mtime]
    if path.is_dir():
        stamps += [entry.stat().st_mtime for entry in path.iterdir()]
    return datetime.datetime.fromtimestamp(max(stamps), tz=datetime.UTC)


def _held(promised: manifest.Manifest) -> bool:
    """Say whether a batch still waits for the day before it, and is already known to wait."""
    try:
        batches.judge(promised, Order())
    except Refused as refused:
        return (
            refused.code == "gap"
            and FeedBatch.objects.filter(
                source=promised.source,
                business_date=promised.business_date,
                manifest_sha256=promised.sha256,
                reason_code="gap",
            ).exists()
        )
    return False


def _move(path: Path, folder: Path, at: datetime.datetime) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    stamp = at.astimezone(clock.SHANGHAI).strftime("%Y%m%dT%H%M%S")
    target = folder / f"{stamp}-{path.name}"
    number = 1
    while target.exists():
        number += 1
        target = folder / f"{stamp}-{number}-{path.name}"
    os.replace(path, target)
    log.info("feed inbox moved=%s to=%s", path.name, folder.name)
