"""`rapport import`: the summary scripts rely on, the error file, exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from app.cli import main
from tests.support.imports import query

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.core.ports import Runtime
    from tests.support.tenants import NewTenant


@pytest.fixture
def run(same_servers: None, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Run `rapport import … --json` against the worker's databases; exit code and document."""

    def call(*arguments: str) -> tuple[int, Any]:
        with pytest.raises(SystemExit) as ended:
            main(["import", *arguments, "--json"])
        assert isinstance(ended.value.code, int)
        return ended.value.code, json.loads(capsys.readouterr().out)

    return call


def test_the_summary_has_its_shape_and_failed_rows_do_not_fail_the_command(
    run: Callable[..., Any], runtime: Runtime, new_tenant: NewTenant, tmp_path: Path
) -> None:
    tenant = new_tenant()
    file = tmp_path / "companies.csv"
    file.write_text("Firm,employees,Other\nAcme,5,x\nBad,five,x\n")
    code, found = run(str(file), "--tenant", tenant.slug, "--object", "company", "--map", "Firm=name")
    assert code == 0
    errors = Path(found.pop("errors_file"))
    assert found == {
        "import": found["import"], "rows": 2, "created": 1, "updated": 0, "skipped": 0, "failed": 1, "warnings": 0,
        "unmapped": ["Other"],
    }  # fmt: skip
    assert errors.read_text().splitlines()[1].startswith("3,employees,five,")
    assert query(runtime, tenant, "select name, employees from o_company") == [("Acme", 5)]
    assert query(runtime, tenant, "select count(*) from import where state = 'done'") == [(1,)]


def test_what_does_not_fit_is_said_with_the_exit_code(
    run: Callable[..., Any], new_tenant: NewTenant, tmp_path: Path
) -> None:
    tenant = new_tenant()
    file = tmp_path / "deals.csv"
    file.write_text("name,opened_on\na,03/04/2017\n")
    code, found = run(str(file), "--tenant", tenant.slug, "--object", "deal")
    assert (code, "Column 'opened_on'" in found["error"]["message"]) == (2, True)
    assert run(str(file), "--tenant", "nobody-here", "--object", "deal")[0] == 3
    assert run(str(file), "--tenant", tenant.slug, "--object", "deal", "--map", "nme=name")[0] == 2
    assert run(str(file), "--object", "deal")[0] == 2
    done = run(str(file), "--tenant", tenant.slug, "--object", "deal", "--date-format", "DD/MM/YYYY", "--dry-run")
    assert (done[0], done[1]["created"]) == (0, 1)
