"""Settings → Roles: the list, the matrix of one, its fields and conditions of an object, two side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, request

from app.access import catalogs
from app.access.grants import EVERY, SPECIALS, role_document
from app.access.rights import RIGHTS_MANAGE
from app.core.errors import Conflict, FieldError, Forbidden, InvalidInput, NotFound
from app.core.jobs import wake
from app.http.context import runtime
from app.http.guard import look_again, workspace
from app.http.respond import see_other
from app.records.pages.conditions import condition_sent
from app.rights import matrix, roles
from app.rights.pages.forms import by_field, page

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.wrappers import Response

    from app.access.grants import Role
    from app.core.errors import RapportError
    from app.metadata.model import Field
    from app.rights.roles import Act
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
@workspace(RIGHTS_MANAGE, member=True, after=True)
def create(scope: TenantScope) -> Response:  # noqa: ARG001  (it has ended)
    """A new role that begins as a copy."""
    values = {name: request.form.get(name, "") for name in ("label", "copy_of")}

    def thought(looking: TenantScope) -> Act:
        start = role_document(roles.get_role(looking, values["copy_of"] or "member"))
        return roles.creating(looking, {**start, "label": values["label"]})

    def again(looking: TenantScope, error: RapportError) -> Response:
        if isinstance(error, NotFound):
            return _roles(looking, values, {"copy_of": "Choose one of the list."}, 422)
        return _roles(looking, values, by_field(error), error.status)

    return _carried_out(thought, again, lambda made: f"/settings/roles/{made.name}", NotFound)


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
@workspace(RIGHTS_MANAGE, member=True, after=True)
def change(scope: TenantScope, role: str) -> Response:  # noqa: ARG001
    """Save the matrix; ``follow`` gives an object's row back to that of all others."""
    follow = request.form.get("follow", "")
    named = [name for name in request.form.getlist("objects") if name not in ("", EVERY, follow)]
    special = [name for name in SPECIALS if name in request.form.getlist("special")]

    def thought(looking: TenantScope) -> Act:
        document = matrix.document_of(roles.get_role(looking, role), request.form, named, special)
        return roles.changing(looking, role, document)

    def again(looking: TenantScope, error: RapportError) -> Response:
        return _role(looking, roles.get_role(looking, role), by_field(error), error.status)

    return _carried_out(thought, again, lambda _: f"/settings/roles/{role}?saved=1")


@blueprint.post(f"{_ROLE}/delete")
@workspace(RIGHTS_MANAGE, member=True, after=True)
def delete(scope: TenantScope, role: str) -> Response:  # noqa: ARG001
    """Take it away."""

    def again(looking: TenantScope, error: RapportError) -> Response:
        return _role(looking, roles.get_role(looking, role), {"": error.detail}, error.status)

    return _carried_out(lambda looking: roles.deleting(looking, role), again, lambda _: "/settings/roles")


@blueprint.get(_OBJECT)
@workspace(RIGHTS_MANAGE, member=True)
def show_object(scope: TenantScope, role: str, object_name: str) -> Response:
    """Fields and conditions of one object in a role."""
    return _object(scope, roles.get_role(scope, role), object_name, {}, 200)


@blueprint.post(_OBJECT)
@workspace(RIGHTS_MANAGE, member=True, after=True)
def change_object(scope: TenantScope, role: str, object_name: str) -> Response:  # noqa: ARG001
    """Save them."""

    def thought(looking: TenantScope) -> Act:
        rules = {one: condition_sent(looking, object_name, f"when.{one}", f"/rows/{one}") for one in _ACTIONS}
        document = matrix.object_document(roles.get_role(looking, role), object_name, request.form, rules)
        return roles.changing(looking, role, document)

    def again(looking: TenantScope, error: RapportError) -> Response:
        found = roles.get_role(looking, role)
        return _object(looking, found, object_name, _of_conditions(error), error.status)

    return _carried_out(thought, again, lambda _: f"/settings/roles/{role}/objects/{object_name}?saved=1")


def _carried_out(
    thought: Callable[[TenantScope], Act],
    again: Callable[[TenantScope, RapportError], Response],
    onward: Callable[[Role], str],
    *also: type[RapportError],
) -> Response:
    """Think a change through, let the engine make it and go on; or the page again with what stands in the way."""
    told = (InvalidInput, Conflict, Forbidden, *also)
    with look_again() as looking:
        try:
            act = thought(looking)
        except told as error:
            return again(looking, error)
    try:
        made = roles.carry_out(runtime().databases, act)
    except (InvalidInput, Conflict, Forbidden) as error:
        with look_again() as looking:
            return again(looking, error)
    wake(runtime().redis)
    return see_other(onward(made))


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
        rows_sent={action: typed.get(f"when.{action}.rows", "") for action in _ACTIONS},
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
