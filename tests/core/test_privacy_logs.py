"""No log line holds personal data, and no value can forge a second line."""

import io
import logging

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crm.core.privacy import crypto, logs

CANARIES = [
    "13812345678",
    "138 1234 5678",
    "138-1234-5678",
    "+8613812345678",
    "013812345678",
    "11010519491231002X",
    "11010519491231002x",
    "6222021234567890",
    "6222 0212 3456 7890 123",
    "6222-0212-3456-7890",
    "zhang.wei@bank.example",
    "１３８１２３４５６７８",
]
around = st.sampled_from(
    ["", " ", "\n", "'", '"', ",", "=", ":", "(", "；", "电话", "2026-11-24 ", "x=", "a.", "["]
)


@pytest.fixture
def written():
    """A logger of the product's own filter and format, and what it wrote."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(logs.PersonalDataFilter())
    handler.setFormatter(logs.LineFormatter())
    log = logging.getLogger("test.privacy")
    log.handlers, log.propagate = [handler], False
    log.setLevel(logging.DEBUG)
    yield log, stream
    log.handlers, log.propagate = [], True


@given(st.sampled_from(CANARIES), around, around)
@example("6222021234567890", "2026-11-24 ", "")
@example("6222021234567890123", "no.", "")
def test_a_canary_in_a_message_is_not_readable(canary, before, after):
    line = logs.without_personal_data(f"{before}{canary}{after}")
    assert canary not in line
    assert canary[4:9] not in line


@pytest.mark.parametrize(
    "harmless",
    [
        "2026-11-24 08:00:00",
        "2026-11-24T08:00:00.123+00:00 rows=12345678",
        "batch 2026-11-22 12 files",
        "amount=98123456.10",
        "run 17",
    ],
)
def test_dates_counts_and_amounts_stay_readable(harmless):
    assert logs.without_personal_data(harmless) == harmless


def test_messages_arguments_and_traces_are_clean(written):
    log, stream = written
    log.info("call %s", CANARIES[0])
    log.info("row %(a)s", {"a": CANARIES[5]})
    try:
        raise ValueError(f"bad value {CANARIES[7]}")
    except ValueError:
        log.exception("failed for %s", CANARIES[10])
    log.warning(CANARIES[9] + " %s %s", "one argument only")
    out = stream.getvalue()
    assert out.count("\n") == 4
    assert "ValueError" in out and "test_privacy_logs.py" in out
    assert not [canary for canary in CANARIES if canary in out]


@given(st.text(max_size=60))
def test_whatever_is_logged_is_one_line_of_printable_text(value):
    line = logs.on_one_line(value)
    assert len(line.splitlines()) <= 1
    assert not any(ord(c) < 32 or ord(c) == 127 for c in line)


def test_a_line_says_when_where_and_who(written):
    log, stream = written
    marks = logs.request_id.set("r1"), logs.user_id.set("7")
    log.error("broken\nINFO forged")
    logs.request_id.reset(marks[0])
    logs.user_id.reset(marks[1])
    line = stream.getvalue()
    assert (
        line.startswith("20") and "+00:00 ERROR test.privacy request=r1 user=7 broken\\nINFO forged" in line
    )


def test_ciphertexts_and_one_time_links_do_not_reach_the_log():
    token = crypto.encrypt("x", "t/c/1")
    assert token.split(".")[3] not in logs.without_personal_data(f"wrote {token}")
    assert "kZ3" not in logs.without_personal_data("GET /welcome/kZ3aaaaaaaaaaaaaaaaaaaaaaa/ 200")


def test_fifty_kilobytes_of_anything_take_no_time():
    import time

    started = time.process_time()
    for hostile in ("a" * 50_000, "1 " * 25_000, "a@" * 25_000, "a." * 25_000, "1" * 50_000, "+86" * 16_000):
        logs.without_personal_data(hostile)
    assert time.process_time() - started < 2


@pytest.mark.django_db
def test_a_page_that_is_not_there_is_logged_under_its_request_and_reader(client, settings):
    from tests.core.people import make_user

    user = make_user()
    client.force_login(user)
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(logs.PersonalDataFilter())
    handler.setFormatter(logs.LineFormatter())
    logging.getLogger("django.request").addHandler(handler)
    response = client.get("/no-such-page/13812345678/")
    logging.getLogger("django.request").removeHandler(handler)
    line = stream.getvalue()
    assert f"request={response['X-Request-ID']} user={user.pk} Not Found" in line
    assert "13812345678" not in line
