"""Why a batch or a row was not taken, as codes with values: said in English in the ledger, in the reader's language on
a screen."""

from django.utils import translation
from django.utils.translation import gettext_lazy as _

REASONS = {
    "unreadable_batch": _("%(path)s is neither a folder nor a .zip or .tar.gz archive that can be read."),
    "no_manifest": _("%(path)s holds no manifest.json."),
    "archive_climbs": _("The archive holds %(name)s, which leads out of its folder."),
    "archive_not_plain": _("%(name)s is a link or a device; a batch holds plain files only."),
    "archive_too_large": _("The batch unpacks to more than %(limit)s bytes."),
    "archive_ratio": _("%(name)s unpacks to more than %(limit)s times its size."),
    "archive_entries": _("The batch holds more than %(limit)s entries."),
    "manifest_json": _("manifest.json cannot be read: %(problem)s."),
    "manifest_field": _("manifest.json: %(field)s is %(found)s; expected %(expected)s."),
    "file_missing": _("%(file)s is in the manifest but not in the batch."),
    "file_not_listed": _("%(file)s is in the batch but not in the manifest."),
    "file_unknown": _("%(file)s is no file of the feed format."),
    "checksum": _("%(file)s: its sha256 is %(found)s; the manifest says %(expected)s."),
    "row_count": _("%(file)s: it holds %(found)s rows; the manifest says %(expected)s."),
    "control_total": _("%(file)s: the sum of %(column)s in %(currency)s is %(found)s; the manifest says %(expected)s."),
    "control_column": _("%(file)s: %(column)s is no column of amounts that the file has."),
    "control_unreadable": _("%(file)s, line %(line)s: the amount in %(column)s cannot be read, so its control total cannot be proven."),
    "encoding": _("%(file)s: the bytes near line %(line)s are not valid %(encoding)s."),
    "nul": _("%(file)s, line %(line)s: it holds a NUL character."),
    "no_header": _("%(file)s has no header row."),
    "column_unknown": _("%(file)s: unknown column %(column)s; is the delimiter “%(delimiter)s” right?"),
    "column_c3": _("%(file)s: column %(column)s would hold credentials or biometrics, which are never stored."),
    "column_twice": _("%(file)s: column %(column)s stands twice in the header."),
    "column_missing": _("%(file)s: the required column %(column)s is missing."),
    "too_many_rejects": _("%(rejected)s of %(read)s rows break a rule; more than the allowed share of %(share)s."),
    "gap": _("The batch is for %(found)s; the next one expected from %(source)s is %(expected)s."),
    "before_first": _("The batch is for %(found)s; the first batch of %(source)s is of %(expected)s."),
    "correction": _("%(source)s already delivered another batch for %(found)s; a correction needs --replace."),
    "nothing_found": _("%(path)s holds no batch."),
}  # fmt: skip

ROW_REASONS = {
    "required": _("a required value is missing"),
    "bad_date": _("not a date (YYYY-MM-DD)"),
    "bad_time": _("not a time with an offset (ISO 8601)"),
    "bad_amount": _("not an amount"),
    "bad_number": _("not a number"),
    "too_precise": _("more decimals than can be kept"),
    "out_of_range": _("outside the range that can be kept"),
    "bad_currency": _("not a currency code"),
    "unknown_code": _("not a code of the list"),
    "too_long": _("longer than can be kept"),
    "future": _("a date after the business date"),
    "malformed": _("not a row of the file's columns"),
    "unknown_key": _("refers to a key that is not known"),
    "duplicate_key": _("the key stood earlier in the file"),
    "out_of_order": _("ends before it begins"),
    "refers_to_itself": _("refers to itself"),
    "circle": _("the branch would stand below itself"),
}


def text(code: str, values: dict) -> str:
    """Return the sentence for a refusal in the active language."""
    return str(REASONS[code]) % values if code in REASONS else code


class Refused(Exception):
    """The batch is refused whole. ``code`` is a key of REASONS, ``values`` fills its sentence."""

    def __init__(self, code: str, **values: object) -> None:
        self.code = code
        self.values = {name: str(value)[:300] for name, value in values.items()}
        with translation.override("en"):
            super().__init__(text(code, self.values))
