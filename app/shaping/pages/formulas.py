"""A formula or condition looked at while it is typed: what is wrong and where, what it gives for a chosen record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, current_app, render_template, request

from app.access.rights import METADATA_EDIT
from app.core.errors import InvalidInput, NotFound
from app.expressions import RETURNS, ConditionError, check
from app.http.guard import workspace
from app.records.errors import RecordNotFound
from app.records.pages.asking import quick_condition
from app.records.pages.values import gather_titles, reader_of, show
from app.records.paths import TITLE
from app.records.query import ListQuery
from app.records.read import find_object, list_records
from app.records.trying import tried
from app.shaping.pages.reading import Reading

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from tenants.scope import TenantScope

blueprint = Blueprint("shaping_formulas", __name__)
_OPTIONS: Final = 12
_LONGEST: Final = 10_000


@blueprint.post("/settings/objects/<object_name>/formula")
@workspace(METADATA_EDIT, member=True, write=False)
def check_formula(scope: TenantScope, object_name: str) -> Response:
    """What is wrong with a formula, or that it holds; with ``try`` what it gives for that record."""
    source, returns = request.form.get("value", "").strip()[:_LONGEST], request.form.get("returns", "")
    if returns not in RETURNS or not source:
        return _said("idle")
    record = request.form.get("try", "") or None
    try:
        field, value = tried(scope, object_name, source, returns, record)
    except ConditionError as error:
        return _said("wrong", error=error, source=source)
    except (RecordNotFound, KeyError) as error:
        raise NotFound("There is no such record.") from error
    if record is None:
        return _said("right")
    _, obj = find_object(scope, object_name)
    shown = show(field, value, reader_of(scope), gather_titles(scope, obj, (), []), obj)
    return _said("result", shown=shown)


@blueprint.get("/settings/objects/<object_name>/condition")
@workspace(METADATA_EDIT, member=True)
def check_condition(scope: TenantScope, object_name: str) -> Response:
    """What is wrong with a condition, or that it holds; ``name`` is the box it is typed into, ``over`` a link."""
    source = request.args.get(request.args.get("name", "when"), "").strip()[:_LONGEST]
    if not source:
        return _said("idle")
    reading = Reading(scope)
    reading.object(object_name)
    link = request.args.get("over", "")
    holder = next((one for name, _, one in reading.inverses(object_name) if name == link), "") if link else object_name
    try:
        check(source, reading.names.environment(holder or object_name))
    except ConditionError as error:
        return _said("wrong", error=error, source=source)
    return _said("right")


@blueprint.get("/settings/objects/<object_name>/records")
@workspace(METADATA_EDIT, member=True)
def records(scope: TenantScope, object_name: str) -> Response:
    """Records to try a formula with, for a box that finds them."""
    _, obj = find_object(scope, object_name)
    words = request.args.get("q", "").strip()[:200]
    query = ListQuery(filter=quick_condition(obj, words), sort="title", fields=(TITLE,), limit=_OPTIONS + 1)
    try:
        rows = list_records(scope, object_name, query).rows
    except InvalidInput:
        rows = []
    found = [(str(row["id"]), str(row[TITLE] or "Untitled"), "") for row in rows]
    html = render_template(
        "kit/_options.html", groups=[("", obj.icon or "circle", found[:_OPTIONS])], words=words, name="try",
        more=len(found) > _OPTIONS,
    )  # fmt: skip
    return current_app.make_response(html)


def _said(state: str, error: ConditionError | None = None, source: str = "", **values: Any) -> Response:
    position = error.extra.get("position") if error is not None else None
    at = position if isinstance(position, int) else 0
    html = render_template(
        "shaping/_checked.html", state=state, message=error.detail if error else "",
        before=source[max(0, at - 24) : at],
        here=source[at : at + 16] if error and at else "", **values,
    )  # fmt: skip
    return current_app.make_response(html)
