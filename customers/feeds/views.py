"""Screens of the feed: what came, whether it adds up, what was rejected, and the small door for an upload."""

import csv
import io
from collections.abc import Iterator

from django import forms
from django.conf import settings
from django.db import transaction
from django.db.models import F, Func, Max, Q
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm.core import audit, clock
from crm.core.access import may, needs
from crm.core.listing import Filter, Listing, Sort, respond
from crm.core.models import Approval, Run
from crm.core.privacy.fields import open_sealed
from customers import facts
from customers.feeds import figures, refusal, uploads
from customers.models import Customer, FeedBatch, FeedBreak, FeedReject
from customers.models.batches import BatchState


class UploadForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("Batch"),
        help_text=gettext_lazy(
            ".zip or .tar.gz with manifest.json, at most 20 MB. Larger ones go into the inbox folder."
        ),
        widget=forms.ClearableFileInput(attrs={"accept": ".zip,.tar.gz,.tgz"}),
    )
    choice = forms.ChoiceField(
        label=gettext_lazy("What it is"),
        choices=[
            (uploads.Choice.LOAD, gettext_lazy("the next day's batch")),
            (
                uploads.Choice.REPLACE,
                gettext_lazy("a correction of a day already loaded (a second person approves)"),
            ),
            (
                uploads.Choice.ACCEPT_GAP,
                gettext_lazy("a batch after missing days (a second person approves)"),
            ),
        ],
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("Needed for the second person."),
    )

    def clean(self) -> dict:
        data = super().clean()
        if data.get("choice") not in (None, uploads.Choice.LOAD) and not data.get("reason"):
            self.add_error("reason", _("Say why, for the person who approves."))
        return data


def _sources(request: HttpRequest) -> list[tuple[str, str]]:
    names = FeedBatch.objects.order_by("source").values_list("source", flat=True).distinct()
    return [(name, name) for name in names]


BATCHES = Listing(
    name="batches",
    sorts={
        "date": Sort(("-business_date", "-id")),
        "received": Sort(("-received_at", "-id")),
        "breaks": Sort(("-breaks", "-id")),
    },
    default="date",
    filters=(
        Filter("source", gettext_lazy("Source"), narrow=lambda q, v: q.filter(source=v), choices=_sources),
        Filter(
            "state", gettext_lazy("State"), narrow=lambda q, v: q.filter(state=v), choices=BatchState.choices
        ),
        Filter("since", gettext_lazy("Since"), narrow=lambda q, v: figures.since(q, v), kind="date"),
    ),
)
REJECTS = Listing(
    name="rejects",
    sorts={"line": Sort(("file_name", "line_no", "id"))},
    default="line",
    filters=(
        Filter(
            "reason",
            gettext_lazy("Reason"),
            narrow=lambda q, v: q.filter(reason_code=v),
            choices=list(refusal.ROW_REASONS.items()),
        ),
    ),
)
BREAKS = Listing(
    name="breaks",
    sorts={"size": Sort(("-size", "id")), "day": Sort(("-on_date", "id"))},
    default="size",
    filters=(
        Filter(
            "size",
            gettext_lazy("Size"),
            narrow=figures.by_size,
            choices=[
                ("large", gettext_lazy("above the tolerance")),
                ("small", gettext_lazy("within the tolerance")),
            ],
        ),
    ),
)


@needs("feeds.view")
@require_GET
def feed_list(request: HttpRequest) -> HttpResponse:
    page = BATCHES.page(request, FeedBatch.objects.all())
    context = {"sources": figures.sources(clock.now()), "form": UploadForm(), "waiting": _waiting(request)}
    return respond(request, page, "customers/feeds.html", "customers/_feeds.html", context)


def _waiting(request: HttpRequest) -> list[Run]:
    """Uploads on their way, for the person who uploads."""
    if not may(request.user, "feeds.upload"):
        return []
    return list(Run.objects.filter(kind=uploads.KIND).exclude(state="done").order_by("-created_at")[:5])


def _batch(batch_id: int) -> FeedBatch:
    return get_object_or_404(FeedBatch.objects.select_related("replaces"), pk=batch_id)


def _reason(batch: FeedBatch) -> str:
    return refusal.text(batch.reason_code, batch.reason_values) if batch.reason_code else batch.reason


@needs("feeds.view")
@require_GET
def feed_batch(request: HttpRequest, batch_id: int) -> HttpResponse:
    batch = _batch(batch_id)
    context = {
        "batch": batch,
        "tab": "files",
        "reason": _reason(batch),
        "files": list(batch.files.order_by("id")),
        "report": figures.report(batch),
        "corrections": list(batch.corrections.order_by("id")),
    }
    context["controls"] = figures.controls(context["files"])
    return render(request, "customers/feed.html", context)


@needs("feeds.view")
@require_GET
def feed_rejects(request: HttpRequest, batch_id: int) -> HttpResponse:
    batch = _batch(batch_id)
    page = REJECTS.page(request, FeedReject.objects.filter(batch=batch).defer("raw"))
    for row in page.rows:
        row.reason = refusal.ROW_REASONS.get(row.reason_code, row.reason_code)
    context = {"batch": batch, "tab": "rejects", "reason": _reason(batch)}
    return respond(request, page, "customers/feed.html", "customers/_feed_rejects.html", context)


@needs("feeds.view")
@require_GET
def feed_breaks(request: HttpRequest, batch_id: int) -> HttpResponse:
    batch = _batch(batch_id)
    rows = FeedBreak.objects.visible_to(request.user).filter(batch=batch).select_related("account")
    rows = rows.annotate(
        difference=F("found") - F("expected"), size=Func(F("found") - F("expected"), function="abs")
    )
    page = BREAKS.page(request, rows)
    for row in page.rows:
        row.is_large = row.size > figures.tolerance()
    context = {
        "batch": batch,
        "tab": "breaks",
        "reason": _reason(batch),
        "tolerance": settings.FEED_BREAK_TOLERANCE,
    }
    return respond(request, page, "customers/feed.html", "customers/_feed_breaks.html", context)


DIFFERENCES = Listing(name="differences", sorts={"number": Sort(("customer_no",))}, default="number")


@needs("customers.view_quality")
@require_GET
def feed_differences(request: HttpRequest) -> HttpResponse:
    """Customers whose manager here is another than the one the core system last named."""
    rows = Customer.objects.visible_to(request.user).select_related("manager", "feed_manager")
    differs = Q(manager__isnull=True) | Q(feed_manager__isnull=True) | ~Q(manager=F("feed_manager"))
    rows = rows.filter(differs).exclude(manager__isnull=True, feed_manager__isnull=True)
    page = DIFFERENCES.page(request, rows)
    for row in page.rows:
        row.shown_name = facts.name_of(row, request.user)
    return respond(request, page, "customers/feed_differences.html", "customers/_feed_differences.html")


@needs("feeds.download_rejects")
@require_POST
def feed_rejects_file(request: HttpRequest, batch_id: int) -> HttpResponse:
    """The rejected rows as they came, beside line, column and reason. They may hold personal data: the download is audited."""
    batch = _batch(batch_id)
    with transaction.atomic():
        audit.record(request.user, "feeds.download_rejects", batch, payload={"rows": batch.rows_rejected})
    response = StreamingHttpResponse(_reject_lines(batch), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="rejects-{batch.pk}-{batch.business_date}.csv"'
    return response


FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")


def safe_cell(text: str) -> str:
    """Return a cell no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in FORMULA_STARTS else text


def _reject_lines(batch: FeedBatch) -> Iterator[str]:
    rejects = FeedReject.objects.filter(batch=batch).order_by("file_name", "line_no", "id")
    reasons = {code: str(words) for code, words in refusal.ROW_REASONS.items()}
    yield "\ufeff"  # without it a spreadsheet reads Chinese in the wrong encoding
    yield _line([_("file"), _("line"), _("column"), _("reason"), _("row as it came")])
    for row in rejects.iterator(chunk_size=500):
        reason = reasons.get(row.reason_code, row.reason_code)
        yield _line([row.file_name, row.line_no, row.column, reason, open_sealed(row, "raw") or ""])


def _line(cells: list[str | int]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([cell if isinstance(cell, int) else safe_cell(cell) for cell in cells])
    return out.getvalue()


@needs("feeds.upload")
@require_http_methods(["GET", "POST"])
def feed_upload(request: HttpRequest) -> HttpResponse:
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = uploads.receive(
                actor=request.user, upload=form.cleaned_data["file"], choice=form.cleaned_data["choice"],
                reason=form.cleaned_data["reason"], at=clock.now(),
            )  # fmt: skip
        except refusal.Refused as refused:
            form.add_error("file", refusal.text(refused.code, refused.values))
        else:
            return (
                redirect("approvals")
                if isinstance(made, Approval)
                else redirect("feed_uploaded", run_id=made.pk)
            )
    return render(
        request, "customers/feed_upload.html", {"form": form}, status=422 if request.method == "POST" else 200
    )


@needs("feeds.upload")
@require_GET
def feed_uploaded(request: HttpRequest, run_id: int) -> HttpResponse:
    """An uploaded batch on its way; the fragment asks again until it is loaded or refused."""
    run = get_object_or_404(Run.objects.filter(kind=uploads.KIND), pk=run_id)
    batch = None
    if run.state == "done":
        ids = FeedBatch.objects.filter(source=run.inputs["source"], manifest_sha256=run.inputs["manifest"])
        batch = FeedBatch.objects.filter(pk=ids.aggregate(last=Max("pk"))["last"]).first()
    context = {
        "run": run,
        "batch": batch,
        "reason": _reason(batch) if batch else "",
        "running": run.state in ("waiting", "running", "failed"),
    }
    fragment = "customers/_feed_uploaded.html" if request.htmx else "customers/feed_uploaded.html"
    return render(request, fragment, context)
