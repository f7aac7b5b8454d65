"""Whatever is changed can be taken back: document, schema and every live value (DESIGN §5)."""

from __future__ import annotations

from collections import defaultdict
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from app.core.errors import RapportError
from app.metadata import catalog, document
from app.metadata.apply import MetadataBlocked, look, owner_of
from app.metadata.ddl import inspect
from app.metadata.layers import live, overlaid
from app.metadata.sortkeys import quoted
from app.shaping import exporting
from tenants.scope import enter_job
from tests.support.field_kit import CONTEXT
from tests.support.shaping import change, finish, sql, take_back
from tests.support.tenants import owner_of as owner_of_tenant

if TYPE_CHECKING:
    from uuid import UUID

    from app.core.db import Databases
    from app.core.ports import Runtime
    from app.metadata.model import Catalog, Field
    from tenants.scope import Tenant
    from tests.support.tenants import NewTenant

OBJECTS = ("product", "machine", "part")
FIELDS = ("alpha", "beta", "gamma")
#: What a field's values are made from, by its type.
VALUES: dict[str, Any] = {
    "text": "7.5", "long_text": "12", "decimal": "7.5", "integer": 7, "boolean": True, "date": "2026-02-03",
    "datetime": "2026-02-03T04:05:06Z", "money": {"amount": "7.50", "currency": "USD"}, "select": "red",
    "multi_select": ["red", "blue"], "tags": ["red"], "email": "ann@example.com", "phone": "+4930123456",
    "url": "https://example.com", "percent": "0.5", "duration": "PT7.5S", "time": "09:30",
    "geo": {"lat": 7.5, "lon": -7}, "rating": 4, "json": {"a": [7.5]},
}  # fmt: skip
TYPES = tuple(VALUES)
#: What there is before: two objects of one's own, two fields each, so that most acts have something to act on.
BEGUN = [
    {"kind": "object", "name": name, "label": {"one": name, "other": name}, "title": "title",
     "fields": {"title": {"type": "text", "label": "Title"}}}
    for name in ("machine", "part")
] + [
    {"kind": "field", "name": f"{name}.{at}", "type": kind, "label": at}
    for name in OBJECTS
    for at, kind in (("alpha", "text"), ("beta", "integer"))
]  # fmt: skip
ACTS = (
    "object", "field", "field", "field", "type", "remove", "drop", "label", "unique", "link", "rename", "call", "stage",
    "formula", "rollup", "rule", "view", "set",
)  # fmt: skip
_OPTIONS = {"red": {"label": "Red"}, "blue": {"label": "Blue"}}


def _field(kind: str) -> dict[str, Any]:
    return {"type": kind, "label": kind.title()} | ({"options": _OPTIONS} if "select" in kind else {})


@st.composite
def patches(draw: st.DrawFn) -> list[dict[str, Any]]:
    """One act of an admin."""
    obj, name = draw(st.sampled_from(OBJECTS)), draw(st.sampled_from(FIELDS))
    kind = draw(st.sampled_from(TYPES))
    act = draw(st.sampled_from(ACTS))
    at = f"{obj}.{name}"
    match act:
        case "object":
            fields = {"title": {"type": "text", "label": "Title"}, name: _field(kind)}
            label = {"one": obj, "other": obj}
            return [{"kind": "object", "name": obj, "label": label, "title": "title", "fields": fields}]
        case "field" | "type":
            return [{"kind": "field", "name": at, **_field(kind)}]
        case "remove":
            return [{"kind": "field", "name": at, "remove": True}]
        case "drop" | "label":
            named = {"one": kind, "other": kind}
            return [{"kind": "object", "name": obj, **({"remove": True} if act == "drop" else {"label": named})}]
        case "unique":
            return [{"kind": "field", "name": at, "unique": draw(st.booleans()), "searchable": True}]
        case "link":
            to = draw(st.sampled_from((*OBJECTS, "company", "member")))
            return [{"kind": "field", "name": at, "type": "link", "label": "Link", "to": to}]
        case "rename":
            old = draw(st.sampled_from(FIELDS))
            return [{"kind": "field", "name": at, "renamed_from": old}]
        case "call":
            other, old = draw(st.sampled_from(OBJECTS)), draw(st.sampled_from(FIELDS))
            called = [{"kind": "object", "name": obj, "renamed_from": other}]
            return called + [{"kind": "field", "name": at, "renamed_from": old}] * draw(st.booleans())
        case "formula" | "rollup" | "rule" | "view" | "set":
            return _depending(draw, act, obj, name)
        case _:
            stage = {"label": name, "status": "open"}
            return [{"kind": "object", "name": obj, "pipelines": {"flow": {"label": "Flow", "stages": {name: stage}}}}]


def _depending(draw: st.DrawFn, act: str, obj: str, name: str) -> list[dict[str, Any]]:
    """What names fields, objects or options, and stands or falls with them."""
    at, other = f"{obj}.{name}", draw(st.sampled_from(FIELDS))
    match act:
        case "formula":
            formula = {"type": "formula", "returns": "boolean", "value": f"has({other})"}
            return [{"kind": "field", "name": at, "label": "Formula", **formula}]
        case "rollup":
            to, over = draw(st.sampled_from(OBJECTS)), f"{obj}_{name}s"
            link = {"type": "link", "label": "Link", "to": to, "inverse": over}
            figure = {"type": "rollup", "label": "Number", "over": over, "function": "count"}
            return [{"kind": "field", "name": at, **link}, {"kind": "field", "name": f"{to}.{other}", **figure}]
        case "rule":
            return [{"kind": "rule", "name": f"{obj}.given", "refuse_if": f"!has({name})", "message": "Say it."}]
        case "view":
            shown = {"columns": [name], "filter": f"has({other})"}
            return [{"kind": "view", "name": f"{obj}.some", "label": "Some", **shown}]
        case _:
            words = draw(st.lists(st.sampled_from(("blue", "green")), unique=True))
            options = {"red": "Red", **dict.fromkeys(words, "Colour")}
            colours = {"kind": "option_set", "name": "colours", "label": "Colours", "options": options}
            return [colours, {"kind": "field", "name": at, "type": "select", "label": "C", "option_set": "colours"}]


@dataclass(frozen=True)
class Picture:
    """All of a workspace that a person could tell apart."""

    document: bytes
    layer: bytes
    schema: dict[str, list[str]]
    values: dict[str, list[tuple[Any, ...]]]


def picture(runtime: Runtime, tenant: Tenant) -> Picture:
    """After the job has done what was left to it."""
    finish(runtime, tenant)
    databases = runtime.databases
    with owner_of(databases, tenant) as connection:
        given = look(connection, tenant)
        now = catalog.compose(given.stored)
        values = {obj.name: _rows(connection, obj) for obj in now.objects.values() if obj.name in OBJECTS}
        schema = inspect.described(connection.execute, now)
    state = given.state
    effective = document.export(live(overlaid(state.lower, state.overrides)))
    layer = [(one.component, one.path, one.value) for one in state.overrides]
    return Picture(msgspec.json.encode(effective), msgspec.json.encode(sorted(layer)), schema, values)


def _rows(connection: Any, obj: Any) -> list[tuple[Any, ...]]:
    names = sorted(name for name, field in obj.fields.items() if field.stored)
    columns = [column.name for name in names for column in obj.fields[name].columns]
    text = f"select {', '.join(quoted(name) for name in columns)} from {quoted(obj.table)} order by id"
    return [(tuple(names), *row) for row in connection.execute(text).fetchall()]


def write_values(databases: Databases, tenant: Tenant, before: Catalog, now: Catalog) -> None:
    """Give new objects records, and new fields values; one of another type holds what its values became."""
    for name in OBJECTS:
        obj = now.objects.get(name)
        if obj is None:
            continue
        if not sql(databases, tenant, f"select 1 from {quoted(obj.table)}"):
            sql(databases, tenant, f"insert into {quoted(obj.table)} (external_id) values ('1'), ('2')")
        was = [one for one in before.objects.values() if one.table == obj.table]
        known = {column.name for one in was for field in one.fields.values() for column in field.columns}
        converted = {name for one in was for name in one.fields}
        for field in obj.fields.values():
            if field.name not in FIELDS or field.name in converted or not field.stored:
                continue
            if field.type.name in VALUES and field.columns[0].name not in known:
                _fill(databases, tenant, obj.table, field)


def _fill(databases: Databases, tenant: Tenant, table: str, field: Field) -> None:
    value = field.type.bind(field.type.coerce(field, VALUES[field.type.name], CONTEXT))
    sets = ", ".join(f"{quoted(column.name)} = %s" for column in field.columns)
    empty = f"{quoted(field.columns[0].name)} is null and external_id = '1'"
    sql(databases, tenant, f"update {quoted(table)} set {sets} where {empty}", *value)


def catalog_of(databases: Databases, tenant: Tenant) -> Catalog:
    with owner_of(databases, tenant) as connection:
        return catalog.compose(look(connection, tenant).stored)


#: Explaining a failure would run its acts another hundred times.
_quiet = settings(
    deadline=None, suppress_health_check=list(HealthCheck), print_blob=True, phases=set(Phase) - {Phase.explain}
)


@settings(_quiet, max_examples=10)
@given(acts=st.lists(patches(), min_size=2, max_size=6))
def test_what_was_applied_is_taken_back_and_brought_back(
    runtime: Runtime, new_tenant: NewTenant, acts: list[list[dict[str, Any]]]
) -> None:
    back_and_forth(runtime, new_tenant(), acts)


@pytest.mark.scale
@settings(_quiet, max_examples=150)
@given(acts=st.lists(patches(), min_size=3, max_size=12))
def test_long_histories_are_taken_back_and_brought_back(
    runtime: Runtime, new_tenant: NewTenant, acts: list[list[dict[str, Any]]]
) -> None:
    back_and_forth(runtime, new_tenant(), acts)


def back_and_forth(runtime: Runtime, tenant: Tenant, acts: list[list[dict[str, Any]]]) -> None:
    """Each act applied, taken back, brought back and taken back again; all of it once more, and all of it in one."""
    databases = runtime.databases
    sql(databases, tenant, "insert into o_product (external_id, name) values ('1', 'One'), ('2', 'Two')")
    begin(databases, tenant)
    pictures, changes = [picture(runtime, tenant)], []
    for act in acts:
        before = catalog_of(databases, tenant)
        try:
            made = change(databases, tenant, msgspec.json.encode(act).decode(), confirm=True)
        except RapportError as refused:
            event(refused.code)
            assert picture(runtime, tenant) == pictures[-1], "nothing is half done"
            continue
        if made.change is None:
            continue
        write_values(databases, tenant, before, catalog_of(databases, tenant))
        if "renamed_from" not in act[0]:
            again = change(databases, tenant, msgspec.json.encode(act).decode(), confirm=True)
            assert again.change is None, "twice is a no-op"
        changes.append(made.change)
        pictures.append(picture(runtime, tenant))
    event(f"{len(changes)} changes")
    unwind(runtime, tenant, changes, pictures)


def begin(databases: Databases, tenant: Tenant) -> None:
    """What every history starts from, with values."""
    before = catalog_of(databases, tenant)
    change(databases, tenant, msgspec.json.encode(BEGUN).decode())
    write_values(databases, tenant, before, catalog_of(databases, tenant))


def unwind(runtime: Runtime, tenant: Tenant, changes: list[UUID], pictures: list[Picture]) -> None:
    """Step by step there and back, then in one; ``pictures`` are those before the first change and after each."""
    databases = runtime.databases
    turns: list[UUID] = []

    def turn(change: UUID, wanted: Picture, *, newer: bool = False) -> UUID:
        made = take_back(databases, tenant, change, newer=newer).change
        assert_same(picture(runtime, tenant), wanted)
        assert made is not None
        return made

    for at in range(len(changes), 0, -1):
        again = turn(turn(changes[at - 1], pictures[at - 1]), pictures[at])
        turns.append(turn(again, pictures[at - 1]))
    for at, back in enumerate(reversed(turns), 1):
        turn(back, pictures[at])
    with suppress(MetadataBlocked) if converted_twice(pictures) else nullcontext():
        if changes:
            whole = turn(changes[0], pictures[0], newer=True)
            turn(turn(whole, pictures[-1]), pictures[0])


def converted_twice(pictures: list[Picture]) -> bool:
    """Whether some field had three types: then all that was changed is taken back one by one only."""
    had: defaultdict[str, set[str]] = defaultdict(set)
    for one in pictures:
        for component in msgspec.json.decode(one.document):
            for name, field in component.get("fields", {}).items():
                had[name].add(field["type"])
    return any(len(types) > 2 for name, types in had.items() if name in FIELDS)


def assert_same(now: Picture, then: Picture) -> None:
    """Part by part, so that a failure says which."""
    assert now.document == then.document
    assert now.layer == then.layer
    assert now.schema == then.schema
    assert now.values == then.values


@settings(_quiet, max_examples=10)
@given(acts=st.lists(patches(), min_size=2, max_size=6))
def test_what_was_exported_gives_the_same_elsewhere(
    runtime: Runtime, new_tenant: NewTenant, acts: list[list[dict[str, Any]]]
) -> None:
    carried_over(runtime, new_tenant(), new_tenant(), acts)


@pytest.mark.scale
@settings(_quiet, max_examples=150)
@given(acts=st.lists(patches(), min_size=3, max_size=12))
def test_long_histories_exported_give_the_same_elsewhere(
    runtime: Runtime, new_tenant: NewTenant, acts: list[list[dict[str, Any]]]
) -> None:
    carried_over(runtime, new_tenant(), new_tenant(), acts)


def carried_over(runtime: Runtime, one: Tenant, other: Tenant, acts: list[list[dict[str, Any]]]) -> None:
    """What is exported after the acts makes an equal workspace of a fresh one, and is a no-op the second time."""
    databases = runtime.databases
    begin(databases, one)
    for act in acts:
        with suppress(RapportError):
            change(databases, one, msgspec.json.encode(act).decode(), confirm=True)
    with enter_job(databases, one.id, actor=owner_of_tenant(databases, one), write=False, budget=60) as scope:
        written = exporting.written(scope, exporting.read(scope), "tenant")
    text = msgspec.json.encode(written).decode()
    change(databases, other, text, confirm=True)
    here, there = picture(runtime, one), picture(runtime, other)
    assert there.document == here.document
    assert there.layer == here.layer
    assert there.schema == here.schema
    assert change(databases, other, text, confirm=True).change is None
