"""Generated formulas of every type give the same values in PostgreSQL and in Python, and never raise there."""

from __future__ import annotations

import itertools
import random
import sys
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from app.expressions import ConditionError, check_answer
from tests.app.expressions.grammar import Grammar
from tests.app.expressions.table import PARAMS, ZONES, Fields, make_rows, make_table

if TYPE_CHECKING:
    from app.expressions import Checked
    from tests.app.expressions.table import Comparer

BATCH = 12
CASES = 30_000
ROWS = 16
WORDS = ["a", "10", "true", "won", "A"]

_quiet = settings(
    deadline=None, suppress_health_check=list(HealthCheck), print_blob=True, phases=(Phase.explicit, Phase.generate)
)


class Shared(Fields):
    """The environment of formulas: zone and currency are parameters."""

    currency = ""

    def __init__(self) -> None:
        super().__init__("")


def trees(rng: random.Random) -> list[Checked]:
    """The trees of some generated formulas, those the checker takes."""
    grammar, found = Grammar(rng), list[Any]()
    for _ in range(BATCH):
        source, returns = grammar.answer()
        try:
            found += check_answer(source, Shared(), returns, WORDS)
        except ConditionError:
            continue
    return found


@settings(_quiet, max_examples=150)
@given(rng=st.randoms(use_true_random=False))
def test_generated_formulas_give_the_same_values_in_sql_and_in_python(comparer: Comparer, rng: random.Random) -> None:
    found = trees(rng)
    if found:
        comparer.values_agree(found, {**PARAMS, "zone": rng.choice(ZONES)})


def test_most_of_what_is_generated_is_compared_and_gives_something(comparer: Comparer) -> None:
    rng = random.Random(7)  # noqa: S311 - the same every time
    found = [tree for _ in range(20) for tree in trees(rng)]
    assert len(found) > 0.6 * 20 * BATCH
    values = [value for tree in found for value in comparer.values_of_sql([tree], PARAMS)[0]]
    assert sum(value is not None for value in values) > 0.4 * len(values)


@pytest.mark.scale
def test_thirty_thousand_formulas_agree(superuser_url: str, record_property: pytest.RecordProperty) -> None:
    total = 0
    for part in itertools.count():
        rng = random.Random(part)  # noqa: S311 - a failure can be repeated
        for comparer in make_table(superuser_url, make_rows(ROWS, seed=5_000 + part)):
            for _ in range(60):
                found = trees(rng)
                comparer.values_agree(found, {**PARAMS, "zone": rng.choice(ZONES)})
                total += len(found)
        if total >= CASES:
            break
    record_property("formulas compared", total)
    sys.stderr.write(f"\n{total:,} trees of formulas compared in SQL and in Python over {ROWS} rows each\n")
    assert total >= CASES
