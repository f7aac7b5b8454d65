"""kill -9 in the middle of handing a member's records over: it finishes, each record changes once, with one event."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.kill.installation import Installation, Workspace, wait_for
from tests.kill.test_imports_survive import kill_postgres, kill_work_horse, kill_worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.xdist_group("kill"), pytest.mark.kill]

_RECORDS = 20_000
_AT_ONCE = 10_000
_JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def place() -> Iterator[Installation]:
    made = Installation.make()
    try:
        made.start()
        yield made
    finally:
        made.remove()


def _post(workspace: Workspace, path: str, body: object) -> Any:
    status, answer = workspace.call("POST", path, json.dumps(body).encode(), **_JSON)
    assert status in (200, 201, 202), (path, status, answer)
    return answer


def _until(workspace: Workspace, path: str, suits: Callable[[dict[str, Any]], bool], what: str) -> dict[str, Any]:
    def seen() -> dict[str, Any] | None:
        status, body = workspace.call("GET", path)
        return body if status == 200 and suits(body) else None

    return wait_for(seen, what, 300, 0.02)


def test_a_hand_over_survives_the_death_of_its_workers_and_of_postgres(place: Installation) -> None:
    wait_for(place.ready, "the web server ready")
    workspace = place.new_workspace("leaving")
    owner = workspace.get("/members")["data"][0]["id"]
    team = _post(workspace, "/teams", {"name": "Inbox", "queue": True})["id"]
    for start in range(0, _RECORDS, _AT_ONCE):
        rows = [{"name": f"C {start + n}", "external_id": f"C-{start + n}", "owner": owner} for n in range(_AT_ONCE)]
        _post(workspace, "/records/company/bulk?mode=create", rows)
    path = f"/members/{owner}/hand-over"
    assert _post(workspace, path, {"to_team": team})["state"] == "queued"
    for share, kill in ((0.1, kill_work_horse), (0.3, kill_postgres), (0.6, kill_worker)):
        seen = _until(workspace, path, lambda one, share=share: one["done"] > share * _RECORDS, f"{share:.0%}")
        assert seen["state"] == "running", f"nothing was left to hurt: {seen}"
        kill(place)
    ended = _until(workspace, path, lambda one: one["state"] not in ("queued", "running"), "its end")
    assert (ended["state"], ended["done"], ended["total"]) == ("done", _RECORDS, _RECORDS)
    count = workspace.get("/records/company?limit=1&total=exact&filter=!has(owner)")
    assert count["total"] == _RECORDS
    found = workspace.count("company")
    assert (found.records, found.distinct, found.created_events) == (_RECORDS,) * 3
    # Each record was made and handed over, once: the events of both, the team's and the bulk calls' beside them.
    assert {one["version"] for one in workspace.records("company", "version")} == {2}
    assert (found.gaps, found.unsealed) == (0, 0)
    with workspace.database() as connection:
        row = connection.execute(
            "select count(*), count(distinct record_id) from event where kind = 'updated' and object = 'company'"
        ).fetchone()
    assert row == (_RECORDS, _RECORDS)
