"""Generated columns: PostgreSQL takes what every function makes, indexes it, and no value makes it fail."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest

from app.expressions import ConditionError, check_value
from app.expressions.functions import FUNCTIONS
from app.metadata.compiler import compile_object
from app.metadata.computing import resolved
from app.metadata.ddl.diff import NOTHING, difference
from app.metadata.ddl.shape import shape
from app.metadata.environment import FormulaEnvironment
from app.metadata.leaves import flatten
from tests.app.metadata.test_computing import formula, objects

if TYPE_CHECKING:
    import psycopg

    Tables = psycopg.Connection[Any]

FIELDS: dict[str, Any] = {
    "name": {"type": "text", "label": "n"}, "phone_": {"type": "text", "label": "n"},
    "amount": {"type": "money", "label": "n"}, "score": {"type": "decimal", "label": "n"},
    "kind": {"type": "select", "label": "n", "options": {"won": {"label": "Won"}}},
    "close_on": {"type": "date", "label": "n"}, "opened_on": {"type": "date", "label": "n"},
    "active": {"type": "boolean", "label": "n"}, "words": {"type": "tags", "label": "n"},
}  # fmt: skip
_RETURNS = {"number": "decimal", "text": "text", "boolean": "boolean", "date": "date", "datetime": "datetime",
            "money": "money", "option": "text"}  # fmt: skip
FURTHER = (
    "coalesce(score, 1)", 'concat(name, " ", score, close_on)',
    "score / 0", "score % 0", "amount / 3", "amount + amount",
    "score > 1 ? score : 2", 'kind == "won"', "has(amount)", "has(name) && score > 1", "addDays(close_on, 3)",
    "addMonths(close_on, -1)", "addYears(close_on, 1)", 'date("2020-01-31")', 'created_at + duration("1h")',
    '"x" in words', 'name in ["a", "b\'c", "100%"]', "amount > amount ? amount : amount * 2",
    'close_on - opened_on > duration("1d")',
    "score in [1, 2.5]", 'name == "a%b:c"', 'hasAny(words, ["a"])',
)  # fmt: skip


def _sources() -> list[str]:
    examples = [one.example for signatures in FUNCTIONS.values() for one in signatures]
    named = [
        text.replace("phone", "phone_").replace("stage", "kind").replace("now -", "created_at -") for text in examples
    ]
    return sorted({text.replace("today()", "close_on") for text in named} | set(FURTHER))


def _made(sources: list[str]) -> tuple[Any, dict[str, str]]:
    """An object with a formula each, indexed; those that are of the record alone."""
    spec = {"label": {"one": "M", "other": "Ms"}, "icon": "x", "title": ["name"], "fields": FIELDS}
    base = {**objects({}), "machine": compile_object("machine", flatten(spec))}
    fields: dict[str, Any] = {}
    for number, source in enumerate(sources):
        try:
            kind = check_value(source, FormulaEnvironment(base, base["machine"])).root.kind
        except ConditionError:
            continue
        if kind in _RETURNS:
            fields[f"f{number}"] = formula(source, _RETURNS[kind])
    spec["fields"] = FIELDS | fields
    found = resolved(MappingProxyType({**base, "machine": compile_object("machine", flatten(spec))}))
    machine = found["machine"]
    indexed = {
        name: replace(field, indexed=True) if field.formula is not None and field.columns else field
        for name, field in machine.fields.items()
    }
    return replace(machine, fields=MappingProxyType(indexed)), {
        name: str(spec["value"]) for name, spec in fields.items()
    }


def test_postgresql_takes_and_indexes_what_every_function_makes(tables: Tables) -> None:
    machine, sources = _made(_sources())
    own = {name for name in sources if machine.fields[name].columns}
    assert len(own) > 45
    statements = [step.ddl for step in difference(NOTHING, {machine.table: shape(machine, {"machine": machine.table})})]
    for statement in statements:
        tables.execute(statement)  # pyright: ignore[reportArgumentType, reportCallIssue]
    values = ["''", "'a'", "repeat('ä', 5000)", "'10'"]
    for name in values:
        for score in ("0", "-1e17", "1e17", "999999999999999999.999999999999999999", "null"):
            tables.execute(
                f"insert into {machine.table}"
                " (name, phone_, score, amount, amount__currency, close_on, opened_on, active)"
                f" values ({name}, {name}, {score}, {score}, 'JPY', '9999-12-31', '0001-01-01', true)"
            )  # pyright: ignore[reportArgumentType, reportCallIssue]
    columns = ", ".join(f'"{column.name}"' for name in sorted(own) for column in machine.fields[name].columns)
    rows = tables.execute(f"select {columns} from {machine.table}").fetchall()
    assert len(rows) == len(values) * 5
    assert sum(value is not None for row in rows for value in row) > len(rows) * len(own) / 3


def test_an_index_on_a_formula_is_found_behind_its_column(tables: Tables) -> None:
    spec = {"label": {"one": "M", "other": "Ms"}, "icon": "x", "title": ["name"], "fields": FIELDS | {
        "half": {**formula("score / 2"), "indexed": True},
    }}  # fmt: skip
    machine = resolved(MappingProxyType({**objects({}), "machine": compile_object("machine", flatten(spec))}))[
        "machine"
    ]
    for step in difference(NOTHING, {machine.table: shape(machine, {"machine": machine.table})}):
        tables.execute(step.ddl)  # pyright: ignore[reportArgumentType, reportCallIssue]
    tables.execute("insert into o_machine (name, score) select 'x', g from generate_series(1, 5000) g")
    tables.execute("analyze o_machine")
    column = machine.fields["half"].columns[0].name
    plan = tables.execute(
        f'explain (costs off) select id from o_machine where deleted_at is null order by "{column}", id limit 5'
    ).fetchall()  # pyright: ignore[reportArgumentType, reportCallIssue]
    assert f"Index Scan using o_machine__{column}__idx" in "\n".join(row[0] for row in plan)


@pytest.mark.parametrize("value", ['now - created_at > duration("1d")', "created_at > now", "hour(created_at) > 3"])
def test_what_the_time_or_the_zone_decides_is_no_column(value: str) -> None:
    machine, _ = _made([value])
    (field,) = [field for field in machine.fields.values() if field.formula is not None]
    assert field.columns == ()


def test_a_title_may_be_a_formula_of_the_record_alone(tables: Tables) -> None:
    spec = {"label": {"one": "M", "other": "Ms"}, "icon": "x", "title": ["full"], "fields": FIELDS | {
        "full": formula('concat(name, " of ", close_on)', "text"),
    }}  # fmt: skip
    machine = resolved(MappingProxyType({**objects({}), "machine": compile_object("machine", flatten(spec))}))[
        "machine"
    ]
    for step in difference(NOTHING, {machine.table: shape(machine, {"machine": machine.table})}):
        tables.execute(step.ddl)  # pyright: ignore[reportArgumentType, reportCallIssue]
    tables.execute("insert into o_machine (name, close_on) values ('Ärger', '2024-02-29')")
    row = tables.execute("select _title, _title_key from o_machine").fetchone()
    assert row == ("Ärger of 2024-02-29", "arger of 2024-02-29")
