"""Settings → Roles: the list, the matrix of one, its fields and conditions of an object, two side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, request

from app.access import catalogs
from app.access.grants import EVERY, SPECIALS, role_document
from app.access.rights import RIGHTS_MANAGE
from app.core.errors import Conflict, FieldError, Forbidden, InvalidInput, NotFound
from app.http.guard import workspace
from app.http.respond import see_other
from app.rights import matrix, roles
from app.rights.pages.forms import by_field, page

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from app.access.grants import Role
    from app.core.errors import RapportError
    from app.metadata.model import Field
    from tenants.scope import TenantScope

blueprint = Blueprint("roles", __name__)

_ROLE: Final = "/settings/roles/<role>"
_OBJECT: Final = "/settings/roles/<role>/objects/<object_name>"
#: What every record has is no secret to whoever may read it.
_ALWAYS: Final = frozenset({"id", "version", "deleted_at"})


@blueprint.get("/settings/roles")
@workspace(RIGHTS_MANAGE, member=True)
def show_roles(scope: TenantScope) -> Response:
    """All roles."""
    return _roles(scope, {"label": "", "copy_of": request.args.get("copy_of", "member")}, {}, 200)


@blueprint.post("/settings/roles")
@workspace(RIGHTS_MANAGE, member=True)
def create(scope: TenantScope) -> Response:
    """A new role that begins as a copy."""
    values = {name: request.form.get(name, "") for name in ("label", "copy_of")}
    try:
        start = role_document(roles.get_role(scope, values["copy_of"] or "member"))
        made = roles.create_role(scope, {**start, "label": values["label"]})
    except NotFound:
        return _roles(scope, values, {"copy_of": "Choose one of the list."}, 422)
    except (InvalidInput, Conflict, Forbidden) as error:
        return _roles(scope, values, by_field(error), error.status)
    return see_other(f"/settings/roles/{made.name}")


@blueprint.get("/settings/roles/compare")
@workspace(RIGHTS_MANAGE, member=True)
def compare(scope: TenantScope) -> Response:
    """Two roles side by side: only where they differ."""
    every = [(held.role.name, held.role.label) for held in roles.list_roles(scope)]
    one = roles.get_role(scope, request.args.get("one", "member"))
    other = roles.get_role(scope, request.args.get("other", "manager"))
    catalog = catalogs.whole(scope)
    found = [
        (matrix.told(path, catalog), matrix.shown(path, pair[0]), matrix.shown(path, pair[1]))
        for path, pair in roles.compare(one, other).items()
        if path not in ("label", "help")
    ]
    return page("roles_compare.html", roles=every, one=one, other=other, differences=found)


@blueprint.get(_ROLE)
@workspace(RIGHTS_MANAGE, member=True)
def show_role(scope: TenantScope, role: str) -> Response:
    """One role's matrix."""
    return _role(scope, roles.get_role(scope, role), {}, 200)


@blueprint.post(_ROLE)
@workspace(RIGHTS_MANAGE, member=True)
def change(scope: TenantScope, role: str) -> Response:
    """Save the matrix; ``follow`` gives an object's row back to that of all others."""
    found = roles.get_role(scope, role)
    follow = request.form.get("follow", "")
    named = [name for name in request.form.getlist("objects") if name not in ("", EVERY, follow)]
    special = [name for name in SPECIALS if name in request.form.getlist("special")]
    document = matrix.document_of(found, request.form, named, special)
    try:
        roles.change_role(scope, role, document)
    except (InvalidInput, Conflict, Forbidden) as error:
        return _role(scope, found, by_field(error), error.status)
    return see_other(f"/settings/roles/{role}?saved=1")


@blueprint.post(f"{_ROLE}/delete")
@workspace(RIGHTS_MANAGE, member=True)
def delete(scope: TenantScope, role: str) -> Response:
    """Take it away."""
    found = roles.get_role(scope, role)
    try:
        roles.delete_role(scope, role)
    except Conflict as error:
        return _role(scope, found, {"": error.detail}, 409)
    return see_other("/settings/roles")


@blueprint.get(_OBJECT)
@workspace(RIGHTS_MANAGE, member=True)
def show_object(scope: TenantScope, role: str, object_name: str) -> Response:
    """Fields and conditions of one object in a role."""
    return _object(scope, roles.get_role(scope, role), object_name, {}, 200)


@blueprint.post(_OBJECT)
@workspace(RIGHTS_MANAGE, member=True)
def change_object(scope: TenantScope, role: str, object_name: str) -> Response:
    """Save them."""
    found = roles.get_role(scope, role)
    try:
        roles.change_role(scope, role, matrix.object_document(found, object_name, request.form))
    except (InvalidInput, Conflict, Forbidden) as error:
        return _object(scope, found, object_name, _of_conditions(error), error.status)
    return see_other(f"/settings/roles/{role}/objects/{object_name}?saved=1")


def _roles(scope: TenantScope, values: dict[str, str], errors: dict[str, str], status: int) -> Response:
    every = roles.list_roles(scope)
    choices = [(held.role.name, held.role.label) for held in every]
    return page("roles.html", status, roles=every, choices=choices, values=values, errors=errors)


def _role(scope: TenantScope, role: Role, errors: dict[str, str], status: int) -> Response:
    catalog = catalogs.whole(scope)
    adjust = {name for name in request.args.getlist("adjust") if name in catalog.objects}
    return page(
        "role.html",
        status,
        role=role,
        lines=matrix.lines(role, catalog, adjust),
        columns=matrix.COLUMNS,
        levels=matrix.level_choices(),
        level_labels=matrix.LEVEL_LABELS,
        specials=[(name, *matrix.SPECIAL_LABELS[name]) for name in SPECIALS],
        errors=errors,
        saved="saved" in request.args,
        choices=[(held.role.name, held.role.label) for held in roles.list_roles(scope) if held.role.name != role.name],
    )


def _object(scope: TenantScope, role: Role, object_name: str, errors: dict[str, str], status: int) -> Response:
    obj = catalogs.whole(scope).objects.get(object_name)
    if obj is None:
        raise NotFound("There is no such object.")
    typed: dict[str, Any] = dict(request.form) if errors else {}
    levels = role.fields.get(object_name, {})
    fields = [
        (name, field.label, typed.get(f"field.{name}", levels.get(name, "edit")), _choices(field))
        for name, field in obj.fields.items()
        if field.shown and name not in _ALWAYS
    ]
    rules = {action: typed.get(f"when.{action}", role.rows.get(object_name, {}).get(action, "")) for action in _ACTIONS}
    return page(
        "role_object.html",
        status,
        role=role,
        object=obj,
        fields=fields,
        rules=rules,
        errors=errors,
        saved="saved" in request.args,
    )


_ACTIONS: Final = ("read", "edit")


def _choices(field: Field) -> list[tuple[str, str]]:
    """What the engine writes itself is shown or hidden, nothing between."""
    if field.system or field.readonly:
        return [("edit", "Shown"), ("none", "Hidden")]
    return list(matrix.FIELD_LABELS.items())


def _of_conditions(error: RapportError) -> dict[str, str]:
    """Messages by ``read`` and ``edit``, the rest under ""."""
    found: dict[str, str] = {}
    problems: list[FieldError] = error.errors
    for one in problems:
        last = one.pointer.split("/")[-1]
        found.setdefault(last if one.pointer.startswith("/rows/") and last in _ACTIONS else "", one.message)
    return found or {"": error.detail}
