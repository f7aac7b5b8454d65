"""Records of a leaving member get a new owner: a colleague or a team, batch by batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from app.access import catalogs
from app.core.errors import Conflict
from app.core.jobs import JobCancelled
from app.records import handover, write
from app.records.store import read_record
from tenants.scope import enter_job
from tests.support.records import make_company, make_deal, make_task, record_id
from tests.support.tenants import owner_of

if TYPE_CHECKING:
    from uuid import UUID

    from app.core.ports import Runtime
    from tenants.scope import Actor, Tenant, TenantScope


def _colleague(scope: TenantScope) -> UUID:
    row = scope.execute(
        "INSERT INTO member (name, email, role, status)"
        " VALUES ('Next', uuidv7() || '@example.test', 'member', 'active') RETURNING id"
    ).fetchone()
    assert row is not None
    return row[0]


def _team(scope: TenantScope) -> UUID:
    row = scope.execute("INSERT INTO team (name, queue) VALUES ('Inbox', true) RETURNING id").fetchone()
    assert row is not None
    return row[0]


def _all(scope: TenantScope, member: UUID) -> handover.HandOver:
    """What the job does, in the test's own transaction."""
    found = handover.get_latest(scope, member)
    scope.execute("UPDATE handover SET state = 'running' WHERE id = %s", (found.id,))
    asker = scope.actor
    while handover.hand_over_some(scope, found.id) is not None:
        pass
    assert scope.actor == asker
    return handover.get_latest(scope, member)


def _value(scope: TenantScope, name: str, record: dict[str, Any], field: str = "owner") -> object:
    shown = catalogs.for_scope(scope).objects
    found = read_record(scope, shown[name], record_id(record), trashed=True)
    assert found is not None
    return found[field]


def test_live_records_and_open_tasks_are_handed_over_with_an_event_each(scope: TenantScope) -> None:
    successor, leaver = _colleague(scope), scope.actor.id
    assert leaver is not None
    company, trashed = make_company(scope), make_company(scope)
    other = make_deal(scope, owner=None)
    write.trash_record(scope, "company", record_id(trashed))
    open_task, done_task = (
        make_task(scope, owner=None, assignee=str(leaver), done_at=done) for done in (None, "2026-01-01T00:00:00Z")
    )
    handover.ask_to_hand_over(scope, leaver, "member", successor)
    ended = _all(scope, leaver)
    assert (ended.state, ended.done, ended.heir_name) == ("done", 2, "Next")
    assert _value(scope, "company", company) == str(successor)
    assert _value(scope, "company", trashed) == str(leaver)
    assert _value(scope, "deal", other) is None
    assert _value(scope, "task", open_task, "assignee") == str(successor)
    assert _value(scope, "task", done_task, "assignee") == str(leaver)
    row = scope.execute(
        "SELECT diff, cause, actor_id FROM event WHERE record_id = %s ORDER BY id DESC LIMIT 1", (company["id"],)
    ).fetchone()
    assert row == ({"owner": [str(leaver), str(successor)]}, {"handed_over_from": str(leaver)}, leaver)


def test_a_team_owns_what_it_takes_over_without_an_owner_beside_it(scope: TenantScope) -> None:
    team, leaver, colleague = _team(scope), scope.actor.id, _colleague(scope)
    assert leaver is not None
    deal = make_deal(scope)
    free = make_task(scope, owner=None, assignee=str(leaver))
    owned = make_task(scope, owner=str(colleague), assignee=str(leaver))
    handover.ask_to_hand_over(scope, leaver, "team", team)
    assert _all(scope, leaver).heir_name == "Inbox"
    assert (_value(scope, "deal", deal), _value(scope, "deal", deal, "team")) == (None, str(team))
    assert (_value(scope, "task", free, "assignee"), _value(scope, "task", free, "team")) == (None, str(team))
    assert (_value(scope, "task", owned, "assignee"), _value(scope, "task", owned)) == (None, str(colleague))
    assert _value(scope, "task", owned, "team") != str(team)


def test_a_second_one_waits_until_the_first_has_ended(scope: TenantScope) -> None:
    successor, leaver = _colleague(scope), scope.actor.id
    assert leaver is not None
    handover.ask_to_hand_over(scope, leaver, "member", successor)
    with pytest.raises(Conflict):
        handover.ask_to_hand_over(scope, leaver, "team", _team(scope))
    _all(scope, leaver)
    handover.ask_to_hand_over(scope, leaver, "member", successor)


def test_the_job_goes_on_where_a_killed_attempt_ended(
    runtime: Runtime, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handover, "BATCH", 2)
    owner: Actor = owner_of(runtime.databases, tenant)
    assert owner.id is not None
    with enter_job(runtime.databases, tenant.id, actor=owner, write=True) as scope:
        successor = _colleague(scope)
        before = scope.execute("SELECT count(*) FROM o_company WHERE owner = %s", (owner.id,)).fetchone()
        for _ in range(5):
            make_company(scope)
        job = handover.ask_to_hand_over(scope, owner.id, "member", successor)
    assert before is not None
    args = {"handover": str(job)}
    reports: list[tuple[int, int]] = []

    def killed(done: int, total: int) -> None:
        reports.append((done, total))
        raise JobCancelled

    monkeypatch.setattr(handover, "checkpoint", killed)
    with pytest.raises(JobCancelled):
        handover.run(runtime, tenant.id, args)
    with enter_job(runtime.databases, tenant.id, actor=owner, write=False) as scope:
        halfway = handover.get_latest(scope, owner.id)
    assert (halfway.state, halfway.done, halfway.going) == ("running", 2, True)
    assert halfway.total >= 5
    monkeypatch.setattr(handover, "checkpoint", lambda *_: None)
    handover.run(runtime, tenant.id, args)
    handover.run(runtime, tenant.id, args)
    with enter_job(runtime.databases, tenant.id, actor=owner, write=False) as scope:
        ended = handover.get_latest(scope, owner.id)
        left = scope.execute("SELECT count(*) FROM o_company WHERE owner = %s", (owner.id,)).fetchone()
    assert (ended.state, ended.done, ended.percent) == ("done", halfway.total, 100)
    assert left == (0,)
