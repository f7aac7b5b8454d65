"""``rapport member``: the shapes scripts rely on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from app.cli import main
from tests.support.rights import put_role

if TYPE_CHECKING:
    from app.core.ports import Runtime
    from tenants.scope import Tenant


pytestmark = pytest.mark.usefixtures("same_servers")


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["member", *arguments])
    return int(ended.value.code or 0)


def test_an_invitation_is_one_json_document(tenant: Tenant, capsys: pytest.CaptureFixture[str]) -> None:
    code = run("invite", "--tenant", tenant.slug, "--email", "Cli@Example.com", "--role", "admin", "--json")
    document = json.loads(capsys.readouterr().out)
    assert code == 0
    assert set(document["invitation"]) == {"id", "email", "role", "url"}
    assert document["invitation"]["email"] == "cli@example.com"
    assert document["invitation"]["url"].startswith("http://localhost:8000/invitations/")


def test_an_invitation_takes_a_role_of_the_workspaces_own_and_names_those_there_are(
    runtime: Runtime, tenant: Tenant, capsys: pytest.CaptureFixture[str]
) -> None:
    put_role(runtime.databases, tenant, "sales_north")
    arguments = ("invite", "--tenant", tenant.slug, "--email", "north@example.com", "--json")
    assert run(*arguments, "--role", "sales_north") == 0
    assert json.loads(capsys.readouterr().out)["invitation"]["role"] == "sales_north"
    assert run(*arguments, "--role", "sales_south") == 2
    told = capsys.readouterr()
    assert "owner, admin, manager, member, read_only, sales_north" in told.err + told.out


def test_members_are_listed_by_slug_or_id(tenant: Tenant, capsys: pytest.CaptureFixture[str]) -> None:
    for name in (tenant.slug, str(tenant.id)):
        assert run("list", "--tenant", name, "--json") == 0
        data = json.loads(capsys.readouterr().out)["data"]
        assert {"id", "name", "email", "role", "roles", "team", "manager", "status"} == set(data[0])
        assert any(member["role"] == "owner" for member in data)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("invite", "--tenant", "nobody-here", "--email", "a@example.com"), 3),
        (("invite", "--tenant", "TENANT", "--email", "no address"), 2),
        (("invite", "--tenant", "TENANT", "--email", "a@example.com", "--role", "god"), 2),
        (("list", "--tenant", "nobody-here"), 3),
        (("list",), 2),
    ],
)
def test_failures_have_their_exit_codes(tenant: Tenant, arguments: tuple[str, ...], code: int) -> None:
    assert run(*(tenant.slug if word == "TENANT" else word for word in arguments)) == code
