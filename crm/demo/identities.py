"""Numbers that look right and belong to nobody: citizen numbers, credit codes, mobile numbers.

* A citizen identity number (GB 11643) is issued by a county or district, so its first six digits always
  name one. Ours begin with the code of a whole province (``430000``): such a code stands in GB/T 2260, so
  the number parses, its date is a date and its check character is right, but no office has ever issued
  one.
* A unified credit code (GB 32100) names the district that registered the firm. Ours names ``439001``,
  which GB/T 2260 gives to no place; the organisation code inside (GB 11714) and the whole carry right
  check characters.
* Mobile numbers use segments that the numbering plan has given to no operator.

Every function is injective in ``index``, so two customers share a number only where the demo bank means
them to.
"""

from datetime import date, timedelta

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_VALUES = {character: value for value, character in enumerate(_CREDIT_ALPHABET)}
_CREDIT_WEIGHTS = tuple(pow(3, position, 31) for position in range(17))
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)

HOME_PROVINCE = "430000"
OTHER_PROVINCES = tuple(
    f"{code}0000"
    for code in (
        11,
        12,
        13,
        14,
        15,
        21,
        22,
        23,
        31,
        32,
        33,
        34,
        35,
        36,
        37,
        41,
        42,
        44,
        45,
        51,
        52,
        53,
        54,
        61,
        62,
        63,
        64,
        65,
    )
)
UNASSIGNED_DISTRICT = "439001"
UNASSIGNED_SEGMENTS = ("154", "161", "164", "168", "169", "179")

# Last digit of the year × day of the year × pairs of sequence numbers: what one province code can tell apart.
_SPACE = 10 * 365 * 499
_STRIDE = 1_000_003  # shares no factor with _SPACE: neighbours in the bank get unlike birthdays
MOST_CUSTOMERS = _SPACE * 8 // 5


def citizen_check(first_17: str) -> str:
    return _CHECKS[sum(int(digit) * weight for digit, weight in zip(first_17, _WEIGHTS, strict=True)) % 11]


def citizen_number(index: int, about_year: int, gender: str) -> tuple[str, date]:
    """Return the identity number of customer ``index`` and the birth date in it, within five years of
    ``about_year``."""
    group, rest = divmod(index, 8)
    if rest < 5:
        region, place = HOME_PROVINCE, group * 5 + rest
    else:
        place, province = divmod(group * 3 + rest - 5, len(OTHER_PROVINCES))
        region = OTHER_PROVINCES[province]
    if place >= _SPACE:
        raise ValueError(f"at most {MOST_CUSTOMERS} customers can have identity numbers of their own")
    mixed = (place * _STRIDE + 271_828) % _SPACE
    mixed, year_digit = divmod(mixed, 10)
    pair, day_of_year = divmod(mixed, 365)
    year = about_year - about_year % 10 + year_digit
    if year > about_year + 5:
        year -= 10
    elif year < about_year - 5:
        year += 10
    birth = date(year, 1, 1) + timedelta(days=day_of_year)
    sequence = pair * 2 + (1 if gender == "M" else 2)
    first_17 = f"{region}{birth:%Y%m%d}{sequence:03d}"
    return first_17 + citizen_check(first_17), birth


def spoil(number: str) -> str:
    """The same number with a check character that is wrong."""
    return number[:-1] + ("5" if number[-1] != "5" else "6")


def organisation_check(first_8: str) -> str:
    total = sum(
        int(character, 36) * weight for character, weight in zip(first_8, _ORGANISATION_WEIGHTS, strict=True)
    )
    return "0X987654321"[total % 11]


def credit_check(first_17: str) -> str:
    total = sum(
        _CREDIT_VALUES[character] * weight
        for character, weight in zip(first_17, _CREDIT_WEIGHTS, strict=True)
    )
    return _CREDIT_ALPHABET[(31 - total % 31) % 31]


def credit_code(index: int) -> str:
    """The unified credit code of firm ``index``: an enterprise (91) registered in a district that does not
    exist."""
    rest, code = (index * 48_271 + 7_919) % 31**6, ""
    for _ in range(6):
        rest, digit = divmod(rest, 31)
        code = _CREDIT_ALPHABET[digit] + code
    organisation = f"MA{code}"
    first_17 = f"91{UNASSIGNED_DISTRICT}{organisation}{organisation_check(organisation)}"
    return first_17 + credit_check(first_17)


def mobile_number(index: int) -> str:
    return (
        UNASSIGNED_SEGMENTS[index % len(UNASSIGNED_SEGMENTS)]
        + f"{(index * 61_803_399 + 14_142_135) % 100_000_000:08d}"
    )
