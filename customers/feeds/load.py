"""The one door for core-banking data: opens a batch, judges it, and publishes it whole in one transaction, or not at all.

Commits, in order: the row that says the batch was received; everything else. A loader killed at any moment leaves at
most the first, and the next one goes on from there.
"""

import datetime
import logging
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from django.db import connection, transaction

from crm.core import audit, faults
from customers.feeds import archive, batches, manifest, publish
from customers.feeds.batches import BatchResult, Order
from customers.feeds.refusal import Refused

log = logging.getLogger(__name__)

LOADED = audit.system_verb("feeds.loaded", "a batch of the feed was loaded")
REFUSED = audit.system_verb("feeds.refused", "a batch of the feed was refused")

Told = Callable[[BatchResult], None]


def load_paths(
    paths: Iterable[str | Path],
    *,
    accept_gap: bool = False,
    replace: bool = False,
    at: datetime.datetime,
    limits: archive.Limits = archive.INBOX,
    told: Told | None = None,
    working: Callable[[str, str, int], None] | None = None,
) -> list[BatchResult]:
    """Load every batch below ``paths`` in the order of their business dates; return what became of each.

    A path is a batch (a folder with a manifest.json, an archive) or a folder of batches. ``told`` hears of each result
    as it comes, ``working`` of each step within a batch.
    """
    results: list[BatchResult] = []
    order = Order(accept_gap=accept_gap, replace=replace, working=working)
    for _date, _source, path in sorted(_dated(paths, limits)):
        result = load_batch(path, order=order, at=at, limits=limits)
        results.append(result)
        if told:
            told(result)
    return results


def _dated(paths: Iterable[str | Path], limits: archive.Limits) -> list[tuple[str, str, Path]]:
    """Return (business date, source, path) of every batch found; those that cannot be read come first and say so."""
    found: list[tuple[str, str, Path]] = []
    for path in map(Path, paths):
        for place in _batches_below(path):
            try:
                with archive.opened(place, limits) as batch:
                    promised = manifest.read(batch)
            except Refused:
                found.append(("", "", place))
            else:
                found.append((promised.business_date.isoformat(), promised.source, place))
    return found


def _batches_below(path: Path) -> list[Path]:
    if not path.is_dir() or (path / archive.MANIFEST).exists():
        return [path]
    inside = [
        entry
        for entry in sorted(path.iterdir())
        if not entry.name.startswith(".") and (entry.is_dir() or archive.is_archive(entry))
    ]
    # A folder with neither batches nor a manifest is a batch that lacks its manifest: refused, not passed over.
    return inside or [path]


def load_batch(
    path: str | Path,
    *,
    order: Order | None = None,
    at: datetime.datetime,
    limits: archive.Limits = archive.INBOX,
) -> BatchResult:
    """Load one batch. Refusals are results, not errors; a broken database connection is an error."""
    path, order = Path(path), order or Order()
    began = time.monotonic()
    try:
        with archive.opened(path, limits) as batch:
            promised = manifest.read(batch)
            result = _load(batch, promised, order, at)
    except Refused as refused:  # before anybody could say which batch it is
        result = BatchResult(reason=str(refused), reason_code=refused.code)
    result.path = str(path)
    log.info(
        "feed batch source=%s date=%s outcome=%s read=%s rejected=%s ms=%s reason=%s", result.source, result.business_date,
        result.outcome, result.rows_read, result.rows_rejected, int((time.monotonic() - began) * 1000), result.reason_code,
    )  # fmt: skip
    return result


def _load(
    batch: archive.Batch, promised: manifest.Manifest, order: Order, at: datetime.datetime
) -> BatchResult:
    result = BatchResult(source=promised.source, business_date=promised.business_date)
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                batches.take_turn(cursor)
            verdict = batches.judge(promised, order)
            if verdict.same is not None:
                result.outcome, result.batch_id = "unchanged", verdict.same.pk
                return result
            batches.receive(promised, verdict, at)
            faults.point("feed.before_commit")
        faults.point("feed.after_commit")
        with transaction.atomic():
            with connection.cursor() as cursor:
                batches.take_turn(cursor)
                # Judged again under the lock: somebody may have loaded it in between.
                verdict = batches.judge(promised, order)
                if verdict.same is not None:
                    result.outcome, result.batch_id = "unchanged", verdict.same.pk
                    return result
                row = batches.receive(promised, verdict, at)
                publish.publish(cursor, batch, promised, row, verdict, result, at, order.working)
                audit.record(None, LOADED, row, payload=_named(promised) | {"replaces": row.replaces_id})
            faults.point("feed.before_commit")
        faults.point("feed.after_commit")
    except Refused as refused:
        return _refused(promised, refused, at)
    result.outcome = "loaded"
    return result


def _refused(promised: manifest.Manifest, refused: Refused, at: datetime.datetime) -> BatchResult:
    with transaction.atomic():
        with connection.cursor() as cursor:
            batches.take_turn(cursor)
        row = batches.refuse(promised, refused, at)
        audit.record(None, REFUSED, row, payload=_named(promised) | {"reason": refused.code})
        faults.point("feed.before_commit")
    faults.point("feed.after_commit")
    return BatchResult(
        source=promised.source,
        business_date=promised.business_date,
        reason=str(refused),
        reason_code=refused.code,
        batch_id=row.pk,
    )


def _named(promised: manifest.Manifest) -> dict:
    return {
        "source": promised.source,
        "business_date": promised.business_date.isoformat(),
        "manifest": promised.sha256,
    }
