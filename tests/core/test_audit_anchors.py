"""What is signed and written outside the database shows a cut tail, a restored backup and a rewritten chain."""

import datetime
import json
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import call_command
from django.db import connection

from crm.core import anchors, audit, audit_chain
from crm.core.models import AuditEntry, AuditSeal

AT = datetime.datetime(2026, 11, 24, 8, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)


@pytest.fixture(autouse=True)
def own_folders(settings, tmp_path, monkeypatch):
    settings.AUDIT_ANCHOR_DIR, settings.AUDIT_ANCHOR_DIR_2 = tmp_path / "a", tmp_path / "b"
    monkeypatch.setenv("CRM_AUDIT_ANCHOR_DIR", str(tmp_path / "a"))
    monkeypatch.setenv("CRM_AUDIT_ANCHOR_DIR_2", str(tmp_path / "b"))


@pytest.fixture
def copy(bank_copy):
    """A database of its own with a sealed chain; commits are real."""
    with bank_copy.connected():
        write(10)
        yield bank_copy


def write(count):
    for number in range(count):
        audit.record(None, "audit.verified", payload={"number": number})
    audit_chain.seal(AT, wait=True)


def as_owner(*statements):
    with connection.cursor() as cursor:
        cursor.execute("reset role")
        for table in ("core_auditentry", "core_auditseal"):
            cursor.execute(f"alter table {table} disable trigger user")
        for statement in statements:
            cursor.execute(statement)
        for table in ("core_auditentry", "core_auditseal"):
            cursor.execute(f"alter table {table} enable trigger user")
        cursor.execute("set role crm_app")


def cut(count):
    as_owner(
        f"delete from core_auditentry where id in (select entry_id from core_auditseal order by seq desc limit {count})",
        f"delete from core_auditseal where seq > (select max(seq) - {count} from core_auditseal)",
    )


def kinds():
    return {finding.kind for finding in audit_chain.verify().findings}


def test_no_anchor_yet_is_no_error(copy, tmp_path):
    anchors._head_file().unlink()
    result = audit_chain.verify()
    assert result.ok and result.anchors == 0


def test_a_cut_tail_shows_before_the_first_anchor_too(copy):
    assert kinds() == set()
    cut(1)
    assert kinds() == {"cut"}


def test_sealing_on_does_not_cover_up_a_cut_tail(copy):
    cut(3)
    write(8)  # the chain is longer than before by now
    assert "replaced" in kinds()
    with pytest.raises(anchors.ChainBroken):
        anchors.anchor(AT)
    assert not (anchors.places()[0] / anchors.FILE).exists()


def test_an_anchor_stands_in_both_places_once_a_day(copy):
    line = anchors.anchor(AT)
    assert anchors.anchor(AT) is None and anchors.anchor(AT + DAY / 24) is None
    assert anchors.anchor(AT + DAY)
    one, other = ((folder / anchors.FILE).read_text() for folder in anchors.places())
    assert one == other and json.loads(one.splitlines()[0]) == line
    assert line["seq"] == AuditSeal.objects.order_by("-seq")[0].seq and line["date"] == "2026-11-24"
    assert audit_chain.verify().ok and audit_chain.verify().anchors == 2
    assert AuditEntry.objects.filter(verb="audit.anchored").count() == 2


@pytest.mark.parametrize("kept", [0, 1])
def test_one_place_alone_still_shows_a_restored_backup(copy, kept):
    anchors.anchor(AT)
    cut(4)
    anchors._head_file().unlink()
    (anchors.places()[1 - kept] / anchors.FILE).unlink()
    assert kinds() == {"cut"}
    write(9)
    assert "replaced" in kinds()


def test_a_chain_rewritten_by_somebody_who_knows_the_recipe_is_found(copy):
    anchors.anchor(AT)
    as_owner(
        "update core_auditentry set object_id = '4711' where id = (select min(id) from core_auditentry)",
        "delete from core_auditseal",
    )
    audit_chain.seal(AT, wait=True)
    assert kinds() == {"replaced"}


@pytest.mark.parametrize("change", ["seq", "hash", "date", "signature", "line"])
def test_a_changed_anchor_is_not_believed(copy, change):
    line = anchors.anchor(AT)
    path = anchors.places()[0] / anchors.FILE
    line[change] = {"seq": 3, "hash": "00" * 32, "date": "2026-11-23", "signature": "AAAA", "line": 1}[change]
    path.write_text(json.dumps(line, sort_keys=True) + "\n")
    assert "anchor" in kinds()


def test_an_anchor_signed_with_another_key_is_not_believed(copy, settings):
    path = anchors.places()[0] / anchors.FILE
    anchors.anchor(AT)
    facts = {**anchors._facts(anchors.head(), AT), "date": "2026-11-24"}
    forger = Ed25519PrivateKey.generate()
    import base64

    line = {**facts, "signature": base64.b64encode(forger.sign(anchors._text(facts))).decode()}
    path.write_text(json.dumps(line) + "\nnot even json\n")
    assert sum(finding.kind == "anchor" for finding in audit_chain.verify().findings) == 2


def test_a_loss_that_was_accepted_is_no_longer_expected_and_stays_on_record(copy):
    anchors.anchor(AT)
    cut(4)
    assert kinds() == {"cut"}
    line = anchors.anchor(AT + DAY, accepted_loss="restored the backup of 2026-11-23")
    assert audit_chain.verify().ok
    write(9)
    assert audit_chain.verify().ok
    assert line["loss"] and "loss" in (anchors.places()[1] / anchors.FILE).read_text()


def test_another_database_in_the_same_folder_is_not_mixed_up(copy):
    other = {
        **anchors._facts(anchors.head(), AT),
        "database": "another",
        "chain": "11" * 32,
        "seq": 10**6,
        "date": "2026-11-24",
    }
    anchors._append(anchors.places()[0] / anchors.FILE, anchors._signed(other))
    assert audit_chain.verify().ok


def test_a_copy_under_another_name_is_held_to_the_anchors_of_its_chain(copy):
    facts = {
        **anchors._facts(anchors.head(), AT),
        "database": "the_original",
        "seq": 10**6,
        "date": "2026-11-24",
    }
    anchors._append(anchors.places()[0] / anchors.FILE, anchors._signed(facts))
    assert kinds() == {"cut"}


def test_the_public_key_checks_a_line_without_the_program(copy, capsys):
    import base64

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    line = anchors.anchor(AT)
    call_command("anchor_audit", public_key=True)
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(capsys.readouterr().out))
    signature = base64.b64decode(line.pop("signature"))
    key.verify(signature, json.dumps(line, sort_keys=True, separators=(",", ":")).encode())


def manage(copy, *arguments):
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        env=copy.environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.slow
def test_the_commands_seal_first_print_json_alone_and_fail_when_something_is_wrong(copy):
    audit.record(None, "audit.verified", payload={"pending": True})
    answer = manage(copy, "verify_audit", "--json")
    told = json.loads(answer.stdout)
    assert answer.returncode == 0 and told["ok"] and told["sealed"] == 1 and told["findings"] == []
    assert manage(copy, "anchor_audit").returncode == 0
    as_owner(
        "update core_auditentry set verb = 'feeds.upload' where id = (select min(id) from core_auditentry)"
    )
    answer = manage(copy, "verify_audit", "--json")
    told = json.loads(answer.stdout)
    assert answer.returncode == 1 and not told["ok"]
    assert [finding["kind"] for finding in told["findings"]] == ["changed"]
    answer = manage(copy, "verify_audit")
    assert answer.returncode == 1 and "NOT INTACT" in answer.stdout and "changed number" in answer.stdout
    answer = manage(copy, "verify_invariants", "--json", "--only", "I12")
    told = json.loads(answer.stdout)
    assert answer.returncode == 1 and not told["ok"] and any(one["findings"] for one in told["invariants"])


def test_a_full_disk_does_not_stop_the_sealing(copy, settings, tmp_path, caplog):
    (tmp_path / "file").write_text("")
    settings.AUDIT_ANCHOR_DIR = tmp_path / "file" / "folder"
    audit.record(None, "audit.verified")
    assert audit_chain.seal(AT, wait=True) == 1
    assert "not written" in caplog.text


def test_the_seal_is_at_most_five_seconds_behind_when_poked_every_two(copy):
    from crm.core import tasks

    audit.record(None, "audit.verified")
    tasks.seal_audit()
    newest = AuditEntry.objects.latest("id")
    assert (newest.seal.sealed_at - newest.at).total_seconds() < 5
    tasks.anchor_audit()
    tasks.anchor_audit()
    assert len((anchors.places()[0] / anchors.FILE).read_text().splitlines()) == 1
