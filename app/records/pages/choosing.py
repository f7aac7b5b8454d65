"""Which columns a member sees in an object's list, and in which order."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flask import request

from app.core.errors import InvalidInput
from app.http.guard import workspace
from app.records.pages.answers import fragment
from app.records.pages.columns import MOST, chosen_columns, list_columns, path_columns, possible_columns
from app.records.pages.own_views import own_view, put_view
from app.records.read import find_object
from tenants.identity.members import set_preferences

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from app.metadata.arrangement import View
    from app.metadata.model import Catalog, ObjectType
    from app.records.pages.columns import ListColumn
    from tenants.scope import TenantScope


@workspace("record.read", member=True)
def columns_dialog(scope: TenantScope, object_name: str) -> Response:
    """The dialog: the present columns first and in their order, the others behind them; ``view``: of an own view."""
    catalog, obj = find_object(scope, object_name)
    view = _view(scope, obj)
    present = _present(scope, catalog, obj, view)
    paths = [column.path for column in present]
    others = [column for column in possible_columns(obj) if column.path not in paths]
    lines = [(column, True) for column in present] + [(column, False) for column in others]
    return fragment("records/_columns.html", object=obj, lines=lines, most=MOST, view=view)


@workspace("record.read", member=True, write=True)
def save_columns(scope: TenantScope, object_name: str) -> Response:
    """Keep the choice with the member, or their view; none, or ``reset``, goes back to the object's own."""
    catalog, obj = find_object(scope, object_name)
    view = _view(scope, obj)
    if scope.member is None:
        raise InvalidInput("This needs a person who is signed in.")
    possible = (*possible_columns(obj), *list_columns(obj), *_present(scope, catalog, obj, view))
    known = {column.path for column in possible}
    sent = [] if "reset" in request.form else request.form.getlist("columns")
    chosen = [path for path in dict.fromkeys(sent) if path in known][:MOST]
    if view is not None:
        put_view(scope, obj, replace(view, columns=tuple(chosen)))
    else:
        set_preferences(scope, scope.member.id, {f"columns.{obj.name}": chosen})
    return fragment("records/_columns_saved.html", object=obj)


def _view(scope: TenantScope, obj: ObjectType) -> View | None:
    """The view of their own the address names, if any. Raises NotFound."""
    name = request.args.get("view", "")
    return own_view(scope, obj, name) if name else None


def _present(scope: TenantScope, catalog: Catalog, obj: ObjectType, view: View | None) -> list[ListColumn]:
    """The columns shown now; a view may have some over links."""
    of_view = path_columns(catalog, obj, view.columns) if view is not None else []
    return of_view or list_columns(obj, chosen_columns(scope, obj))
