"""Encryption, blind index, masks, identity checks, C3: what holds for every value."""

import base64
import dataclasses
import os

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from crm.core.privacy import classes, crypto, fields, identity, index, masks

text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80)
cells = st.tuples(st.sampled_from(["a_customer", "a_identity"]), st.sampled_from(["mobile", "email"]), text)
mobiles = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)


@pytest.fixture
def two_keys(settings):
    keys = dataclasses.replace(
        settings.KEYS, data={"old": b"o" * 32, "new": b"n" * 32, "sm": b"s" * 16}, current="old"
    )
    settings.KEYS = keys
    return keys


# --- encryption ---------------------------------------------------------------------------------------------------
@given(text, cells)
def test_what_is_encrypted_is_read_again_in_its_own_cell(plain, place):
    aad = crypto.cell(*place)
    assert crypto.decrypt(crypto.encrypt(plain, aad), aad) == plain


@given(text, cells, cells)
def test_a_ciphertext_copied_to_another_cell_does_not_open(plain, place, other):
    assume(crypto.cell(*place) != crypto.cell(*other))
    with pytest.raises(crypto.Unreadable):
        crypto.decrypt(crypto.encrypt(plain, crypto.cell(*place)), crypto.cell(*other))


@given(st.data())
def test_any_changed_character_is_noticed(data):
    token = crypto.encrypt("13812345678", "t/c/1")
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from("AbZ019-_."))
    assume(token[at] != other)
    changed = token[:at] + other + token[at + 1 :]
    try:
        # The last character of a part may carry spare bits: then the bytes, and so the value, are the same.
        assert crypto.decrypt(changed, "t/c/1") == "13812345678"
        assert [_raw(part) for part in changed.split(".")[2:]] == [
            _raw(part) for part in token.split(".")[2:]
        ]
    except crypto.Unreadable:
        pass


def _raw(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def test_the_same_value_never_looks_the_same_twice():
    assert crypto.encrypt("x", "t/c/1") != crypto.encrypt("x", "t/c/1")


def test_a_ciphertext_names_its_algorithm_and_key(two_keys):
    token = crypto.encrypt("x", "t/c/1")
    assert token.split(".")[:2] == ["a256gcm", "old"]
    assert token.startswith(crypto.current_prefix())
    assert len(token.split(".")) == 4


def test_old_ciphertexts_stay_readable_under_a_new_key_and_a_new_algorithm(two_keys, settings):
    token = crypto.encrypt("张伟", "t/c/1")
    settings.KEYS = dataclasses.replace(two_keys, current="sm")
    assert crypto.encrypt("x", "t/c/1").startswith("sm4gcm.sm.")
    assert crypto.decrypt(crypto.encrypt("张伟", "t/c/1"), "t/c/1") == "张伟"
    assert crypto.decrypt(token, "t/c/1") == "张伟"
    with pytest.raises(crypto.Unreadable):
        crypto.decrypt(crypto.encrypt("张伟", "t/c/1"), "t/c/2")


def test_without_its_key_a_ciphertext_is_refused_with_the_key_named(two_keys, settings):
    token = crypto.encrypt("x", "t/c/1")
    settings.KEYS = dataclasses.replace(two_keys, data={"new": b"n" * 32}, current="new")
    with pytest.raises(crypto.Unreadable, match="old"):
        crypto.decrypt(token, "t/c/1")


@pytest.mark.parametrize(
    "rubbish", ["", "a.b.c.d", "a256gcm.k1..", "a256gcm.k1.AA.AA", "13812345678", "...", "a256gcm.k1.é.é"]
)
def test_rubbish_is_unreadable_not_an_error_page(rubbish):
    with pytest.raises(crypto.Unreadable):
        crypto.decrypt(rubbish, "t/c/1")


# --- blind index --------------------------------------------------------------------------------------------------
@given(mobiles, st.sampled_from(["{}", "+86 {}", "86{}", "0086-{}", " {} ", "+86{}"]))
def test_one_phone_number_has_one_print_however_it_is_written(mobile, form):
    spaced = f"{mobile[:3]} {mobile[3:7]}-{mobile[7:]}"
    wide = "".join(chr(ord(c) + 0xFEE0) for c in mobile)
    first = index.blind_index(mobile, "t", "mobile", "mobile")
    for written in (form.format(mobile), spaced, wide):
        assert index.blind_index(written, "t", "mobile", "mobile") == first


@given(mobiles, mobiles)
def test_different_numbers_have_different_prints_and_columns_do_not_compare(one, other):
    print_ = index.blind_index(one, "t", "mobile", "mobile")
    assert len(print_) == index.PRINT_BYTES
    assert (print_ == index.blind_index(other, "t", "mobile", "mobile")) == (one == other)
    assert print_ != index.blind_index(one, "t", "phone", "mobile")
    assert print_ != index.blind_index(one, "u", "mobile", "mobile")


def test_identity_numbers_compare_without_case_and_spaces():
    one = index.blind_index("11010519491231002x", "t", "number", "identity")
    assert one == index.blind_index("110105 19491231 002X", "t", "number", "identity")


def test_the_print_depends_on_the_index_key_alone(settings):
    before = index.blind_index("13812345678", "t", "mobile", "mobile")
    settings.KEYS = dataclasses.replace(settings.KEYS, data={"z": b"z" * 32}, current="z")
    assert index.blind_index("13812345678", "t", "mobile", "mobile") == before
    settings.KEYS = dataclasses.replace(settings.KEYS, index=os.urandom(32))
    assert index.blind_index("13812345678", "t", "mobile", "mobile") != before


# --- masks --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("mobile", "13812345678", "138****5678"),
        ("mobile", "+86 138-1234-5678", "138****5678"),
        ("identity", "11010519491231002X", "110***********002X"),
        ("account", "6222021234567890123", "****0123"),
        ("card", "4111111111111111", "****1111"),
        ("email", "zhang.wei@bank.example", "z***@bank.example"),
        ("email", "z@bank.example", "***@bank.example"),
        ("email", "no address", "****"),
        ("address", "北京市朝阳区建国路88号", "北京市朝阳区****"),
        ("address", "江苏省昆山市人民路1号", "江苏省昆山市****"),
        ("address", "福建省福州市鼓楼区五四路", "福建省福州市鼓楼区****"),
        ("address", "内蒙古自治区呼和浩特市新城区中山路", "内蒙古自治区呼和浩特市新城区****"),
        ("address", "朝阳小区5号", "****"),
        ("address", "12 Main Street", "****"),
        ("name", "张伟", "张*"),
        ("name", "欧阳娜娜", "欧阳*"),
        ("name", "㐂𠮷", "㐂*"),
        ("note", "calls in the evening", "****"),
        ("unheard_of", "13812345678", "****"),
        ("mobile", "", ""),
        ("mobile", None, ""),
    ],
)
def test_the_table_of_masks(kind, value, shown):
    assert masks.mask(kind, value) == shown


@given(
    st.sampled_from(["mobile", "phone", "identity", "account", "card"]),
    st.text("0123456789X", min_size=1, max_size=24),
)
def test_a_number_shows_at_most_seven_characters_and_hides_four_or_more(kind, value):
    shown = masks.mask(kind, value).replace("*", "")
    assert len(shown) <= 7
    assert len(value) - len(shown) >= min(4, len(value))


@given(text)
def test_an_address_never_shows_a_digit(value):
    assert not any(c.isdigit() for c in masks.mask("address", value))


@given(st.emails())
def test_an_email_never_shows_more_than_one_letter_of_its_name(value):
    local = value.rpartition("@")[0]
    shown = masks.mask("email", value).rpartition("@")[0].replace("*", "")
    assert len(shown) <= 1 and (len(local) > 1 or not shown)


def test_a_firm_is_named_in_full_and_a_person_only_to_those_who_serve_him():
    assert masks.name_for("远航贸易有限公司", firm=True, in_full=False) == "远航贸易有限公司"
    assert masks.name_for("张伟", firm=False, in_full=True) == "张伟"
    assert masks.name_for("张伟", firm=False, in_full=False) == "张*"


# --- identity numbers ---------------------------------------------------------------------------------------------
WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]


@pytest.mark.parametrize("digit", "0123456789X")
def test_a_citizen_number_has_exactly_one_right_check_character(digit):
    head = "11010519491231002"
    expected = "10X98765432"[sum(int(d) * w for d, w in zip(head, WEIGHTS, strict=True)) % 11]
    assert expected == "X"
    assert identity.citizen_id_valid(head + digit) is (digit == expected)


@pytest.mark.parametrize(
    "number",
    ["11010519490231002X", "110105194912310021", "1101051949123100", "0" * 18, "11010519491331002X", ""],
)
def test_wrong_citizen_numbers(number):
    assert identity.citizen_id_valid(number) is False


def test_credit_codes_by_the_standard():
    assert identity.uscc_valid("91350100M000100Y43")
    assert not identity.uscc_valid("91350100M000100Y44")
    assert not identity.uscc_valid("9135O100M000100Y43")
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    head = "N2341000MA2XXXXX1"  # a farmers' cooperative begins with a letter
    total = sum(alphabet.index(c) * pow(3, i, 31) for i, c in enumerate(head))
    assert identity.uscc_valid(head + alphabet[(31 - total % 31) % 31])


def test_phones_and_cards():
    assert identity.mobile_valid("138 1234 5678") and not identity.mobile_valid("12812345678")
    assert identity.card_valid("4111 1111 1111 1111") and not identity.card_valid("4111111111111112")


@pytest.mark.parametrize(
    ("id_type", "number", "judged"),
    [
        ("citizen_id", "11010519491231002X", True),
        ("居民身份证", "110105194912310021", False),
        ("USCC", "91350100M000100Y43", True),
        ("birth_number", "535107/1234", None),
        ("passport", "E12345678", None),
        (None, "11010519491231002X", None),
        ("citizen_id", None, None),
    ],
)
def test_a_number_is_judged_by_its_type_and_an_unknown_type_is_not(id_type, number, judged):
    assert identity.identity_valid(id_type, number) is judged


# --- C3 -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "name",
    [
        *("password", "Card CVV2", "cvn", "track_2", "track2", "PIN", "pinBlock", "face_image", "otp"),
        *("登录密码", "指纹", "人脸特征"),
    ],
)
def test_credentials_and_biometrics_are_refused_by_name(name):
    with pytest.raises(classes.NeverStored, match=r"column"):
        classes.refuse_c3(["customer_no", name])


def test_the_expiry_of_a_card_is_refused_beside_its_number_only():
    with pytest.raises(classes.NeverStored):
        classes.refuse_c3(["card_no", "valid_thru"])
    classes.refuse_c3(["account_no", "valid_thru"])


def test_the_columns_of_the_feed_are_none_of_them():
    columns = (
        "customer_no kind name branch_no manager_no opened_on id_type id_no id_expires_on mobile email address opinion "
        "risk_tolerance account_no matures_on share_percent counterparty_account memo shipping_note tracking_no"
    )
    classes.refuse_c3(columns.split())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("card 4111111111111111, thanks", "card ****1111, thanks"),
        ("卡号4111 1111 1111 1111已挂失", "卡号****1111已挂失"),
        ("2 cards: 4111-1111-1111-1111 4111-1111-1111-1111", "2 cards: ****1111 ****1111"),
        ("12 4111 1111 1111 1111", "12 ****1111"),
        ("order 4111111111111112", "order 4111111111111112"),
        ("13812345678", "13812345678"),
        ("４１１１１１１１１１１１１１１１", "****１１１１"),
    ],
)
def test_card_numbers_in_free_text_keep_their_last_four(before, after):
    assert classes.mask_cards(before) == after


def test_hostile_text_is_searched_for_cards_in_no_time():
    import time

    started = time.process_time()
    for hostile in ("1 " * 25_000, "1-" * 25_000, "4" * 50_000, "411111111111111 " * 3_000):
        classes.mask_cards(hostile)
    assert time.process_time() - started < 2


def test_the_loader_gets_ciphertext_print_and_mask_at_once():
    got = fields.protect("13812345678", "customers_customer", "mobile", "C001", "mobile")
    assert crypto.decrypt(got.ciphertext, "customers_customer/mobile/C001") == "13812345678"
    assert got.print == index.blind_index("13812345678", "customers_customer", "mobile", "mobile")
    assert got.mask == "138****5678"
    assert (
        fields.protect(None, "t", "c", "1", "mobile")
        == fields.protect("", "t", "c", "1", "mobile")
        == (None, None, "")
    )
