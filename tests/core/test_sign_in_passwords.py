"""What a password must be, in both profiles."""

from types import SimpleNamespace

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from crm.core import passwords

CN = passwords.BankPasswordValidator("cn-mlps3")
ASVS = passwords.BankPasswordValidator("asvs")


def codes(validator, password, user=None):
    try:
        validator.validate(password, user)
    except ValidationError as broken:
        return {error.code for error in broken.error_list}
    return set()


@pytest.mark.parametrize(
    "password", ["Birke-im-Nebel-58", "在江边的小路上走走2026Xy", "x" * 3 + "Q7-lange Wege " * 30]
)
def test_good_ones_pass_in_both_profiles(password):
    assert codes(CN, password) == codes(ASVS, password) == set()


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("Kurz-1x", "short"),
        ("Elf-zeich7n", "short"),
        ("x" * 1025, "long"),
        ("Aa1!Aa1!Aa1!", "common"),
        ("aaaaaaaaaaaaA1", "common"),
        ("Qwertyuiop123", "common"),
        ("Bank2026Bank!!", "bank_words"),
        ("P@ssw0rd-2026-Bank", "bank_words"),
        ("Admin.Welcome.2026", "bank_words"),
        ("Yinhang-Kehu-8888", "bank_words"),
    ],
)
def test_bad_ones_and_why(password, code):
    assert code in codes(CN, password)
    assert code in codes(ASVS, password)


def test_composition_is_asked_for_in_the_chinese_profile_only():
    sentence = "langsam fliesst der fluss"
    assert codes(CN, sentence) == {"simple"}
    assert codes(ASVS, sentence) == set()


@given(st.text(min_size=12, max_size=60))
def test_no_password_breaks_the_rules_themselves(password):
    assert codes(CN, password) >= codes(ASVS, password)


def test_the_user_name_does_not_belong_in_it():
    user = SimpleNamespace(username="zhang12", pk=None)
    assert codes(CN, "Mein-Zhang12-Wald", user) == {"name"}


def test_nothing_is_cut_off_a_long_one():
    from django.contrib.auth.hashers import check_password, make_password

    long = "Q7-lange Wege " * 20
    encoded = make_password(long)
    assert check_password(long, encoded) and not check_password(long[:-1], encoded)
    assert encoded.startswith("argon2")


def test_an_unknown_profile_does_not_start():
    with pytest.raises(ValueError, match="profile"):
        passwords.BankPasswordValidator("none")


@pytest.mark.parametrize("profile", ["cn-mlps3", "asvs"])
def test_the_rules_are_told_before_one_chooses(profile):
    assert "12" in passwords.BankPasswordValidator(profile).get_help_text()
