"""A rule applied while others write: nothing of the new version breaks it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from uuid import UUID

from app.core.errors import RapportError
from app.metadata import catalog
from app.records.bulk import bulk
from app.records.write import create_record, update_record
from tenants.scope import enter_job
from tests.support.shaping import change
from tests.support.tenants import owner_of

if TYPE_CHECKING:
    from app.core.db import Databases
    from tenants.scope import Tenant
    from tests.support.tenants import NewTenant

RULE = "{kind: rule, name: task.named, require: 'title.startsWith(\"ok\")', message: Begin with ok., field: title}"
WRITERS = 3


def _write(
    databases: Databases, tenant: Tenant, number: int, over: threading.Event, seen: list[tuple[int, str]]
) -> None:
    """Write tasks the rule is against until it is there; note under which version each was committed."""
    refused = 0
    at = 0
    while refused < 3 and not over.is_set():
        at += 1
        title = f"bad {number}-{at}"
        try:
            with enter_job(databases, tenant.id, actor=owner_of(databases, tenant), write=True) as scope:
                version = scope.version
                if at % 3 == 0:
                    done = bulk(scope, "task", [{"title": title}])["created"]
                elif at % 3 == 1:
                    done = bool(create_record(scope, "task", {"title": title}))
                else:
                    made = create_record(scope, "task", {"title": f"ok {title}"})
                    done = bool(update_record(scope, "task", UUID(made["id"]), {"title": title}))
        except RapportError:
            done = 0
        if done:
            seen.append((version, title))
        else:
            refused += 1


def test_no_record_written_under_the_new_version_breaks_the_rule(databases: Databases, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    over = threading.Event()
    seen: list[list[tuple[int, str]]] = [[] for _ in range(WRITERS)]
    threads = [
        threading.Thread(target=_write, args=(databases, tenant, number, over, seen[number]))
        for number in range(WRITERS)
    ]
    for thread in threads:
        thread.start()
    try:
        while not all(seen):  # everybody has written something under the old version
            threading.Event().wait(0.01)
        applied = change(databases, tenant, RULE)
    finally:
        for thread in threads:
            thread.join(timeout=30)
        over.set()
    written = [one for found in seen for one in found]
    assert written
    assert not [one for one in written if one[0] >= applied.version]
    with enter_job(databases, tenant.id, actor=owner_of(databases, tenant), write=False) as scope:
        tasks = catalog.whole(scope).objects["task"].table
        rows = scope.execute(f"select title from {tasks} where starts_with(title, 'bad ')").fetchall()  # type: ignore[arg-type]
    assert {row[0] for row in rows} == {title for _, title in written}
