"""Where conditions leave the CEL specification, on purpose, and how many of its conformance vectors that concerns.

The vectors are cel-spec's ``tests/simple/testdata``: basic, comparisons, conversions, integer_math, logic, string.
tests/app/expressions/test_vectors.py runs them and fails when a figure here is not what it finds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Departure:
    """Vectors left out: those whose expression or answer matches ``pattern`` and no earlier one's."""

    what: str
    why: str
    pattern: re.Pattern[str]
    vectors: int


@dataclass(frozen=True, slots=True)
class Tally:
    """The figures of the last run."""

    vectors: int
    passed_in_python: int
    passed_in_sql: int
    failing: tuple[tuple[str, str], ...]


def _departure(what: str, why: str, pattern: str, vectors: int) -> Departure:
    return Departure(what, why, re.compile(pattern), vectors)


#: In this order; ``answer:`` is the kind of the expected answer.
DEPARTURES: Final = (
    _departure("bytes", "No field holds bytes.", r"""\b[bB]['"]|\bbytes\(|answer:bytes""", 59),
    _departure("unsigned integers", "Numbers are of one kind, exact.", r"\b\d+[uU]\b|\buint\b|answer:uint", 160),
    _departure(
        "protobuf messages", "Records have fields, not messages.", r"TestAllTypes|google\.protobuf|NestedEnum", 54
    ),
    _departure("maps", "No field holds a map.", r"\{|answer:map", 24),
    _departure(
        "dyn and types as values",
        "Every field has a declared kind; what a name or a branch is, is known before a row is read.",
        r"\bdyn\(|\btype\(|answer:type|unchecked answer:(?!error)|'elem' in \[1, 'elem', 2\]|\['one'\] == \[2, 3\]"
        r"|\[1, 'dos', 3\]",
        93,
    ),
    _departure("patterns", "No regular expressions in conditions (they can't be bounded in SQL).", r"\.matches\(", 8),
    _departure(
        "double infinities and rounding",
        "Numbers are exact decimals; there is no infinity, no NaN, and nothing is rounded to 53 bits.",
        r"0\.0/0\.0|3602879701896396[89]|answer:double_value:(?:-?inf|nan)|9223372036854775807\.0|1e99",
        7,
    ),
    _departure(
        "integer overflow",
        "Whole numbers don't overflow.",
        r"5000000000\)? \* |9223372036854775808\)?\)? ?[-+*/]"
        r"|9223372036854775807 \+ 1|1 - \(-9223372036854775807\)|-\(-9223372036854775808\)",
        10,
    ),
)

_LISTS: Final = "A list stands right of `in` only; it is no value to compare or to give."
_LARGE: Final = "A number beyond 64 bits is a number like any other."

TALLY: Final = Tally(
    vectors=703,
    passed_in_python=271,
    passed_in_sql=271,
    failing=(
        ("basic/self_eval_zeroish/self_eval_empty_list", _LISTS),
        ("basic/self_eval_nonzeroish/self_eval_list_singleitem", _LISTS),
        ("comparisons/eq_literal/eq_list_empty", _LISTS),
        ("comparisons/eq_literal/eq_list_null", _LISTS),
        ("comparisons/eq_literal/not_eq_list_null", _LISTS),
        ("comparisons/eq_literal/eq_list_numbers", _LISTS),
        ("comparisons/eq_literal/not_eq_list_order", _LISTS),
        ("comparisons/eq_literal/not_eq_list_string_case", _LISTS),
        ("comparisons/eq_literal/not_eq_list_elem_null", _LISTS),
        ("comparisons/ne_literal/ne_list_empty", _LISTS),
        ("comparisons/ne_literal/not_ne_list_empty", _LISTS),
        ("comparisons/ne_literal/ne_list_bool", _LISTS),
        ("comparisons/ne_literal/not_ne_list_bool", _LISTS),
        ("comparisons/ne_literal/not_ne_list_of_list", _LISTS),
        ("comparisons/bound/list_eq_right_false", _LISTS),
        ("conversions/int/double_int_min_range", _LARGE),
        ("conversions/uint/double_uint_max_range", _LARGE),
    ),
)
