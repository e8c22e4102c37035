"""Both languages are complete: what the code says is translated, with its placeholders and punctuation."""

from io import BytesIO

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from crm import catalogue


def test_every_message_is_translated_and_none_is_left_over():
    code = catalogue.found_in_code()
    assert len(code) > 60
    faults = [
        fault
        for language, path in catalogue.language_files().items()
        for fault in catalogue.faults(language, catalogue.read(path), code)
    ]
    assert not faults, "\n".join(faults)


def test_chinese_has_a_file():
    assert "zh_Hans" in catalogue.language_files()


def test_messages_are_found_in_python_and_in_templates():
    code = catalogue.found_in_code()
    places = {name for message in code for name, _line in message.locations}
    assert "crm/shell.py" in places and "templates/_pager.html" in places
    assert code.get("yesterday", context="a day") is not None
    assert code.get("%(number)s row").pluralizable


HEAD = """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"

"""


def chinese(*entries):
    return read_po(BytesIO((HEAD + "\n\n".join(entries)).encode()), locale="zh_Hans")


def english(*messages):
    result = Catalog()
    for message in messages:
        result.add(message)
    return result


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ('msgid "%(n)s rows"\nmsgstr "%(m)s 行"', "placeholders differ"),
        ('msgid "%(n)s rows"\nmsgstr "行"', "placeholders differ"),
        ('msgid "%(n)s rows"\nmsgstr ""', "not translated"),
        ('#, fuzzy\nmsgid "%(n)s rows"\nmsgstr "%(n)s 行"', "fuzzy"),
        ('msgid "%(n)s rows"\nmsgstr "共有, %(n)s 行"', "half-width"),
        ('msgid "%(n)s rows"\nmsgstr "共 %(n)s 行."', "half-width"),
        ('msgid "other"\nmsgstr "别的"', "missing"),
        ('msgid "%(n)s rows"\nmsgstr "%(n)s 行"\n\nmsgid "other"\nmsgstr "别的"', "no longer said"),
    ],
)
def test_a_fault_in_a_translation_is_found(entry, fault):
    found = list(catalogue.faults("zh_Hans", chinese(entry), english("%(n)s rows")))
    assert any(fault in line for line in found), found


def test_a_good_translation_has_no_fault():
    good = 'msgid "%(n)s rows"\nmsgstr "共 %(n)s 行，按 12:30 的数据。"'
    assert not list(catalogue.faults("zh_Hans", chinese(good), english("%(n)s rows")))


def test_bringing_a_file_up_to_the_code_keeps_what_is_there_and_invents_nothing():
    known = chinese('# said at the counter\nmsgid "Customer"\nmsgstr "客户"', 'msgid "gone"\nmsgstr "没了"')
    result = catalogue.merged(known, english("Customer", "Branch", "Manager"), {"Branch": "支行"})
    strings = {message.id: message.string for message in result if message.id}
    assert strings == {"Customer": "客户", "Branch": "支行", "Manager": ""}
    assert result.get("Customer").user_comments == ["said at the counter"]
