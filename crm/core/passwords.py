"""What a password must be. Two profiles, because two standards contradict each other.

``cn-mlps3`` (the Chinese protection scheme, level 3): three of four kinds of characters, a new one every 90 days.
``asvs`` (OWASP ASVS 5.0, 6.2.5 and 6.2.10): no composition rules, no rotation. Both: 12 characters or more, up to
hundreds, whole, never cut; nothing common, nothing made of the bank's own words, not one of the last five.
"""

import datetime
import re

from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

PROFILES = ("cn-mlps3", "asvs")
SHORTEST = 12
LONGEST = 1024  # only so that nobody makes us hash megabytes
REMEMBERED = 5
ROTATION = datetime.timedelta(days=90)
FEWEST_DIFFERENT = 5

# What people at a bank reach for first. Letters only, lower case.
_WORDS = (
    "bank banking banker yinhang icbc abchina ccb boc bocom psbc cmb citic cebbank cmbc spdb cib pingan crm kehu "
    "kehujingli jingli customer manager branch zhihang wangdian guiyuan teller admin administrator root system user "
    "password passwd passw mima welcome huanying hello nihao login qwerty qwert asdfgh asdf zxcvbn zxcv iloveyou woaini "
    "letmein abcdef abcd abc changeme default secret china zhongguo beijing shanghai summer winter spring autumn "
    "monday january"
)
_BANK_WORDS = re.compile("|".join(sorted(_WORDS.split(), key=len, reverse=True)))
_LEAST_OWN = 4
_LOOKALIKES = str.maketrans("0134578@$!", "oieastbasi")


class BankPasswordValidator:
    """The product's only password validator; also keeps the history Django tells it of."""

    def __init__(self, profile: str = "cn-mlps3") -> None:
        if profile not in PROFILES:
            raise ValueError(f"password profile {profile!r}: one of {', '.join(PROFILES)}")
        self.profile = profile

    @cached_property
    def _common(self) -> CommonPasswordValidator:
        return CommonPasswordValidator()  # reads a list of 20,000: only when somebody chooses a password

    def validate(self, password: str, user=None) -> None:
        """Raise ValidationError with every rule the password breaks."""
        broken = list(self._broken(password, user))
        if broken:
            raise ValidationError([ValidationError(text, code=code) for code, text in broken])

    def _broken(self, password: str, user):
        if len(password) < SHORTEST:
            yield (
                "short",
                ngettext("At least %(n)d character.", "At least %(n)d characters.", SHORTEST)
                % {"n": SHORTEST},
            )
        if len(password) > LONGEST:
            yield "long", _("At most %(n)d characters.") % {"n": LONGEST}
            return
        if self.profile == "cn-mlps3" and kinds_of_characters(password) < 3:
            yield "simple", _("Three of: capital letters, small letters, digits, other characters.")
        if len(set(password)) < FEWEST_DIFFERENT or self._is_common(password):
            yield "common", _("This password is too common.")
        elif made_of_bank_words(password):
            yield "bank_words", _("This is mostly words anybody at a bank would guess.")
        if user is not None:
            name = (getattr(user, "username", "") or "").casefold()
            if len(name) >= 3 and name in password.casefold():
                yield "name", _("It contains your user name.")
            if user.pk and used_before(user, password):
                yield "used", _("You have used this password before.")

    def _is_common(self, password: str) -> bool:
        try:
            self._common.validate(password)
            self._common.validate(password.strip("0123456789!@#$%^&*.?_- "))
        except ValidationError:
            return True
        return False

    def get_help_text(self) -> str:
        text = _(
            "At least 12 characters; a sentence is fine. Nothing common, no words of the bank, not your user name."
        )
        if self.profile == "cn-mlps3":
            text += " " + _("Three of: capital letters, small letters, digits, other characters.")
        return text


def kinds_of_characters(password: str) -> int:
    """Return how many of capitals, small letters, digits and others occur (Chinese characters count as others)."""
    ascii_letters = [c for c in password if c.isascii() and c.isalpha()]
    return sum(
        (
            any(c.isupper() for c in ascii_letters),
            any(c.islower() for c in ascii_letters),
            any(c.isdigit() for c in password),
            any(not c.isdigit() and not (c.isascii() and c.isalpha()) for c in password),
        )
    )


def made_of_bank_words(password: str) -> bool:
    """Return whether, without the bank's words, digits and signs, fewer than four characters of one's own remain."""
    for text in (password.casefold(), password.casefold().translate(_LOOKALIKES)):
        rest, found = _BANK_WORDS.subn("", text)
        if found and sum(c.isalpha() for c in rest) < _LEAST_OWN:
            return True
    return False


def used_before(user, password: str) -> bool:
    """Return whether the password is the present one or among the last five."""
    encoded = [row.encoded for row in user.old_passwords.order_by("-set_at", "-pk")[:REMEMBERED]]
    if user.has_usable_password() and user.password not in encoded:
        encoded.append(user.password)
    return any(check_password(password, old) for old in encoded)


def must_change(user, at: datetime.datetime) -> bool:
    """Return whether the password is older than the profile allows. An unknown age counts as too old."""
    if settings.PASSWORD_PROFILE != "cn-mlps3":
        return False
    return user.password_set_at is None or at - user.password_set_at > ROTATION
