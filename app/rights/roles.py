"""A workspace's own roles: made, changed, copied, compared, taken away. Standard ones are only looked at and copied.

They are components of its document: what is to be done is thought through in a scope and carried out by the engine when
that has ended. Nobody saves a role that holds more than they do themselves: who could, could give it to themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from app.access import catalogs
from app.access.changing import MAX_ROLES, guarded
from app.access.grants import EVERY, PARTS, Role, read_role, role_component, role_document, role_leaves
from app.access.policy import policy_of
from app.access.rights import for_scope, rights_of
from app.core.errors import Conflict, FieldError, Forbidden, InvalidInput, NotFound
from app.expressions import check
from app.metadata.apply import MetadataBlocked, Request, apply
from app.metadata.changeset import desired
from app.metadata.kinds.role import KIND
from app.metadata.layers import live, overlaid
from app.metadata.leaves import SEPARATOR
from app.metadata.options import option_name_for
from app.metadata.patch import Patch
from app.metadata.roles import held, refused
from app.records.environment import RecordEnvironment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from app.core.db import Databases
    from app.metadata.changeset import Changes, State
    from app.metadata.model import Catalog
    from tenants.scope import TenantScope

    Wanted = Callable[[State], Changes]

LONGEST_LABEL: Final = 80
LONGEST_HELP: Final = 400
#: A record without these is none; hiding them hides nothing.
_ALWAYS_SHOWN: Final = frozenset({"id", "version", "deleted_at"})


class RoleInUse(Conflict):
    """Somebody holds the role."""

    code = "role.in_use"
    title = "The role is in use"


@dataclass(frozen=True, slots=True)
class Held:
    """A role and how many members and live keys hold it."""

    role: Role
    members: int
    keys: int

    def public(self) -> dict[str, Any]:
        """The API's form."""
        return public(self.role) | {"members": self.members, "keys": self.keys}


@dataclass(frozen=True, slots=True)
class Act:
    """A change of a role thought through in ``scope``; ``role`` is as it will be, or was."""

    scope: TenantScope
    role: Role
    wanted: Wanted


def public(role: Role) -> dict[str, Any]:
    """A role's document as the API shows it."""
    return {
        "name": role.name,
        "label": role.label,
        "help": role.help,
        "standard": role.standard,
        **role_document(role),
    }


def list_roles(scope: TenantScope) -> list[Held]:
    """Every role: the standard ones, then the workspace's own."""
    found = scope.execute(
        "select r, (select count(*) from member m where m.status <> 'inactive' and (m.role = r or r = any (m.roles))),"
        " (select count(*) from api_key k where k.role = r and k.revoked_at is null) from unnest(%s::text[]) r",
        (list(policy_of(scope).roles),),
    )
    counts = {row[0]: (row[1], row[2]) for row in found}
    return [Held(role, *counts[role.name]) for role in policy_of(scope).roles.values()]


def get_role(scope: TenantScope, name: str) -> Role:
    """One role; raises NotFound."""
    found = policy_of(scope).roles.get(name)
    if found is None:
        raise NotFound("There is no such role.")
    return found


def creating(scope: TenantScope, document: Mapping[str, Any], name: str = "") -> Act:
    """A new role; without ``name`` one is made of its label.

    Raises:
        InvalidInput: with a pointer to each thing that is wrong.
        Forbidden: it would hold more than whoever makes it.
        Conflict: there is one of that name.
    """
    roles = policy_of(scope).roles
    if len(roles) >= MAX_ROLES:
        raise Conflict(f"A workspace has at most {MAX_ROLES} roles.")
    chosen = name or option_name_for(str(document.get("label") or "role"), set(roles))
    if not KIND.takes(chosen):
        message = f"A name is {KIND.named}."
        raise InvalidInput(message, [FieldError("/name", "name", message)])
    if chosen in roles:
        raise _taken(chosen)
    role = _checked(scope, chosen, document)
    return Act(scope, role, _stating(role, new=True))


def changing(scope: TenantScope, name: str, document: Mapping[str, Any]) -> Act:
    """Replace a role's document; label and help stay when they are not named.

    Raises:
        Conflict: a standard role; copy it.
        InvalidInput, Forbidden: as for a new one; also when the role as it is holds more than whoever changes it.
    """
    before = get_role(scope, name)
    if before.standard:
        raise Conflict("Standard roles can't be changed. Copy this one and change the copy.")
    _check_within(scope, before)
    role = _checked(scope, name, {"label": before.label, "help": before.help, **document})
    return Act(scope, role, _stating(role, new=False))


def deleting(scope: TenantScope, name: str) -> Act:
    """Take a role away that nobody holds.

    Raises:
        RoleInUse: members, keys or sharing rules hold it.
        Conflict: a standard role.
    """
    role = get_role(scope, name)
    if role.standard:
        raise Conflict("Standard roles can't be deleted.")
    holders = held(scope.execute, [name])
    if holders:
        raise RoleInUse(refused(role.label, holders[name]))
    patch = Patch(component=role_component(name), removes=frozenset({""}))
    return Act(scope, role, lambda state: desired(state, [patch]))


def carry_out(databases: Databases, act: Act) -> Role:
    """Let the engine do it, when the scope has ended: it waits for writers.

    Raises:
        RoleInUse: somebody was given the role meanwhile, or a view or layout names it.
        Conflict, Forbidden: others changed roles meanwhile; others work in the workspace.
    """
    scope = act.scope
    request = Request(
        source=f"key:{scope.actor.name}" if scope.actor.kind == "key" else "settings", by=scope.actor,
        member=scope.member.id if scope.member else None, request_id=scope.request_id, keeps=False,
    )  # fmt: skip
    try:
        apply(databases, scope.tenant, guarded(scope, act.wanted), request)
    except MetadataBlocked as error:
        raise RoleInUse(error.detail, error.errors) from error
    return act.role


def _stating(role: Role, *, new: bool) -> Wanted:
    """The role's document is what is said, and nothing beside: what layers or it said else is taken away."""
    component = role_component(role.name)

    def wanted(state: State) -> Changes:
        document = overlaid(state.lower, state.overrides)
        there = component in live(document)
        if there and new:
            raise _taken(role.name)
        if not there and not new:
            raise NotFound("There is no such role.")
        old = [path for path in document.get(component, {}) if path.partition(SEPARATOR)[0] in PARTS]
        return desired(state, [Patch(component=component, leaves={**dict.fromkeys(old), **role_leaves(role)})])

    return wanted


def _taken(name: str) -> Conflict:
    message = f"There is a role called {name} already."
    return Conflict(message, [FieldError("/name", "unique", message)])


def compare(one: Role, other: Role) -> dict[str, list[Any]]:
    """Where two roles differ, by path: ``objects/deal/edit`` → [first, second]."""
    return _differences(one, other)


def _checked(scope: TenantScope, name: str, document: Mapping[str, Any]) -> Role:
    role = replace(read_role({**document, "name": name}), label=_label(document), help=_help(document))
    errors = _unknown(scope, role)
    if errors:
        raise InvalidInput(errors[0].message, errors)
    _check_within(scope, role)
    return role


def _check_within(scope: TenantScope, role: Role) -> None:
    known = policy_of(scope)
    trial = replace(known, roles={**known.roles, role.name: role})
    if not rights_of(trial, (role.name,)).within(for_scope(scope)):
        raise Forbidden("A role can't hold more than you do yourself. Ask somebody who may do all of this.")


def _label(document: Mapping[str, Any]) -> str:
    label = " ".join(str(document.get("label") or "").split())
    if not label or len(label) > LONGEST_LABEL:
        message = f"Enter a label of 1 to {LONGEST_LABEL} characters."
        raise InvalidInput(message, [FieldError("/label", "required", message)])
    return label


def _help(document: Mapping[str, Any]) -> str:
    text = str(document.get("help") or "").strip()
    if len(text) > LONGEST_HELP:
        message = f"At most {LONGEST_HELP} characters."
        raise InvalidInput(message, [FieldError("/help", "length", message)])
    return text


def _unknown(scope: TenantScope, role: Role) -> list[FieldError]:
    """Objects and fields the workspace does not have, conditions that can't be used."""
    catalog = catalogs.whole(scope)
    named = [("objects", name) for name in role.objects if name != EVERY]
    named += [("fields", name) for name in role.fields] + [("rows", name) for name in role.rows]
    errors = [
        FieldError(f"/{part}/{name}", "object.unknown", f"There is no object called {name}.")
        for part, name in named
        if name not in catalog.objects
    ]
    for name, levels in role.fields.items():
        if name in catalog.objects:
            errors += [_field_error(name, field) for field in levels if not _can_be_hidden(catalog, name, field)]
    seen = catalogs.for_scope(scope)  # by what one can't see nothing is opened: that would tell it
    for name, rules in role.rows.items():
        if name in seen.objects:
            environment = RecordEnvironment(seen, seen.objects[name], scope.tenant)
            for action, condition in rules.items():
                errors += condition_errors(condition, environment, f"/rows/{name}/{action}")
    return errors


def _can_be_hidden(catalog: Catalog, object_name: str, field: str) -> bool:
    return field in catalog.objects[object_name].fields and field not in _ALWAYS_SHOWN


def _field_error(object_name: str, field: str) -> FieldError:
    return FieldError(f"/fields/{object_name}/{field}", "field.unknown", f"{object_name} has no such field: {field}.")


def condition_errors(condition: str, environment: RecordEnvironment, pointer: str) -> list[FieldError]:
    """What is wrong with a condition, at ``pointer``; nothing when it can be used."""
    try:
        check(condition, environment)
    except InvalidInput as error:
        return [FieldError(pointer, error.code, one.message) for one in error.errors] or [
            FieldError(pointer, error.code, error.detail)
        ]
    return []


def _differences(before: Role | None, after: Role) -> dict[str, list[Any]]:
    old = _leaves(role_document(before)) if before else {}
    new = _leaves(role_document(after))
    texts = {"label": before.label if before else None, "help": before.help if before else None}
    old, new = texts | old, {"label": after.label, "help": after.help} | new
    paths = sorted(old.keys() | new.keys())
    return {path: [old.get(path), new.get(path)] for path in paths if old.get(path) != new.get(path)}


def _leaves(document: Mapping[str, Any], at: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in document.items():
        path = f"{at}/{name}" if at else name
        found |= _leaves(value, path) if isinstance(value, dict) else {path: value}
    return found
