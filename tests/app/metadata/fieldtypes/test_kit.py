from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from app.metadata import fieldtypes
from app.metadata.fieldtypes.base import ValueProblem
from app.metadata.fieldtypes.file import StoredFile
from tests.support.field_kit import CONTEXT, KIT, Examples, field_of, round_trip

if TYPE_CHECKING:
    import psycopg

NAUGHTY = Path(__file__).parents[5] / "shared/data/validation/strings/blns.json"


def pairs(part: str) -> list[Any]:
    return [
        pytest.param(name, *example, id=f"{name}-{example[0]!r}"[:80])
        for name, examples in KIT.items()
        for example in getattr(examples, part)
    ]


def test_every_field_type_has_its_kit() -> None:
    assert set(KIT) == set(fieldtypes.REGISTRY)


@pytest.mark.parametrize(("name", "raw", "expected"), pairs("good"))
def test_a_json_value_comes_back_in_its_one_form(
    tables: psycopg.Connection[Any], name: str, raw: object, expected: object
) -> None:
    one = field_of(name)
    value = one.type.coerce(one, raw, CONTEXT)
    assert one.type.to_json(value) == expected
    assert round_trip(tables, one, value) == (expected, expected)
    Draft202012Validator(one.type.json_schema(one)).validate(expected)


@pytest.mark.parametrize(("name", "raw", "code"), pairs("bad"))
def test_a_wrong_json_value_is_refused_with_its_code(name: str, raw: object, code: str) -> None:
    if name == "text" and raw == "x" * 250_001:
        raw = "x" * 1_001
    one = field_of(name)
    with pytest.raises(ValueProblem) as caught:
        one.type.coerce(one, raw, CONTEXT)
    assert caught.value.code == code


def test_who_names_no_option_is_told_what_people_see_and_what_programs_write() -> None:
    one = field_of("select")
    with pytest.raises(ValueProblem) as caught:
        one.type.coerce(one, "lost", CONTEXT)
    assert str(caught.value) == "'lost' is not an option; there are New, Won deal (won), Gone"


@pytest.mark.parametrize(("name", "text", "expected"), pairs("cells"))
def test_a_text_cell_is_read(name: str, text: str, expected: object) -> None:
    one = field_of(name)
    assert one.type.to_json(one.type.parse(one, text, CONTEXT)) == expected


@pytest.mark.parametrize(("name", "text", "code"), pairs("bad_cells"))
def test_a_wrong_text_cell_is_refused_with_its_code(name: str, text: str, code: str) -> None:
    one = field_of(name)
    with pytest.raises(ValueProblem) as caught:
        one.type.parse(one, text, CONTEXT)
    assert caught.value.code == code


@pytest.mark.parametrize("name", sorted(KIT))
def test_what_is_empty_is_stored_as_nothing(tables: psycopg.Connection[Any], name: str) -> None:
    one, expected = field_of(name), KIT[name].empty
    for raw in (None, ""):
        value = one.type.coerce(one, raw, CONTEXT)
        assert value is None
        assert round_trip(tables, one, value) == (expected, expected)
    assert one.type.format(one, expected, "en", "UTC") == ""


@pytest.mark.parametrize("name", sorted(KIT))
def test_python_and_postgresql_agree_on_any_value(workspace: psycopg.Connection[Any], name: str) -> None:
    one, examples = field_of(name), KIT[name]

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(examples.anything)
    def agree(raw: object) -> None:
        value = one.type.coerce(one, raw, CONTEXT)
        expected = one.type.to_json(value)
        with workspace.transaction(force_rollback=True):
            assert round_trip(workspace, one, value) == (expected, expected)
        again = one.type.coerce(one, expected, CONTEXT)
        if isinstance(value, StoredFile):
            again = replace(value, id=again.id)  # of a file only the id is believed, whatever else is sent
        assert one.type.to_json(again) == expected, "the JSON form is its own input"
        assert isinstance(one.type.format(one, expected, "de", "Europe/Berlin"), str)

    agree()


@pytest.mark.parametrize("name", sorted(KIT))
def test_nothing_a_client_can_send_breaks_a_type(name: str) -> None:
    one = field_of(name)
    scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
    raws = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5)

    @settings(max_examples=150, deadline=None)
    @given(raws)
    def survives(raw: object) -> None:
        for attempt in (one.type.coerce, one.type.parse):
            if attempt is one.type.coerce or isinstance(raw, str):
                try:
                    value = attempt(one, raw, CONTEXT)  # pyright: ignore[reportArgumentType]
                except ValueProblem:
                    continue
                json.dumps(one.type.to_json(value), ensure_ascii=False).encode()

    survives()


@pytest.mark.skipif(not NAUGHTY.exists(), reason="the list of naughty strings is not on this machine")
@pytest.mark.parametrize("name", ["text", "long_text"])
def test_naughty_strings_are_stored_unchanged(tables: psycopg.Connection[Any], name: str) -> None:
    one = field_of(name)
    for text in json.loads(NAUGHTY.read_text()):
        value = one.type.coerce(one, text, CONTEXT)
        assert round_trip(tables, one, value) == (text or None, text or None)


@pytest.mark.skipif(not NAUGHTY.exists(), reason="the list of naughty strings is not on this machine")
@pytest.mark.parametrize("name", sorted(set(KIT) - {"text", "long_text"}))
def test_naughty_strings_break_no_type(tables: psycopg.Connection[Any], name: str) -> None:
    one = field_of(name)
    kept = 0
    for text in json.loads(NAUGHTY.read_text()):
        try:
            value = one.type.parse(one, text, CONTEXT)
        except ValueProblem:
            continue
        stored, logged = round_trip(tables, one, value)
        assert stored == logged == one.type.to_json(value)
        kept += 1
    assert kept >= 1


def test_a_kit_without_examples_would_be_noticed() -> None:
    assert all(isinstance(kit, Examples) and kit.good and kit.bad for kit in KIT.values())
