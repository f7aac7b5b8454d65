"""Delimited text to rows: encoding, delimiter and quoting are found out, ragged rows are told, not shifted."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

from charset_normalizer import from_bytes

from app.imports.errors import InvalidImport

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SAMPLE: Final = 256 * 1024
_CHUNK: Final = 1 << 20
_SAMPLE_ROWS: Final = 500
_DELIMITERS: Final = (",", ";", "\t", "|")
#: A cell longer than this is a quote that was never closed.
_LONGEST_CELL: Final = 2_000_000
#: Of the sample's rows this share must have as many cells as the header before a delimiter is believed.
_AGREEMENT: Final = 0.5
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip


#: Python's notations for host names and its own source: slow on purpose-made input, and no file is written in them.
_NO_FILES: Final = frozenset({"idna", "punycode", "unicode-escape", "raw-unicode-escape"})


#: How files begin that people take for tables of text.
_NO_TEXT: Final = (
    (b"PK\x03\x04", "a workbook or an archive"), (b"\xd0\xcf\x11\xe0", "an old workbook"), (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "compressed"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the file is written.

    ``wrapped``: each line is quoted once more as a whole (a spreadsheet's re-save). ``spaced``: a blank follows each
    delimiter and belongs to no cell.
    """

    encoding: str
    delimiter: str
    wrapped: bool = False
    spaced: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file opened for reading: its header and then its rows with their numbers (the header is row 1)."""

    header: tuple[str, ...]
    rows: Iterator[tuple[int, list[str]]]


def detect(stream: BinaryIO, *, encoding: str = "", delimiter: str = "") -> Dialect:
    """Find out how the file is written; what is given is believed. Leaves the stream at its start."""
    _refuse_other_formats(stream)
    name = _known_encoding(encoding) if encoding else _encoding(stream)
    stream.seek(0)
    text = _decode(stream.read(_SAMPLE), name)
    stream.seek(0)
    if not text.strip():
        raise InvalidImport("The file is empty.")
    cut = text.rpartition("\n")[0] or text
    if delimiter:
        return Dialect(name, delimiter, spaced=_spaced(cut, delimiter))
    found, columns = _best_delimiter(cut)
    if columns == 1:
        inner = "\n".join(row[0] for row in _parse(cut, ",") if len(row) == 1)
        unwrapped, inside = _best_delimiter(inner)
        if inside > 1:
            return Dialect(name, unwrapped, wrapped=True)
    return Dialect(name, found, spaced=_spaced(cut, found))


def _refuse_other_formats(stream: BinaryIO) -> None:
    stream.seek(0)
    start = stream.read(8)
    for magic, what in _NO_TEXT:
        if start.startswith(magic):
            raise InvalidImport(f"The file is {what}, not a table of text. Save it as CSV and import that.")


def _spaced(text: str, delimiter: str) -> bool:
    """Whether every cell but the first of its row begins with a blank."""
    if delimiter == "\t":
        return False
    cells = [cell for row in _parse(text, delimiter)[1:] for cell in row[1:] if cell]
    return bool(cells) and all(cell.startswith(" ") for cell in cells)


def open_sheet(stream: BinaryIO, dialect: Dialect) -> Sheet:
    """Read the header; rows follow lazily. Blank lines and rows without any content are no rows."""
    rows = _rows(stream, dialect)
    header = next(rows, None)
    if header is None:
        raise InvalidImport("The file is empty.")
    return Sheet(clean_header(header[1]), rows)


def _rows(stream: BinaryIO, dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    """Numbered rows, the header's first; the stream stays open when the rows are let go."""
    stream.seek(0)
    text = io.TextIOWrapper(stream, encoding=dialect.encoding, errors="replace", newline="")
    try:
        yield from _numbered(_records(text, dialect))
    finally:
        if not stream.closed:
            text.detach()


def clean_header(cells: Iterable[str]) -> tuple[str, ...]:
    """Names of the columns: trimmed, empty ones numbered, repeated ones told apart."""
    seen: Counter[str] = Counter()
    names: list[str] = []
    for number, cell in enumerate(cells, 1):
        name = " ".join(cell.replace("\ufeff", "").split()) or f"column {number}"
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return tuple(names)


def _records(text: io.TextIOWrapper, dialect: Dialect) -> Iterator[list[str]]:
    csv.field_size_limit(_LONGEST_CELL)
    if not dialect.wrapped:
        ended: list[bool] = []
        lines = _until_ended(text, ended)
        return _closed(csv.reader(lines, delimiter=dialect.delimiter, skipinitialspace=dialect.spaced), ended)
    inner = (row[0] + "\n" for row in csv.reader(text) if row)
    return csv.reader(inner, delimiter=dialect.delimiter)


def _until_ended(lines: Iterable[str], ended: list[bool]) -> Iterator[str]:
    # Not `yield from`: a reader that is let go would close the file with it.
    for line in lines:  # noqa: UP028
        yield line
    ended.append(True)


def _closed(records: Iterator[list[str]], ended: list[bool]) -> Iterator[list[str]]:
    """A reader that met the end of the file before the end of a row was inside of quotes: it swallowed the rest."""
    for record in records:
        if ended:
            raise csv.Error("the next one opens a quote that is never closed")
        yield record


def _numbered(records: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    number = 0
    while True:
        try:
            record = next(records)
        except StopIteration:
            return
        except csv.Error as error:
            raise InvalidImport(f"The file can't be read after row {number}: {error}.") from None
        number += 1
        if any(record):
            yield number, record


def _parse(text: str, delimiter: str) -> list[list[str]]:
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            if any(row):
                rows.append(row)
            if len(rows) >= _SAMPLE_ROWS:
                break
    except csv.Error:
        return rows
    return rows


def _best_delimiter(text: str) -> tuple[str, int]:
    """The delimiter whose rows agree best with their header, and the header's columns."""
    best, best_score, best_columns = ",", 0.0, 1
    for delimiter in _DELIMITERS:
        rows = _parse(text, delimiter)
        if not rows or len(rows[0]) == 1:
            continue
        columns = len(rows[0])
        agreeing = sum(len(row) == columns for row in rows) / len(rows)
        if agreeing >= _AGREEMENT and agreeing + columns / 1000 > best_score:
            best, best_score, best_columns = delimiter, agreeing + columns / 1000, columns
    return best, best_columns


def _encoding(stream: BinaryIO) -> str:
    stream.seek(0)
    start = stream.read(_SAMPLE)
    for bom, name in _BOMS:
        if start.startswith(bom):
            return name
    if b"\x00" in start[:1000]:
        return _sixteen(start[:1000])
    stream.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while chunk := stream.read(_CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return _guess(stream)
    return "utf-8"


def _sixteen(start: bytes) -> str:
    """UTF-16 without a mark: what is ASCII in it has its zeros on one side."""
    left, right = start[::2].count(0), start[1::2].count(0)
    if left and right:
        raise InvalidImport("The file is not text: it holds bytes that no table of text has. Save it as CSV.")
    return "utf-16-le" if right else "utf-16-be"


def _guess(stream: BinaryIO) -> str:
    """Neither marked nor UTF-8: what the bytes look most like, Windows' western set when in doubt."""
    stream.seek(0)
    found = from_bytes(stream.read(_SAMPLE)).best()
    return found.encoding if found is not None and found.encoding not in {"ascii", "utf_8"} else "cp1252"


def _known_encoding(name: str) -> str:
    try:
        found = codecs.lookup(name).name
        # Codecs that unpack archives (bz2, zlib) or turn text into text are known by name too, but read no bytes.
        b"a,b\n".decode(found, "replace")
    except (LookupError, ValueError):
        raise InvalidImport.of("encoding", f"There is no encoding called {name[:40]!r}.") from None
    if found in _NO_FILES:
        raise InvalidImport.of("encoding", f"No file is written in {found}.")
    return "utf-8-sig" if found == "utf-8" else found


def _decode(data: bytes, encoding: str) -> str:
    return codecs.getincrementaldecoder(encoding)(errors="replace").decode(data)
