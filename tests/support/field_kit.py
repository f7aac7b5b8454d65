"""The kit every field type passes: examples of each, and the round trip through real PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from hypothesis import strategies as st
from psycopg.sql import SQL, Identifier

from app.metadata import fieldtypes
from app.metadata.fieldtypes.base import Coercion
from app.metadata.fieldtypes.file import StoredFile
from app.metadata.model import Field, Option
from tenants.textcursor import TextCursor
from tests.support.field_measures import MEASURES, TEXTS, Examples

if TYPE_CHECKING:
    import psycopg

CONTEXT: Final = Coercion(
    currency="EUR",
    timezone="Europe/Berlin",
    region="DE",
    now=datetime(2026, 11, 22, 12, 0, tzinfo=UTC),
    today=date(2026, 11, 22),
)
COMMA: Final = replace(CONTEXT, decimal_comma=True)
AN_ID: Final = "0198f3c2-7c3a-7b1e-9a52-3f0e6f2f8a11"
_NUMBERS: Final = st.decimals(min_value=-(10**17), max_value=10**17, places=6)
_OPTIONS: Final = {
    name: Option(name, label, rank=rank)
    for rank, (name, label) in enumerate({"new": "New", "won": "Won deal", "gone": "Gone"}.items())
    for rank in [str(rank)]
}


def field_of(name: str, **more: Any) -> Field:
    """A field of the type called ``name``, with options and targets where the type has them."""
    to = ("company", "task") if name == "reference" else ("company",) if name == "link" else ()
    kind = fieldtypes.get(name).specialise(to)
    options = _OPTIONS if name in {"select", "multi_select", "stage", "pipeline"} else {}
    return Field(name="x", type=kind, label="X", columns=kind.columns("x"), options=options, to=to, **more)


def round_trip(connection: psycopg.Connection[Any], one: Field, value: object) -> tuple[object, object]:
    """Store ``value`` in a table of the field's columns; what ``decode`` and what ``json_sql`` read back."""
    names = [Identifier(column.name) for column in one.columns]
    columns = SQL(", ").join(
        SQL("{} ").format(name) + SQL(column.sql_type)  # pyright: ignore[reportArgumentType]
        for name, column in zip(names, one.columns, strict=True)
    )
    table = Identifier(f"kit_{one.type.name}")
    connection.execute(SQL("create temp table if not exists {} ({})").format(table, columns))
    json_sql = SQL(one.type.json_sql([name.as_string() for name in names]))  # pyright: ignore[reportArgumentType]
    cursor = TextCursor(connection)
    cursor.execute(
        SQL("insert into {} values ({}) returning {}, jsonb_build_object('x', {})").format(
            table, SQL(", ").join(SQL("%s") for _ in names), SQL(", ").join(names), json_sql
        ),
        one.type.bind(value),
    )
    row = cursor.fetchone()
    assert row is not None
    return one.type.decode(row[: len(names)]), row[-1]["x"]


def entry(
    value: str, typed: str = "", *, label: str = "", primary: bool = True, valid: bool = True
) -> dict[str, object]:
    """An entry of emails or phones as JSON."""
    return {"value": value, "label": label, "primary": primary, "valid": valid, "typed": typed or value}


_TEXT = Examples(
    good=[("Acme", "Acme"), ("  kept as typed ", "  kept as typed "), ("", None), ("زبان\u200b", "زبان\u200b")],
    bad=[("a\0b", "text.nul"), (3, "text.type"), ("\ud800", "text.surrogate"), ("x" * 250_001, "text.too_long")],
    cells=[("Acme ", "Acme ")],
    anything=TEXTS,
)
_OPTION = Examples(
    good=[("new", "new"), ("Won deal", "won"), (" WON ", "won"), ("", None)],
    bad=[("lost", "option.unknown"), (1, "option.type")],
    cells=[("won DEAL", "won")],
    anything=st.sampled_from(["new", "won", "gone", None, "", "NEW", "Won deal"]),
)
_PHONE: Final = "+493012345678"

_A_FILE: Final = {
    "id": AN_ID, "name": "a.pdf", "type": "application/pdf", "size": 3, "url": f"/api/v1/files/{AN_ID}",
}  # fmt: skip
KIT: Final[dict[str, Examples]] = {
    "text": _TEXT,
    "long_text": _TEXT,
    "rich_text": Examples(
        good=[
            ("<p>Hi <b>you</b></p>", "<p>Hi <b>you</b></p>"),
            ("<script>alert(1)</script><p onclick='x()'>a</p>", "<p>a</p>"),
            ('<a href="javascript:alert(1)">x</a>', '<a rel="noopener noreferrer nofollow">x</a>'),
            ("a < b", "a &lt; b"),
            ("<p> </p>", None),
            ("<img src=x onerror=alert(1)>", None),
        ],
        bad=[("a\0b", "text.nul"), (3, "text.type")],
        cells=[("a < b\nnext", "<p>a &lt; b</p><p>next</p>"), ("<p>as is</p>", "<p>as is</p>")],
        anything=TEXTS,
    ),
    "integer": Examples(
        good=[(12, 12), ("12", 12), (12.0, 12), (-(2**53) + 1, -(2**53) + 1), ("", None)],
        bad=[(1.5, "integer.fraction"), (2**53, "number.range"), (True, "number.type"), ("a", "number.invalid")],
        cells=[("2,822", 2822), ("13313.0", 13313), ("1 000", 1000), ("(12)", -12)],
        bad_cells=[("12,34,5", "number.invalid"), ("1.5", "integer.fraction")],
        anything=st.integers(-(2**53) + 1, 2**53 - 1),
    ),
    "decimal": Examples(
        good=[("1.50", "1.5"), (0.1, "0.1"), ("1e3", "1000"), (-0.0, "0"), (10**17, "1" + "0" * 17), ("", None)],
        bad=[
            ("NaN", "number.invalid"),
            (float("inf"), "number.invalid"),
            (10**18, "number.range"),
            ("1e-19", "number.scale"),
            ("1e999", "number.range"),
            ([1], "number.type"),
        ],
        cells=[("1,234.50", "1234.5"), ("1'234", "1234"), ("-3.", "-3"), ("12\u00a0345", "12345"), ("5-", "-5")],
        bad_cells=[("12,50", "number.invalid"), ("1.234.567", "number.invalid"), ("abc", "number.invalid")],
        anything=_NUMBERS,
    ),
    "percent": Examples(
        good=[("0.25", "0.25"), (1, "1"), ("25%", "0.25"), (0, "0")],
        bad=[(25, "percent.range"), ("-0.1", "percent.range"), ("x", "number.invalid")],
        cells=[("25 %", "0.25"), ("12.5%", "0.125"), ("0.5", "0.5")],
        bad_cells=[("25", "percent.range")],
        anything=st.decimals(0, 1, places=6),
    ),
    "money": Examples(
        good=[
            (12.5, {"amount": "12.50", "currency": "EUR"}),
            ({"amount": "12", "currency": "jpy"}, {"amount": "12", "currency": "JPY"}),
            ({"amount": "0.0015", "currency": "USD"}, {"amount": "0.0015", "currency": "USD"}),
            ({"amount": 3}, {"amount": "3.00", "currency": "EUR"}),
            ({"amount": None, "currency": "USD"}, None),
            ({"amount": {"amount": "3", "currency": "USD"}}, {"amount": "3.00", "currency": "USD"}),
            (0, {"amount": "0.00", "currency": "EUR"}),
        ],
        bad=[
            ({"amount": 1, "currency": "XQQ"}, "money.currency"),
            ({"amount": 1, "unit": "EUR"}, "money.part"),
            ("twelve", "number.invalid"),
            (True, "number.type"),
        ],
        cells=[
            ("1054", {"amount": "1054.00", "currency": "EUR"}),
            ("$1,234.5", {"amount": "1234.50", "currency": "USD"}),
            ("12.50 USD", {"amount": "12.50", "currency": "USD"}),
            ("CHF 12.50", {"amount": "12.50", "currency": "CHF"}),
            ("-£3", {"amount": "-3.00", "currency": "GBP"}),
        ],
        bad_cells=[("12 apples", "money.invalid"), ("12 XQQ", "money.currency"), ("EUR 3 USD", "money.invalid")],
        anything=st.fixed_dictionaries({"amount": _NUMBERS, "currency": st.sampled_from(["EUR", "JPY", "KWD", "USD"])}),
    ),
    "boolean": Examples(
        good=[(True, True), (False, False), ("yes", True), (None, None)],
        bad=[(1, "boolean.type"), ("maybe", "boolean.invalid")],
        cells=[("Yes", True), ("0", False), ("TRUE", True), (" no ", False), ("", None)],
        anything=st.sampled_from([True, False, None]),
    ),
    "date": Examples(
        good=[
            ("2017-03-01", "2017-03-01"),
            ("0001-01-01", "0001-01-01"),
            ("9999-12-31", "9999-12-31"),
            ("2017-03-01T00:00:00", "2017-03-01"),
        ],
        bad=[
            ("2017-02-30", "date.invalid"),
            ("01/02/2017", "date.invalid"),
            ("2017-03-01T10:00", "date.time"),
            (3, "date.type"),
        ],
        cells=[
            ("1996-07-04 00:00:00.000", "1996-07-04"),
            ("31/12/2017", "2017-12-31"),
            ("12/31/2017", "2017-12-31"),
            ("1.2.2017", "2017-02-01"),
            ("2017/3/1", "2017-03-01"),
            ("Mar 1, 2017", "2017-03-01"),
            ("1 March 2017", "2017-03-01"),
            ("20170301", "2017-03-01"),
            ("5/5/2017", "2017-05-05"),
        ],
        bad_cells=[("01/02/2017", "date.ambiguous"), ("soon", "date.invalid"), ("2017-03-01 10:00", "date.time")],
        anything=st.dates().map(date.isoformat),
    ),
    "datetime": Examples(
        good=[
            ("2026-11-22T11:04:56.123456Z", "2026-11-22T11:04:56.123456Z"),
            ("2026-11-22T11:04:56+02:00", "2026-11-22T09:04:56Z"),
            ("2026-07-01T12:00:00", "2026-07-01T10:00:00Z"),
            ("2026-01-01T12:00:00.1234567Z", "2026-01-01T12:00:00.123456Z"),
            ("2026-01-01", "2025-12-31T23:00:00Z"),
            ("2026-01-01T12:00:00.100Z", "2026-01-01T12:00:00.100000Z"),
            ("0001-01-02T00:00:00Z", "0001-01-02T00:00:00Z"),
        ],
        bad=[("soon", "datetime.invalid"), (17, "datetime.type"), ("0001-01-01T00:00:00+14:00", "datetime.range")],
        cells=[
            ("1996-07-04 00:00:00.000", "1996-07-03T22:00:00Z"),
            ("31.12.2017 14:05", "2017-12-31T13:05:00Z"),
            ("12/31/2017 2:05 PM", "2017-12-31T13:05:00Z"),
        ],
        bad_cells=[("01/02/2017 10:00", "date.ambiguous")],
        anything=st.datetimes(min_value=datetime(2, 1, 1), timezones=st.just(UTC)).map(datetime.isoformat),  # noqa: DTZ001
    ),
    "select": _OPTION,
    "stage": _OPTION,
    "pipeline": _OPTION,
    "multi_select": Examples(
        good=[(["won", "new", "won"], ["new", "won"]), ("new", ["new"]), ([], [])],
        bad=[(["lost"], "option.unknown"), (3, "list.type")],
        cells=[("Won deal; new", ["new", "won"]), ("", [])],
        anything=st.lists(st.sampled_from(["new", "won", "gone"])),
        empty=[],
    ),
    "tags": Examples(
        good=[(["VIP", "vip", " a "], ["VIP", "a"]), ([], []), ([""], [])],
        bad=[(["x" * 101], "text.too_long"), (3, "list.type"), ([3], "text.type"), (["a\0"], "text.nul")],
        cells=[("a, b;c", ["a", "b", "c"])],
        anything=st.lists(TEXTS, max_size=5),
        empty=[],
    ),
    "uuid": Examples(
        good=[(AN_ID, AN_ID), (AN_ID.upper(), AN_ID)],
        bad=[("x", "uuid.invalid"), (3, "uuid.invalid")],
        cells=[(AN_ID, AN_ID)],
        anything=st.uuids().map(str),
    ),
    "link": Examples(
        good=[(AN_ID, AN_ID), ({"id": AN_ID}, AN_ID)],
        bad=[("Acme", "link.invalid"), ({"name": "x"}, "link.invalid")],
        cells=[(AN_ID, AN_ID)],
        anything=st.uuids().map(str),
    ),
    "reference": Examples(
        good=[({"object": "task", "id": AN_ID}, {"object": "task", "id": AN_ID})],
        bad=[
            ({"object": "deal", "id": AN_ID}, "reference.object"),
            ({"object": "task"}, "reference.id"),
            (AN_ID, "reference.type"),
        ],
        cells=[],
        anything=st.fixed_dictionaries({"object": st.sampled_from(["company", "task"]), "id": st.uuids().map(str)}),
    ),
    "url": Examples(
        good=[
            ("example.com", "https://example.com"),
            ("HTTP://Example.COM/Path?q=1#a", "http://example.com/Path?q=1#a"),
            ("//example.com", "https://example.com"),
            ("localhost:8000/x", "https://localhost:8000/x"),
            ("https://bücher.example/ä", "https://xn--bcher-kva.example/ä"),
        ],
        bad=[
            ("javascript:alert(1)", "url.scheme"),
            ("ftp://example.com", "url.scheme"),
            ("https://a b.com", "url.invalid"),
            ("https://user:pw@example.com", "url.invalid"),
            ("#CAJUN.HTM#", "url.host"),
            ("https://", "url.host"),
        ],
        cells=[(" example.com ", "https://example.com")],
        anything=st.from_regex(r"[a-z]{1,10}\.(com|de)/[a-z0-9]{0,9}", fullmatch=True),
    ),
    "domain": Examples(
        good=[
            ("https://www.Example.co.uk/x?y", "example.co.uk"),
            ("jo@mail.example.com", "example.com"),
            ("bücher.de", "xn--bcher-kva.de"),
            ("example.com.", "example.com"),
            ("example.com:8080", "example.com"),
        ],
        bad=[("co.uk", "domain.suffix"), ("nodot", "domain.invalid"), ("10.0.0.1", "domain.invalid")],
        cells=[("WWW.EXAMPLE.COM", "example.com")],
        # eu.com and other short names are public suffixes, which nobody can own
        anything=st.from_regex(r"[a-z]{1,10}-[0-9]\.(com|de)", fullmatch=True),
    ),
    "email": Examples(
        good=[
            ("Rich@Caltech.EDU", "rich@caltech.edu"),
            ("Jo <jo@example.com>", "jo@example.com"),
            ({"value": "a@b.co", "label": "work"}, "a@b.co"),
            ("jo@bücher.example", "jo@bücher.example"),
        ],
        bad=[("x", "email.invalid"), ("a@b@c.de", "email.invalid"), ({"mail": "a@b.co"}, "entry.part")],
        cells=[("rich@caltech.edu", "rich@caltech.edu")],
        anything=st.from_regex(r"[a-z]{1,9}@[a-z]{1,9}\.com", fullmatch=True),
    ),
    "emails": Examples(
        good=[
            (["A@b.co", "c@d.co"], [entry("a@b.co", "A@b.co"), entry("c@d.co", primary=False)]),
            (
                [{"value": "a@b.co"}, {"value": "c@d.co", "primary": True, "label": "work"}],
                [entry("a@b.co", primary=False), entry("c@d.co", label="work")],
            ),
            (["a@b.co", "A@B.co"], [entry("a@b.co")]),
            ([], []),
        ],
        bad=[(["x"], "email.invalid"), (3, "list.type")],
        cells=[("a@b.co; c@d.co", [entry("a@b.co"), entry("c@d.co", primary=False)])],
        anything=st.lists(st.from_regex(r"[a-z]{1,9}@[a-z]{1,9}\.com", fullmatch=True), max_size=4),
        empty=[],
    ),
    "phone": Examples(
        good=[("030 12345678", _PHONE), ("+49 30 1234-5678", _PHONE), ("+999 12345", "+999 12345")],
        bad=[("n/a", "phone.invalid"), ("7" * 101, "text.too_long")],
        cells=[("tel:+493012345678", _PHONE)],
        anything=st.from_regex(r"\+4930[0-9]{6,8}", fullmatch=True),
    ),
    "phones": Examples(
        good=[
            (["030 12345678"], [entry(_PHONE, "030 12345678")]),
            (
                ["+999 12345", "030 12345678"],
                [entry("+999 12345", primary=False, valid=False), entry(_PHONE, "030 12345678")],
            ),
        ],
        bad=[(["none"], "phone.invalid")],
        cells=[
            ("030 12345678; +999 12", [entry(_PHONE, "030 12345678"), entry("+999 12", primary=False, valid=False)])
        ],
        anything=st.lists(st.from_regex(r"\+4930[0-9]{6,8}", fullmatch=True), max_size=4),
        empty=[],
    ),
    "address": Examples(
        good=[
            (
                {"line1": "Obere Str. 57", "city": "Berlin", "country": "Germany"},
                {
                    "line1": "Obere Str. 57",
                    "line2": None,
                    "city": "Berlin",
                    "region": None,
                    "postal_code": None,
                    "country": "DE",
                },
            ),
            ({"city": ""}, None),
        ],
        bad=[
            ({"country": "Atlantis"}, "address.country"),
            ({"town": "x"}, "address.part"),
            ("Berlin", "address.type"),
            ({"city": 3}, "text.type"),
            ({"city": "x" * 256}, "text.too_long"),
        ],
        cells=[],
        anything=st.fixed_dictionaries({"city": TEXTS, "country": st.sampled_from(["DE", "usa", "Korea", None])}),
    ),
    **MEASURES,
    "file": Examples(
        good=[(StoredFile(UUID(AN_ID), "a.pdf", "application/pdf", 3), _A_FILE), ("", None)],
        bad=[
            ("a.pdf", "file.invalid"),
            (7, "file.invalid"),
            ({"id": AN_ID, "path": "/etc"}, "file.invalid"),
            ({"id": "../x"}, "file.invalid"),
        ],
        cells=[],
        anything=st.builds(StoredFile, st.uuids(), TEXTS.filter(bool), st.just("text/plain"), st.integers(1, 2**40)),
    ),
    "image": Examples(
        good=[(StoredFile(UUID(AN_ID), "a.pdf", "application/pdf", 3), _A_FILE), (None, None)],
        bad=[(True, "file.invalid")],
        cells=[],
        anything=st.builds(StoredFile, st.uuids(), TEXTS.filter(bool), st.just("image/png"), st.integers(1, 2**40)),
    ),
}
