"""The installation's keys: one JSON file of mode 0600, apart from the database and its backups.

``CRM_KEY_FILE`` names it; ``make install`` draws one for demo and tests. Without it nothing starts: a product that
falls back to a built-in key protects nobody.
"""

import base64
import json
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


@dataclass(frozen=True)
class Keys:
    """``data``: key id → 32 bytes (encryption), ``current``: the id new ciphertexts use, ``index``: 32 bytes (blind
    index), ``anchor``: 32 bytes (Ed25519 seed that signs the audit anchors)."""

    django_secret: str
    data: dict[str, bytes]
    current: str
    index: bytes
    anchor: bytes


def key_file(base: Path) -> Path:
    return Path(os.environ.get("CRM_KEY_FILE", base / ".local" / "keys.json"))


def draw_keys(path: Path) -> bool:
    """Write a fresh key file unless one is there. Return whether one was written."""
    if path.exists():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = {
        "django_secret": secrets.token_urlsafe(48),
        "data": {"k1": base64.b64encode(secrets.token_bytes(32)).decode()},
        "current": "k1",
        "index": base64.b64encode(secrets.token_bytes(32)).decode(),
        "anchor": base64.b64encode(secrets.token_bytes(32)).decode(),
    }
    _write(path, fresh)
    return True


def add_key(path: Path, kid: str, length: int = 32) -> None:
    """Add a fresh data key to the file (32 bytes: AES-256, 16 bytes: SM4). Raises ValueError if the id is taken."""
    raw = json.loads(path.read_text())
    if kid in raw["data"] or not kid.isalnum():
        raise ValueError(f"key id {kid!r} is taken, or not letters and digits")
    raw["data"][kid] = base64.b64encode(secrets.token_bytes(length)).decode()
    _write(path, raw)


def use_key(path: Path, kid: str) -> None:
    """Make an existing key the one new ciphertexts use."""
    raw = json.loads(path.read_text())
    if kid not in raw["data"]:
        raise ValueError(f"no key {kid!r}")
    _write(path, raw | {"current": kid})


def drop_key(path: Path, kid: str) -> None:
    """Remove a key nothing is encrypted with any more; the current one cannot go."""
    raw = json.loads(path.read_text())
    if kid not in raw["data"] or kid == raw["current"]:
        raise ValueError(f"{kid!r} is the current key, or no key")
    del raw["data"][kid]
    _write(path, raw)


def _write(path: Path, content: dict) -> None:
    draft = path.with_suffix(".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as handle:
        json.dump(content, handle, indent=1)
        handle.flush()
        os.fsync(handle.fileno())
    os.replace(draft, path)  # whole or not at all: half a key file would lock everybody out


def load_keys(base: Path) -> Keys:
    """Read the key file; raise ImproperlyConfigured where it is missing, readable by others, or incomplete."""
    path = key_file(base)
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        raw = json.loads(path.read_text())
    except FileNotFoundError:
        raise ImproperlyConfigured(
            f"No key file at {path}. Run `make install`, or set CRM_KEY_FILE."
        ) from None
    if mode & 0o077:
        raise ImproperlyConfigured(f"{path} is readable by others (mode {mode:o}); it must be 0600.")
    try:
        return Keys(
            django_secret=raw["django_secret"],
            data={kid: base64.b64decode(key) for kid, key in raw["data"].items()},
            current=raw["current"],
            index=base64.b64decode(raw["index"]),
            anchor=base64.b64decode(raw["anchor"]),
        )
    except (KeyError, ValueError) as error:
        raise ImproperlyConfigured(f"{path} is not a complete key file: {error}") from None
