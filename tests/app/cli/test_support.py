"""``rapport support``: what operators see and get, and that a grant is none of theirs to make."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from app.cli import main
from tenants.identity import support as verbs
from tenants.scope import enter_job
from tests.support.tenants import owner_of

if TYPE_CHECKING:
    from app.core.ports import Runtime
    from tenants.scope import Tenant
    from tests.support.tenants import NewTenant

WHO = ("--email", "Dana@Rapport.example", "--name", "Dana Operator", "--reason", "Ticket 4711")


pytestmark = pytest.mark.usefixtures("same_servers")


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["support", *arguments])
    return int(ended.value.code or 0)


def let_in(runtime: Runtime, tenant: Tenant, hours: int = 4) -> verbs.Grant:
    with enter_job(runtime.databases, tenant.id, actor=owner_of(runtime.databases, tenant), write=True) as scope:
        return verbs.put_grant(scope, "read_only", hours, "The board is wrong")


def test_without_a_grant_the_way_in_is_not_found_and_says_what_the_tenant_has_to_do(
    new_tenant: NewTenant, capsys: pytest.CaptureFixture[str]
) -> None:
    tenant = new_tenant()
    assert run("enter", "--tenant", tenant.slug, *WHO, "--json") == 3
    printed = capsys.readouterr()
    assert json.loads(printed.out)["error"]["code"] == "support.no_grant"
    assert "Settings > Support access" in printed.err
    assert f"http://{tenant.host}:8000/settings/support" in printed.err


def test_a_way_in_is_one_json_document(
    runtime: Runtime, new_tenant: NewTenant, capsys: pytest.CaptureFixture[str]
) -> None:
    tenant = new_tenant()
    grant = let_in(runtime, tenant)
    for name in (tenant.slug, str(tenant.id)):
        assert run("enter", "--tenant", name, *WHO, "--json") == 0
        document = json.loads(capsys.readouterr().out)
        assert set(document) == {"visit", "grant", "role", "until", "url", "url_expires_at"}
        assert (document["grant"], document["role"]) == (str(grant.id), "read_only")
        assert document["url"].startswith(f"http://localhost:8000/support?workspace={tenant.slug}#")


def test_the_link_alone_is_printed_for_people(
    runtime: Runtime, new_tenant: NewTenant, capsys: pytest.CaptureFixture[str]
) -> None:
    tenant = new_tenant()
    let_in(runtime, tenant)
    assert run("enter", "--tenant", tenant.slug, *WHO) == 0
    printed = capsys.readouterr()
    assert printed.out.count("\n") == 1
    assert "Works once" in printed.err
    assert printed.out.strip().partition("#")[2] not in printed.err


def test_a_grant_is_chosen_by_its_id_or_the_longest_is(
    runtime: Runtime, new_tenant: NewTenant, capsys: pytest.CaptureFixture[str]
) -> None:
    tenant = new_tenant()
    short, long = let_in(runtime, tenant, 1), let_in(runtime, tenant, 24)
    assert run("enter", "--tenant", tenant.slug, *WHO, "--json") == 0
    assert json.loads(capsys.readouterr().out)["grant"] == str(long.id)
    assert run("enter", "--tenant", tenant.slug, *WHO, "--grant", str(short.id), "--json") == 0
    assert json.loads(capsys.readouterr().out)["grant"] == str(short.id)
    other = let_in(runtime, new_tenant())
    assert run("enter", "--tenant", tenant.slug, *WHO, "--grant", str(other.id)) == 3


def test_open_grants_of_all_and_all_of_one_are_listed(
    runtime: Runtime, new_tenant: NewTenant, capsys: pytest.CaptureFixture[str]
) -> None:
    tenant, closed = new_tenant(), new_tenant()
    grant, ended = let_in(runtime, tenant), let_in(runtime, closed)
    with enter_job(runtime.databases, closed.id, actor=owner_of(runtime.databases, closed), write=True) as scope:
        verbs.revoke(scope, ended.id)
    assert run("enter", "--tenant", tenant.slug, *WHO) == 0
    capsys.readouterr()
    assert run("list", "--json") == 0
    rows: dict[str, Any] = {row["id"]: row for row in json.loads(capsys.readouterr().out)["data"]}
    assert str(ended.id) not in rows
    assert rows[str(grant.id)]["tenant"]["slug"] == tenant.slug
    assert rows[str(grant.id)]["visits"][0]["email"] == "dana@rapport.example"
    assert rows[str(grant.id)]["visits"][0]["entered_at"] is None
    assert run("list", "--tenant", closed.slug, "--json") == 0
    assert [row["status"] for row in json.loads(capsys.readouterr().out)["data"]] == ["revoked"]
    assert run("list", "--tenant", tenant.slug) == 0
    assert "link not used" in capsys.readouterr().out


def test_a_workspace_that_goes_while_they_are_listed_is_left_out(
    runtime: Runtime, new_tenant: NewTenant, capsys: pytest.CaptureFixture[str]
) -> None:
    tenant, going = new_tenant(), new_tenant()
    grant, gone = let_in(runtime, tenant), let_in(runtime, going)
    with runtime.databases.pod_owner(going.pod).begin() as connection:
        connection.execute(sa.text("update pod.tenant set state = 'suspended' where id = :id"), {"id": going.id})
    assert run("list", "--json") == 0
    listed = {row["id"] for row in json.loads(capsys.readouterr().out)["data"]}
    assert (str(grant.id) in listed, str(gone.id) in listed) == (True, False)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("enter", "--tenant", "nobody-here", *WHO), 3),
        (("list", "--tenant", "nobody-here"), 3),
        (("enter", "--tenant", "TENANT", *WHO[:-2]), 2),
        (("enter", "--tenant", "TENANT", *WHO[2:]), 2),
        (("enter", "--tenant", "TENANT", *WHO[2:], "--email", "nobody"), 2),
        (("enter", "--tenant", "TENANT", *WHO, "--grant", "x"), 2),
        (("grant", "--tenant", "TENANT"), 2),
    ],
)
def test_failures_have_their_exit_codes(tenant: Tenant, arguments: tuple[str, ...], code: int) -> None:
    assert run(*(tenant.slug if word == "TENANT" else word for word in arguments)) == code
