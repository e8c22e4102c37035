"""What every log line passes: personal data is masked, control characters are encoded, one event is one line.

A caller can always write a phone number into a log by mistake, mostly inside an exception's text. The filter sits on
the handler, so it sees what every library says too.
"""

import datetime
import logging
import re
import traceback
from contextvars import ContextVar

# Set per request by crm.core.requests; empty in unattended work.
request_id: ContextVar[str] = ContextVar("request_id", default="-")
user_id: ContextVar[str] = ContextVar("user_id", default="-")

_EMAIL = re.compile(r"[\w.+\-]{1,64}@[\w\-]{1,63}(?:\.[\w\-]{1,63}){1,8}")
_ONE_TIME_LINK = re.compile(r"(/welcome/)[\w\-]{16,}")
_CIPHERTEXT = re.compile(r"\b(a256gcm|sm4gcm)\.([\w\-]{1,40})\.[\w\-]{16}\.[\w\-]{22,}")
# A citizen's number ends in a digit or X; cards and accounts have 16 digits or more, spaced, dashed or not. A date is
# looked for first, so that it neither looks like the head of a number nor hides the number after it.
_LONG_NUMBER = re.compile(r"(?<!\d)(?P<date>(?:19|20)\d\d-[01]\d-[0-3]\d)(?!\d)|\d(?:[ \-]?\d){14,}[Xx]?")
_PHONE = re.compile(r"(?<!\d)(?:\+?86[ \-]?|0)?[1１][3-9３-９]\d(?:[ \-]?\d{4}){2}(?!\d)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def without_personal_data(text: str) -> str:
    """Return ``text`` with phones, citizen, card and account numbers, e-mails and one-time links made unreadable."""
    text = _ONE_TIME_LINK.sub(r"\1****", text)
    text = _CIPHERTEXT.sub(r"\1.\2.****", text)
    text = _EMAIL.sub("****@****", text)
    text = _LONG_NUMBER.sub(_mask_number, text)
    return _PHONE.sub(lambda found: "****" + found[0][-2:], text)


def on_one_line(text: str) -> str:
    """Return ``text`` with line ends and other control characters written as \\n or \\u0000: no forged lines."""
    return _CONTROL.sub(lambda found: _ESCAPES.get(found[0], f"\\u{ord(found[0]):04x}"), text)


_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _mask_number(found: re.Match) -> str:
    return found[0] if found["date"] else "****" + found[0][-2:]


class PersonalDataFilter(logging.Filter):
    """Rewrites the record itself, so that every handler behind it gets the clean text."""

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            message = record.getMessage()
        except (TypeError, ValueError, KeyError):
            # Arguments that do not fit the format must not lose the line, nor show what they hold.
            message = f"{record.msg} (arguments do not fit)"
        record.msg, record.args = on_one_line(without_personal_data(message)), None
        if record.levelno < logging.ERROR:
            record.exc_info = record.exc_text = (
                None  # a refusal is no fault: who and what, not how it came about
            )
        if record.exc_info:
            text = "".join(traceback.format_exception(*record.exc_info))
            record.exc_text, record.exc_info = without_personal_data(text), None
        elif record.exc_text:
            record.exc_text = without_personal_data(record.exc_text)
        if record.stack_info:
            record.stack_info = without_personal_data(record.stack_info)
        # Django logs a 404 when the request is over and has left its id behind, but hands the request along.
        request = getattr(record, "request", None)
        record.request_id = getattr(request, "request_id", request_id.get())
        record.user_id = getattr(request, "reader_id", user_id.get())
        return True


class LineFormatter(logging.Formatter):
    """``2026-11-24T01:02:03.004+00:00 INFO crm.core.jobs request=… user=… text`` and the trace, encoded, at its end."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.datetime.fromtimestamp(record.created, datetime.UTC).isoformat(timespec="milliseconds")
        who = f"request={getattr(record, 'request_id', '-')} user={getattr(record, 'user_id', '-')}"
        line = f"{at} {record.levelname} {record.name} {who} {record.getMessage()}"
        if record.exc_info and not record.exc_text:
            record.exc_text = without_personal_data(self.formatException(record.exc_info))
        for more in (record.exc_text, record.stack_info):
            if more:
                line += " | " + more
        return on_one_line(line)
