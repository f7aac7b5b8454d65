"""Two workspaces with equal names; each thing in them carries its workspace's canary."""

from __future__ import annotations

import io
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from app.access import shares, teams
from app.core import clock, crypto
from app.exports.options import ExportOptions
from app.exports.service import start_export
from app.files.service import keep_file
from app.records.write import create_record
from app.rights import sharing
from tenants.identity import invitations, keys, sessions, support
from tenants.identity.members import set_preferences
from tenants.identity.sessions import Visitor
from tenants.scope import Tenant, enter_job
from tests.support import shaping
from tests.support.limits import open_limits  # noqa: F401 - a fixture of every test here
from tests.support.rights import put_role
from tests.support.tenants import PATIENT, make_tenant, owner_of
from tests.support.web import build_site

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.test import TestResponse

    from app.core.ports import Runtime


@dataclass
class House:
    """A workspace, its canary, its people's credentials, the ids of its things."""

    tenant: Tenant
    canary: str
    values: dict[str, str]
    sessions: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    person: str = ""

    @property
    def url(self) -> str:
        """Where people open it."""
        return f"http://{self.tenant.host}:8000"


@pytest.fixture(scope="session")
def site(runtime: Runtime) -> Flask:
    return build_site(runtime)


@pytest.fixture(scope="module")
def houses(runtime: Runtime, site: Flask) -> tuple[House, House]:
    """Ours and theirs."""
    return _build(runtime, "ours"), _build(runtime, "theirs")


def call(
    site: Flask,
    method: str,
    base_url: str,
    path: str,
    *,
    session: str = "",
    key: str = "",
    person: str = "",
    token: str = "",
    **more: Any,
) -> TestResponse:
    """One request with the credentials given, and no others."""
    headers: dict[str, str] = dict(more.pop("headers", {}))
    cookies = [f"__Host-rapport={session}"] if session else []
    cookies += [f"__Host-rapport_person={person}"] if person else []
    if cookies:
        headers["Cookie"] = "; ".join(cookies)
    if key:
        headers["Authorization"] = f"Bearer {key}"
    if token:
        headers["X-CSRF-Token"] = token
    client = site.test_client(use_cookies=False)
    return client.open(path, method=method, base_url=base_url, headers=headers, buffered=True, **more)


def csrf_token(site: Flask, base_url: str, cookie: str) -> str:
    """The token of the pages of that session."""
    with site.test_request_context(base_url=base_url, headers={"Cookie": cookie}):
        site.preprocess_request()
        return site.jinja_env.globals["csrf_token"]()  # type: ignore[operator]


def _build(runtime: Runtime, label: str) -> House:
    tenant = make_tenant(runtime, name="Twin")
    shaping.change(runtime.databases, tenant, shaping.NAMED)
    canary = f"canary-{label}-{uuid.uuid4().hex[:12]}"
    owner = owner_of(runtime.databases, tenant)
    values: dict[str, str] = {
        "unique_field": "external_id",
        "value": "ext-1",
        "field_name": "name",
        "token": "made-up",
        "filename": "mark.svg",
        "tenant": str(tenant.id),
    } | shaping.NAMES
    house = House(tenant, canary, values)
    with enter_job(runtime.databases, tenant.id, actor=owner, write=True, budget=PATIENT) as scope:
        for name, payload in {
            "company": {"name": f"Twin {canary}", "external_id": "ext-1"},
            "contact": {"first_name": canary, "emails": [{"value": f"{canary}@example.com"}]},
            "lead": {"last_name": canary},
            "deal": {"name": canary},
            "task": {"title": canary},
            "note": {"body": f"<p>{canary}</p>"},
        }.items():
            values[name] = str(create_record(scope, name, payload)["id"])
        row = scope.execute(
            "insert into import (object, file_name, file_key) values ('company', %s, 'none') returning id",
            (f"{canary}.csv",),
        ).fetchone()
        values["import_id"] = str(row[0] if row else "")
        values["export_id"] = str(_export(scope, canary))
        uploaded = keep_file(scope, runtime.storage, io.BytesIO(canary.encode()), f"{canary}.txt", "text/plain")
        values["file_id"] = str(uploaded.id)
        for role in ("owner", "read_only", "nobody"):
            member = owner.id if role == "owner" else _member(scope, role, canary)
            house.sessions[role] = crypto.token()
            _put(scope, tenant, "session", house.sessions[role], member, None)
            house.keys[role] = keys.mint(tenant.id)
            _put(scope, tenant, "key", house.keys[role], None, role)
            values["member"] = str(member)
        values["key"] = str(keys.create_key(scope, canary, "member")[0].id)
        values |= _of_rights(runtime, scope, canary, values["company"]) | _of_owner(scope, owner.id, canary)
        person = scope.execute("select person from member where id = %s", (owner.id,)).fetchone()
    shaped = shaping.change(runtime.databases, tenant, f"{{kind: field, name: product.code, help: {canary}}}")
    values["change"] = str(shaped.change)
    name = canary.replace("-", "_")
    values["role"] = put_role(runtime.databases, tenant, name, label=canary, objects={"*": {"read": "own"}})
    values["session"] = str(_session_id(runtime, tenant, house.sessions["nobody"]))
    house.person = sessions.start(runtime.databases, person[0] if person else uuid.uuid4(), Visitor())
    return house


def _export(scope: Any, canary: str) -> UUID:
    """One of the owner's that is done."""
    options = ExportOptions(object="company", filter=f"name == '{canary}'")
    export_id = start_export(scope, options).id
    scope.execute("update export set state = 'done' where id = %s", (export_id,))
    return export_id


def _of_owner(scope: Any, owner: UUID, canary: str) -> dict[str, str]:
    """A view of the owner's own; its id stands in addresses and does not tell whose."""
    name = f"own-{uuid.uuid4().hex[:8]}"
    set_preferences(scope, owner, {"views.company": [{"id": name, "label": canary}]})
    return {"own_view_name": name}


def _of_rights(runtime: Runtime, scope: Any, canary: str, company: str) -> dict[str, str]:
    """A team, a role, a sharing rule, a share and an invitation of the workspace."""
    team = teams.create_team(scope, name=canary).id
    rule = {"object": "company", "name": canary, "condition": 'name == "x"', "kind": "team", "grantee": str(team)}
    share = shares.put_share(scope, "company", UUID(company), kind="team", grantee=str(team))
    invited = invitations.invite(runtime, scope, email=f"invited-{canary}@example.com", role="member")
    return {
        "grant": str(_grant(scope, canary)),
        "team": str(team),
        "rule": str(sharing.put_rule(scope, rule).id),
        "share": str(share.id),
        "invitation": str(invited.id),
    }


def _grant(scope: Any, canary: str) -> UUID:
    """Support was let in, and somebody asked for a way in."""
    made = support.put_grant(scope, "read_only", 4, canary)
    scope.execute(
        "insert into support_visit (id, support_grant, name, email, reason) values (uuidv7(), %s, %s, %s, %s)",
        (made.id, canary, f"{canary}@example.com", canary),
    )
    return made.id


def _member(scope: Any, role: str, canary: str) -> UUID:
    row = scope.execute(
        "insert into member (name, email, role, status) values (%s, %s, %s, 'active') returning id",
        (f"{role} {canary}", f"{role}-{canary}@example.com", role),
    ).fetchone()
    return row[0]


def _put(scope: Any, tenant: Tenant, kind: str, token: str, member: UUID | None, role: str | None) -> None:
    scope.at_commit(
        "select pod.put_credential(%(tenant)s, %(kind)s, %(hash)s, %(member)s, null, %(role)s, 'test', %(expires)s)",
        {
            "tenant": tenant.id,
            "kind": kind,
            "hash": crypto.sha256(token),
            "member": member,
            "role": role,
            "expires": clock.now() + timedelta(days=1),
        },
    )


def _session_id(runtime: Runtime, tenant: Tenant, token: str) -> UUID:
    with runtime.databases.pod_owner(tenant.pod).connect() as connection:
        return connection.exec_driver_sql(
            "select id from pod.credential where hash = %s", (crypto.sha256(token),)
        ).scalar_one()
