"""What refuses a whole batch, and that nothing has changed then."""

import datetime
import hashlib
import io
import json
import shutil
import tarfile
import zipfile

import pytest

from customers.feeds import archive, load, manifest
from customers.feeds.refusal import REASONS, Refused
from customers.models import Customer, FeedBatch, Transaction
from tests.customers.feeding import (
    DAY,
    FIRST,
    booking,
    bookings,
    deliver,
    deliver_bank,
    edit_manifest,
    whole_bank,
)
from tests.customers.feeding import load as load_one
from tests.feed_files import write_batch

pytestmark = pytest.mark.django_db
SECOND = FIRST + DAY


@pytest.fixture
def bank(tmp_path):
    assert deliver_bank(tmp_path).outcome == "loaded"
    return tmp_path


@pytest.fixture
def batch(bank):
    """A written, not yet loaded batch of the second day."""
    rows = [booking("T9", "X1-D", "2025-04-01", "10.00"), booking("T10", "X2-D", "2025-04-01", "-3.00")]
    files = {
        "products.csv": [{"product_code": "XF", "name": "Fund", "family": "fund"}],
        "transactions.csv": rows,
    }
    from tests.customers.feeding import CURRENCIES

    return write_batch(bank / "second", SECOND, files, source="alpha", currency_of=CURRENCIES)


def told_anew(path, name: str, content: bytes, **more) -> None:
    """Put other bytes into a file and let the manifest promise them."""
    (path / name).write_bytes(content)

    def change(document):
        for entry in document["files"]:
            if entry["name"] == name:
                entry |= {"sha256": hashlib.sha256(content).hexdigest()} | more

    edit_manifest(path, change)


def refused(path, code: str, *parts: str, **order) -> None:
    before = bookings()
    result = load_one(path, **order)
    assert (result.outcome, result.reason_code) == ("refused", code), result.reason
    for part in parts:
        assert part in result.reason
    assert bookings() == before
    assert not Transaction.rows.filter(txn_no="T9").exists()


def test_a_truncated_file_is_refused_by_its_checksum(batch):
    content = (batch / "transactions.csv").read_bytes()
    (batch / "transactions.csv").write_bytes(content[:-1])
    promised = hashlib.sha256(content).hexdigest()
    refused(batch, "checksum", "transactions.csv", promised, hashlib.sha256(content[:-1]).hexdigest())


def test_one_changed_byte_is_refused_by_its_checksum(batch):
    content = bytearray((batch / "transactions.csv").read_bytes())
    content[-5] ^= 1
    (batch / "transactions.csv").write_bytes(bytes(content))
    refused(batch, "checksum", "transactions.csv")


def test_a_truncation_at_every_per_cent_is_refused_and_leaves_yesterday_alone(batch):
    content = (batch / "transactions.csv").read_bytes()
    for per_cent in range(100):
        (batch / "transactions.csv").write_bytes(content[: len(content) * per_cent // 100])
        refused(batch, "checksum")
    (batch / "transactions.csv").write_bytes(content)
    assert load_one(batch).outcome == "loaded"


def test_a_wrong_row_count_says_expected_and_found(batch):
    def change(document):
        document["files"][1]["rows"] = 3

    edit_manifest(batch, change)
    refused(batch, "row_count", "transactions.csv", "2 rows", "3")


def test_a_wrong_control_total_says_which_expected_and_found(batch):
    def change(document):
        document["files"][1]["control"]["amount"]["CNY"] = "10.01"

    edit_manifest(batch, change)
    refused(batch, "control_total", "transactions.csv", "amount", "CNY", "10.00", "10.01")


def test_a_currency_the_control_forgets_is_refused(batch):
    edit_manifest(batch, lambda document: document["files"][1]["control"]["amount"].pop("USD"))
    refused(batch, "control_total", "USD", "-3.00")


def test_a_control_total_may_be_a_number_and_is_read_exactly(batch):
    text = (batch / "manifest.json").read_text().replace('"-3.00"', "-3.00")
    (batch / "manifest.json").write_text(text)
    assert load_one(batch).outcome == "loaded"


def test_an_unreadable_amount_in_a_controlled_column_refuses_the_batch(batch):
    content = (batch / "transactions.csv").read_bytes().replace(b"10.00", b"ten")
    told_anew(batch, "transactions.csv", content)
    refused(batch, "control_unreadable", "line 2", "amount")


def test_an_empty_amount_in_a_controlled_column_refuses_the_batch(batch):
    content = (batch / "transactions.csv").read_bytes().replace(b"10.00", b"")
    told_anew(batch, "transactions.csv", content)
    refused(batch, "control_unreadable", "line 2")


@pytest.mark.parametrize(
    ("old", "new", "code", "part"),
    [
        (b"txn_no", b"txn_no\0", "nul", "line 1"),
        (b"batch", b"bat\0ch", "nul", "line 2"),
        (b"batch", b"bat\xffch", "encoding", "utf-8"),
        (b"channel", b"chanel", "column_unknown", "chanel"),
        (b"channel", b"kind", "column_twice", "kind"),
        (b"channel", b"memo", "column_missing", "channel"),
        (b"channel", b"channel,cvv", "column_c3", "cvv"),
        (b",", b";", "column_unknown", ";"),
    ],
)
def test_bytes_and_headers_that_are_not_the_contracts_refuse_the_batch(batch, old, new, code, part):
    content = (batch / "transactions.csv").read_bytes()
    told_anew(batch, "transactions.csv", content.replace(old, new))
    refused(batch, code, "transactions.csv", part)


def test_utf16_posing_as_utf8_is_refused(batch):
    text = (batch / "transactions.csv").read_text()
    told_anew(batch, "transactions.csv", text.encode("utf-16"))
    refused(batch, "encoding")


def test_an_empty_file_has_no_header(batch):
    told_anew(batch, "transactions.csv", b"", rows=0)
    refused(batch, "no_header", "transactions.csv")


def test_a_byte_order_mark_and_carriage_returns_do_no_harm(batch):
    text = (batch / "transactions.csv").read_text()
    told_anew(batch, "transactions.csv", b"\xef\xbb\xbf" + text.replace("\n", "\r").encode())
    assert load_one(batch).outcome == "loaded"


def test_unbalanced_quotes_swallow_rows_and_the_count_says_so(batch):
    content = (batch / "transactions.csv").read_bytes().replace(b"T9", b'"T9')
    told_anew(batch, "transactions.csv", content)
    result = load_one(batch)
    assert result.outcome == "refused" and result.reason_code in ("row_count", "control_unreadable")


def test_an_endless_line_is_one_bad_row(batch, settings):
    settings.FEED_REJECT_SHARE = "0.9"
    content = (batch / "products.csv").read_bytes() + b"XG," + b"g" * 10_000_000 + b",fund\nXH,H,fund\n"
    told_anew(batch, "products.csv", content, rows=3)
    result = load_one(batch)
    assert (
        result.outcome,
        result.files["products.csv"]["rejected"],
        result.files["products.csv"]["loaded"],
    ) == ("loaded", 1, 2)


def test_a_file_the_manifest_names_must_be_there(batch):
    (batch / "products.csv").unlink()
    refused(batch, "file_missing", "products.csv")


def test_a_table_nobody_announced_is_refused(batch):
    (batch / "extra.csv").write_text("a,b\n")
    refused(batch, "file_not_listed", "extra.csv")


def test_notes_beside_the_tables_are_left_alone(batch):
    (batch / "README.txt").write_text("hello")
    assert load_one(batch).outcome == "loaded"


@pytest.mark.parametrize(
    ("field", "value", "part"),
    [
        ("format", 2, "format"),
        ("format", "1", "format"),
        ("source", "", "source"),
        ("source", 7, "source"),
        ("business_date", "2025-4-1", "business_date"),
        ("business_date", "2025-02-30", "business_date"),
        ("business_date", None, "business_date"),
        ("mode", "half", "mode"),
        ("dialect", {"encoding": "rot13"}, "encoding"),
        ("dialect", {"delimiter": ""}, "delimiter"),
        ("dialect", {"delimiter": '"'}, "delimiter"),
        ("dialect", [], "dialect"),
        ("files", {}, "files"),
        ("files", [{"name": "loans.csv", "rows": 0, "sha256": "0" * 64}], "loans.csv"),
        ("files", [{"name": "../x.csv", "rows": 0, "sha256": "0" * 64}], "../x.csv"),
        ("files", [{"name": "products.csv", "rows": "1", "sha256": "0" * 64}], "rows"),
        ("files", [{"name": "products.csv", "rows": 1, "sha256": "abc"}], "sha256"),
        (
            "files",
            [{"name": "products.csv", "rows": 1, "sha256": "0" * 64, "control": {"name": {"CNY": "1"}}}],
            "name",
        ),
    ],
)
def test_a_manifest_is_refused_field_by_field(batch, field, value, part):
    edit_manifest(batch, lambda document: document.update({field: value}))
    result = load_one(batch)
    assert result.outcome == "refused" and part in result.reason
    assert not Transaction.rows.filter(txn_no="T9").exists()


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"\xff\xfe", b'{"format": 1, "format": 1}', b'{"format": NaN}', b"[" * 100_000]
)
def test_a_manifest_that_is_no_json_object_is_refused(raw):
    with pytest.raises(Refused):
        manifest.parse(raw, frozenset())


# --- archives -----------------------------------------------------------------------------------------------------


def zipped(batch, path, names=None):
    with zipfile.ZipFile(path, "w") as out:
        for entry in sorted(batch.iterdir()):
            out.writestr(
                zipfile.ZipInfo((names or {}).get(entry.name, entry.name)),
                entry.read_bytes(),
                zipfile.ZIP_DEFLATED,
            )
    return path


def tarred(batch, path, prefix=""):
    with tarfile.open(path, "w:gz") as out:
        for entry in sorted(batch.iterdir()):
            out.add(entry, prefix + entry.name)
    return path


def test_zip_and_tar_archives_load_with_or_without_a_folder_inside(batch, tmp_path):
    assert load_one(zipped(batch, tmp_path / "b.zip")).outcome == "loaded"
    assert load_one(tarred(batch, tmp_path / "b.tar.gz")).outcome == "unchanged"
    assert load_one(tarred(batch, tmp_path / "c.tar.gz", "2025-04-01/")).outcome == "unchanged"


@pytest.mark.parametrize(
    "name", ["../manifest.json", "a/../../manifest.json", "/etc/manifest.json", "..\\manifest.json", "C:\\x"]
)
def test_a_path_that_climbs_out_of_a_zip_is_refused(batch, tmp_path, name):
    path = zipped(batch, tmp_path / "b.zip", {"products.csv": name})
    refused(path, "archive_climbs")


def test_a_path_that_climbs_out_of_a_tar_is_refused(batch, tmp_path):
    path = tarred(batch, tmp_path / "b.tar.gz", "../")
    refused(path, "archive_climbs")
    assert not (tmp_path.parent / "manifest.json").exists()


def test_links_and_devices_in_a_tar_are_refused(batch, tmp_path):
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE):
        path = tmp_path / "b.tar.gz"
        with tarfile.open(path, "w:gz") as out:
            out.add(batch / "manifest.json", "manifest.json")
            entry = tarfile.TarInfo("products.csv")
            entry.type, entry.linkname = kind, "/etc/passwd"
            out.addfile(entry)
        refused(path, "archive_not_plain", "products.csv")


def test_a_link_in_a_folder_is_refused(batch, tmp_path):
    (batch / "products.csv").unlink()
    (batch / "products.csv").symlink_to("/etc/passwd")
    refused(batch, "archive_not_plain", "products.csv")


def test_an_archive_beyond_its_limits_is_refused(batch, tmp_path):
    path = zipped(batch, tmp_path / "b.zip")
    for limits, code in [
        (archive.Limits(100, 1000, 100), "archive_too_large"),
        (archive.Limits(10**9, 1000, 2), "archive_entries"),
    ]:
        result = load.load_batch(path, at=datetime.datetime.now(datetime.UTC), limits=limits)
        assert result.reason_code == code


def test_a_bomb_is_refused_while_it_unpacks(batch, tmp_path):
    (batch / "bomb.txt").write_bytes(b"0" * (archive.RATIO_COUNTS_FROM + archive.PIECE + 1))
    result = load.load_batch(
        zipped(batch, tmp_path / "b.zip"), at=datetime.datetime.now(datetime.UTC), limits=archive.UPLOAD
    )
    assert result.reason_code == "archive_ratio"


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04 but no zip", b"\x1f\x8b garbage", b"<html>no archive</html>"]
)
def test_what_is_no_archive_is_refused(tmp_path, content):
    path = tmp_path / "b.zip"
    path.write_bytes(content)
    assert load_one(path).reason_code == "unreadable_batch"


def test_a_cut_archive_is_refused(batch, tmp_path):
    for path in (zipped(batch, tmp_path / "b.zip"), tarred(batch, tmp_path / "b.tar.gz")):
        content = path.read_bytes()
        for share in (0.3, 0.6, 0.9):
            path.write_bytes(content[: int(len(content) * share)])
            assert load_one(path).outcome == "refused"


def test_a_folder_without_a_manifest_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    result = load_one(tmp_path / "empty")
    assert (result.outcome, result.reason_code) == ("refused", "no_manifest")


# --- turns ---------------------------------------------------------------------------------------------------------


def test_the_same_batch_again_changes_nothing(batch):
    assert load_one(batch).outcome == "loaded"
    before = (bookings(), FeedBatch.objects.count(), Customer.rows.count())
    result = load_one(batch)
    assert result.outcome == "unchanged"
    assert (bookings(), FeedBatch.objects.count(), Customer.rows.count()) == before


def test_a_gap_is_refused_naming_the_date_expected(bank):
    result = deliver(bank, SECOND + DAY, {})
    assert (result.outcome, result.reason_code) == ("refused", "gap")
    assert SECOND.isoformat() in result.reason
    assert deliver(bank, SECOND, {}).outcome == "loaded"  # a day without business
    assert deliver(bank, SECOND + DAY, {}).outcome == "loaded"


def test_a_gap_may_be_accepted(bank):
    result = deliver(bank, SECOND + 4 * DAY, {}, accept_gap=True)
    assert result.outcome == "loaded"
    assert FeedBatch.objects.get(pk=result.batch_id).accepted_gap
    assert deliver(bank, SECOND + 5 * DAY, {}).outcome == "loaded"


def test_a_date_before_the_first_is_refused(bank):
    result = deliver(bank, FIRST - DAY, {}, accept_gap=True)
    assert (result.outcome, result.reason_code) == ("refused", "before_first")


def test_another_batch_for_a_loaded_date_is_refused_unless_it_may_replace(bank):
    result = deliver(bank, FIRST, whole_bank(), mode="delta")
    assert (result.outcome, result.reason_code) == ("refused", "correction")
    assert "--replace" in result.reason


def test_sources_have_their_own_days(bank):
    assert deliver(bank, FIRST + 40 * DAY, {}, source="beta").outcome == "loaded"


def test_a_refused_batch_is_remembered_once_and_loads_when_mended(batch):
    (batch / "products.csv").rename(batch / "away")
    assert load_one(batch).reason_code == "file_missing"
    (batch / "away").rename(batch / "products.csv")

    def wrong(document):
        document["files"][1]["rows"] = 3

    shutil.copytree(batch, batch.parent / "wrong")
    edit_manifest(batch.parent / "wrong", wrong)
    for _ in range(2):
        assert load_one(batch.parent / "wrong").reason_code == "row_count"
    told = FeedBatch.objects.get(source="alpha", state="refused")
    assert told.reason_code == "row_count" and told.reason_values["expected"] == "3"
    assert load_one(batch).outcome == "loaded"


def test_a_folder_of_batches_loads_in_the_order_of_their_dates(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    write_batch(root / "a", SECOND, {}, source="alpha")
    write_batch(root / "b", FIRST, whole_bank(), source="alpha", mode="full")
    plain = write_batch(tmp_path / "third", SECOND + DAY, {}, source="alpha")
    zipped(plain, root / "0.zip")
    results = load.load_paths([root], at=datetime.datetime.now(datetime.UTC))
    assert [(one.business_date, one.outcome) for one in results] == [
        (FIRST, "loaded"),
        (SECOND, "loaded"),
        (SECOND + DAY, "loaded"),
    ]


def test_the_command_prints_json_alone_and_fails_on_a_refusal(batch, capsys):
    from django.core.management import CommandError, call_command

    out, err = io.StringIO(), io.StringIO()
    call_command("load_feed", str(batch), "--json", stdout=out, stderr=err)
    (told,) = json.loads(out.getvalue())["batches"]
    assert (told["business_date"], told["outcome"], told["read"], told["loaded"], told["rejected"]) == (
        "2025-04-01",
        "loaded",
        3,
        3,
        0,
    )
    assert "2025-04-01" in err.getvalue()
    edit_manifest(batch, lambda document: document.update(business_date="2025-05-01"))
    out = io.StringIO()
    with pytest.raises(CommandError) as failed:
        call_command("load_feed", str(batch), "--json", stdout=out, stderr=err)
    assert failed.value.returncode == 1
    assert "2025-04-02" in json.loads(out.getvalue())["batches"][0]["reason"]


def test_every_reason_has_a_sentence_that_its_values_fill():
    for code in REASONS:
        assert "%" in str(REASONS[code])
