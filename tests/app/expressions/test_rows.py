"""Conditions as rows of a builder: what rows say is read back from their text, and no text changes its meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from app.expressions import ConditionError, check, to_python
from app.expressions.rows import (
    FORMS,
    LISTED,
    NOTHING,
    OPERATORS,
    UNARY,
    Group,
    Part,
    Row,
    Value,
    from_json,
    tidy,
    to_json,
)
from app.expressions.rows_reading import read
from app.expressions.rows_writing import problems, write
from tests.app.expressions.grammar import Grammar
from tests.app.expressions.table import KINDS, OPTIONS, PARAMS, PEOPLE, Fields, as_python, make_rows

if TYPE_CHECKING:
    import random

FIELDS = Fields()
ROWS = [as_python(row) | PARAMS for row in make_rows(40)]
#: What rows can't say.
PARTS = (
    "any(deals, value > 1)", "score + 1 > 2", "active ? active : true", 'name.lower() == "a"', "true",
    'now - created_at > duration("7d")', "(score > 1) == active",
)  # fmt: skip
_TEXTS = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp", "Cf", "Cn", "Co", "Zs"]), min_size=1, max_size=8
)
_NUMBERS = st.sampled_from(["0", "-7", "2.5", "100", "12345678901.123456789", "1e20", "-0.1"])


def literals(path: str, kind: str) -> st.SearchStrategy[str]:
    if path in OPTIONS:
        return st.sampled_from(OPTIONS[path])
    return {
        "number": _NUMBERS,
        "money": _NUMBERS,
        "boolean": st.sampled_from(["true", "false"]),
        "date": st.dates().map(str),
        "datetime": st.dates().map(str),
        "link": st.sampled_from([str(one) for one in PEOPLE]),
        "options": st.sampled_from(["x", "y"]),
        "time": st.times().map(lambda one: one.isoformat("seconds" if one.second else "minutes")),
        "duration": st.sampled_from(["1h 30m", "90m", "-24h", "0s", "0.5s", "2d 3h 4m 5.25s", "1us", "1ms"]),
    }.get(kind, _TEXTS)


def others(kind: str) -> list[str]:
    """Fields that can be compared with one of a kind."""
    like = {"text": {"text", "option"}, "number": {"number", "money"}, "date": {"date", "datetime"}}
    family = next((names for names in like.values() if kind in names), {kind})
    if kind == "texts":
        family = {"text"}
    return [path for path, (other, _) in KINDS.items() if other in family]


@st.composite
def rows(draw: st.DrawFn) -> Row:
    path = draw(st.sampled_from([path for path, (kind, _) in KINDS.items() if kind in OPERATORS]))
    kind = KINDS[path][0]
    op = draw(st.sampled_from(OPERATORS[kind]))
    if op in UNARY:
        return Row(path, op)
    if op in LISTED:
        return Row(path, op, Value("list", items=tuple(draw(st.lists(literals(path, kind), min_size=1, max_size=3)))))
    if op not in ("is", "is_not", "lt", "le", "gt", "ge"):
        return Row(path, op, Value("value", draw(_TEXTS)))
    form = draw(st.sampled_from(FORMS[kind]))
    return Row(path, op, draw(values(path, kind, form)))


def values(path: str, kind: str, form: str) -> st.SearchStrategy[Value]:
    match form:
        case "field":
            return st.sampled_from(others(kind)).map(lambda other: Value("field", other))
        case "ago" | "ahead":
            units = st.sampled_from(["days", "months", "years"])
            return st.builds(lambda many, unit: Value(form, str(many), unit), st.integers(1, 90), units)
        case "start":
            return st.sampled_from(["week", "month", "quarter", "year"]).map(lambda unit: Value("start", unit=unit))
        case "moment":
            return st.datetimes().map(lambda at: Value("moment", at.isoformat(timespec="minutes")))
        case "value":
            return literals(path, kind).map(lambda text: Value("value", text))
        case _:
            return st.just(Value(form))


ITEMS = st.recursive(
    st.one_of(rows(), rows(), rows(), st.sampled_from(PARTS).map(Part)),
    lambda inner: st.builds(
        lambda join, items: Group(join, tuple(items)),
        st.sampled_from(["all", "any", "none"]),
        st.lists(inner, max_size=4),
    ),
    max_leaves=10,
)


@settings(deadline=None, max_examples=400)
@given(item=ITEMS)
def test_rows_are_read_back_from_their_text_as_they_were(item: Row | Part | Group) -> None:
    model = tidy(item)
    text = write(model, FIELDS)
    assert read(text, FIELDS) == model
    assert from_json(to_json(model)) == model
    assert list(problems(model, FIELDS)) == []


@settings(deadline=None, max_examples=200)
@given(rng=st.randoms(use_true_random=False))
def test_a_text_through_rows_is_met_by_the_same_records(rng: random.Random) -> None:
    grammar = Grammar(rng)
    for source in [grammar.condition() for _ in range(5)] + [f"!({grammar.condition(2)})" for _ in range(5)]:
        try:
            before = to_python(check(source, FIELDS))
        except ConditionError:
            continue
        text = write(read(source, FIELDS), FIELDS)
        after = to_python(check(text, FIELDS))
        assert [before(row) for row in ROWS] == [after(row) for row in ROWS], (source, text)
        assert write(read(text, FIELDS), FIELDS) == text


def test_most_simple_conditions_become_rows() -> None:
    for source in (
        'opens == time("09:30")',
        'took <= duration("90m")',
        "active",
        "!active",
        "owner == me",
        "date(created_at) >= addDays(today(), -7)",
        '"x" in tags',
    ):
        assert not any(isinstance(one, Part) for one in read(source, FIELDS).items), source


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("amount>100&&stage!='won'", 'amount > 100 && stage != "won"'),
        ("100 < amount", "amount > 100"),
        ("(active) || !(has(name) || has(owner))", "active == true || !(has(name) || has(owner))"),
        ("!(active && has(name))", "!(active && has(name))"),
        ("!(stage == 'won')", 'stage != "won"'),
        ("!(!(score > 1))", "score > 1"),
        ("(score + 1 > 2 || active) && has(name)", "(score + 1 > 2 || active == true) && has(name)"),
        ("close_on == null", "!has(close_on)"),
        ("opens<time('09:30')", 'opens < time("09:30")'),
        ('time("18:00:00") <= opens', 'opens >= time("18:00:00")'),
        ("took > duration('1h30m') && took != null", 'took > duration("1h30m") && has(took)'),
        ('took + duration("1h") > duration("2h")', 'took + duration("1h") > duration("2h")'),
        ("date(closed_at) < close_on", "date(closed_at) < close_on"),
        ("1.50000000000000000000001+score > 2", "1.50000000000000000000001 + score > 2"),
        ('name == "a\\nb"', 'name == "a\\nb"'),
    ],
)
def test_what_a_text_becomes(source: str, text: str) -> None:
    assert write(read(source, FIELDS), FIELDS) == text


def test_rows_that_are_not_finished_say_what_they_need() -> None:
    model = Group("all", (Row(""), Row("amount", "gt", Value("value", "x")), Group("any", (Row("name", "is"),)),
                          Part("score >"), Row("stage", "is", Value("value", "gone"))))  # fmt: skip
    found = {path: error.detail for path, error in problems(model, FIELDS)}
    assert found["1"] == "Enter a number."
    assert found["2.0"] == "Enter a value."
    assert "missing" in found["3"]
    assert "no choice" in found["4"]
    assert "0" not in found
    with pytest.raises(ConditionError):
        write(model, FIELDS)


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("1h 30m", "1h30m"), ("1:30", "1h30m"), ("0:05:09", "0h5m9s"), ("90 min", "90m"), ("1,5 Hours", "1.5h"),
        ("2 days 3 h", "2d3h"), ("-1h", "-1h"), ("1h30m", "1h30m"),
    ],
)  # fmt: skip
def test_lengths_of_time_are_taken_as_people_write_them(typed: str, text: str) -> None:
    model = Group("all", (Row("took", "gt", Value("value", typed)),))
    assert write(model, FIELDS) == f'took > duration("{text}")'
    assert write(read(write(model, FIELDS), FIELDS), FIELDS) == write(model, FIELDS)


def test_times_and_lengths_that_are_none_are_told() -> None:
    for field, typed, told in (
        ("took", "90", "Enter a length of time like 1h 30m."), ("took", "", "Enter a length of time like 1h 30m."),
        ("took", "3 moons", "Enter a length of time like 1h 30m."), ("took", "1.1.1h", "Enter a length of time"),
        ("opens", "9:30", "Enter a time of day."), ("opens", "", "Enter a time of day."),
        ("opens", "24:00", "Enter a time of day."),
    ):  # fmt: skip
        found = [error.detail for _, error in problems(Row(field, "is", Value("value", typed)), FIELDS)]
        assert len(found) == 1, typed
        assert found[0].startswith(told), typed


def test_what_is_no_model_is_refused() -> None:
    deep: object = {"text": "x"}
    for _ in range(20):
        deep = {"join": "all", "items": [deep]}
    for raw in (None, [], {"join": "xor", "items": []}, {"items": 3}, {"text": 3}, {"field": "a"}, deep,
                {"join": "all", "items": [{"field": "a"}] * 400}):  # fmt: skip
        with pytest.raises(ValueError, match="no model"):
            from_json(raw)
    assert tidy(from_json({"join": "any", "items": [{"field": ""}, {"text": " "}]})) == NOTHING
