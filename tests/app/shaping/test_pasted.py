"""Fields written or pasted as lines: what is read, and what a line says that can't be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.shaping.pages.cards import Card, groups
from app.shaping.pages.pasted import MOST, read
from app.shaping.pages.rows import ELSEWHERE, Row

OBJECTS = {"company": ["Company", "Companies", "Firma"], "member": ["Member"]}
CARDS = [card for _, cards in groups() for card in cards if card.type not in ELSEWHERE]
_MORE = {"link": "Company", "select": "New, Used", "multi_select": "New, Used", "formula": "price * 0.8"}


def one(line: str) -> Row:
    found = read(line, OBJECTS)
    assert (found.messages, found.left) == ((), ())
    (row,) = found.rows
    return row


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.type)
def test_each_type_is_known_by_its_label_and_by_its_name_in_any_case(card: Card) -> None:
    more = f" ({_MORE[card.type]})" if card.type in _MORE else ""
    for word in (card.label, card.type, card.label.upper(), card.type.replace("_", "-")):
        assert one(f"Thing: {word}{more}").type == card.type


@pytest.mark.parametrize(
    ("line", "row"),
    [
        ("Price: Money", Row("Price", "money")),
        ("Serial number", Row("Serial number")),
        ("\tSerial number", Row("Serial number")),
        ("Serial number:", Row("Serial number")),
        ("Price (EUR)", Row("Price (EUR)")),
        ("  - Price : e-mail ", Row("Price", "email")),
        ("Ratio 1:2: Decimal number", Row("Ratio 1:2", "decimal")),
        ("Axes\tWhole number", Row("Axes", "integer")),
        ("Axes\t\t", Row("Axes")),
        ("Condition: One choice (New, Used ,Scrap,)", Row("Condition", "select", options="New, Used, Scrap")),
        ("Condition: One choice (New; Used", Row("Condition", "select", options="New, Used")),
        ("Condition\tOne choice\tNew\tUsed", Row("Condition", "select", options="New, Used")),
        ("Company: Link (Company)", Row("Company", "link", to="company")),
        ("Maker: link (firma)", Row("Maker", "link", to="company")),
        ("Companies: Link", Row("Companies", "link", to="company")),
        ("Seller\tLink\tmember", Row("Seller", "link", to="member")),
        ("Worth: Formula (price.amount * (0.8))", Row("Worth", "formula", value="price.amount * (0.8)")),
        ("Worth: Formula (= has(a) ? 1 : 2)", Row("Worth", "formula", value="has(a) ? 1 : 2")),
        ('Tag: Formula ("a: b")', Row("Tag", "formula", value='"a: b"')),
    ],
)
def test_a_line_is_a_row(line: str, row: Row) -> None:
    assert one(line) == row


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("Price: Mony", "“Price: Mony”: there is no type “Mony”. Did you mean Money?"),
        ("Axes: Number", "Did you mean Whole number or Decimal number?"),
        ("Axes: Zzz", "The types are Text, Long text, "),
        ("Total: Roll-up", "Roll-up is added by itself"),
        ("Maker: Link", "which object it leads to: Link (Company)"),
        ("Maker: Link (Nowhere)", "no object “Nowhere”. The objects are Company, Member."),
        ("Condition: One choice", "the options in brackets: One choice (New, Used)"),
        ("Condition: Several choices ( , )", "the options in brackets: Several choices (Red, Green)"),
        ("Worth: Formula", "the formula in brackets: Formula (price * 0.8)"),
        ("Price: Money (EUR)", "Money takes nothing besides: leave “EUR” out."),
        (": Money", "it has no label"),
        ("x" * 101, "a label has at most 100 characters"),
    ],
)
def test_a_line_that_is_no_field_stays_and_says_what_would_be_right(line: str, said: str) -> None:
    found = read(f"A\n{line}\nB: Date", OBJECTS)
    assert [row.label for row in found.rows] == ["A", "B"]
    assert found.left == (line,)
    (message,) = found.messages
    assert said in message


def test_more_lines_than_are_read_at_once_stay() -> None:
    found = read("\r\n\r\n".join(f"Field {number}" for number in range(MOST + 2)), OBJECTS)
    assert (len(found.rows), found.left) == (MOST, (f"Field {MOST}", f"Field {MOST + 1}"))
    assert found.messages == ("100 fields are read at once: add the others afterwards.",)


@given(st.text(st.characters() | st.sampled_from("\t\n:(),=-"), max_size=200))
def test_whatever_is_pasted_each_line_is_a_row_or_stays(text: str) -> None:
    found = read(text, OBJECTS)
    lines = [line for line in text.replace("\0", "").splitlines() if line.strip()]
    assert len(found.rows) + len(found.left) == len(lines)
    assert len(found.messages) == len(found.left)
    assert all(row.label for row in found.rows)
