"""Backup and restore of the embedded cluster: a physical copy with its log, the product's files, a manifest.

Physical, because the audit's seals compare transaction numbers, which a dump into a new cluster restarts.
The key file is never part of a backup: whoever finds the tapes must not be able to read them.
"""

import datetime
import hashlib
import json
import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

from crm.keys import Keys
from crm.local.folder import give_to_service, service_environment, service_user
from crm.local.postgres import LOGIN, Postgres

MANIFEST = "manifest.json"
FORMAT = 1


class BackupBroken(RuntimeError):
    """The backup is not what its manifest says, or does not fit this installation."""


def back_up(cluster: Postgres, files: Path, keys: Keys, target: Path, at: datetime.datetime) -> dict:
    """Write a backup into the new folder ``target`` and return its manifest.

    Files come first: an audit anchor that is older than the database is fine, a younger one would look like a
    tail that somebody cut off.
    """
    if target.exists() and any(target.iterdir()):
        raise BackupBroken(f"{target} is not empty; a backup gets a folder of its own.")
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tarfile.open(target / "files.tar.gz", "w:gz", compresslevel=1) as archive:
        if files.exists():
            archive.add(files, arcname="files")
    copy_cluster(cluster, target / "database")
    parts = sorted(path for path in target.rglob("*") if path.is_file())
    manifest = {
        "format": FORMAT,
        "made_at": at.isoformat(),
        "postgres_major": major(cluster),
        "keys": fingerprints(keys),
        "files": {str(path.relative_to(target)): digest(path) for path in parts},
    }
    for path in parts:
        path.chmod(0o600)
    draft = target / f"{MANIFEST}.new"
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(manifest, indent=1, sort_keys=True))
    os.replace(draft, target / MANIFEST)  # last: a backup that was interrupted has no manifest
    return manifest


def copy_cluster(cluster: Postgres, target: Path) -> None:
    at = cluster.hold()
    command = [str(cluster.binaries / "pg_basebackup"), "-h", at.host, "-p", str(at.port), "-U", at.user]
    command += ["-D", str(target), "--format=tar", "--gzip", "--compress=1", "--wal-method=stream"]
    command += ["--checkpoint=fast", "--no-password"]
    done = subprocess.run(
        command,
        env={**service_environment(), "PGPASSWORD": at.password},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BackupBroken(f"pg_basebackup failed:\n{done.stderr}")


def verify(source: Path, keys: Keys, cluster: Postgres) -> dict:
    """Check every file against the manifest and return it. Raises BackupBroken and says what is wrong."""
    try:
        manifest = json.loads((source / MANIFEST).read_text())
    except FileNotFoundError:
        raise BackupBroken(
            f"{source} has no {MANIFEST}: it is no backup, or one that was interrupted."
        ) from None
    except ValueError as error:
        raise BackupBroken(f"{source / MANIFEST} cannot be read: {error}") from None
    if manifest.get("format") != FORMAT:
        raise BackupBroken(f"The backup has format {manifest.get('format')}; this version reads {FORMAT}.")
    for name, expected in manifest["files"].items():
        path = source / name
        if not path.exists():
            raise BackupBroken(f"{name} is missing from the backup.")
        if digest(path) != expected:
            raise BackupBroken(f"{name} is not the file that was backed up (its digest differs).")
    if manifest["postgres_major"] != major(cluster):
        raise BackupBroken(
            f"It is a backup of PostgreSQL {manifest['postgres_major']}; this one is {major(cluster)}."
        )
    missing = [kid for kid, print_ in manifest["keys"].items() if fingerprints(keys).get(kid) != print_]
    if missing:
        raise BackupBroken(
            f"The key file lacks what the backup was made with ({', '.join(missing)}): encrypted fields "
            "could not be read. Put the key file of that installation in place first."
        )
    return manifest


def restore(cluster: Postgres, files: Path, source: Path, replace: bool, at: datetime.datetime) -> None:
    """Put a verified backup in the place of the cluster and the files.

    What was there is moved aside, never removed. Nobody may use the server meanwhile (ServiceInUse).
    """
    with cluster.alone():
        if cluster.cluster.exists() and not replace:
            raise BackupBroken(f"{cluster.cluster} exists. With --replace it is moved aside and kept.")
        draft = cluster.folder / "postgres.restored"
        shutil.rmtree(draft, ignore_errors=True)
        extract(source / "database" / "base.tar.gz", draft)
        extract(source / "database" / "pg_wal.tar.gz", draft / "pg_wal")
        give_all_to_service(draft)
        set_aside(cluster.cluster, at)
        draft.rename(cluster.cluster)
        set_password(cluster)
        restore_files(files, source / "files.tar.gz", at)


def restore_files(files: Path, archive: Path, at: datetime.datetime) -> None:
    workshop = files.with_name(f"{files.name}.restored")
    shutil.rmtree(workshop, ignore_errors=True)
    extract(archive, workshop)
    if (workshop / "files").exists():
        set_aside(files, at)
        (workshop / "files").rename(files)
    workshop.rmdir()


def extract(archive: Path, target: Path) -> None:
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tarfile.open(archive) as opened:
        for member in opened:
            inside = (target / member.name).resolve().is_relative_to(target.resolve())
            if not inside or not (member.isfile() or member.isdir()):
                raise BackupBroken(f"{archive.name} holds {member.name!r}, which no backup writes.")
        # The filter says the same; Debian 12's Python does not have it, a later one warns without it.
        opened.extractall(target, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))


def give_all_to_service(folder: Path) -> None:
    """PostgreSQL insists on 0700 and on owning its files."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
        give_to_service(path)


def set_aside(path: Path, at: datetime.datetime) -> None:
    if path.exists():
        path.rename(path.with_name(f"{path.name}.before-{at:%Y%m%dT%H%M%S}"))


def set_password(cluster: Postgres) -> None:
    """The backup knows the hash of another password: set ours in single-user mode, with no port open."""
    password = cluster.draw_password()
    done = subprocess.run(
        [str(cluster.binaries / "postgres"), "--single", "-D", str(cluster.cluster), "postgres"],
        input=f"alter role {LOGIN} password '{password}';\n",
        env=service_environment(),
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        **service_user(),
    )
    if done.returncode or re.search(r"ERROR|FATAL", done.stderr):
        raise BackupBroken(f"The restored cluster does not take a password:\n{done.stderr}")


def digest(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def fingerprints(keys: Keys) -> dict[str, str]:
    """Return what tells keys apart without telling them: a digest of 32 random bytes leads nowhere back."""
    everything = {**keys.data, "index": keys.index, "anchor": keys.anchor}
    return {name: hashlib.sha256(b"bank-crm key " + key).hexdigest()[:16] for name, key in everything.items()}


def major(cluster: Postgres) -> int:
    version = subprocess.run(
        [str(cluster.binaries / "postgres"), "--version"], capture_output=True, text=True, check=True
    ).stdout
    return int(re.search(r"(\d+)\.", version)[1])
