"""Blind index: how an encrypted value is found again by its whole self, and by nothing less.

HMAC-SHA-256 cut to 16 bytes, with a sub-key of the column's own, over a normalised value. Equal values of one column
have equal prints, so a print tells equality and frequency: it is stored beside the ciphertext and never leaves the
server. The key is as secret as the data key, because a phone number has only ten billion values.
"""

import hmac
import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

VERSION = 1  # raise it when a normalisation changes: old prints then no longer match, by intent
PRINT_BYTES = 16

_APART = re.compile(r"[\s\-‐-―()./]+")
_COUNTRY = re.compile(r"^(?:\+|00)86(?=1[3-9]\d{9}$)|^86(?=1[3-9]\d{9}$)")


def normalise_phone(value: str) -> str:
    """Return the number without spaces, dashes, full-width digits and the country code 86 of a mobile number."""
    return _COUNTRY.sub("", _APART.sub("", unicodedata.normalize("NFKC", value)))


def normalise_identity(value: str) -> str:
    """Return an identity number in capitals, without spaces, dashes and full-width characters."""
    return _APART.sub("", unicodedata.normalize("NFKC", value)).upper()


def normalise_email(value: str) -> str:
    return unicodedata.normalize("NFKC", value).strip().casefold()


def exact(value: str) -> str:
    return value.strip()


NORMALISERS: dict[str, Callable[[str], str]] = {
    "mobile": normalise_phone,
    "phone": normalise_phone,
    "identity": normalise_identity,
    "account": normalise_identity,
    "card": normalise_identity,
    "email": normalise_email,
}


def normalise(kind: str, value: str) -> str:
    """Return the form of ``value`` that is compared; kinds without a rule of their own are compared as they are."""
    return NORMALISERS.get(kind, exact)(value)


@lru_cache(maxsize=256)
def _column_key(master: bytes, table: str, column: str) -> bytes:
    info = f"blind-index/{VERSION}/{table}/{column}".encode()
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(master)


def blind_index(value: str, table: str, column: str, kind: str) -> bytes:
    """Return the 16-byte print of ``value`` in a column. Same column and same normalised value: same print."""
    key = _column_key(settings.KEYS.index, table, column)
    return hmac.digest(key, normalise(kind, value).encode(), "sha256")[:PRINT_BYTES]


def digest(value: str, purpose: str) -> bytes:
    """Return a keyed 16-byte digest of a value that is counted but never read again (sign-in names, addresses)."""
    return hmac.digest(_column_key(settings.KEYS.index, "digest", purpose), value.encode(), "sha256")[
        :PRINT_BYTES
    ]
