"""The bank's one table of masks. A kind that is not in it shows nothing at all.

mobile 138****5678 · identity first 3 and last 4 · account and card last 4 · e-mail first letter and domain · address to
the district · a person's name in full to those who serve him, 张* to everyone else · a firm's name is no secret.
"""

import re
from collections.abc import Callable

from crm.core.privacy.index import normalise_phone

HIDDEN = "****"
LEAST_HIDDEN = 4

# Surnames of two characters: masking one of them after its first half would invent another family.
_DOUBLE = (
    "欧阳 司马 上官 诸葛 东方 皇甫 尉迟 公孙 慕容 令狐 长孙 宇文 "
    "司徒 司空 夏侯 端木 百里 东郭 南宫 西门 呼延 轩辕 独孤 第五"
)
DOUBLE_SURNAMES = frozenset(_DOUBLE.split())

# Where the street begins nothing more is shown. 路桥区, 鼓楼区 and their like are districts, not streets.
_STREET = re.compile(r"路(?![桥南北]区)|楼(?!区)|[街道巷弄号栋室村屯]")
_HAN = r"[\u4e00-\u9fff]"
_PROVINCE = re.compile(rf"^(?:{_HAN}{{2,5}}省|{_HAN}{{2,6}}自治区)")
_CITY = re.compile(rf"^(?:{_HAN}{{2,5}}省|{_HAN}{{2,6}}自治区)?{_HAN}{{2,10}}?[市州盟]")
_DISTRICT = re.compile(
    rf"^(?:{_HAN}{{2,5}}省|{_HAN}{{2,6}}自治区)?(?:{_HAN}{{2,10}}?[市州盟])?{_HAN}{{1,8}}?(?<![小社校厂园景库])[区县旗]"
)


def keep(head: int, tail: int) -> Callable[[str], str]:
    """Return a mask that shows ``head`` first and ``tail`` last characters, and hides four or more of any value."""

    def mask(value: str) -> str:
        first, last = head, tail
        if len(value) < first + last + LEAST_HIDDEN:
            first = 0
        if len(value) < first + last + LEAST_HIDDEN:
            last = 0
        hidden = "*" * max(LEAST_HIDDEN, len(value) - first - last) if first else HIDDEN
        return value[:first] + hidden + (value[-last:] if last else "")

    return mask


def mask_mobile(value: str) -> str:
    return keep(3, 4)(normalise_phone(value))


def mask_email(value: str) -> str:
    """Return the first letter and the domain; a name of one letter is hidden with the rest."""
    local, at, domain = value.strip().rpartition("@")
    if not at or not local or not domain or "@" in local:
        return HIDDEN
    return (local[0] if len(local) > 1 else "") + "***@" + domain


def mask_address(value: str) -> str:
    """Return an address down to its district (区, 县, 旗), or its city, or its province; anything else is hidden."""
    text = value.strip()
    street = _STREET.search(text)
    before = text[: street.start()] if street else text
    for level in (_DISTRICT, _CITY, _PROVINCE):
        found = level.match(before)
        if found:
            return found[0] + HIDDEN
    return HIDDEN


def mask_name(value: str) -> str:
    """Return the surname and one star, whatever the length of the given name."""
    text = value.strip()
    return ((text[:2] if text[:2] in DOUBLE_SURNAMES and len(text) > 2 else text[:1]) + "*") if text else ""


def hide(value: str) -> str:
    return HIDDEN


MASKS: dict[str, Callable[[str], str]] = {
    "mobile": mask_mobile,
    "phone": keep(0, 4),
    "identity": keep(3, 4),
    "account": keep(0, 4),
    "card": keep(0, 4),
    "email": mask_email,
    "address": mask_address,
    "name": mask_name,
    "note": hide,
}


def mask(kind: str, value: str | None) -> str:
    """Return what a screen may show of ``value``; empty stays empty, an unknown kind is hidden whole."""
    if not value:
        return ""
    return MASKS.get(kind, hide)(value)


def name_for(name: str, *, firm: bool, in_full: bool) -> str:
    """Return a customer's name as one reader may see it: firms always in full, people only to those who serve them."""
    return name if firm or in_full else mask_name(name)
