"""Conditions in forms of settings: they see all of an object, whoever may read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, request

from app.access import catalogs
from app.access.rights import METADATA_EDIT
from app.core.errors import NotFound
from app.http.guard import workspace
from app.records.pages.conditions import LONGEST, Desk, model_sent, rows_answer
from app.shaping.pages import typed

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from tenants.scope import TenantScope

blueprint = Blueprint("shaping_conditions", __name__)


@blueprint.post("/settings/objects/<object_name>/rows")
@workspace(METADATA_EDIT, member=True, write=False)
def show_rows(scope: TenantScope, object_name: str) -> Response:
    """A condition as rows, and what there is to say of them."""
    return rows_answer(desk_of(scope, object_name), trying=True)


def desk_of(scope: TenantScope, object_name: str) -> Desk:
    """The conditions on an object, all of whose fields they may name. Raises NotFound."""
    catalog = catalogs.whole(scope)
    obj = catalog.objects.get(object_name)
    if obj is None:
        raise NotFound("There is no such object.")
    return Desk(scope, catalog, obj)


def given(scope: TenantScope, object_name: str, name: str) -> str:
    """The condition of the form's box ``name``; "" for none. Raises typed.Wrong."""
    return chosen(scope, object_name, typed.text(name), request.form.get(f"{name}.rows", ""))


def chosen(scope: TenantScope, object_name: str, text: str, rows: str) -> str:
    """The condition a box sent as ``text``, or as ``rows`` once somebody changed those. Raises typed.Wrong."""
    model = model_sent(rows)
    if model is None:
        return text.replace("\0", "").strip()[:LONGEST]
    desk = desk_of(scope, object_name)
    wrong = desk.faults(model)
    if wrong:
        raise typed.Wrong(*(f"Condition: {one}" for one in wrong))
    return desk.text(model)
