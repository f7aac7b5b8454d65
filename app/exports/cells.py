"""Values in their JSON form as texts that an import reads back, and records as the bytes of a file."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from app.core.spreadsheets import guarded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from app.exports.columns import Layout
    from app.records.query import JSONRecord

BOM: Final = b"\xef\xbb\xbf"
_encoder: Final = msgspec.json.Encoder()
#: An item with one of these, or around which there is space, would be read back as something else.
_SEPARATING: Final = re.compile(r"[;,|\r\n]|^\s|\s$|^$|^\[")


def text_of(value: object) -> str:
    """The text of a value; lists that separators can't tell of exactly are written as JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return _list(cast("list[Any]", value))
    return _encoder.encode(value).decode() if isinstance(value, dict) else str(value)


def _list(items: list[Any]) -> str:
    texts = [item if isinstance(item, str) else _plain_entry(item, first=at == 0) for at, item in enumerate(items)]
    if any(text is None or _SEPARATING.search(text) for text in texts):
        return _encoder.encode(items).decode()
    return "; ".join(cast("list[str]", texts))


def _plain_entry(item: object, *, first: bool) -> str | None:
    """The value of an entry of a list (addresses, numbers) that says nothing more than its value and its place."""
    if not isinstance(item, dict):
        return str(item)
    entry = cast("dict[str, Any]", item)
    value = str(entry.get("value") or "")
    plain = not entry.get("label") and entry.get("typed") in (None, value) and entry.get("valid") is not False
    return value if plain and bool(entry.get("primary")) == first else None


def csv_head(layout: Layout, delimiter: str, *, bom: bool) -> bytes:
    """The first row."""
    return (BOM if bom else b"") + _rows([[column.header for column in layout.columns]], delimiter)


def csv_rows(
    layout: Layout, records: Iterable[JSONRecord], titles: Mapping[tuple[str, str], str], delimiter: str
) -> bytes:
    """A row a record (RFC 4180), safe to open in a spreadsheet."""
    columns = layout.columns
    return _rows([[guarded(column.text(record, titles)) for column in columns] for record in records], delimiter)


def json_lines(records: Iterable[JSONRecord]) -> bytes:
    """A line a record, as the API shows it; the id is always there."""
    return _encoder.encode_lines(records)


def _rows(rows: Iterable[Sequence[str]], delimiter: str) -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return buffer.getvalue().encode()
