"""What every kind has and does, whichever it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator

from app.access.grants import SPECIALS
from app.metadata import kinds
from app.metadata.checking import check_document
from app.metadata.document import read, to_yaml, whole
from app.metadata.fieldtypes import REGISTRY
from app.metadata.kinds import schema as form
from app.metadata.kinds.field import TYPES
from app.metadata.kinds.role import SPECIALS as ROLE_SPECIALS
from app.metadata.layers import live, overlaid
from app.metadata.leaves import nest
from app.metadata.vocabulary import Vocabulary
from tests.support.documents import platform, state_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.metadata.kinds.base import Kind, Nested

ALL = {**kinds.ROOTS, **kinds.NESTED}
#: Field types nobody writes: the engine makes them.
NOT_WRITTEN = {"pipeline", "stage", "uuid"}


def schemas(schema: form.Schema, path: str = "") -> Iterator[tuple[str, form.Schema]]:
    yield path, schema
    for name, inner in form.properties_of(schema).items():
        yield from schemas(inner, f"{path}/{name}")
    if form.is_mapping(schema):
        yield from schemas(form.below(schema, "x") or {}, f"{path}/*")


def test_every_file_of_the_folder_is_a_kind() -> None:
    files = {file.stem for file in Path(kinds.__file__).parent.glob("*.py")}
    assert files - {"__init__", "base", "schema", "object_checks"} == set(ALL)
    assert set(ALL) == {
        "object", "field", "link", "option_set", "pipeline", "stage", "rule", "view", "layout", "role", "currency",
        "calendar", "translation",
    }  # fmt: skip


@pytest.mark.parametrize("kind", ALL.values(), ids=ALL)
def test_its_schema_is_one_and_describes_everything(kind: Kind | Nested) -> None:
    Draft202012Validator.check_schema(kind.schema)
    assert [path for path, schema in schemas(kind.schema) if not schema.get("description")] == []
    assert kind.help.endswith((".", "set."))


@pytest.mark.parametrize("kind", ALL.values(), ids=ALL)
def test_its_example_is_valid_and_survives_a_round_trip(kind: Kind | Nested) -> None:
    state = state_of(kind.example)
    assert state.overrides, "the example says something"
    document = live(overlaid(state.lower, state.overrides))
    assert whole(read(to_yaml(document))) == document


@pytest.mark.parametrize("kind", kinds.ROOTS.values(), ids=kinds.ROOTS)
def test_its_canonical_form_meets_its_own_schema(kind: Kind) -> None:
    for component, leaves in whole(read(kind.example)).items():
        errors = list(Draft202012Validator(kind.schema).iter_errors(nest(leaves)))
        assert [error.message for error in errors] == [], component


@pytest.mark.parametrize("kind", kinds.ROOTS.values(), ids=kinds.ROOTS)
def test_what_its_example_names_is_found(kind: Kind) -> None:
    document = platform() | whole(read(kind.example))
    checked = check_document(document, Vocabulary(document))
    assert checked.problems == ()
    names = [reference for found in checked.references.values() for reference in found]
    assert all(reference.component in document for reference in names)


@pytest.mark.parametrize("kind", kinds.NESTED.values(), ids=kinds.NESTED)
def test_a_nested_kind_is_a_part_of_its_root(kind: Nested) -> None:
    inner = kinds.ROOTS[kind.root].schema
    for collection in kind.collections:
        inner = form.below(form.properties_of(inner)[collection], "x") or {}
    for name in form.properties_of(kind.schema):
        assert name in form.properties_of(inner) or name in ("many", "fields"), name


def test_every_field_type_can_be_written() -> None:
    assert set(TYPES) == (set(REGISTRY) | {"formula", "rollup"}) - NOT_WRITTEN


def test_special_rights_are_those_of_roles() -> None:
    assert ROLE_SPECIALS == SPECIALS
