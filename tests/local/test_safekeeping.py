"""A backup brings the bank back after its data folder is gone, and says so when it is not whole."""

import datetime
import json
import shutil
import stat
import tarfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from crm.keys import draw_keys, load_keys
from crm.local.folder import REPOSITORY, data_folder
from crm.local.holding import ServiceInUse
from crm.local.postgres import Postgres
from crm.local.safekeeping import MANIFEST, BackupBroken, back_up, extract, restore, verify
from tests.local.conftest import Scratch, scratch_profile

# One worker makes the bank of this module, once.
pytestmark = pytest.mark.xdist_group("safekeeping")
AT = datetime.datetime(2026, 1, 2, 3, 4, tzinfo=datetime.UTC)
FILL = """
from django.db import transaction
from crm.core import audit
from crm.core.models import Branch
with transaction.atomic():
    Branch.objects.create(branch_no="1000", name="总行", kind="head_office", path="/1/", opened_on="2001-01-01")
    audit.record(None, "account.signed_in", ("user", 1))
"""
COUNT = """
from crm.core.models import AuditEntry, Branch
print(Branch.objects.get().name, AuditEntry.objects.filter(verb="account.signed_in").count())
"""


@dataclass
class Bank:
    """A scratch bank with a row, an audit entry, an anchor and a file; and the backup that was taken of it."""

    scratch: Scratch
    keys: Path
    files: Path
    backup: Path

    def run(self, *arguments: str) -> str:
        done = self.scratch.manage(*arguments, CRM_KEY_FILE=str(self.keys), CRM_DATA_DIR=str(self.files))
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def shell(self, script: str) -> str:
        return self.run("shell", "--verbosity=0", "--command", script)

    @property
    def cluster(self) -> Postgres:
        return Postgres(self.scratch.profile)


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bank")
    draw_keys(folder / "keys.json")
    (folder / "files" / "inbox").mkdir(parents=True)
    (folder / "files" / "inbox" / "batch").write_text("rows")
    with scratch_profile() as scratch:
        made = Bank(scratch, folder / "keys.json", folder / "files", folder / "backup")
        made.run("migrate", "--verbosity=0")
        made.shell(FILL)
        made.run("anchor_audit")
        made.run("backup", str(made.backup))
        yield made


@pytest.fixture
def keys(bank, monkeypatch):
    monkeypatch.setenv("CRM_KEY_FILE", str(bank.keys))
    return load_keys(REPOSITORY)


def test_what_was_destroyed_comes_back_whole(bank):
    before = bank.shell(COUNT)
    assert "总行 1" in before
    shutil.rmtree(data_folder(bank.scratch.profile))
    shutil.rmtree(bank.files)
    told = bank.run("restore", str(bank.backup))  # ends with the invariants
    assert "complete and fits" in told
    assert bank.shell(COUNT) == before
    assert (bank.files / "inbox" / "batch").read_text() == "rows"
    bank.run("verify_audit")
    assert bank.cluster.pid() is None


def test_the_backup_holds_no_key_and_is_for_its_owner_alone(bank):
    drawn = json.loads(bank.keys.read_text())
    secrets = [value for value in (*drawn.values(), *drawn["data"].values()) if len(value) > 9]
    assert len(secrets) == 4
    for path in bank.backup.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0
        content = path.read_bytes() if path.is_file() else b""
        assert not [secret for secret in secrets if str(secret).encode() in content]


def test_an_existing_bank_and_an_existing_backup_are_not_overwritten(bank, keys):
    with pytest.raises(BackupBroken, match="--replace"):
        restore(bank.cluster, bank.files, bank.backup, False, AT)
    with pytest.raises(BackupBroken, match="not empty"):
        back_up(bank.cluster, bank.files, keys, bank.backup, AT)


def test_a_backup_of_other_keys_is_refused(bank, tmp_path, monkeypatch):
    draw_keys(tmp_path / "other.json")
    monkeypatch.setenv("CRM_KEY_FILE", str(tmp_path / "other.json"))
    with pytest.raises(BackupBroken, match="could not be read"):
        verify(bank.backup, load_keys(REPOSITORY), bank.cluster)


@pytest.mark.parametrize("part", ["database/base.tar.gz", "database/pg_wal.tar.gz", "files.tar.gz"])
def test_one_changed_bit_or_a_missing_part_is_found(bank, keys, tmp_path, part):
    copy = tmp_path / "copy"
    shutil.copytree(bank.backup, copy)
    assert verify(copy, keys, bank.cluster)["postgres_major"] == 18
    whole = (copy / part).read_bytes()
    middle = len(whole) // 2
    (copy / part).write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
    with pytest.raises(BackupBroken, match="digest differs"):
        verify(copy, keys, bank.cluster)
    (copy / part).unlink()
    with pytest.raises(BackupBroken, match="missing"):
        verify(copy, keys, bank.cluster)
    (copy / MANIFEST).unlink()
    with pytest.raises(BackupBroken, match="interrupted"):
        verify(copy, keys, bank.cluster)


def test_a_bank_in_use_is_not_replaced_under_its_users(bank):
    user = bank.scratch.holder()
    assert user.server
    with pytest.raises(ServiceInUse):
        restore(bank.cluster, bank.files, bank.backup, True, AT)
    user.leave()
    restore(bank.cluster, bank.files, bank.backup, True, AT)
    assert list(data_folder(bank.scratch.profile).glob("postgres.before-*")), "what was there is kept"


def test_an_archive_that_climbs_out_is_refused(tmp_path):
    archive = tmp_path / "evil.tar.gz"
    with tarfile.open(archive, "w:gz") as writer:
        writer.addfile(tarfile.TarInfo("../outside"))
    with pytest.raises(BackupBroken, match="no backup writes"):
        extract(archive, tmp_path / "target")
    assert not (tmp_path / "outside").exists()
