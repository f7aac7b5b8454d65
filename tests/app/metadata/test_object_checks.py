"""What the checks of an object let through makes tables; what they refuse would not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from app.metadata import catalog, ddl
from app.metadata.changeset import desired
from app.metadata.document import parse
from app.metadata.kinds.field import TYPES
from app.metadata.layers import live
from tests.support.documents import state_of

if TYPE_CHECKING:
    import psycopg

    from app.metadata.changeset import Changes

#: What fields of a type can't be without.
NEEDED: dict[str, dict[str, object]] = {
    "link": {"to": ["x"]},
    "reference": {"to": ["x", "member"]},
    "select": {"options": {"a": {}}},
    "multi_select": {"options": {"a": {}}},
    "formula": {"returns": "text", "value": "n"},
    "rollup": {"over": "xs", "function": "count"},
}
ATTRIBUTES: list[dict[str, object]] = [
    {"required": True},
    {"unique": True},
    {"unique": "exact"},
    {"unique": "folded"},
    {"searchable": True},
    {"indexed": True},
]
BASE = {"n": {"type": "text"}, "p": {"type": "link", "to": "x", "inverse": "xs"}}


def changed(fields: dict[str, object], **more: object) -> Changes:
    label = {"one": "X", "other": "Xs"}
    spec = {"kind": "object", "name": "x", "label": label, "title": ["n"], "fields": {**BASE, **fields}}
    return desired(state_of(), parse([spec | more]))


def make(tables: psycopg.Connection[Any], changes: Changes) -> None:
    whole = catalog.of_document(1, live(changes.after), ())
    for statement in ddl.tenant_tables(replace(whole, objects={"x": whole.objects["x"]})):
        tables.execute(statement)  # type: ignore[arg-type]


@pytest.mark.parametrize("attribute", ATTRIBUTES, ids=str)
def test_what_a_field_may_be_makes_a_table(attribute: dict[str, object], tables: psycopg.Connection[Any]) -> None:
    fields = {f"f_{kind}": {"type": kind, **NEEDED.get(kind, {}), **attribute} for kind in TYPES}
    fields = {name: spec for name, spec in fields.items() if not changed({name: spec}).blocked}
    assert fields
    make(tables, changed(fields))


@pytest.mark.parametrize("place", ["title", "title_else", "list_columns", "highlights", "default_sort"])
def test_whatever_a_field_is_for_makes_a_table(place: str, tables: psycopg.Connection[Any]) -> None:
    taken = 0
    for kind in TYPES:
        spec = {f"f_{kind}": {"type": kind, **NEEDED.get(kind, {})}}
        changes = changed(spec, **{place: f"f_{kind}" if place == "default_sort" else [f"f_{kind}"]})
        if not changes.blocked:
            taken += 1
            with tables.transaction(force_rollback=True):
                make(tables, changes)
    assert taken > 5


def test_unique_is_without_case_for_texts_and_the_value_itself_for_others() -> None:
    changes = changed({"a": {"type": "text", "unique": True}, "b": {"type": "integer", "unique": True}})
    fields = catalog.of_document(1, live(changes.after), ()).objects["x"].fields
    assert (fields["a"].unique, fields["b"].unique) == ("folded", "exact")
