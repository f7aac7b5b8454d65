"""Workspaces that hold the same things in different numbers, for counting what a request asks of the database."""

from __future__ import annotations

import io
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from app.access import catalogs, policy, shares, teams
from app.core import clock, crypto
from app.files.service import keep_file
from app.records.bulk import bulk
from app.records.write import create_record, trash_record, update_record
from app.rights import sharing
from tenants.identity import invitations, keys, sessions, support
from tenants.identity.members import set_preferences
from tenants.identity.sessions import Visitor
from tenants.scope import Tenant, TenantScope, enter_job
from tests.support import shaping
from tests.support.rights import put_role
from tests.support.tenants import PATIENT, make_person, make_tenant, owner_of

if TYPE_CHECKING:
    from app.core.ports import Runtime
    from tenants.scope import Actor


@dataclass
class Crowd:
    """A workspace with ``size`` of everything, the owner's session, and ids for addresses."""

    runtime: Runtime
    tenant: Tenant
    owner: Actor
    size: int
    session: str = ""
    person: str = ""
    values: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where people open it."""
        return f"http://{self.tenant.host}:8000"

    def write(self) -> Any:
        """A scope of the owner that commits."""
        return enter_job(self.runtime.databases, self.tenant.id, actor=self.owner, write=True, budget=PATIENT)


def make_crowd(runtime: Runtime, size: int) -> Crowd:
    """A workspace with ``size`` members, keys, trashed records."""
    tenant = make_tenant(runtime, name="Crowd")
    owner = owner_of(runtime.databases, tenant)
    shaping.change(runtime.databases, tenant, shaping.NAMED)
    crowd = Crowd(runtime, tenant, owner, size)
    for number in range(size):
        put_role(runtime.databases, tenant, f"role_{number}", objects={"*": {"read": "own"}})
    with crowd.write() as scope:
        for number in range(size):
            keys.create_key(scope, f"Key {number}", "member")
            gone = create_record(scope, "company", {"name": f"Gone {number}"})
            trash_record(scope, "company", uuid.UUID(str(gone["id"])))
            team = teams.create_team(scope, name=f"Team {number}").id
            sharing.put_rule(scope, _rule(f"Rule {number}", team))
            invitations.invite(runtime, scope, email=f"waits-{number}@example.com", role="member")
    return crowd


def _rule(name: str, team: uuid.UUID) -> dict[str, str]:
    return {"object": "company", "name": name, "condition": 'name == "x"', "kind": "team", "grantee": str(team)}


def furnish(crowd: Crowd, about: str) -> None:
    """Fresh things to call a route with; the record of the object ``about`` has ``size`` of what can hang on it."""
    with crowd.write() as scope:
        _sign_in(crowd, scope)
        grant = _grants(scope, crowd.size)  # before the rest: the newest events are of every kind, however many grants
        values = _records(scope, crowd.size, about)
        values["grant"] = str(grant)
        values["member"] = str(_member(crowd, scope))
        values["file_id"] = str(keep_file(scope, crowd.runtime.storage, io.BytesIO(b"text"), "a.txt", "text/plain").id)
        values["key"] = str(keys.create_key(scope, "To be ended", "member")[0].id)
        values |= {"own_view_name": "own-kept", "deleted_view": "own-deleted"}
        kept = [{"id": "own-kept", "label": "Kept"}, {"id": "own-deleted", "label": "Deleted", "deleted": True}]
        set_preferences(scope, crowd.owner.id, {"views.company": kept})
        values |= _of_rights(crowd, scope, values)
    with crowd.write() as scope:
        catalogs.for_scope(scope)  # read once after a change of roles, whoever comes next
    help_ = f"{{kind: field, name: product.code, help: Help {values['mark']}}}"
    values["role"] = _role(crowd, values["mark"])
    values["change"] = str(shaping.change(crowd.runtime.databases, crowd.tenant, help_).change)
    with crowd.write() as scope:
        catalogs.for_scope(scope)
    values |= {
        "unique_field": "external_id",
        "value": f"new-{uuid.uuid4().hex}",
        "field_name": "name",
        "filename": "mark.svg",
        "token": "made-up",
        "tenant": str(crowd.tenant.id),
        "session": str(uuid.uuid4()),
    } | shaping.NAMES
    crowd.values = values


def _of_rights(crowd: Crowd, scope: TenantScope, values: dict[str, str]) -> dict[str, str]:
    """A team, a role, a rule and an invitation of its own, and a record shared with ``size`` teams."""
    mark = values["mark"]
    scope.execute("delete from sharing_rule where not starts_with(name, 'Rule ')")
    scope.execute("delete from sharing")
    policy.changed(scope)
    team = teams.create_team(scope, name=f"Fresh {mark}").id
    company = uuid.UUID(values["company"])
    listed = [row.id for row in teams.list_teams(scope) if row.name.startswith("Team ")]
    shared = [shares.put_share(scope, "company", company, kind="team", grantee=str(one)) for one in listed]
    invited = invitations.invite(crowd.runtime, scope, email=f"fresh-{mark}@example.com", role="member")
    joined = teams.create_team(scope, name=f"Joined {mark}").id
    teams.put_member(scope, joined, uuid.UUID(values["member"]))
    return {
        "team": str(team),
        "joined": str(joined),
        "rule": str(sharing.put_rule(scope, _rule(f"Fresh {mark}", team)).id),
        "share": str(shared[0].id),
        "invitation": str(invited.id),
    }


def _role(crowd: Crowd, mark: str) -> str:
    """A role nobody holds; those of before are gone."""
    databases, tenant = crowd.runtime.databases, crowd.tenant
    with crowd.write() as scope:
        fresh = [name for name in policy.policy_of(scope).roles if name.startswith("fresh_")]
    gone = "---\n".join(f"{{kind: role, name: {name}, remove: true}}\n" for name in fresh)
    if gone:
        shaping.change(databases, tenant, gone)
    return put_role(databases, tenant, f"fresh_{mark}", objects={"*": {"read": "own"}})


def _grants(scope: TenantScope, size: int) -> uuid.UUID:
    """A grant to support to be taken back, and ``size`` ended ones with a visit each."""
    scope.execute("delete from support_visit")
    scope.execute("delete from support_grant")
    for number in range(size):
        ended = support.put_grant(scope, "read_only", 1, f"Grant {number}").id
        support.revoke(scope, ended)
        scope.execute(
            "insert into support_visit (id, support_grant, name, email, reason, entered_at)"
            " values (uuidv7(), %s, 'Dana', 'dana@example.com', 'x', now())",
            (ended,),
        )
    return support.put_grant(scope, "read_only", 4, "Open").id


def _sign_in(crowd: Crowd, scope: TenantScope) -> None:
    """The owner, in the workspace and at the base host."""
    row = scope.execute("select person from member where id = %s", (crowd.owner.id,)).fetchone()
    assert row is not None
    crowd.session, crowd.person = crypto.token(), sessions.start(crowd.runtime.databases, row[0], Visitor())
    scope.at_commit(
        "select pod.put_credential(%(tenant)s, 'session', %(hash)s, %(member)s, null, null, 'test', %(expires)s)",
        {
            "tenant": crowd.tenant.id,
            "hash": crypto.sha256(crowd.session),
            "member": crowd.owner.id,
            "expires": clock.now() + timedelta(days=1),
        },
    )


def _records(scope: TenantScope, size: int, about: str) -> dict[str, str]:
    mark = uuid.uuid4().hex[:8]
    company = _create(scope, "company", {"name": f"Acme {mark}", "external_id": mark})
    contact = _create(scope, "contact", {"last_name": f"Ada {mark}", "company": company})
    deal = _create(scope, "deal", {"name": f"Order {mark}", "company": company, "amount": "10.00"})
    lead = _create(scope, "lead", {"last_name": f"Lovelace {mark}", "company_name": f"New {mark}"})
    task = _create(scope, "task", {"title": f"Call {mark}"})
    note = _create(scope, "note", {"body": f"<p>Said {mark}</p>"})
    known = {"company": company, "contact": contact, "deal": deal, "lead": lead, "task": task, "note": note}
    if about in ("company", "deal", "lead"):
        _hang_on(scope, about, known[about], size)
    if about == "company":
        _many(scope, "contact", [{"last_name": f"C{n} {mark}", "company": company} for n in range(size)])
        deals = [{"name": f"D{n} {mark}", "company": company, "amount": "5.00"} for n in range(size)]
        _many(scope, "deal", deals)
    for number in range(size):
        update_record(scope, "company", uuid.UUID(company), {"description": f"Version {number}"})
    chosen = _many(scope, "company", [{"name": f"Chosen {n} {mark}"} for n in range(size)])
    return known | {"mark": mark, "ids": ",".join(chosen)}


def _hang_on(scope: TenantScope, name: str, target: str, size: int) -> None:
    """Notes, tasks and interactions about a record."""
    for kind, payload in (
        ("note", {"body": "<p>About it</p>"}),
        ("task", {"title": "Do it"}),
        ("interaction", {"subject": "Talk", "channel": "call", "starts_at": "2026-01-05T10:00:00Z"}),
    ):
        made = _many(scope, kind, [payload] * size)
        links = [{"from": {"object": kind, "id": one}, "to": {"object": name, "id": target}} for one in made]
        _many(scope, "record_link", links)


def _create(scope: TenantScope, name: str, payload: dict[str, Any]) -> str:
    return str(create_record(scope, name, payload)["id"])


def _many(scope: TenantScope, name: str, rows: list[dict[str, Any]]) -> list[str]:
    results = bulk(scope, name, rows)["results"]
    assert all(result["status"] == "created" for result in results), results[0]
    return [result["id"] for result in results]


def _member(crowd: Crowd, scope: TenantScope) -> uuid.UUID:
    mark = uuid.uuid4().hex[:8]
    row = scope.execute(
        "insert into member (name, email, role, status, person) values (%s, %s, 'member', 'active', %s) returning id",
        (f"Member {mark}", f"{mark}@example.com", make_person(crowd.runtime.databases).id),
    ).fetchone()
    assert row is not None
    return row[0]
