"""The screens of the feed: batches with what they promised and held, rejects to download, breaks, and the small door."""

import csv
import datetime
import io
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from crm.core import clock, jobs
from crm.core.models import Approval, AuditEntry, Run
from customers.feeds import uploads
from customers.feeds.load import load_paths
from customers.feeds.views import safe_cell
from customers.models import Customer, FeedBatch
from tests import bank as small
from tests.feed_files import write_batch

pytestmark = pytest.mark.django_db
NEXT_DAY = small.LAST_DAY + datetime.timedelta(days=1)


@pytest.fixture(autouse=True)
def own_files(settings, tmp_path):
    settings.DATA_DIR = tmp_path / "files"


def deliver(folder, files: dict, day: datetime.date = NEXT_DAY, **order) -> FeedBatch:
    write_batch(folder, day, files)
    (result,) = load_paths([folder], at=clock.now(), **order)
    return FeedBatch.objects.get(pk=result.batch_id)


def booking(number: str, **facts) -> dict:
    return {"txn_no": number, "account_no": "C001CNYDD01", "booked_on": "2026-11-01", "amount": "1.00", "kind": "other",
            "channel": "batch", **facts}  # fmt: skip


def zipped(tmp_path, files: dict, day: datetime.date = NEXT_DAY) -> SimpleUploadedFile:
    folder = write_batch(tmp_path / f"zip{day}", day, files)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, path.name)
    return SimpleUploadedFile("batch.zip", out.getvalue())


def with_rejects(tmp_path, settings, memo: str = "=1+1") -> FeedBatch:
    settings.FEED_REJECT_SHARE = "1"
    rows = [booking("X1"), booking("X2", kind="nonsense", memo=memo), booking("X1")]
    return deliver(tmp_path / "rejects", {"transactions.csv": rows})


def test_the_list_says_what_came_and_how_late_each_source_is(bank, client):
    client.force_login(bank.han)
    response = client.get(reverse("feeds"))
    assert [batch.business_date for batch in response.context["page"].rows] == [
        small.LAST_DAY,
        small.FIRST_DAY,
    ]
    (source,) = response.context["sources"]
    assert (source.name, source.newest) == ("core", small.LAST_DAY)
    assert source.days_late == max(0, (clock.business_date(clock.now()) - NEXT_DAY).days)
    assert [b.pk for b in client.get(reverse("feeds"), {"since": "2026-10-31"}).context["page"].rows] == [
        response.context["page"].rows[0].pk
    ]
    assert client.get(reverse("feeds"), {"since": "2026-99-99"}).status_code == 200
    assert not client.get(reverse("feeds"), {"state": "refused"}).context["page"].rows


def test_before_the_first_batch_the_list_says_what_to_do(bank, client):
    client.force_login(bank.adam)
    FeedBatch.objects.update(state="refused", reason_code="nul")
    page = client.get(reverse("feeds"), {"state": "published"})
    assert page.status_code == 200
    assert client.get("/").status_code == 200


def test_a_batch_shows_declared_equal_to_loaded_and_rejected_per_currency(bank, client, tmp_path, settings):
    client.force_login(bank.han)
    batch = FeedBatch.objects.get(business_date=small.FIRST_DAY)
    response = client.get(reverse("feed_batch", args=[batch.pk]))
    assert {file.name for file in response.context["files"]} == set(small.first_batch())
    controls = {(c.file, c.currency): c for c in response.context["controls"]}
    assert {key for key in controls} == {
        (f, c) for f in ("transactions.csv", "balances.csv") for c in ("CNY", "USD")
    }
    assert all(control.difference == 0 for control in controls.values())
    rejected = with_rejects(tmp_path, settings)
    (control,) = client.get(reverse("feed_batch", args=[rejected.pk])).context["controls"]
    assert (str(control.declared), str(control.loaded), str(control.rejected)) == ("3.00", "1.00", "2.00")


def test_a_refused_batch_says_why_in_the_readers_language(bank, client, tmp_path):
    batch = deliver(tmp_path / "gap", {"rates.csv": []}, day=NEXT_DAY + datetime.timedelta(days=5))
    assert batch.state == "refused"
    client.force_login(bank.han)
    for language, words in (("en", "the next one expected"), ("zh-hans", "2026-11-01")):
        client.cookies["__Host-crm_language"] = client.cookies["crm_language"] = language
        page = client.get(reverse("feed_batch", args=[batch.pk])).content.decode()
        assert words in page and "2026-11-06" in page


def test_rejects_are_listed_by_line_with_column_and_reason_and_filtered(bank, client, tmp_path, settings):
    batch = with_rejects(tmp_path, settings)
    client.force_login(bank.han)
    rows = client.get(reverse("feed_rejects", args=[batch.pk])).context["page"].rows
    assert [(row.line_no, row.reason_code) for row in rows] == [(3, "unknown_code"), (4, "duplicate_key")]
    assert rows[0].column == "kind" and str(rows[0].reason) != rows[0].reason_code
    only = (
        client.get(reverse("feed_rejects", args=[batch.pk]), {"reason": "duplicate_key"}).context["page"].rows
    )
    assert [row.line_no for row in only] == [4]


def test_the_download_holds_the_rows_as_they_came_runs_no_formula_and_leaves_a_trace(
    bank, client, tmp_path, settings
):
    batch = with_rejects(tmp_path, settings)
    url = reverse("feed_rejects_file", args=[batch.pk])
    client.force_login(bank.adam)
    assert client.post(url).status_code == 403
    client.force_login(bank.han)
    assert client.get(url).status_code == 405
    before = AuditEntry.objects.filter(verb="feeds.download_rejects").count()
    response = client.post(url)
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    head, *lines = list(csv.reader(io.StringIO(text)))
    assert len(head) == 5 and [line[1] for line in lines] == ["3", "4"]
    assert "X2" in lines[0][4] and "nonsense" in lines[0][4]
    assert "attachment" in response.headers["Content-Disposition"]
    assert AuditEntry.objects.filter(verb="feeds.download_rejects").count() == before + 1


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠"])
def test_no_cell_of_a_download_is_taken_for_a_formula(start):
    assert safe_cell(f"{start}1") == f"'{start}1"
    assert safe_cell("1") == "1"


def test_breaks_are_sorted_by_size_and_only_ones_own_are_named(bank, client):
    batch = FeedBatch.objects.get(business_date=small.FIRST_DAY)
    url = reverse("feed_breaks", args=[batch.pk])
    client.force_login(bank.han)
    (row,) = client.get(url).context["page"].rows
    assert (str(row.difference), row.is_large) == ("0.10", False)
    assert not client.get(url, {"size": "large"}).context["page"].rows
    client.force_login(bank.adam)  # sees the batch, and no customer's account
    response = client.get(url)
    assert not response.context["page"].rows and "DD01" not in response.content.decode()
    client.force_login(bank.cai)
    assert client.get(url).status_code == 403


def test_managers_that_differ_are_listed_within_scope(bank, client):
    client.force_login(bank.cai)
    assert not client.get(reverse("feed_differences")).context["page"].rows
    Customer.rows.filter(customer_no="C001").update(feed_manager=bank.bob.staff)
    Customer.rows.filter(customer_no="C005").update(feed_manager=bank.bob.staff)
    rows = client.get(reverse("feed_differences")).context["page"].rows
    assert [row.customer_no for row in rows] == ["C001"]


def test_an_upload_is_kept_under_a_random_name_loaded_by_a_run_and_followed(bank, client, tmp_path):
    client.force_login(bank.adam)
    files = {"transactions.csv": [booking("U1")]}
    answer = client.post(reverse("feed_upload"), {"file": zipped(tmp_path, files), "choice": "load"})
    run = Run.objects.get(kind=uploads.KIND)
    assert answer.headers["Location"] == reverse("feed_uploaded", args=[run.pk])
    (kept,) = uploads.folder().iterdir()
    assert kept.name != "batch.zip" and len(kept.stem) == 32 and kept.name == run.inputs["file"]
    waiting = client.get(reverse("feed_uploaded", args=[run.pk]), HTTP_HX_REQUEST="true").content.decode()
    assert "every 2s" in waiting and "<html" not in waiting
    assert jobs.work_on(run.pk, worker="test", at=clock.now(), seconds=60)
    done = client.get(reverse("feed_uploaded", args=[run.pk]))
    assert done.context["batch"].state == "published" and "every 2s" not in done.content.decode()
    assert AuditEntry.objects.filter(verb="feeds.upload", actor_id=bank.adam.pk).count() == 1


@pytest.mark.parametrize(
    ("file", "field"),
    [
        (SimpleUploadedFile("batch.zip", b"not an archive"), "file"),
        (SimpleUploadedFile("batch.exe", b"MZ"), "file"),
        (SimpleUploadedFile("batch.zip", b""), "file"),
        (None, "file"),
    ],
)
def test_what_is_no_batch_is_told_so_beside_the_field_and_not_kept(bank, client, file, field):
    client.force_login(bank.adam)
    answer = client.post(reverse("feed_upload"), {"choice": "load"} | ({"file": file} if file else {}))
    assert answer.status_code == 422 and answer.context["form"].errors[field]
    assert not list(uploads.folder().iterdir()) and not Run.objects.filter(kind=uploads.KIND).exists()


def test_an_upload_past_twenty_megabytes_is_refused(bank, client, monkeypatch):
    client.force_login(bank.adam)
    monkeypatch.setattr(uploads, "LARGEST", 10)
    answer = client.post(
        reverse("feed_upload"), {"file": SimpleUploadedFile("b.zip", b"x" * 11), "choice": "load"}
    )
    assert answer.status_code == 422 and not list(uploads.folder().iterdir())


def test_a_replacement_waits_for_a_second_person_and_is_then_loaded_from_the_kept_file(
    bank, client, tmp_path
):
    from crm.core import approvals
    from crm.core.models import Staff, User

    client.force_login(bank.adam)
    corrected = {"transactions.csv": [booking("T0900", booked_on="2026-10-31", amount="5.00")]}
    upload = zipped(tmp_path, corrected, small.LAST_DAY)
    missing = client.post(reverse("feed_upload"), {"file": upload, "choice": "replace"})
    assert missing.status_code == 422 and missing.context["form"].errors["reason"]
    upload.seek(0)
    answer = client.post(
        reverse("feed_upload"), {"file": upload, "choice": "replace", "reason": "the core was wrong"}
    )
    assert answer.headers["Location"] == reverse("approvals")
    approval = Approval.objects.get(verb="feeds.override")
    assert not Run.objects.filter(kind=uploads.KIND).exists()
    staff = Staff.objects.create(
        employee_no="E900", name="二号", branch=bank.adam.staff.branch, post="administrator"
    )
    approvals.approve(User.objects.create(username="second", staff=staff), approval, clock.now())
    run = Run.objects.get(kind=uploads.KIND)
    assert run.inputs["replace"] and jobs.work_on(run.pk, worker="test", at=clock.now(), seconds=60)
    batch = FeedBatch.objects.get(business_date=small.LAST_DAY, state="published")
    client.force_login(bank.han)
    page = client.get(reverse("feed_batch", args=[batch.pk]))
    assert (
        page.context["report"]["correction"]["transactions.csv"]["changed"]["rows"]
        + page.context["report"]["correction"]["transactions.csv"]["added"]["rows"]
        == 1
    )
    assert batch.replaces_id is not None


def test_feed_screens_ask_as_many_questions_for_thirty_rows_as_for_three(bank, client, tmp_path, settings):
    settings.FEED_REJECT_SHARE = "1"
    client.force_login(bank.han)
    counts: dict[str, list[int]] = {}
    for rows in (3, 30):
        day = NEXT_DAY + datetime.timedelta(days=rows)
        batch = deliver(
            tmp_path / str(rows),
            {"transactions.csv": [booking(f"{rows}-{n}", kind="bad") for n in range(rows)]},
            day,
            accept_gap=True,
        )
        pages = {
            "feeds": reverse("feeds"),
            **{n: reverse(n, args=[batch.pk]) for n in ("feed_batch", "feed_rejects", "feed_breaks")},
        }
        for name, url in pages.items():
            with CaptureQueriesContext(connection) as queries:
                assert client.get(url).status_code == 200
            counts.setdefault(name, []).append(len(queries))
    assert all(len(set(found)) == 1 and found[0] <= 12 for found in counts.values()), counts
