"""`rapport export`: the file, the summary, exit codes; here and over HTTP."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.serving import make_server

from app.cli import main
from app.exports.run import run_export
from tests.support.api import make_key
from tests.support.imports import import_file, query
from tests.support.web import build_site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from app.core.ports import Runtime
    from tests.support.tenants import NewTenant


@pytest.fixture
def run(
    same_servers: None,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> Callable[..., tuple[int, bytes]]:
    """Run `rapport export …` against the worker's databases; exit code and what it printed."""

    def call(*arguments: str) -> tuple[int, bytes]:
        capfdbinary.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["export", *arguments])
        assert isinstance(ended.value.code, int)
        return ended.value.code, capfdbinary.readouterr().out

    return call


def test_records_go_to_standard_output_or_into_a_file(
    run: Callable[..., tuple[int, bytes]], runtime: Runtime, new_tenant: NewTenant, tmp_path: Path
) -> None:
    tenant = new_tenant()
    import_file(runtime, tenant, "name,employees\nAcme,5\nBolt,50\nCrane,500\n", object="company")
    about = ("--tenant", tenant.slug, "--object", "company", "--fields", "name,employees")
    assert run(*about, "--filter", "employees > 5", "--sort", "-name") == (
        0, b"name,employees\r\nCrane,500\r\nBolt,50\r\n",
    )  # fmt: skip
    file = tmp_path / "companies.ndjson"
    code, out = run(*about, "--format", "ndjson", "--output", str(file), "--json")
    assert code == 0
    assert json.loads(out) == {
        "export": None, "object": "company", "format": "ndjson", "rows": 3, "bytes": file.stat().st_size,
        "file": str(file),
    }  # fmt: skip
    assert [json.loads(line)["name"] for line in file.read_text().splitlines()] == ["Acme", "Bolt", "Crane"]
    logged = query(runtime, tenant, "select actor_kind, object, diff -> 'rows' from event where kind = 'exported'")
    assert logged == [("system", "company", [None, 2]), ("system", "company", [None, 3])]


def test_what_does_not_fit_is_said_with_the_exit_code(
    run: Callable[..., tuple[int, bytes]], new_tenant: NewTenant, tmp_path: Path
) -> None:
    tenant = new_tenant()
    about = ("--tenant", tenant.slug, "--object", "company")
    file = tmp_path / "kept.csv"
    file.write_text("what was there")
    to_file = (*about, "--output", str(file), "--json")
    for wrong in (("--filter", "nme == 1"), ("--fields", "nme"), ("--sort", "tags"), ("--delimiter", "x")):
        code, out = run(*to_file, *wrong)
        assert (code, bool(json.loads(out)["error"]["message"])) == (2, True)
    assert run("--tenant", tenant.slug, "--object", "nothing", "--output", str(file))[0] == 2
    assert run("--tenant", "nobody-here", "--object", "company")[0] == 3
    assert run("--object", "company")[0] == 2
    assert run(*about, "--json")[0] == 2
    assert run(*about, "--output", str(tmp_path / "no" / "such.csv"))[0] == 1
    assert [one.name for one in tmp_path.iterdir()] == ["kept.csv"]
    assert file.read_text() == "what was there"


@pytest.fixture
def address(runtime: Runtime) -> Iterator[str]:
    """The application on a free port."""
    server = make_server("127.0.0.1", 0, build_site(runtime), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(timeout=10)
    server.server_close()


def test_over_http_the_key_decides(
    run: Callable[..., tuple[int, bytes]], runtime: Runtime, new_tenant: NewTenant, address: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    tenant = new_tenant()
    import_file(runtime, tenant, "name\nAcme\nBolt\n", object="company")
    monkeypatch.setenv("RAPPORT_URL", address)
    monkeypatch.setenv("RAPPORT_API_KEY", make_key(runtime.databases, tenant, "member"))
    worker = _Worker(runtime, tenant)
    file = tmp_path / "out.csv"
    code, out = run("--object", "company", "--fields", "name", "--output", str(file), "--json")
    worker.end()
    found: dict[str, Any] = json.loads(out)
    assert (code, found["rows"], found["file"]) == (0, 2, str(file))
    assert file.read_bytes() == b"name\r\nAcme\r\nBolt\r\n"
    assert query(runtime, tenant, "select id from export") == []
    monkeypatch.setenv("RAPPORT_API_KEY", make_key(runtime.databases, tenant, "read_only"))
    code, out = run("--object", "company", "--output", str(tmp_path / "none.csv"), "--json")
    assert (code, "record.export" in json.loads(out)["error"]["message"]) == (1, True)
    assert run("--object", "company", "--tenant", "another")[0] == 3
    assert [one.name for one in tmp_path.iterdir()] == ["out.csv"]


class _Worker:
    """Runs the exports of a workspace until told to end."""

    def __init__(self, runtime: Runtime, tenant: Any) -> None:
        self._ended = threading.Event()
        self._runtime, self._tenant = runtime, tenant
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._ended.wait(0.05):
            for (export_id,) in query(self._runtime, self._tenant, "select id from export where state = 'queued'"):
                run_export(self._runtime, self._tenant.id, export_id)

    def end(self) -> None:
        self._ended.set()
        self._thread.join(timeout=10)
