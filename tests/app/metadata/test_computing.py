"""Formulas and roll-ups worked out: what is refused and where, circles, what becomes a column."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest

from app.metadata.catalog import platform
from app.metadata.compiler import compile_object
from app.metadata.computing import problems_of, resolved
from app.metadata.leaves import flatten

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.metadata.model import ObjectType

STORED = {
    "serial": {"type": "text", "label": "Serial"},
    "company": {"type": "link", "to": ["company"], "inverse": "machines", "label": "Company"},
    "above": {"type": "link", "to": ["machine"], "inverse": "parts", "label": "Above"},
    "price": {"type": "money", "label": "Price"},
    "cost": {"type": "money", "label": "Cost"},
    "pieces": {"type": "integer", "label": "Pieces"},
    "bought": {"type": "date", "label": "Bought"},
    "seen": {"type": "datetime", "label": "Seen"},
}


def objects(fields: dict[str, Any], **more: dict[str, Any]) -> Mapping[str, ObjectType]:
    """The standard objects and ``machine`` with ``fields`` besides the stored ones; ``more`` fields by object."""
    spec = {
        "label": {"one": "Machine", "other": "Machines"},
        "icon": "x",
        "title": ["serial"],
        "fields": STORED | fields,
    }
    found = {**platform().objects, "machine": compile_object("machine", flatten(spec))}
    for name, added in more.items():
        other = compile_object(
            name, flatten({"label": {}, "title": ["serial"], "fields": {"serial": STORED["serial"]} | added})
        )
        base = found[name]
        fields_of = {**base.fields, **{one: other.fields[one] for one in added}}
        found[name] = ObjectTypes.replace(base, fields_of)
    return MappingProxyType(found)


class ObjectTypes:
    """Changes compiled objects."""

    @staticmethod
    def replace(base: ObjectType, fields: Mapping[str, Any]) -> ObjectType:
        """``base`` with other fields."""
        from dataclasses import replace

        return replace(base, fields=MappingProxyType(dict(fields)), spec_hash=base.spec_hash + repr(sorted(fields)))


def formula(value: str, returns: str = "decimal", **more: Any) -> dict[str, Any]:
    return {"type": "formula", "label": "F", "value": value, "returns": returns, **more}


def rollup(over: str, function: str = "count", **more: Any) -> dict[str, Any]:
    return {"type": "rollup", "label": "R", "over": over, "function": function, **more}


@pytest.mark.parametrize(
    ("value", "returns", "words", "position"),
    [
        ("pieces +", "integer", "missing at the end", 8),
        ("pieces + serial", "integer", "does not take", 7),
        ("nothing * 2", "decimal", "no field `nothing`", 0),
        ("2 * nothing", "decimal", "no field `nothing`", 4),
        ("serial", "integer", "gives a text", 0),
        ("seen", "date", "Write `date(…)`", 0),
        ("price", "decimal", ".amount", 0),
        ("now - seen", "decimal", "days(…)", 0),
        ("null", "text", "always empty", 0),
        ("company", "text", "company.name", 0),
    ],
)
def test_a_formula_that_can_not_be_is_refused_at_its_place(value: str, returns: str, words: str, position: int) -> None:
    (problem,) = problems_of(objects({"f": formula(value, returns)}))
    assert (problem.object, problem.field, problem.leaf, problem.position) == ("machine", "f", "value", position)
    assert words in problem.message


@pytest.mark.parametrize(
    ("given", "leaf", "words"),
    [
        (rollup("machine"), "over", "did you mean 'machines'"),
        (rollup("machines", "sum"), "field", "is missing"),
        (rollup("machines", "sum", field="serial"), "field", "has no sum"),
        (rollup("machines", "max", field="peices"), "field", "did you mean 'pieces'"),
        (rollup("machines", "count", when="peices > 1"), "when", "Did you mean `pieces`"),
        (rollup("machines", "median", field="pieces"), "function", "must be one of"),
    ],
)
def test_a_roll_up_that_can_not_be_is_refused_at_its_leaf(given: dict[str, Any], leaf: str, words: str) -> None:
    (problem,) = problems_of(objects({}, company={"r": given}))
    assert (problem.object, problem.field, problem.leaf) == ("company", "r", leaf)
    assert words in problem.message


def test_circles_are_refused_with_their_path() -> None:
    problems = problems_of(objects({"a": formula("b + 1"), "b": formula("c * 2"), "c": formula("a")}))
    assert "machine.a → machine.b → machine.c → machine.a" in problems[-1].message
    assert {problem.field for problem in problems} == {"a", "b", "c"}


def test_circles_across_objects_and_roll_ups_are_refused_with_their_path() -> None:
    found = problems_of(
        objects(
            {"share": formula("pieces / company.total")}, company={"total": rollup("machines", "sum", field="share")}
        )
    )
    assert any("machine.share → company.total → machine.share" in problem.message or
               "company.total → machine.share → company.total" in problem.message for problem in found)  # fmt: skip


def test_a_record_may_be_calculated_from_the_one_above_only_by_another_field() -> None:
    assert problems_of(objects({"deep": formula("above.deep + 1")}))
    assert problems_of(objects({"twice": formula("above.pieces * 2")})) == []


def test_what_can_not_be_calculated_is_empty_and_fails_nothing() -> None:
    made = resolved(objects({"f": formula("nothing"), "g": formula("f * 2")}))["machine"]
    assert made.fields["f"].formula is not None
    assert made.fields["f"].formula.problem
    assert made.fields["f"].columns == ()


def test_formulas_of_the_record_alone_are_columns_others_are_not() -> None:
    made = resolved(
        objects({
            "margin": formula("(price - cost) / price", "percent"), "profit": formula("price - cost", "money"),
            "label": formula('concat(serial, " ", bought)', "text"), "twice": formula("margin * 2"),
            "spent": formula("days(bought, date(seen))", "integer"),
            "age": formula("years(bought, today())", "integer"),
            "big": formula("price > 10", "boolean"), "home": formula("pieces * 5", "money"),
            "where": formula("company.industry", "text"), "parts_": formula("any(parts, pieces > 1)", "boolean"),
        })
    )["machine"]  # fmt: skip
    columns = {field.name: len(field.columns) for field in made.fields.values() if field.computed}
    assert columns == {
        "margin": 1, "profit": 2, "label": 1, "twice": 1, "spent": 0, "age": 0, "big": 0, "home": 0, "where": 0,
        "parts_": 0,
    }  # fmt: skip
    twice = made.fields["twice"].formula
    assert twice is not None
    assert '"price"' in twice.sql[0]
    assert twice.reads == {("machine", "margin"), ("machine", "price"), ("machine", "cost")}


def test_an_index_on_what_is_no_column_is_refused_with_the_reason() -> None:
    (problem,) = problems_of(objects({"age": formula("years(bought, today())", "integer", indexed=True)}))
    assert (problem.leaf, problem.message) == ("indexed", "can't be: it depends on the day")


def test_formulas_inside_formulas_have_a_limit() -> None:
    fields = {"f0": formula("pieces + 1")} | {f"f{n}": formula(f"f{n - 1} + f{n - 1}") for n in range(1, 30)}
    problems = problems_of(objects(fields))
    assert problems
    assert "nested too deeply" in problems[0].message


def test_a_formula_that_changes_gets_another_column() -> None:
    first = resolved(objects({"f": formula("pieces + 1")}))["machine"]
    second = resolved(objects({"f": formula("pieces + 2")}))["machine"]
    assert first.fields["f"].columns != second.fields["f"].columns
    assert first.spec_hash != second.spec_hash


def test_a_title_is_made_of_the_record_alone() -> None:
    named = objects({"own": formula("serial.upper()", "text"), "far": formula("company.name", "text")})
    own, far = ({**named, "machine": replace(named["machine"], title=(name,))} for name in ("own", "far"))
    assert problems_of(own) == []
    (problem,) = problems_of(far)
    words = "It can't be part of the title of Machines, which is made of the record alone: "
    assert (problem.field, problem.leaf, problem.message.removeprefix(words)) == (
        "far", "value", "it looks over the link company",
    )  # fmt: skip
