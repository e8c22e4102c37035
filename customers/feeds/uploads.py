"""Small batches that come through the browser: kept under a random name, looked at at once, loaded by a worker.

A batch that replaces a day or leaves one out takes a second person: the kept file waits for the approval.
"""

import datetime
import secrets
from pathlib import Path

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _

from crm.core import approvals, audit, clock, jobs
from crm.core.access import require
from crm.core.models import Approval, Run
from customers.feeds import archive, manifest
from customers.feeds.refusal import Refused

KIND = "feed_upload"
LARGEST = 20 * 1024 * 1024
FOLDER = "uploads"


class Choice:
    """What the person who uploads says about the batch."""

    LOAD, REPLACE, ACCEPT_GAP = "load", "replace", "accept_gap"


def folder() -> Path:
    place = Path(settings.DATA_DIR) / FOLDER
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    return place


def kept(name: str) -> Path:
    """Return the path of a kept file. Names are ours alone: 32 hexadecimal digits and a suffix."""
    return folder() / Path(name).name


def _keep(upload: UploadedFile) -> Path:
    suffix = next(
        (s for s in archive.ZIP_SUFFIXES + archive.TAR_SUFFIXES if upload.name.lower().endswith(s)), None
    )
    if suffix is None:
        raise Refused("unreadable_batch", path=_("the file"))
    path = kept(secrets.token_hex(16) + suffix)
    # Under another name until it is whole: a worker must never see half a file.
    unfinished = path.with_suffix(path.suffix + ".part")
    with unfinished.open("xb") as out:
        for piece in upload.chunks():
            out.write(piece)
    unfinished.replace(path)
    return path


def receive(
    *, actor, upload: UploadedFile, choice: str, reason: str, at: datetime.datetime
) -> Run | Approval:
    """Keep an uploaded archive and have it loaded; return the run, or the approval it waits for.

    Raises Refused where the archive or its manifest cannot be read; the file is then not kept.
    """
    require(actor, "feeds.upload")
    if upload.size > LARGEST:
        raise Refused("archive_too_large", limit=LARGEST)
    path = _keep(upload)
    try:
        with archive.opened(path, archive.UPLOAD) as batch:
            promised = manifest.read(batch)
    except Refused:
        path.unlink(missing_ok=True)
        raise
    payload = {
        "file": path.name,
        "source": promised.source,
        "business_date": promised.business_date.isoformat(),
        "manifest": promised.sha256,
        "replace": choice == Choice.REPLACE,
        "accept_gap": choice == Choice.ACCEPT_GAP,
    }
    with transaction.atomic():
        if choice != Choice.LOAD:
            waiting = approvals.propose(
                actor, "feeds.override", payload, ("feed", promised.source), reason=reason
            )
            audit.record(actor, "feeds.upload", waiting, payload=_for_audit(payload))
            return waiting
        run = _order(payload, by=actor.pk, at=at)
        audit.record(actor, "feeds.upload", run, payload=_for_audit(payload))
    return run


def _for_audit(payload: dict) -> dict:
    return {key: payload[key] for key in ("source", "business_date", "manifest", "replace", "accept_gap")}


def _order(payload: dict, *, by: int, at: datetime.datetime) -> Run:
    """Make the run that loads a kept file and ring for it. One run a file, however many came for the date."""
    inputs = payload | {"by": by}
    day = datetime.date.fromisoformat(payload["business_date"])
    attempt = Run.objects.filter(kind=KIND, business_date=day).count()
    while True:
        attempt += 1
        run = jobs.ensure_run(KIND, day, attempt=attempt, inputs=inputs, at=at)
        if run.inputs["file"] == payload["file"]:
            jobs.ring(run.pk)
            return run


@approvals.executor(
    "feeds.override",
    describe=lambda payload: [
        (_("Source"), payload["source"]),
        (_("Business date"), payload["business_date"]),
        (
            _("What happens"),
            _("replaces the batch of that day") if payload["replace"] else _("leaves days out before it"),
        ),
        (_("Manifest"), payload["manifest"][:16]),
    ],
)
def override(payload: dict, *, maker, checker, at: datetime.datetime) -> None:
    """Load the kept file as proposed, in a run of its own."""
    run = _order(payload, by=maker.pk, at=at)
    audit.record(checker, "feeds.override", run, payload=_for_audit(payload))


@jobs.handler(KIND)
def work(run_id: int, fence: int, deadline: float) -> bool:
    """Load the kept file of a run. A second delivery finds the batch loaded, which changes nothing."""
    from customers.feeds.load import load_paths  # the loader imports half the room

    inputs = Run.objects.values_list("inputs", flat=True).get(pk=run_id)
    at = clock.now()
    # Loading commits by itself and may take longer than a lease: without the beat another worker would take it over.
    with jobs.heartbeat(run_id, fence):
        load_paths(
            [kept(inputs["file"])],
            at=at,
            replace=inputs["replace"],
            accept_gap=inputs["accept_gap"],
            limits=archive.UPLOAD,
        )
    jobs.finish(run_id, fence, at)
    return True
