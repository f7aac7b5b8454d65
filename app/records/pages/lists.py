"""The list of an object: columns, sort, filter, paging, totals, and what is done with the chosen rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask import request

from app.access.rights import allows
from app.core.errors import InvalidInput
from app.http.guard import workspace
from app.http.respond import see_other
from app.records import trash
from app.records.aggregate import aggregate
from app.records.pages.answers import fragment, page, vals
from app.records.pages.columns import ListColumn, cell, chosen_columns, list_columns, path_columns, titles_for
from app.records.pages.filtering import chips_of
from app.records.pages.levels import Levels
from app.records.pages.own_views import deleted_view
from app.records.pages.values import Reader, Record, Shown, Titles, reader_of
from app.records.pages.viewing import chosen_view, is_broken, keeping, view_tabs, viewed
from app.records.paths import TITLE
from app.records.query import AggregateQuery, ListQuery, Page
from app.records.read import find_object, list_records

if TYPE_CHECKING:
    from collections.abc import Sequence

    from werkzeug.wrappers import Response

    from app.metadata.model import ObjectType
    from app.metadata.reach import Action
    from app.records.pages.asking import Asked
    from tenants.scope import TenantScope

PAGE = 50


@dataclass(frozen=True, slots=True)
class Head:
    """A column's head: where a click leads and how it is sorted now."""

    label: str
    href: str
    state: str
    numeric: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the list; ``may`` names what its reader may do with it: edit, delete."""

    id: str
    title: str
    href: str
    cells: tuple[Shown, ...]
    version: int = 0
    may: frozenset[str] = frozenset()


@workspace("record.read")
def list_page(scope: TenantScope, object_name: str) -> Response:
    """The list, whole or only its body when htmx asks."""
    catalog, obj = find_object(scope, object_name)
    question = viewed(scope, obj)
    view = chosen_view(scope, obj, question.view)
    columns = path_columns(catalog, obj, view.columns) if view else []
    columns = columns or list_columns(obj, chosen_columns(scope, obj))
    values: dict[str, Any] = {"object": obj, "asked": question, "error": "", "position": 0, "page": Page([], None)}
    status, acts = 200, _acts(scope, obj)
    levels = Levels(scope, obj, acts)
    try:
        found = list_records(scope, object_name, _query(obj, question, columns, levels))
    except InvalidInput as error:
        values |= {"error": _in_words(error), "rows": (), "sums": (), "broken": is_broken(scope, obj, view)}
        status = 422
    else:
        values |= {
            "page": found,
            "rows": rows_of(scope, obj, columns, found.rows, question, levels),
            "sums": _sums(scope, obj, columns, question) if found.total and len(found.rows) < found.total else (),
        }
    values["columns"] = [_head(obj, column, question) for column in columns]
    values["total"] = values["page"].total
    values["acts"] = acts
    values["chips"] = chips_of(scope, obj, question)
    values["views"] = view_tabs(scope, obj, question, "list")
    values["view"] = view
    values["keeping"] = keeping(scope, obj, question, "list")
    values["deleted"] = deleted_view(scope, obj, request.args.get("deleted", ""))
    values["trashed"] = request.args.get("trashed", "")
    return page("records/list.html", "records/_list.html", status, **values)


@workspace("record.delete")
def trash_chosen(scope: TenantScope, object_name: str) -> Response:
    """Put the chosen rows into the trash; the toast offers them back."""
    _, obj = find_object(scope, object_name)
    chosen = chosen_ids()
    trash.trash_all(scope, object_name, chosen)
    undo = vals(ids=",".join(str(record_id) for record_id in chosen))
    return fragment("records/_trashed.html", object=obj, count=len(chosen), undo=undo, refresh=True)


@workspace("record.delete")
def restore_chosen(scope: TenantScope, object_name: str) -> Response:
    """Undo: bring the rows back."""
    _, obj = find_object(scope, object_name)
    chosen = chosen_ids()
    trash.restore_all(scope, object_name, chosen)
    if request.form.get("to") == "record":
        return see_other(f"/records/{object_name}/{chosen[0]}")
    return fragment("records/_restored.html", object=obj, count=len(chosen))


def rows_of(
    scope: TenantScope,
    obj: ObjectType,
    columns: Sequence[ListColumn],
    records: Sequence[Record],
    question: Asked,
    levels: Levels,
) -> list[Row]:
    """Records as lines with their links named."""
    known = titles_for(scope, columns, records)
    reader = reader_of(scope)
    query = question.query(cursor="")
    return [replace(_row(obj, columns, one, reader, known, query), may=levels.of(one)) for one in records]


def _acts(scope: TenantScope, obj: ObjectType) -> tuple[Action, ...]:
    """What may be done with the chosen rows, as far as each of them allows it."""
    owner = obj.fields.get("owner")
    reassign = owner is not None and owner.writable and allows(scope, "record.bulk", obj.name)
    offered: tuple[Action, ...] = ("edit", "delete", "export") if reassign else ("delete", "export")
    return tuple(action for action in offered if allows(scope, f"record.{action}", obj.name))


def sort_for(obj: ObjectType, question: Asked) -> str:
    """The sort asked for, else the view's, else the object's own."""
    return question.sort or question.order or obj.default_sort


def _row(
    obj: ObjectType, columns: Sequence[ListColumn], record: Record, reader: Reader, known: Titles, query: str
) -> Row:
    return Row(
        id=str(record["id"]),
        title=str(record.get(TITLE) or "Untitled"),
        href=f"/records/{obj.name}/{record['id']}" + (f"?{query}" if query else ""),
        cells=tuple(cell(column, record.get(column.path), reader, known, obj) for column in columns),
    )


def _query(obj: ObjectType, question: Asked, columns: Sequence[ListColumn], levels: Levels) -> ListQuery:
    return ListQuery(
        filter=question.condition(obj),
        sort=sort_for(obj, question),
        fields=(TITLE, *levels.paths, *(column.path for column in columns)),
        limit=PAGE,
        cursor=question.cursor,
        total="exact",
    )


def _head(obj: ObjectType, column: ListColumn, question: Asked) -> Head:
    present = sort_for(obj, question)
    kind, path = column.field.type.name, column.path
    state = {path: "ascending", f"-{path}": "descending"}.get(present, "")
    numeric = column.numeric
    first = f"-{path}" if numeric or kind in {"date", "datetime"} else path
    other = path if first.startswith("-") else f"-{path}"
    href = question.href(sort=other if present == first else first) if column.sortable else ""
    return Head(column.label, href, state, numeric)


def _sums(scope: TenantScope, obj: ObjectType, columns: Sequence[ListColumn], question: Asked) -> list[tuple[str, Any]]:
    """Sums of the shown money columns over all matching records, not only this page's."""
    money = [column.field for column in columns if column.field.type.name == "money"]
    if not money:
        return []
    metrics = tuple(f"sum:{field.name}" for field in money)
    query = AggregateQuery(group_by=(), metrics=metrics, filter=question.condition(obj))
    data: Any = aggregate(scope, obj.name, query).get("data") or [{}]
    return [(field.label, data[0].get(f"sum_{field.name}")) for field in money]


def chosen_ids() -> list[UUID]:
    """The ids sent, as separate fields or joined by commas."""
    texts = [part for text in request.form.getlist("ids") for part in text.split(",") if part]
    try:
        return sorted({UUID(text) for text in texts})
    except ValueError:
        raise InvalidInput("Choose records of the list.") from None


def _in_words(error: InvalidInput) -> str:
    told = [e.message for e in error.errors if e.message not in error.detail]
    return " ".join(dict.fromkeys([error.detail, *told]))
