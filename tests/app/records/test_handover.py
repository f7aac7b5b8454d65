"""Records of a leaving member get a new owner."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from app.access import catalogs
from app.records import write
from app.records.handover import hand_over
from app.records.store import read_record
from tests.support.records import make_company, make_deal, make_task, record_id

if TYPE_CHECKING:
    from tenants.scope import TenantScope


def test_live_records_and_open_tasks_are_handed_over_with_an_event_each(scope: TenantScope) -> None:
    successor = uuid4()
    scope.execute(
        "INSERT INTO member (id, name, email, role, status)"
        " VALUES (%s, 'Next', 'next@example.test', 'member', 'active')",
        (successor,),
    )
    leaver = scope.actor.id
    assert leaver is not None
    company, trashed = make_company(scope), make_company(scope)
    other = make_deal(scope, owner=None)
    write.trash_record(scope, "company", record_id(trashed))
    open_task, done_task = (
        make_task(scope, owner=None, assignee=str(leaver), done_at=done) for done in (None, "2026-01-01T00:00:00Z")
    )
    assert hand_over(scope, leaver, successor) == 2
    shown = catalogs.for_scope(scope).objects

    def owner(name: str, record: dict[str, object], field: str = "owner") -> object:
        found = read_record(scope, shown[name], record_id(record), trashed=True)
        assert found is not None
        return found[field]

    assert owner("company", company) == str(successor)
    assert owner("company", trashed) == str(leaver)
    assert owner("deal", other) is None
    assert owner("task", open_task, "assignee") == str(successor)
    assert owner("task", done_task, "assignee") == str(leaver)
    row = scope.execute(
        "SELECT diff, cause FROM event WHERE record_id = %s ORDER BY id DESC LIMIT 1", (company["id"],)
    ).fetchone()
    assert row == ({"owner": [str(leaver), str(successor)]}, {"handed_over_from": str(leaver)})
