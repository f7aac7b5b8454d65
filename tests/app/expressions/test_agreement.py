"""Generated conditions find the same rows in PostgreSQL and in Python, and never raise there."""

from __future__ import annotations

import itertools
import random
import sys
from typing import TYPE_CHECKING

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from app.expressions import ConditionError, check
from tests.app.expressions.grammar import Grammar
from tests.app.expressions.table import PARAMS, ZONES, Fields, make_rows, make_table

if TYPE_CHECKING:
    from app.expressions import Checked
    from tests.app.expressions.table import Comparer

#: Conditions of one example: they go to PostgreSQL in one statement.
BATCH = 20
#: Conditions the scale test compares; every two thousand or so are over other rows.
CASES = 100_000
ROWS = 16
NOBODY: dict[str, object] = {**PARAMS, "me": None}

_quiet = settings(deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)


def checked(sources: list[str], timezone: str = "Europe/Berlin") -> list[Checked]:
    """Those the checker takes: an empty text beside a field or two literals of unlike kinds are refused."""
    found: list[Checked] = []
    for source in sources:
        try:
            found.append(check(source, Fields(timezone)))
        except ConditionError:
            continue
    return found


def generated(rng: random.Random) -> list[str]:
    grammar = Grammar(rng)
    return [grammar.condition() for _ in range(BATCH // 2)] + [f"!({grammar.atom()})" for _ in range(BATCH // 2)]


@settings(_quiet, max_examples=100)
@given(rng=st.randoms(use_true_random=False))
def test_generated_conditions_find_the_same_rows_in_sql_and_in_python(comparer: Comparer, rng: random.Random) -> None:
    comparer.agree(checked(generated(rng), rng.choice(ZONES)), PARAMS)


@settings(_quiet, max_examples=30)
@given(rng=st.randoms(use_true_random=False))
def test_generated_conditions_agree_without_a_member(comparer: Comparer, rng: random.Random) -> None:
    comparer.agree(checked(generated(rng), rng.choice(ZONES)), NOBODY)


def test_most_of_what_is_generated_is_compared_and_most_of_that_tells_rows_apart(comparer: Comparer) -> None:
    rng = random.Random(7)  # noqa: S311 - the same every time
    sources = [source for _ in range(20) for source in generated(rng)]
    conditions = checked(sources)
    assert len(conditions) > 0.75 * len(sources)
    found = [len(comparer.in_python(condition, PARAMS)) for condition in conditions]
    assert sum(0 < count < len(comparer.rows) for count in found) > 0.4 * len(conditions)


@pytest.mark.scale
def test_a_hundred_thousand_conditions_agree(superuser_url: str, record_property: pytest.RecordProperty) -> None:
    """Every hundred batches are over other rows."""
    total = 0
    for part in itertools.count():
        for comparer in make_table(superuser_url, make_rows(ROWS, seed=1_000 + part)):
            total += _compare_many(comparer, part)
        if total >= CASES:
            break
    record_property("conditions compared", total)
    sys.stderr.write(f"\n{total:,} conditions compared in SQL and in Python over {ROWS} rows each\n")
    assert total >= CASES


def _compare_many(comparer: Comparer, part: int) -> int:
    """Hypothesis' own choices at the start of each part, plainly random ones after: drawing is what costs."""
    compared = 0

    @settings(_quiet, max_examples=10, database=None, derandomize=False)
    @given(rng=st.randoms(use_true_random=False))
    def some(rng: random.Random) -> None:
        nonlocal compared
        conditions = checked(generated(rng), rng.choice(ZONES))
        comparer.agree(conditions, PARAMS)
        compared += len(conditions)

    some()
    rng = random.Random(part)  # noqa: S311 - a failure can be repeated
    for number in range(90):
        conditions = checked(generated(rng), rng.choice(ZONES))
        comparer.agree(conditions, NOBODY if number % 5 == 0 else PARAMS)
        compared += len(conditions)
    return compared
