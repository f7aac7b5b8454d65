from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator

from app.metadata import kinds
from app.metadata.components import FOLDER
from app.metadata.document import export
from app.metadata.kinds_page import kinds_page
from app.metadata.published import written_schema
from app.metadata.yamlform import load_all
from tests.support.documents import documents, platform

if TYPE_CHECKING:
    from app.metadata.kinds.schema import Schema

ALL = {**kinds.ROOTS, **kinds.NESTED}


def complaints(schema: Schema, component: object) -> list[str]:
    return [error.message for error in Draft202012Validator(schema).iter_errors(component)]


@pytest.mark.parametrize("name", ALL)
def test_the_schema_for_editors_takes_what_people_write(name: str) -> None:
    schema = written_schema(name)
    Draft202012Validator.check_schema(schema)
    for component in load_all(ALL[name].example):
        assert complaints(schema, component) == []
    assert complaints(schema, {"kind": name, "name": "x", "lable": "X"})
    assert complaints(schema, {"kind": name})
    assert complaints(schema, {"kind": name, "name": "x", "remove": True}) == []


def test_it_takes_the_platform_and_what_is_exported_of_it() -> None:
    schema = written_schema("object")
    for file in FOLDER.glob("*.yaml"):
        for component in load_all(file.read_text(encoding="utf-8")):
            assert complaints(schema, component) == [], file.name
    for component in export(platform()):
        assert complaints(schema, component) == []


@given(documents())
def test_it_takes_every_export(document: dict) -> None:
    for component in export(document):
        assert complaints(written_schema(str(component["kind"])), component) == []


def test_it_takes_shorthands() -> None:
    fields = [{"name": "a", "type": "select", "options": ["x", {"name": "y", "color": "red"}]}, "b"]
    spec: dict[str, object] = {"kind": "object", "name": "x", "title_field": "a", "fields": fields, "help": None}
    assert complaints(written_schema("object"), spec) == []
    spec["fields"] = {"a": {"default": {"value": "today()"}, "renamed_from": None}, "b": None}
    assert complaints(written_schema("object"), spec) == []
    assert complaints(written_schema("stage"), {"kind": "stage", "name": "a.b", "probability": 0.5}) == []


def test_the_page_describes_every_leaf_of_every_kind() -> None:
    text = "\n".join(kinds_page("generated"))
    for name, kind in ALL.items():
        assert f"\n## {name}\n\n{kind.help}" in text
        assert kind.example.strip() in text
    for leaf in ("`type` \\*", "`tabs/*/sections/*/fields/*/wide`", "`rates/*`", "`enter_if/when` \\*", "`options/*`"):
        assert f"| {leaf} |" in text, leaf
