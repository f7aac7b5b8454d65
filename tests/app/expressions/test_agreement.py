"""Generated conditions find the same rows in PostgreSQL and in Python, and never raise there."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import hypothesis.strategies as st
from hypothesis import HealthCheck, given, settings

from app.expressions import ConditionError
from tests.app.expressions.table import EMAILS, KINDS, OPTIONS, PARAMS, PEOPLE, TEXTS

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from tests.app.expressions.table import Comparer

EXAMPLES = int(os.environ.get("RAPPORT_CONDITION_EXAMPLES", "700"))
COUNT = {"compared": 0, "refused": 0}


def paths(*kinds: str) -> SearchStrategy[str]:
    return st.sampled_from([path for path, (kind, _) in KINDS.items() if kind in kinds])


def quoted(values: list[str]) -> SearchStrategy[str]:
    return st.sampled_from([json.dumps(value, ensure_ascii=False) for value in values if value])


numbers = st.one_of(
    paths("number"), paths("number"),
    st.sampled_from(["0", "1", "-7", "2", "3", "100", "2.5", "0.1", "9223372036854775807", "-7.25", "1e20"]),
)  # fmt: skip
texts = st.one_of(paths("text"), quoted(TEXTS))
dates = st.one_of(
    paths("date"),
    st.sampled_from(['date("2017-01-01")', 'date("2024-02-29")', "today()", "date(created_at)", 'date("9999-12-31")']),
)
moments = st.sampled_from(
    ["created_at", "now", "now()", 'timestamp("2017-01-01T12:00:00")', 'timestamp("2017-01-02T00:00:00Z")']
)
links = st.one_of(paths("link"), st.just("me"), st.sampled_from([json.dumps(str(person)) for person in PEOPLE]))
orders = st.sampled_from(["<", "<=", ">", ">="])
equals = st.sampled_from(["==", "!="])
relations = st.one_of(orders, equals)


def number_terms(inner: SearchStrategy[str]) -> SearchStrategy[str]:
    return st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(["+", "-", "*", "/", "%"]), inner),
        st.builds("-({})".format, inner),
        st.builds("size({})".format, st.one_of(texts, paths("options", "texts"))),
        st.builds("({} ? {} : {})".format, st.sampled_from(["active", "has(score)", "!active"]), inner, inner),
    )


def text_terms(inner: SearchStrategy[str]) -> SearchStrategy[str]:
    return st.one_of(
        st.builds("({} + {})".format, inner, inner),
        st.builds("({}).lower()".format, inner),
        st.builds("(active ? {} : {})".format, inner, inner),
    )


number = st.recursive(numbers, number_terms, max_leaves=5)
text = st.recursive(texts, text_terms, max_leaves=4)
day = st.one_of(dates, st.builds("addDays({}, {})".format, dates, st.sampled_from(["0", "1", "-31", "36000"])))
money = st.one_of(
    paths("money"),
    st.builds("({} * {})".format, paths("money"), number),
    st.builds("({} / {})".format, paths("money"), number),
)

searches = st.sampled_from(["startsWith", "endsWith", "contains"])
text_lists = st.lists(st.one_of(quoted(TEXTS), paths("text"), st.just("null")), max_size=3).map(", ".join)


@st.composite
def option_tests(draw: st.DrawFn) -> str:
    path = draw(st.sampled_from(list(OPTIONS)))
    values = [json.dumps(value, ensure_ascii=False) for value in OPTIONS[path]]
    if draw(st.booleans()):
        return f"{path} {draw(equals)} {draw(st.sampled_from([*values, 'null', 'stage', 'company.industry', 'name']))}"
    items = draw(st.lists(st.sampled_from([*values, "null", "stage"]), max_size=3))
    return f"{path} in [{', '.join(items)}]"


atoms = st.one_of(
    st.builds("{} {} {}".format, number, relations, number),
    st.builds("{} {} {}".format, money, relations, st.one_of(number, money)),
    st.builds("{} {} {}".format, text, relations, text),
    st.builds("{} {} {}".format, day, relations, day),
    st.builds("{} {} {}".format, moments, relations, moments),
    st.builds("{} {} {}".format, links, equals, st.one_of(links, st.just("null"))),
    st.builds("{} {} null".format, st.one_of(number, text, day, paths("options", "texts")), equals),
    st.builds("has({})".format, paths(*{kind for kind, _ in KINDS.values()})),
    st.builds("({}).{}({})".format, st.one_of(text, paths("texts")), searches, text),
    st.builds("({}) in {}".format, text, paths("options", "texts")),
    st.builds("{} {} {}".format, paths("texts"), equals, st.one_of(quoted(EMAILS), paths("text"))),
    st.builds("{} in [{}]".format, paths("texts"), st.lists(quoted(EMAILS), max_size=3).map(", ".join)),
    st.builds("{} in [{}]".format, number, st.lists(numbers, max_size=3).map(", ".join)),
    st.builds("{} in [{}]".format, text, text_lists),
    option_tests(),
    st.sampled_from(["active", "true", "false", "active == null", "active != true"]),
)  # fmt: skip


def joined(inner: SearchStrategy[str]) -> SearchStrategy[str]:
    return st.one_of(
        st.builds("({} && {})".format, inner, inner),
        st.builds("({} || {})".format, inner, inner),
        st.builds("!({})".format, inner),
        st.builds("({} ? {} : {})".format, inner, inner, inner),
        st.builds("({}) == ({})".format, inner, inner),
        st.builds("({}) != active".format, inner),
    )


conditions = st.recursive(atoms, joined, max_leaves=5)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(condition=conditions)
def test_generated_conditions_find_the_same_rows_in_sql_and_in_python(comparer: Comparer, condition: str) -> None:
    compare(comparer, condition)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(condition=atoms)
def test_the_negation_of_a_generated_comparison_agrees_too(comparer: Comparer, condition: str) -> None:
    compare(comparer, f"!({condition})")


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(condition=atoms, without_me=st.booleans())
def test_generated_comparisons_agree_with_and_without_a_member(
    comparer: Comparer, condition: str, *, without_me: bool
) -> None:
    compare(comparer, condition, without_me=without_me)


def compare(comparer: Comparer, condition: str, *, without_me: bool = False) -> None:
    """Count and compare; what the checker refuses (an empty text, two literals of unlike kinds) is counted apart."""
    params = {**PARAMS, "me": None} if without_me else PARAMS
    try:
        comparer.both(condition, params)
    except ConditionError:
        COUNT["refused"] += 1
        return
    COUNT["compared"] += 1


def test_enough_conditions_were_compared() -> None:
    """Runs in any order: proves something only after the tests above, so it asks for their share when they ran."""
    total = COUNT["compared"] + COUNT["refused"]
    assert not total or COUNT["compared"] > total * 0.6, COUNT
