"""Whether an identity number can be right. An unknown type is not judged: None, never False.

python-stdnum gives the check digits. Its own ``is_valid`` is not used where the standard is wider: it refuses citizen
numbers of counties missing from its list, and credit codes whose second character is a letter (GB 32100 has them).
"""

import re

from stdnum import luhn
from stdnum.cn import ric, uscc
from stdnum.exceptions import ValidationError

from crm.core.privacy.index import normalise_identity, normalise_phone

CITIZEN_ID_TYPES = frozenset({"citizen_id", "resident_id", "id_card", "身份证", "居民身份证"})
USCC_TYPES = frozenset({"uscc", "unified_social_credit_code", "统一社会信用代码"})

_CITIZEN_ID = re.compile(r"[1-9]\d{5}(?:18|19|20)\d{9}[0-9X]", re.ASCII)
_USCC = re.compile(r"[0-9A-HJ-NP-RTUWXY]{2}\d{6}[0-9A-HJ-NP-RTUWXY]{10}", re.ASCII)
_MOBILE = re.compile(r"1[3-9]\d{9}", re.ASCII)
_CARD = re.compile(r"\d{16,19}", re.ASCII)


def citizen_id_valid(number: str) -> bool:
    """Return whether the number has the form, the date and the check character of GB 11643."""
    number = normalise_identity(number)
    if not _CITIZEN_ID.fullmatch(number):
        return False
    try:
        ric.get_birth_date(number)
    except ValidationError:
        return False
    return number[-1] == ric.calc_check_digit(number)


def uscc_valid(code: str) -> bool:
    """Return whether the code has the form and the check character of GB 32100 (no I, O, S, V, Z)."""
    code = normalise_identity(code)
    return bool(_USCC.fullmatch(code)) and code[-1] == uscc.calc_check_digit(code)


def mobile_valid(number: str) -> bool:
    return bool(_MOBILE.fullmatch(normalise_phone(number)))


def card_valid(number: str) -> bool:
    """Return whether 16 to 19 digits pass the Luhn check."""
    number = normalise_identity(number)
    return bool(_CARD.fullmatch(number)) and luhn.is_valid(number)


def identity_valid(id_type: str | None, number: str | None) -> bool | None:
    """Judge a number by its type: True, False, or None where the type has no rule here or the number is missing."""
    kind = (id_type or "").strip().casefold()
    if not number:
        return None
    if kind in CITIZEN_ID_TYPES:
        return citizen_id_valid(number)
    if kind in USCC_TYPES:
        return uscc_valid(number)
    return None
