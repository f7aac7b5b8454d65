"""Roles, members, sharing and shares of a test's workspace, and a scope as any of its members.

Everything happens in the transaction of the scope given: nothing is committed, nothing is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from app.access.closures import rebuild_managers, rebuild_teams
from app.access.grants import read_role, role_component, role_leaves
from app.access.policy import changed
from app.metadata.apply import Request, apply
from app.metadata.changeset import desired
from app.metadata.layers import overlaid
from app.metadata.patch import Patch
from tenants.scope import SYSTEM, Actor, Member

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from app.core.db import Databases
    from app.metadata.changeset import Changes, State
    from tenants.scope import Tenant, TenantScope

_numbers = count(1)
#: Schemas whose role may write leaves.
_open: set[str] = set()

#: A role that works with everything sharing opens to it.
WORKER: dict[str, Any] = {
    "read": "reach", "create": True, "edit": "reach", "delete": "reach", "destroy": "reach", "export": "reach",
    "import": True, "bulk": True,
}  # fmt: skip


@dataclass(frozen=True)
class Person:
    """A member of a test's workspace."""

    id: UUID
    name: str
    roles: tuple[str, ...]
    team: UUID | None


def _changed(scope: TenantScope) -> None:
    """As after a change by the settings, but the version moves when the test's scope is committed only."""
    changed(scope)
    scope.deferred.clear()


def make_role(scope: TenantScope, name: str = "", **spec: Any) -> str:
    """A role; without ``objects`` it works with everything sharing opens.

    Of this transaction only, which the engine's are not: its leaves are written by hand, and the scope looks at them as
    at a version of its own.
    """
    name = name or f"role_{next(_numbers)}"
    spec.setdefault("objects", {"*": WORKER})
    role = read_role({"name": name, "label": name.replace("_", " ").title(), **spec})
    _let_in(scope)
    rows = [{"path": path, "value": value} for path, value in role_leaves(role).items()]
    scope.execute("delete from metadata_override where component = %s", (role_component(name),))
    scope.execute(
        "insert into metadata_override (component, path, value)"
        " select %s, path, value from jsonb_to_recordset(%s) n (path text, value jsonb)",
        (role_component(name), Jsonb(rows)),
    )
    _changed(scope)
    scope.version = -next(_numbers)
    return name


def drop_role(scope: TenantScope, name: str) -> None:
    """Take a role away that ``make_role`` made, whoever holds it."""
    _let_in(scope)
    scope.execute("delete from metadata_override where component = %s", (role_component(name),))
    _changed(scope)
    scope.version = -next(_numbers)


def put_role(databases: Databases, tenant: Tenant, name: str, **spec: Any) -> str:
    """A role for good, by the engine, as the installation's operator; one of that name says this from now on."""
    role = read_role({"label": name.replace("_", " ").title(), **spec, "name": name})

    def wanted(state: State) -> Changes:
        old = overlaid(state.lower, state.overrides).get(role_component(name), {})
        leaves = {**dict.fromkeys(old), **role_leaves(role)}
        return desired(state, [Patch(component=role_component(name), leaves=leaves)])

    apply(databases, tenant, wanted, Request(source="test", by=SYSTEM, keeps=False))
    return name


def _let_in(scope: TenantScope) -> None:
    """Let the tenant's role write leaves; the tests' cluster trusts its socket."""
    if scope.tenant.schema in _open:
        return
    info = scope.connection.info
    text = sql.SQL("grant insert, delete on {}.metadata_override to {}")
    with psycopg.connect(host=info.host, port=info.port, dbname=info.dbname, user="rapport_owner") as connection:
        connection.execute(text.format(sql.Identifier(scope.tenant.schema), sql.Identifier(scope.tenant.role)))
    _open.add(scope.tenant.schema)


def make_team(
    scope: TenantScope, name: str = "", *, parent: UUID | None = None, manager: UUID | None = None, queue: bool = False
) -> UUID:
    """A team below ``parent``."""
    row = scope.execute(
        "insert into team (name, parent, manager, queue) values (%s, %s, %s, %s) returning id",
        (name or f"Team {next(_numbers)}", parent, manager, queue),
    ).fetchone()
    assert row is not None
    rebuild_teams(scope)
    return row[0]


def make_person(
    scope: TenantScope,
    *roles: str,
    team: UUID | None = None,
    teams: Sequence[UUID] = (),
    manager: UUID | None = None,
) -> Person:
    """An active member with these roles (``member`` without any)."""
    number = next(_numbers)
    held = roles or ("member",)
    row = scope.execute(
        "insert into member (name, email, role, roles, status, team, manager)"
        " values (%s, %s, %s, %s, 'active', %s, %s) returning id",
        (f"Person {number}", f"person{number}@example.test", held[0], list(held[1:]), team, manager),
    ).fetchone()
    assert row is not None
    for one in teams:
        scope.execute("insert into team_member (team, member) values (%s, %s)", (one, row[0]))
    rebuild_teams(scope)
    rebuild_managers(scope)
    return Person(row[0], f"Person {number}", held, team)


def share_by_default(
    scope: TenantScope, object_name: str, read: str = "everyone", edit: str = "", inherit: str | None = None
) -> None:
    """What an object is open to; ``edit`` as ``read`` unless given."""
    scope.execute(
        "insert into sharing (object, read, edit, inherit) values (%s, %s, %s, %s)"
        " on conflict (object) do update set read = excluded.read, edit = excluded.edit, inherit = excluded.inherit",
        (object_name, read, edit or read, inherit),
    )
    _changed(scope)


def sharing_rule(
    scope: TenantScope, object_name: str, condition: str, kind: str, grantee: object, level: str = "read"
) -> None:
    """A rule that opens records meeting ``condition``."""
    scope.execute(
        "insert into sharing_rule (object, name, condition, grantee_kind, grantee, level)"
        " values (%s, %s, %s, %s, %s, %s)",
        (object_name, f"Rule {next(_numbers)}", condition, kind, str(grantee), level),
    )
    _changed(scope)


def share(
    scope: TenantScope, object_name: str, record_id: object, kind: str, grantee: object, level: str = "read",
    expires: str | None = None,
) -> None:  # fmt: skip
    """Give one record; ``expires`` is an interval from now."""
    scope.execute(
        "insert into share (object, record_id, grantee_kind, grantee, level, expires_at)"
        " values (%s, %s, %s, %s, %s, now() + %s::interval)",
        (object_name, record_id, kind, str(grantee), level, expires),
    )
    changed(scope)


def as_person(scope: TenantScope, person: Person) -> TenantScope:
    """The same transaction as somebody else."""
    member = Member(person.id, person.name, "", person.roles[0], {}, person.team)
    return replace(
        scope, member=member, actor=Actor("member", person.id, person.name), role=person.roles[0],
        roles=person.roles[1:], makers=(),
    )  # fmt: skip


def as_key(scope: TenantScope, role: str, maker: Person | None) -> TenantScope:
    """The same transaction with an API key of ``role``, made by ``maker``."""
    opened = scope if maker is None else as_person(scope, maker)
    makers = maker.roles if maker is not None else ()
    member = opened.member if maker is not None else None
    return replace(opened, member=member, role=role, roles=(), makers=makers, actor=Actor("key", None, "Key"))
