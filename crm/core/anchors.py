"""Anchors: the head of the audit chain, signed and written where the database's owner cannot reach.

Whoever may change the database can rewrite a whole chain; he cannot sign it. Two things stand in the anchor folder:
``audit-anchors.jsonl``, one line a day, only ever appended to (and kept a second time in another folder), and
``audit-head-<database>.json``, replaced after each sealing and never taken back, so that a cut tail shows before the
day's anchor. Each says database, number, hash and time, signed with Ed25519.
"""

import base64
import contextlib
import datetime
import fcntl
import hashlib
import json
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings
from django.db import connection

from crm.core import audit, clock

log = logging.getLogger(__name__)

FILE = "audit-anchors.jsonl"


class ChainBroken(RuntimeError):
    """The chain no longer holds what an anchor or the head file has seen; nothing is written over the evidence."""


@dataclass(frozen=True)
class Head:
    """The newest seal. ``chain`` is the hash of seal 1: it tells one chain from another."""

    seq: int
    hash: bytes
    chain: bytes


@dataclass(frozen=True)
class Seen:
    """What a signed line says: at ``seq`` the chain had ``hash``. ``label`` tells a reader which line."""

    seq: int
    hash: bytes
    chain: bytes
    label: str


@dataclass(frozen=True)
class Expectations:
    """``seen``: what the chain must still hold. ``problems``: lines that cannot be believed."""

    seen: list[Seen]
    problems: list[str]
    anchors: list[dict]


def head() -> Head | None:
    """Return the newest seal of the chain, None where nothing is sealed yet."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select s.seq, s.hash, (select hash from core_auditseal order by seq limit 1)"
            " from core_auditseal s order by s.seq desc limit 1"
        )
        row = cursor.fetchone()
    return None if row is None else Head(row[0], bytes(row[1]), bytes(row[2]))


def public_key() -> str:
    """Return the public key in base64: whoever holds the anchors can check them with it alone."""
    return base64.b64encode(_private_key().public_key().public_bytes_raw()).decode()


def fingerprint() -> str:
    return hashlib.sha256(base64.b64decode(public_key())).hexdigest()[:16]


def places() -> list[Path]:
    """Return the folders of the anchors, the first one first."""
    return [Path(settings.AUDIT_ANCHOR_DIR), Path(settings.AUDIT_ANCHOR_DIR_2)]


def anchor(at: datetime.datetime, *, again: bool = False, accepted_loss: str = "") -> dict | None:
    """Sign the head and append it to both places; once a business day unless ``again``. Return the line or None.

    ``accepted_loss`` says why entries that older anchors have seen are gone for good (a restored backup): what lies
    beyond the present head is then no longer expected, and the line stays as the record of it.
    """
    top = head()
    if top is None:
        return None
    day = clock.business_date(at).isoformat()
    known = [line for line, _ in _lines() if line.get("database") == _database()]
    if not accepted_loss:
        if any(line["date"] == day for line in known) and not again:
            return None
        _refuse_to_hide(top, expectations().seen)
    line = _signed({**_facts(top, at), "date": day, **({"loss": accepted_loss} if accepted_loss else {})})
    for folder in places():
        _append(folder / FILE, line)
    if accepted_loss:
        with _head_locked():
            _write_head(top, at)
    audit.record(
        None, "audit.anchored", payload={"seq": top.seq, "head": top.hash.hex(), "loss": accepted_loss}
    )
    return line


def remember(at: datetime.datetime) -> None:
    """Put the newest head into the head file. Raises ChainBroken where the file has seen what the chain has not.

    Several sealers come here at once. The head is read under the lock of the file, so that the file never goes back.
    """
    with _head_locked():
        top = head()
        if top is None:
            return
        before = _read_head()
        if before is not None:
            if before["seq"] == top.seq and before["hash"] == top.hash.hex():
                return
            _refuse_to_hide(top, [_seen(before, "head file")])
        _write_head(top, at)


def expectations() -> Expectations:
    """Read every anchor and the head file of this database (or, under a new name, of this chain); check signatures."""
    problems = [f"{where}: {problem}" for where, problem in _problems()]
    lines = [(line, where) for line, where in _lines()]
    own = [(line, where) for line, where in lines if line["database"] == _database()]
    if not own and (top := head()):
        # Restored or copied under another name: the chain is the same, and so must be what was seen of it.
        own = [(line, where) for line, where in lines if line["chain"] == top.chain.hex()]
    seen: list[Seen] = []
    for line, where in own:
        if line.get("loss"):
            seen = [one for one in seen if one.seq <= line["seq"]]
        seen.append(_seen(line, f"anchor of {line['date']} ({where})"))
    with contextlib.suppress(ValueError):
        if newest := _read_head():
            seen.append(_seen(newest, f"head file of {newest['at']}"))
    return Expectations(seen, problems, [line for line, _ in own])


def _refuse_to_hide(top: Head, seen: list[Seen]) -> None:
    """Writing a newer head over one the chain no longer holds would remove the proof."""
    for one in seen:
        if one.chain != top.chain or one.seq > top.seq or _hash_at(one.seq) != one.hash:
            log.critical("audit chain does not hold what was seen: %s, seq=%s", one.label, one.seq)
            raise ChainBroken(f"{one.label}: number {one.seq} is gone or changed. Run verify_audit.")


def _hash_at(seq: int) -> bytes | None:
    with connection.cursor() as cursor:
        cursor.execute("select hash from core_auditseal where seq = %s", [seq])
        row = cursor.fetchone()
    return None if row is None else bytes(row[0])


def _seen(line: dict, label: str) -> Seen:
    return Seen(line["seq"], bytes.fromhex(line["hash"]), bytes.fromhex(line["chain"]), label)


def _facts(top: Head, at: datetime.datetime) -> dict:
    return {
        "database": _database(),
        "chain": top.chain.hex(),
        "seq": top.seq,
        "hash": top.hash.hex(),
        "at": at.astimezone(datetime.UTC).isoformat(),
    }


def _database() -> str:
    return connection.settings_dict["NAME"]


# --- signatures ---------------------------------------------------------------------------------------------------


def _private_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(settings.KEYS.anchor)


def _text(line: dict) -> bytes:
    bare = {key: value for key, value in line.items() if key != "signature"}
    return json.dumps(bare, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def _signed(line: dict) -> dict:
    line = {**line, "key": fingerprint()}
    return {**line, "signature": base64.b64encode(_private_key().sign(_text(line))).decode()}


def _checked(text: str, key: Ed25519PublicKey) -> dict:
    """Return the line; raise ValueError where it cannot be read or is not ours."""
    line = json.loads(text)
    if (
        not isinstance(line, dict)
        or not {"database", "chain", "seq", "hash", "at", "signature"} <= line.keys()
    ):
        raise ValueError("it is not an anchor")
    try:
        key.verify(base64.b64decode(line["signature"]), _text(line))
    except InvalidSignature:
        raise ValueError("its signature is not ours, or it was changed") from None
    return line


# --- files --------------------------------------------------------------------------------------------------------


def _raw() -> Iterator[tuple[str, str]]:
    """(text, where) of every line in both places; a line that stands in both comes once."""
    met: set[str] = set()
    for folder in places():
        path = folder / FILE
        if not path.exists():
            continue
        for number, text in enumerate(path.read_text(errors="replace").splitlines(), start=1):
            if text not in met:
                met.add(text)
                yield text, f"{folder.name}/{FILE} line {number}"


def _lines() -> Iterator[tuple[dict, str]]:
    key = _private_key().public_key()
    for text, where in _raw():
        with contextlib.suppress(ValueError):
            line = _checked(text, key)
            line.setdefault("date", line["at"][:10])
            yield line, where


def _problems() -> Iterator[tuple[str, str]]:
    key = _private_key().public_key()
    for text, where in _raw():
        try:
            _checked(text, key)
        except ValueError as error:
            yield where, str(error)
    try:
        _read_head()
    except ValueError as error:
        yield _head_file().name, str(error)


def _append(path: Path, line: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
    try:
        os.write(descriptor, json.dumps(line, sort_keys=True).encode() + b"\n")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _head_file() -> Path:
    return places()[0] / f"audit-head-{_database()}.json"


def _read_head() -> dict | None:
    path = _head_file()
    if not path.exists():
        return None
    return _checked(path.read_text(errors="replace"), _private_key().public_key())


@contextlib.contextmanager
def _head_locked() -> Iterator[None]:
    """One writer of the head file at a time, among threads and processes; the lock ends with its holder."""
    path = _head_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _write_head(top: Head, at: datetime.datetime) -> None:
    path = _head_file()
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(_signed(_facts(top, at)), sort_keys=True))
    os.replace(draft, path)
