"""Giving the chosen rows of a list another owner, all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request

from app.core.errors import InvalidInput, NotFound
from app.http.guard import workspace
from app.records.bulk import BulkRefused, bulk
from app.records.errors import LeavesReach
from app.records.pages.answers import agree, fragment
from app.records.pages.controls import control
from app.records.pages.lists import chosen_ids
from app.records.pages.values import gather_titles, reader_of
from app.records.permits import LEAVES_REACH, leaves_message
from app.records.read import find_object

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from werkzeug.wrappers import Response

    from app.metadata.model import Field, ObjectType
    from tenants.scope import TenantScope


@workspace("record.bulk")
def assign(scope: TenantScope, object_name: str) -> Response:
    """Without an owner the dialog that asks for one; with one all of the rows get it, or none."""
    _, obj = find_object(scope, object_name)
    field = _owner(obj)
    chosen = chosen_ids()
    if field.name not in request.form:
        return _dialog(scope, obj, field, chosen)
    owner = request.form[field.name].strip()
    if not owner:
        return _dialog(scope, obj, field, chosen, error="Choose whom they belong to.")
    agree(scope)
    try:
        bulk(scope, object_name, [{"id": str(one), field.name: owner} for one in chosen], mode="update", atomic=True)
    except BulkRefused as error:
        _ask_about_leaving(obj, error, len(chosen))
        return _dialog(scope, obj, field, chosen, general=_in_words(error))
    named = gather_titles(scope, obj, [field.name], [{field.name: owner}])
    return fragment("records/_assigned.html", object=obj, count=len(chosen), owner=next(iter(named.values()), ""))


def _owner(obj: ObjectType) -> Field:
    field = obj.fields.get("owner")
    if field is None or not field.writable:
        raise NotFound(f"{obj.plural} have no owner you may change.")
    return field


def _ask_about_leaving(obj: ObjectType, error: BulkRefused, count: int) -> None:
    """Raise LeavesReach when that is all that is in the way, saying how many would go."""
    if any(one.code != LeavesReach.code for one in error.errors):
        return
    gone = sum(one.message == leaves_message(obj, seen=False) for one in error.errors)
    leaving = len(error.errors)
    parts: list[str] = []
    if gone:
        parts.append(f"no longer see {_of(gone, count, obj)}")
    if leaving > gone:
        rest = "" if gone else f" {_of(leaving, count, obj)}"
        parts.append(f"no longer be able to change{rest or f' {leaving - gone:,} more'}")
    raise LeavesReach(f"After this you will {' and '.join(parts)}.", extra={"confirm": LEAVES_REACH})


def _of(some: int, count: int, obj: ObjectType) -> str:
    if count == 1:
        return f"this {obj.label.lower()}"
    plural = obj.plural.lower()
    return f"these {count:,} {plural}" if some == count else f"{some:,} of these {count:,} {plural}"


def _in_words(error: BulkRefused) -> str:
    rows = {one.pointer.split("/")[1] for one in error.errors if one.pointer}
    reasons = list(dict.fromkeys(one.message for one in error.errors))
    return f"Nothing was changed: {len(rows):,} can't get this owner. {' '.join(reasons[:3])}"


def _dialog(
    scope: TenantScope, obj: ObjectType, field: Field, chosen: Sequence[UUID], *, error: str = "", general: str = ""
) -> Response:
    if not chosen:
        raise InvalidInput("Choose records of the list.")
    built = control(obj, field, None, {}, reader_of(scope), currency=scope.tenant.currency, error=error)
    left = request.form.get("left", "0")
    return fragment(
        "records/_assign.html", 422 if error or general else 200, object=obj, control=built, ids=chosen,
        general=general, left=int(left) if left.isdecimal() and len(left) < len("1000") else 0,
    )  # fmt: skip
