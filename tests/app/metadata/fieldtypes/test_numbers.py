"""Numbers as people and files write them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from babel.numbers import format_decimal
from hypothesis import given
from hypothesis import strategies as st

from app.metadata.fieldtypes.base import ValueProblem
from app.metadata.fieldtypes.exact import exact, plain_text
from tests.support.field_kit import CONTEXT, field_of


@given(
    st.decimals(-(10**12), 10**12, places=4),
    st.sampled_from([("en", False), ("de", True), ("fr", True), ("de_CH", False)]),
)
def test_a_number_written_by_the_rules_of_a_language_is_read_back(number: Decimal, written: tuple[str, bool]) -> None:
    locale, comma = written
    one = field_of("decimal")
    text = format_decimal(number, locale=locale, decimal_quantization=False)
    assert one.type.parse(one, text, replace(CONTEXT, decimal_comma=comma)) == number


@given(
    st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12).filter(
        lambda x: x == 0 or abs(x) > 1e-3
    )
)
def test_a_json_number_means_the_digits_that_were_written(number: float) -> None:
    value = exact(number)
    assert value is not None
    assert float(plain_text(value)) == number
    assert "e" not in plain_text(value).lower()


@pytest.mark.parametrize(
    ("heading", "text", "seconds"),
    [
        ("Minutes", "90", 5_400),
        ("Effort (h)", "1.5", 5_400),
        ("duration_hours", "2,25", 8_100),
        ("Time [s]", "-30", -30),
        ("Days", "1", 86_400),
        ("Minutes", "1:30", 5_400),
        ("Minutes", "2 h", 7_200),
        ("Plan M", "90", None),
        ("Hours or minutes", "90", None),
        ("Took", "90", None),
    ],
)
def test_a_bare_length_of_time_is_of_the_unit_its_heading_names(heading: str, text: str, seconds: int | None) -> None:
    one, ctx = field_of("duration"), replace(CONTEXT, heading=heading)
    if seconds is None:
        with pytest.raises(ValueProblem, match="no unit"):
            one.type.parse(one, text, ctx)
    else:
        assert one.type.parse(one, text, ctx) == seconds


def test_the_largest_number_keeps_every_digit() -> None:
    text = "9" * 18 + "." + "9" * 18
    assert plain_text(exact(text) or Decimal(0)) == text


@pytest.mark.parametrize(
    "text", ["1,23,456.7.8", "1,2345", "--5", "0x10", "1_000", "५,५", "1e1e1", "\u066b", ".", "-", "(", "()"]
)
def test_what_could_be_misread_is_refused(text: str) -> None:
    one = field_of("decimal")
    with pytest.raises(ValueProblem):
        one.type.parse(one, text, CONTEXT)
