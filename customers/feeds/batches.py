"""Which batch this is: new, the same again, a correction, or out of its turn; and the rows that remember it."""

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db.models import Max, Min

from customers.feeds.manifest import Manifest
from customers.feeds.refusal import Refused
from customers.models.batches import BatchState, FeedBatch

DAY = datetime.timedelta(days=1)
ALWAYS_KNOWN = datetime.date(1, 1, 1)  # rows of a source's first batch were known from their own dates on
LOCK = "select pg_advisory_xact_lock(hashtext('customers.feeds'))"


@dataclass(frozen=True)
class Order:
    """What the caller allows: to leave days out, to replace what a date already delivered; and who hears of each step of
    the work ("write", the file, its rows)."""

    accept_gap: bool = False
    replace: bool = False
    working: Callable[[str, str, int], None] | None = None


@dataclass(frozen=True)
class Verdict:
    """``same``: the published batch this is again; ``replaces``: the published batch it corrects; ``late``: later days of
    the source are already there."""

    same: FeedBatch | None = None
    replaces: FeedBatch | None = None
    is_first: bool = False
    skipped: bool = False
    late: bool = False


@dataclass
class BatchResult:
    """What became of one batch. ``files``: per file the numbers of rows; ``reason``: English, empty where loaded."""

    source: str = ""
    business_date: datetime.date | None = None
    outcome: str = "refused"
    rows_read: int = 0
    rows_loaded: int = 0
    rows_unchanged: int = 0
    rows_rejected: int = 0
    breaks: int = 0
    reason: str = ""
    reason_code: str = ""
    batch_id: int | None = None
    path: str = ""
    files: dict[str, dict[str, int]] = field(default_factory=dict)
    report: dict = field(default_factory=dict)

    @property
    def rejected(self) -> int:
        return self.rows_rejected

    def as_json(self) -> dict:
        """Return the result as commands print it; the numbers under a long and a short name."""
        rows = {
            "read": self.rows_read,
            "loaded": self.rows_loaded,
            "unchanged": self.rows_unchanged,
            "rejected": self.rows_rejected,
        }
        return {
            "path": self.path,
            "source": self.source,
            "business_date": self.business_date.isoformat() if self.business_date else None,
            "outcome": self.outcome,
            **{f"rows_{name}": number for name, number in rows.items()},
            **rows,
            "breaks": self.breaks,
            "reason": self.reason,
            "reason_code": self.reason_code,
            "batch": self.batch_id,
            "files": self.files,
            "report": self.report,
        }


def take_turn(cursor) -> None:
    """One loader at a time, until the transaction ends. Whoever comes second waits as long as a large batch takes."""
    cursor.execute("set local lock_timeout = '30min'")
    cursor.execute(LOCK)


def judge(manifest: Manifest, order: Order) -> Verdict:
    """Say what the batch is. Raises Refused where it is out of its turn or corrects without being told to."""
    published = FeedBatch.objects.filter(source=manifest.source, state=BatchState.PUBLISHED)
    day = manifest.business_date
    standing = published.filter(business_date=day).first()
    span = published.aggregate(first=Min("business_date"), last=Max("business_date"))
    first, last = span["first"], span["last"]
    if standing is not None:
        if standing.manifest_sha256 == manifest.sha256:
            return Verdict(same=standing)
        if not order.replace:
            raise Refused("correction", source=manifest.source, found=day)
        return Verdict(replaces=standing, is_first=standing.is_first, late=last is not None and day < last)
    if last is None or first is None:
        return Verdict(is_first=True)
    if day < first:
        raise Refused("before_first", source=manifest.source, found=day, expected=first)
    if day == last + DAY:
        return Verdict()
    if not order.accept_gap:
        raise Refused("gap", source=manifest.source, found=day, expected=last + DAY)
    return Verdict(skipped=True, late=day < last)


def receive(manifest: Manifest, verdict: Verdict, at: datetime.datetime) -> FeedBatch:
    """Return the row of a batch about to be loaded; one that a killed loader left behind, or that was refused, is reused."""
    batch = _row_of(manifest, [BatchState.RECEIVED, BatchState.STAGED]) or _row_of(
        manifest, [BatchState.REFUSED]
    )
    if batch is None:
        batch = FeedBatch(
            source=manifest.source, business_date=manifest.business_date, manifest_sha256=manifest.sha256
        )
    batch.mode, batch.state, batch.received_at = manifest.mode, BatchState.RECEIVED, at
    batch.reason, batch.reason_code, batch.reason_values = "", "", {}
    batch.is_first, batch.accepted_gap, batch.replaces = verdict.is_first, verdict.skipped, verdict.replaces
    batch.save()
    return batch


def refuse(manifest: Manifest, refused: Refused, at: datetime.datetime) -> FeedBatch:
    """Remember that a batch was refused and why. The same batch refused again keeps its one row."""
    batch = _row_of(manifest, [BatchState.RECEIVED, BatchState.STAGED]) or _row_of(
        manifest, [BatchState.REFUSED]
    )
    if batch is None:
        batch = FeedBatch(
            source=manifest.source, business_date=manifest.business_date, manifest_sha256=manifest.sha256
        )
    batch.mode, batch.state, batch.received_at = manifest.mode, BatchState.REFUSED, at
    batch.reason, batch.reason_code, batch.reason_values = str(refused), refused.code, refused.values
    batch.save()
    return batch


def _row_of(manifest: Manifest, states: list[str]) -> FeedBatch | None:
    return (
        FeedBatch.objects.filter(
            source=manifest.source,
            business_date=manifest.business_date,
            manifest_sha256=manifest.sha256,
            state__in=states,
        )
        .order_by("pk")
        .first()
    )
