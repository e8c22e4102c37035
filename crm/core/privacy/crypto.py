"""Field encryption: text in, ``alg.kid.nonce.ct`` out, bound to the one cell it was written for.

``aad`` is ``table/column/row key`` (:func:`cell`), so a ciphertext copied to another row, column or table no longer
opens. The algorithm and the key's id stand in front of every ciphertext: keys and algorithms can be replaced while
old values are still read. The key's length picks the algorithm of new ciphertexts: 32 bytes AES-256-GCM, 16 bytes
SM4-GCM.
"""

import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from django.conf import settings

NONCE_BYTES = 12
TAG_BYTES = 16


class Unreadable(ValueError):
    """The ciphertext does not open here: moved from another cell, changed, or of a key that is not at hand."""


class Sealer(Protocol):
    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes: ...

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes: ...


class SM4GCM:
    """SM4 (GB/T 32907) in GCM with the same three arguments as the library's AESGCM."""

    def __init__(self, key: bytes) -> None:
        self._cipher = SM4(key)

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes:
        sealing = Cipher(self._cipher, modes.GCM(nonce)).encryptor()
        sealing.authenticate_additional_data(associated_data)
        return sealing.update(data) + sealing.finalize() + sealing.tag

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes:
        if len(data) < TAG_BYTES:
            raise InvalidTag
        opening = Cipher(self._cipher, modes.GCM(nonce, data[-TAG_BYTES:])).decryptor()
        opening.authenticate_additional_data(associated_data)
        return opening.update(data[:-TAG_BYTES]) + opening.finalize()


ALGORITHMS: dict[str, type] = {"a256gcm": AESGCM, "sm4gcm": SM4GCM}
KEY_BYTES = {"a256gcm": 32, "sm4gcm": 16}
ALGORITHM_OF_LENGTH = {length: name for name, length in KEY_BYTES.items()}


@lru_cache(maxsize=64)
def _sealer(algorithm: str, key: bytes) -> Sealer:
    # Building the object costs several times the encryption of a phone number.
    return ALGORITHMS[algorithm](key)


def cell(table: str, column: str, row_key: object) -> str:
    """Return the associated data of one cell. ``row_key`` is the natural key: it survives a reload of the table."""
    return f"{table}/{column}/{row_key}"


def current_prefix() -> str:
    """Return what every ciphertext of the current key starts with, for instance ``a256gcm.k2.``"""
    kid = settings.KEYS.current
    return f"{ALGORITHM_OF_LENGTH[len(settings.KEYS.data[kid])]}.{kid}."


def encrypt(plain: str, aad: str) -> str:
    """Return the ciphertext of ``plain`` for the cell ``aad``, with the current key and a fresh nonce."""
    keys = settings.KEYS
    key = keys.data[keys.current]
    algorithm = ALGORITHM_OF_LENGTH[len(key)]
    nonce = os.urandom(NONCE_BYTES)
    sealed = _sealer(algorithm, key).encrypt(nonce, plain.encode(), aad.encode())
    return f"{algorithm}.{keys.current}.{_text(nonce)}.{_text(sealed)}"


def decrypt(token: str, aad: str) -> str:
    """Return the plain text. Raises Unreadable for anything but an unchanged ciphertext of this very cell."""
    algorithm, kid, nonce, sealed = split(token)
    key = settings.KEYS.data.get(kid)
    if key is None or algorithm not in ALGORITHMS or len(key) != KEY_BYTES[algorithm]:
        raise Unreadable(f"no key {kid} for {algorithm}")
    try:
        return _sealer(algorithm, key).decrypt(_bytes(nonce), _bytes(sealed), aad.encode()).decode()
    except (InvalidTag, ValueError):
        raise Unreadable("changed, or not of this cell") from None


def split(token: str) -> tuple[str, str, str, str]:
    """Return (algorithm, key id, nonce, sealed), the last two in base64url. Raises Unreadable for another shape."""
    parts = token.split(".")
    if len(parts) != 4 or not all(parts):
        raise Unreadable("not a ciphertext")
    return parts[0], parts[1], parts[2], parts[3]


def is_ciphertext(text: str) -> bool:
    parts = text.split(".")
    return len(parts) == 4 and parts[0] in ALGORITHMS and all(parts)


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
