"""`rapport upgrade` and `rapport metadata conflicts`: what they print and how they end."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from app.cli import main
from tests.support.shaping import change, sql
from tests.support.upgrades import changed, clear, in_force, present, tenant_of

if TYPE_CHECKING:
    from app.core.ports import Runtime

Rapport = Callable[..., tuple[int, Any]]
OLD = changed("kind: object\nname: deal\nlabel: {one: Bargain}\n")
LEAF = "object/deal/label/one"


@pytest.fixture
def rapport(runtime: Runtime, same_servers: None, capsys: pytest.CaptureFixture[str]) -> Iterator[Rapport]:
    """Run a command with ``--json``; exit code and document."""

    def run(*arguments: str) -> tuple[int, Any]:
        with pytest.raises(SystemExit) as ended:
            main([*arguments, "--json"])
        assert isinstance(ended.value.code, int)
        return ended.value.code, json.loads(capsys.readouterr().out)

    yield run
    clear(runtime)


def test_an_upgrade_tells_what_it_did_and_the_admin_decides(rapport: Rapport, runtime: Runtime) -> None:
    tenant = tenant_of(runtime, OLD)
    change(runtime.databases, tenant, "kind: object\nname: deal\nlabel: {one: Opportunity}\n")
    in_force(runtime, present())
    code, told = rapport("upgrade", "--dry-run")
    assert (code, told["dry_run"], list(told["conflicts"])) == (0, True, [str(tenant.id)])
    code, told = rapport("upgrade", "--canary", "50%", "--workers", "1")
    assert (code, told["left"], told["failed"], list(told["conflicts"])) == (0, 0, [], [str(tenant.id)])
    where = ("--tenant", str(tenant.id))
    assert rapport("metadata", "conflicts", *where)[1]["data"][0]["value"] == "Opportunity"
    assert rapport("metadata", "conflicts", *where, "--take", LEAF)[0] == 0
    assert rapport("metadata", "conflicts", *where) == (0, {"data": []})
    assert rapport("metadata", "conflicts", *where, "--keep", LEAF)[0] == 3


def test_an_upgrade_that_fails_exits_with_1(rapport: Rapport, runtime: Runtime) -> None:
    tenant = tenant_of(runtime, changed("", without=["object/deal/fields/next_step"]))
    sql(runtime.databases, tenant, "alter table o_deal rename to o_gone")
    in_force(runtime, present())
    code, told = rapport("upgrade")
    assert (code, [one["tenant"] for one in told["failed"]]) == (1, [str(tenant.id)])


def test_a_share_that_is_none_is_refused(rapport: Rapport) -> None:
    assert rapport("upgrade", "--canary", "much")[0] == 2
    assert rapport("upgrade", "--budget", "200%")[0] == 2
