"""What is asked of an export: which records of an object, which of their fields, written how."""

from __future__ import annotations

from typing import Final

import msgspec

from app.exports.errors import InvalidExport
from app.records.query import Trash  # noqa: TC001 (msgspec reads the annotations)

FORMATS: Final = ("csv", "ndjson")
#: Words for delimiters that are hard to type.
_WORDS: Final = {"comma": ",", "semicolon": ";", "tab": "\t", "\\t": "\t", "pipe": "|"}
_DELIMITERS: Final = (",", ";", "\t", "|")
_MAX_FIELDS: Final = 500


class ExportOptions(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """As given. No ``fields`` means all, no ``sort`` the order in which the records were made.

    ``bom`` marks a CSV file as UTF-8, without which Excel reads accents wrongly.
    """

    object: str
    format: str = "csv"
    fields: list[str] = []
    filter: str = ""
    sort: str = ""
    trash: Trash = ""
    delimiter: str = ","
    bom: bool = False


def checked(options: ExportOptions) -> ExportOptions:
    """The options with the delimiter as a character and each field once. Raises InvalidExport."""
    if options.format not in FORMATS:
        raise InvalidExport.of("format", f"The format is csv or ndjson, not {options.format[:40]!r}.")
    delimiter = _WORDS.get(options.delimiter, options.delimiter)
    if delimiter not in _DELIMITERS:
        raise InvalidExport.of("delimiter", "The delimiter is comma, semicolon, tab or pipe.")
    fields = list(dict.fromkeys(options.fields))
    if fields == [""]:
        raise InvalidExport.of("fields", "Choose at least one column.")
    for name in ("filter", "sort"):
        if "\0" in getattr(options, name):
            raise InvalidExport.of(name, f"The {name} holds the character NUL.", "text.nul")
    if len(fields) > _MAX_FIELDS:
        raise InvalidExport.of("fields", f"At most {_MAX_FIELDS} fields.")
    return msgspec.structs.replace(options, delimiter=delimiter, fields=fields)
