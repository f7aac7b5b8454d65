"""Settings → Sharing: what each object is open to, and rules that open more of its records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Blueprint, request

from app.access import catalogs
from app.access.rights import RIGHTS_MANAGE
from app.core.errors import Conflict, InvalidInput
from app.http.guard import workspace
from app.http.respond import see_other
from app.records.pages.conditions import Desk, condition_sent
from app.records.pages.people import chosen
from app.rights import sharing
from app.rights.pages.forms import by_field, page, typed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from werkzeug.wrappers import Response

    from tenants.scope import TenantScope

blueprint = Blueprint("sharing", __name__)

OPEN: Final = [
    ("private", "Private: owner only"),
    ("team", "Team of the record"),
    ("hierarchy", "Team and managers"),
    ("everyone", "Everyone"),
]
#: To what something can be given.
GRANTEES: Final = ("team", "role", "member")
_RULE_FIELDS: Final = ("name", "condition", "grantee", "level")


@blueprint.get("/settings/sharing")
@workspace(RIGHTS_MANAGE, member=True)
def show_sharing(scope: TenantScope) -> Response:
    """Every object."""
    return page(
        "sharing.html", defaults=sharing.list_defaults(scope), open=dict(OPEN), saved=request.args.get("saved", "")
    )


@blueprint.get("/settings/sharing/<object_name>")
@workspace(RIGHTS_MANAGE, member=True)
def show_object(scope: TenantScope, object_name: str) -> Response:
    """One object: default and rules."""
    return _page(scope, object_name, {}, {}, {}, 200)


@blueprint.post("/settings/sharing/<object_name>")
@workspace(RIGHTS_MANAGE, member=True)
def change(scope: TenantScope, object_name: str) -> Response:
    """Open it to less or more."""
    values = typed("read", "edit", "inherit")
    try:
        sharing.set_default(scope, object_name, values["read"], values["edit"], values["inherit"])
    except InvalidInput as error:
        return _page(scope, object_name, values, by_field(error), {}, 422)
    return see_other(f"/settings/sharing/{object_name}?saved=1")


@blueprint.post("/settings/sharing/<object_name>/rules")
@workspace(RIGHTS_MANAGE, member=True)
def add_rule(scope: TenantScope, object_name: str) -> Response:
    """One more rule."""
    sharing.get_default(scope, object_name)
    return _save_rule(scope, object_name, None)


@blueprint.get("/settings/sharing/rules/<uuid:rule>")
@workspace(RIGHTS_MANAGE, member=True)
def show_rule(scope: TenantScope, rule: UUID) -> Response:
    """One rule in its form."""
    found = sharing.get_rule(scope, rule)
    values = {
        "name": found.name,
        "condition": found.condition,
        "grantee": f"{found.kind}:{found.grantee}",
        "level": found.level,
    }
    return _page(scope, found.object, {}, {}, values, 200, rule=rule)


@blueprint.post("/settings/sharing/rules/<uuid:rule>")
@workspace(RIGHTS_MANAGE, member=True)
def change_rule(scope: TenantScope, rule: UUID) -> Response:
    """Save a rule."""
    return _save_rule(scope, sharing.get_rule(scope, rule).object, rule)


@blueprint.post("/settings/sharing/rules/<uuid:rule>/delete")
@workspace(RIGHTS_MANAGE, member=True)
def delete_rule(scope: TenantScope, rule: UUID) -> Response:
    """Take it away."""
    found = sharing.get_rule(scope, rule)
    sharing.delete_rule(scope, rule)
    return see_other(f"/settings/sharing/{found.object}")


def _save_rule(scope: TenantScope, object_name: str, rule: UUID | None) -> Response:
    values = typed(*_RULE_FIELDS)
    kind, _, grantee = values["grantee"].partition(":")
    try:
        values["condition"] = condition_sent(scope, object_name, "condition", "/condition")
        sharing.put_rule(scope, {**values, "object": object_name, "kind": kind, "grantee": grantee}, rule)
    except (InvalidInput, Conflict) as error:
        found = by_field(error)
        found.setdefault("grantee", found.get("kind") or found.get("id") or "")
        return _page(scope, object_name, {}, found, values, error.status, rule=rule)
    return see_other(f"/settings/sharing/{object_name}?saved=1")


def _page(
    scope: TenantScope,
    object_name: str,
    typed_default: dict[str, str],
    errors: dict[str, str],
    values: dict[str, str],
    status: int,
    *,
    rule: UUID | None = None,
) -> Response:
    found, rules = sharing.get_default(scope, object_name), sharing.list_rules(scope, object_name)
    default = typed_default or {"read": found.read, "edit": found.edit, "inherit": found.inherit}
    return page(
        "sharing_object.html",
        status,
        object=found,
        default=default,
        open=OPEN,
        rules=rules,
        grantee=chosen(scope, values.get("grantee", ""), GRANTEES),
        values=values or {"name": "", "condition": "", "grantee": "", "level": "read"},
        words=_words(scope, object_name, rules),
        rows_sent=request.form.get("condition.rows", "") if errors else "",
        rule=rule,
        errors=errors,
        saved="saved" in request.args,
    )


def _words(scope: TenantScope, object_name: str, rules: Iterable[sharing.RuleRow]) -> dict[UUID, str]:
    """The condition of each rule as people say it; as text where its reader may not read the object."""
    objects = catalogs.for_scope(scope).objects
    if object_name not in objects:
        return {one.id: f"`{one.condition}`" for one in rules}
    desk = Desk(scope, catalogs.for_scope(scope), objects[object_name], me="whoever looks")
    return {one.id: desk.words(one.condition) for one in rules}
