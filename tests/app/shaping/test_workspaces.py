"""The command's verbs over HTTP: the same as on the machine itself."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from werkzeug.serving import make_server

from app.core.errors import Conflict, InvalidInput, Unauthenticated
from app.shaping.workspaces import Here, There, Wish

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask

    from app.core.ports import Runtime
    from tenants.scope import Tenant
    from tests.support.api import Api

FIELD = [{"kind": "field", "name": "deal.vat_id", "type": "text", "label": "VAT id"}]


@pytest.fixture
def address(site: Flask) -> Iterator[str]:
    """Where the application answers on this machine."""
    server = make_server("127.0.0.1", 0, site, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_folder_is_applied_over_http_with_a_key(address: str, fresh: tuple[Tenant, Api], runtime: Runtime) -> None:
    tenant, api = fresh
    there, here = There(address, api.key), Here(runtime, tenant.id)
    planned = there.plan(Wish(FIELD, "git"))
    assert planned == here.plan(Wish(FIELD, "git"))
    done = there.apply(Wish(FIELD, "git", note="From CI", base=planned["base_version"]))
    assert there.export("tenant") == here.export("tenant")
    assert [one["note"] for one in there.changes(5)] == ["From CI"]
    api.post("/records/deal", {"name": "One", "vat_id": "DE1"})
    with pytest.raises(Conflict) as refused:
        there.revert(UUID(done["change"]), "", confirm=False)
    assert (refused.value.code, len(refused.value.extra["steps"])) == ("metadata.confirm", 1)  # type: ignore[arg-type]
    assert there.revert(UUID(done["change"]), "", confirm=True)["change"]
    assert there.export("tenant")["components"] == []
    assert there.drift("git") == here.drift("git") != []


def test_what_the_server_refuses_is_told_as_on_the_machine(address: str, fresh: tuple[Tenant, Api]) -> None:
    _, api = fresh
    with pytest.raises(InvalidInput) as refused:
        There(address, api.key).apply(Wish([{"kind": "field", "name": "deal.x", "type": "txt"}], "git"))
    assert refused.value.errors[0].pointer.startswith("/components/0")
    with pytest.raises(Unauthenticated):
        There(address, "rap_none").plan(Wish(FIELD, "git"))
