"""Which columns a member sees in an object's list, and in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request

from app.core.errors import InvalidInput
from app.http.guard import workspace
from app.records.pages.answers import fragment
from app.records.pages.columns import MOST, chosen_columns, list_columns, possible_columns
from app.records.read import find_object
from tenants.identity.members import set_preferences

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from tenants.scope import TenantScope


@workspace("record.read", member=True)
def columns_dialog(scope: TenantScope, object_name: str) -> Response:
    """The dialog: the present columns first and in their order, the others behind them."""
    _, obj = find_object(scope, object_name)
    present = list_columns(obj, chosen_columns(scope, obj))
    paths = [column.path for column in present]
    others = [column for column in possible_columns(obj) if column.path not in paths]
    lines = [(column, True) for column in present] + [(column, False) for column in others]
    return fragment("records/_columns.html", object=obj, lines=lines, most=MOST)


@workspace("record.read", member=True, write=True)
def save_columns(scope: TenantScope, object_name: str) -> Response:
    """Keep the choice with the member; none, or ``reset``, goes back to the object's own."""
    _, obj = find_object(scope, object_name)
    if scope.member is None:
        raise InvalidInput("This needs a person who is signed in.")
    known = {column.path for column in possible_columns(obj)} | {column.path for column in list_columns(obj)}
    sent = [] if "reset" in request.form else request.form.getlist("columns")
    chosen = [path for path in dict.fromkeys(sent) if path in known][:MOST]
    set_preferences(scope, scope.member.id, {f"columns.{obj.name}": chosen})
    return fragment("records/_columns_saved.html", object=obj)
