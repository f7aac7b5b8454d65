"""`rapport tenant`, `key`, `pod`: the documents scripts rely on, and exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from app.cli import main
from app.core import crypto
from tenants.scope import enter
from tests.support.rights import put_role

if TYPE_CHECKING:
    from app.core.ports import Runtime

PASSWORD = "seven purple otters dance"

Rapport = Callable[..., tuple[int, Any]]


@pytest.fixture
def rapport(same_servers: None, capsys: pytest.CaptureFixture[str]) -> Rapport:
    """Run a command with --json against the worker's databases; exit code and document."""

    def run(*arguments: str) -> tuple[int, Any]:
        with pytest.raises(SystemExit) as ended:
            main([*arguments, "--json"])
        out = capsys.readouterr().out
        assert isinstance(ended.value.code, int)
        return ended.value.code, json.loads(out)

    return run


def create(rapport: Rapport, slug: str, **options: str) -> tuple[int, Any]:
    given = {"slug": slug, "name": "Acme Ltd", "email": f"ann@{slug}.example", "password": PASSWORD} | options
    return rapport("tenant", "create", *(part for key, value in given.items() for part in (f"--{key}", value)))


def test_a_workspace_is_made_with_owner_and_key(rapport: Rapport, runtime: Runtime) -> None:
    code, document = create(rapport, "cli-made", currency="USD", timezone="Europe/Paris", locale="fr")
    assert code == 0
    assert set(document) == {"tenant", "member", "api_key"}
    tenant = document["tenant"]
    assert tenant == {
        "id": tenant["id"],
        "slug": "cli-made",
        "name": "Acme Ltd",
        "url": "http://cli-made.localhost:8000",
        "status": "active",
    }
    assert document["member"]["email"] == "ann@cli-made.example"
    assert document["api_key"].startswith("rap_")
    key = crypto.sha256(document["api_key"])
    with enter(runtime.databases, pod=1, host="cli-made.localhost", credential=key, write=True) as scope:
        assert scope.tenant.id == UUID(tenant["id"])
        assert (scope.tenant.currency, scope.tenant.timezone, scope.role) == ("USD", "Europe/Paris", "owner")
        assert scope.execute("select id::text from member").fetchone() == (document["member"]["id"],)


def test_a_taken_slug_is_a_conflict_and_leaves_no_person(rapport: Rapport, runtime: Runtime) -> None:
    assert create(rapport, "cli-taken")[0] == 0
    code, document = create(rapport, "cli-taken", email="second@example.test")
    assert (code, document["error"]["code"]) == (4, "slug.taken")
    with runtime.databases.control.connect() as connection:
        query = "select count(*) from person_email where email = 'second@example.test'"
        assert connection.exec_driver_sql(query).scalar() == 0


@pytest.mark.parametrize("wrong", [{"password": "password1"}, {"email": "nobody"}, {"currency": "XXY"}])
def test_wrong_input_is_a_usage_error(rapport: Rapport, wrong: dict[str, str]) -> None:
    code, document = create(rapport, "cli-wrong", **wrong)
    assert code == 2
    assert document["error"]["errors"]


def test_workspaces_are_listed_and_shown_by_slug_and_id(rapport: Rapport) -> None:
    _, made = create(rapport, "cli-shown")
    code, listed = rapport("tenant", "list")
    assert code == 0
    assert made["tenant"].items() <= next(row for row in listed["data"] if row["slug"] == "cli-shown").items()
    for name in ("cli-shown", made["tenant"]["id"]):
        code, shown = rapport("tenant", "show", name)
        assert (code, shown["tenant"]["slug"]) == (0, "cli-shown")
    assert rapport("tenant", "show", "cli-nobody")[0] == 3


def test_suspend_resume_and_delete(rapport: Rapport) -> None:
    create(rapport, "cli-life")
    assert rapport("tenant", "suspend", "cli-life")[1]["tenant"]["status"] == "suspended"
    assert rapport("tenant", "resume", "cli-life")[1]["tenant"]["status"] == "active"
    code, document = rapport("tenant", "delete", "cli-life")
    assert (code, document["error"]["code"]) == (5, "needs_yes")
    code, document = rapport("tenant", "delete", "cli-life", "--yes")
    assert (code, document["tenant"]["status"]) == (0, "deleted")
    assert rapport("tenant", "show", "cli-life")[0] == 3
    assert create(rapport, "cli-life")[0] == 4


def test_a_key_is_made_with_role_and_expiry(rapport: Rapport, runtime: Runtime) -> None:
    create(rapport, "cli-keys")
    code, document = rapport(
        "key", "create", "--tenant", "cli-keys", "--name", "Reports", "--role", "read_only", "--expires", "2099-01-01"
    )
    assert code == 0
    assert set(document) == {"id", "name", "role", "expires_at", "key"}
    assert (document["role"], document["expires_at"]) == ("read_only", "2099-01-01T00:00:00+00:00")
    with enter(runtime.databases, pod=1, host=None, credential=crypto.sha256(document["key"]), write=False) as scope:
        assert (scope.role, scope.actor.name) == ("read_only", "Reports")
    assert rapport("key", "create", "--tenant", "cli-nobody", "--name", "x")[0] == 3
    code, refused = rapport("key", "create", "--tenant", "cli-keys", "--name", "x", "--role", "emperor")
    assert (code, "owner, admin, manager, member, read_only" in str(refused)) == (2, True)
    put_role(runtime.databases, scope.tenant, "emperor")
    code, made = rapport("key", "create", "--tenant", "cli-keys", "--name", "x", "--role", "emperor")
    assert (code, made["role"]) == (0, "emperor")


def test_pods_are_listed_with_how_full_they_are(rapport: Rapport) -> None:
    create(rapport, "cli-pods")
    code, document = rapport("pod", "list")
    assert code == 0
    pod = document["data"][0]
    assert (pod["number"], pod["state"], pod["hardening"]) == (1, "open", "strict")
    assert pod["tenants"] >= 1
