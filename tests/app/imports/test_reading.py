"""Files of every dialect are read as their authors meant them."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from app.imports.errors import InvalidImport
from app.imports.reading import Dialect, detect, open_sheet

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
needs_data = pytest.mark.skipif(
    not DATA.is_dir(), reason="the test data folder ../shared/data is not beside the checkout"
)

#: No answer to these: one file's own answer differs from it, two are not comma-separated tables.
SPECTRUM = (
    "comma_in_quotes", "empty", "empty_crlf", "escaped_quotes", "json", "newlines", "newlines_crlf",
    "quotes_and_newlines", "simple", "simple_crlf", "utf8",
)  # fmt: skip


def read(data: bytes, **given: str) -> tuple[Dialect, tuple[str, ...], list[list[str]]]:
    stream = io.BytesIO(data)
    dialect = detect(stream, **given)
    sheet = open_sheet(stream, dialect)
    return dialect, sheet.header, [row for _, row in sheet.rows]


@needs_data
@pytest.mark.parametrize("name", SPECTRUM)
def test_csv_spectrum_is_read_as_its_answers_say(name: str) -> None:
    folder = DATA / "validation" / "csv_spectrum"
    _, header, rows = read((folder / "csvs" / f"{name}.csv").read_bytes())
    expected = json.loads((folder / "json" / f"{name}.json").read_text())
    assert [dict(zip(header, row, strict=True)) for row in rows] == expected


@needs_data
def test_every_table_of_the_data_folder_has_the_shape_counted_elsewhere() -> None:
    shapes = json.loads((DATA / "expected" / "csv_shapes.json").read_text())
    wrong: list[object] = []
    checked = 0
    for name, shape in shapes.items():
        path = DATA / name
        if not path.is_file() or shape["columns"] == 1 or "csv_spectrum" in name or "bank_marketing" in name:
            continue
        dialect, header, rows = read(path.read_bytes())
        checked += 1
        ragged = sum(len(row) != len(header) for row in rows)
        found = (dialect.delimiter, len(header), len(rows), ragged)
        wanted = (shape["delimiter"], shape["columns"], shape["data_rows"], shape["rows_with_other_length"])
        if found != wanted:
            wrong.append((name, found, wanted))
    assert checked > 50
    assert not wrong


@needs_data
def test_a_file_whose_lines_were_quoted_once_more_is_unwrapped() -> None:
    path = DATA / "marketing" / "bank_marketing"
    file = next(path.glob("*.csv"))
    dialect, header, rows = read(file.read_bytes())
    assert (dialect.wrapped, dialect.delimiter, len(header), len(rows)) == (True, ";", 21, 4119)
    assert dialect.encoding == "utf-8-sig"


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8", "name,city\nÄrzte,Zürich\n"),
        ("utf-8-sig", "name,city\nÄrzte,Zürich\n"),
        ("utf-16", "name,city\nÄrzte,Zürich\n"),
        ("utf-16-le", "name,city\nÄrzte,Zürich\n"),
        ("utf-16-be", "name,city\n北京,上海\n"),
        ("cp1252", "name,city\n" + "Müller & Söhne Bäckerei,Köln\n" * 20),
    ],
)
def test_encodings_are_found_out(encoding: str, text: str) -> None:
    _, header, rows = read(text.encode(encoding))
    assert header == ("name", "city")
    assert rows[0] == text.splitlines()[1].split(",")


def test_semicolons_tabs_and_pipes_are_found_out() -> None:
    for delimiter in ";\t|":
        dialect, header, rows = read(f"name{delimiter}amount\nAcme, Inc{delimiter}1,5\n".encode())
        assert (dialect.delimiter, header, rows) == (delimiter, ("name", "amount"), [["Acme, Inc", "1,5"]])


def test_headers_are_trimmed_and_told_apart() -> None:
    _, header, _ = read(b" name ,,name,\n1,2,3,4\n")
    assert header == ("name", "column 2", "name (2)", "column 4")


def test_blank_lines_are_no_rows_and_keep_no_number() -> None:
    _, _, rows = read(b"a,b\n\n1,2\n,\n\n3,4\n")
    assert rows == [["1", "2"], ["3", "4"]]


def test_a_blank_after_each_comma_belongs_to_no_cell_other_blanks_stay() -> None:
    _, header, rows = read(b'id, given, age\n1, ann, 7\n2, "bo, b", 8\n')
    assert (header, rows) == (("id", "given", "age"), [["1", "ann", "7"], ["2", "bo, b", "8"]])
    assert read(b"id,given\n1, ann\n2,bob \n")[2] == [["1", " ann"], ["2", "bob "]]


def test_an_empty_file_and_an_unknown_encoding_are_refused() -> None:
    with pytest.raises(InvalidImport, match="empty"):
        read(b"")
    with pytest.raises(InvalidImport, match="no encoding"):
        read(b"a,b\n", encoding="klingon")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04\x14\x00\x06\x00[Content_Types].xml", "a workbook or an archive, not a table of text"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old workbook"),
        (b"%PDF-1.7\n", "a PDF"),
        (b"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00", "not text"),
    ],
)
def test_what_is_no_text_is_refused_by_name(content: bytes, said: str) -> None:
    with pytest.raises(InvalidImport, match=said):
        read(content)


def test_a_quote_that_is_never_closed_does_not_swallow_the_rest_of_the_file() -> None:
    content = b'name,city\nAcme,Bonn\n"Big, Rome\nCo,Oslo\n'
    with pytest.raises(InvalidImport, match="after row 2: the next one opens a quote that is never closed"):
        read(content)
    assert read(b'name\n"Big\nCo"')[2] == [["Big\nCo"]]
    assert read(b'name\n6" pipe\n')[2] == [['6" pipe']]
