"""Every field of every object can be read, sorted, filtered and grouped by, or is refused in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.core.errors import InvalidInput
from app.metadata.catalog import platform
from app.records.aggregate import aggregate
from app.records.board import board
from app.records.paths import link_target
from app.records.query import AggregateQuery, BoardQuery, ListQuery
from app.records.read import list_records
from app.records.sources import Source

if TYPE_CHECKING:
    from collections.abc import Callable

    from tenants.scope import TenantScope

OBJECTS = tuple(platform().objects)


def paths(object_name: str) -> list[str]:
    """The object's own fields and parts, and those behind its first link and its owner."""
    catalog = platform()
    obj = catalog.objects[object_name]
    links = [field.name for field in obj.fields.values() if link_target(catalog, field) is not None]
    left_out = tuple(f"{name}." for name in links if name not in (links[0], "owner"))
    return [path for path in Source(catalog, obj).names() if not path.startswith(left_out)]


def put_three(scope: TenantScope, object_name: str) -> None:
    """Three records without values, where a table takes such."""
    if object_name != "record_link":
        for _ in range(3):
            scope.connection.execute(f"insert into o_{object_name} default values".encode())


def refused(ask: Callable[..., object], *arguments: object) -> bool:
    """Whether the question is answered with a 422; anything else that goes wrong fails the test."""
    try:
        ask(*arguments)
    except InvalidInput as error:
        return bool(error.errors)
    return False


@pytest.mark.parametrize("object_name", OBJECTS)
def test_every_name_can_be_asked_for(scope: TenantScope, object_name: str) -> None:
    put_three(scope, object_name)
    for path in paths(object_name):
        page = list_records(scope, object_name, ListQuery(fields=(path,)))
        assert all(list(row) == list(dict.fromkeys(["id", path])) for row in page.rows)


@pytest.mark.parametrize("object_name", OBJECTS)
def test_every_name_sorts_and_pages_in_both_directions_or_is_refused(scope: TenantScope, object_name: str) -> None:
    put_three(scope, object_name)
    expected = 0 if object_name == "record_link" else 3
    unsorted: list[str] = []
    for path in [*paths(object_name), "title"]:
        for sort in (path, f"-{path}"):
            seen: list[object] = []
            cursor: str | None = ""
            try:
                while cursor is not None:
                    page = list_records(scope, object_name, ListQuery(sort=sort, limit=2, cursor=cursor))
                    seen += [row["id"] for row in page.rows]
                    cursor = page.next
            except InvalidInput:
                unsorted.append(path)
                continue
            assert len(seen) == len(set(seen)) == expected, sort
    assert {"name", "title", "created_at", "owner", "stage"}.isdisjoint(unsorted)


@pytest.mark.parametrize("object_name", OBJECTS)
def test_every_name_groups_or_is_refused(scope: TenantScope, object_name: str) -> None:
    put_three(scope, object_name)
    for plain in ("owner", "created_at", "external_id", "version"):
        assert not refused(aggregate, scope, object_name, AggregateQuery(group_by=(plain,), metrics=("count",)))
    assert refused(aggregate, scope, object_name, AggregateQuery(group_by=("tags",)))
    for path in paths(object_name):
        for grain in ("", ":month"):
            refused(aggregate, scope, object_name, AggregateQuery(group_by=(path + grain,)))
        for function in ("sum", "avg", "min", "max"):
            refused(aggregate, scope, object_name, AggregateQuery(metrics=(f"{function}:{path}",)))
        refused(board, scope, object_name, BoardQuery(group_by=path, fields=("id",)))


@pytest.mark.parametrize("object_name", OBJECTS)
def test_every_name_can_be_asked_whether_it_is_there(scope: TenantScope, object_name: str) -> None:
    put_three(scope, object_name)
    for path in paths(object_name):
        for condition in (f"has({path})", f"!has({path})", f"{path} == null"):
            no = refused(list_records, scope, object_name, ListQuery(filter=condition, fields=("id",)))
            assert not no or "has(" not in condition, condition
