"""The CEL specification's conformance vectors, as far as conditions follow it (app/expressions/conformance.py)."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from app.expressions import ConditionError, Kind, Variable, check_value, to_sql_value, to_value
from app.expressions.conformance import DEPARTURES, TALLY
from tests.app.expressions import vectors
from tests.app.expressions.table import DIALECT, Fields, make_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from app.expressions import Checked
    from tests.app.expressions.table import Comparer
    from tests.app.expressions.vectors import Vector

pytestmark = pytest.mark.skipif(not vectors.FOLDER.is_dir(), reason="the folder ../shared/data/cel is not there")

_KINDS: dict[str, tuple[Kind, Any]] = {
    "INT64": ("number", sa.Numeric()),
    "DOUBLE": ("number", sa.Numeric()),
    "BOOL": ("boolean", sa.Boolean()),
    "STRING": ("text", sa.Text()),
    "NULL_VALUE": ("text", sa.Text()),
}


class Bound(Fields):
    """The variables of one vector."""

    def __init__(self, vector: Vector) -> None:
        super().__init__()
        self._vector = vector

    @property
    def key(self) -> str:
        """As the protocol says."""
        return f"vector {self._vector.name}"

    def variable(self, path: str) -> Variable | None:
        """As the protocol says."""
        declared = self._vector.variables.get(path)
        kind = _KINDS.get(declared[0]) if declared else None
        return Variable(path, kind[0]) if kind else None

    def names(self, near: str = "") -> Iterable[str]:  # noqa: ARG002 - few
        """As the protocol says."""
        return self._vector.variables


@pytest.fixture(scope="module")
def database(superuser_url: str) -> Iterator[Comparer]:
    """Any database of the product's kind."""
    yield from make_table(superuser_url, [])


def departure(vector: Vector) -> str:
    """Which departure the vector falls under; "" when it counts."""
    kind = "error" if vector.expected is None else f"{vector.expected[0]}:{vector.expected[1]}"
    facts = f"{'unchecked ' if vector.unchecked else ''}answer:{kind} {vector.expression}"
    facts += "".join(f" {declared} {value}" for declared, value in vector.variables.values())
    return next((one.what for one in DEPARTURES if one.pattern.search(facts)), "")


def value_of(expected: tuple[str, Any] | None) -> object:
    """A vector's value as a row holds it."""
    if expected is None or expected[0] == "null_value":
        return None
    kind, text = expected
    if kind in {"int64_value", "double_value"}:
        return Decimal(text)
    return text == "true" if kind == "bool_value" else text


def passes(vector: Vector, answer: object) -> bool:
    """Whether an answer is the specification's; an error is unknown here, which is None like null."""
    wanted = value_of(vector.expected)
    return type(answer) is type(wanted) and answer == wanted if isinstance(wanted, bool) else answer == wanted


def in_python(vector: Vector, checked: Checked) -> object:
    return to_value(checked)({name: value_of(bound) for name, (_, bound) in vector.variables.items()})


def in_sql(database: Comparer, vector: Vector, checked: Checked) -> object:
    def column(variable: Variable) -> sa.ColumnElement[Any]:
        declared, bound = vector.variables[variable.path]
        return sa.cast(sa.bindparam(f"v_{variable.path}", value_of(bound)), _KINDS[declared][1])

    bound = {f"v_{name}": value_of(value) for name, (_, value) in vector.variables.items()}
    compiled = sa.select(to_sql_value(checked, column)).compile(dialect=DIALECT)
    row = database.connection.execute(
        str(compiled).encode(), {**compiled.params, **checked.binds(), **bound}
    ).fetchone()
    return row[0] if row else None


def outcome(database: Comparer, vector: Vector) -> tuple[bool, bool, str]:
    """Whether Python and SQL answer as the specification does, and what went otherwise."""
    try:
        checked = check_value(vector.expression, Bound(vector))
    except ConditionError as error:
        return vector.expected is None, vector.expected is None, error.detail
    by_python, by_sql = in_python(vector, checked), in_sql(database, vector, checked)
    return passes(vector, by_python), passes(vector, by_sql), f"answers {by_python!r}, in SQL {by_sql!r}"


def test_the_figures_of_the_reference_are_those_of_the_vectors(database: Comparer) -> None:
    left_out: Counter[str] = Counter()
    failing: list[tuple[str, str]] = []
    python = sql = total = 0
    for vector in vectors.read():
        total += 1
        if what := departure(vector):
            left_out[what] += 1
            continue
        by_python, by_sql, how = outcome(database, vector)
        python, sql = python + by_python, sql + by_sql
        if not (by_python and by_sql):
            failing.append((vector.name, f"{vector.expression}: {how}"))
    remaining = total - left_out.total()
    found = (total, python, sql, dict(left_out), sorted(name for name, _ in failing))
    known = (
        TALLY.vectors, TALLY.passed_in_python, TALLY.passed_in_sql,
        {one.what: one.vectors for one in DEPARTURES}, sorted(name for name, _ in TALLY.failing),
    )  # fmt: skip
    assert found == known, failing
    assert min(python, sql) >= 0.85 * remaining
