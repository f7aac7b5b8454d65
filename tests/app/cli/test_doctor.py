"""``rapport doctor``: what is wrong is found, named, and comes with what to do."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from app.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from app.core.ports import Runtime
    from tests.support.servers import Servers

pytestmark = pytest.mark.usefixtures("same_servers")

SET_CONFIG = "execute on function pg_catalog.set_config(text, text, boolean)"


def examined(capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, tuple[str, str, str]]]:
    """Exit code, and by name: state, what was found, what to do."""
    with pytest.raises(SystemExit) as ended:
        main(["doctor", "--json"])
    document = json.loads(capsys.readouterr().out)
    checks = {check["name"]: (check["state"], check["found"], check["remedy"]) for check in document["checks"]}
    assert document["ok"] == ("failed" not in {state for state, _, _ in checks.values()})
    return int(ended.value.code or 0), checks


@pytest.fixture
def superuser(servers: Servers, runtime: Runtime) -> Iterator[psycopg.Connection]:
    """A superuser in the pod's database."""
    name = runtime.databases.pod(1).url.database
    with psycopg.connect(servers.postgres, dbname=name, autocommit=True) as connection:
        yield connection


@contextmanager
def hurt(superuser: psycopg.Connection, statement: str, undo: str) -> Iterator[None]:
    superuser.execute(sql.SQL(statement))  # pyright: ignore[reportArgumentType] (a test's own text)
    try:
        yield
    finally:
        superuser.execute(sql.SQL(undo))  # pyright: ignore[reportArgumentType]


def test_a_sound_installation_is_all_right(capsys: pytest.CaptureFixture[str]) -> None:
    code, checks = examined(capsys)
    assert code == 0, checks
    assert checks["pod 1: extensions"][:2] == ("ok", "pg_trgm, unaccent")
    assert checks["pod 1: version"][1].startswith("PostgreSQL 18")


def test_a_missing_extension_is_named_with_the_statement_that_makes_it(
    superuser: psycopg.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    with hurt(superuser, "alter extension unaccent set schema public", "alter extension unaccent set schema ext"):
        code, checks = examined(capsys)
    assert (code, checks["pod 1: extensions"]) == (
        1,
        ("failed", "missing in schema ext: unaccent", "as superuser: CREATE EXTENSION unaccent SCHEMA ext"),
    )


def test_an_open_wall_is_found(superuser: psycopg.Connection, capsys: pytest.CaptureFixture[str]) -> None:
    with hurt(superuser, f"grant {SET_CONFIG} to public", f"revoke {SET_CONFIG} from public"):
        code, checks = examined(capsys)
    state, found, remedy = checks["pod 1: hardening"]
    assert (code, state) == (1, "failed")
    assert "set_config" in found
    assert remedy


def test_a_login_without_its_defaults_is_found(
    superuser: psycopg.Connection, runtime: Runtime, capsys: pytest.CaptureFixture[str]
) -> None:
    database = runtime.databases.pod(1).url.database
    mine = f'alter role rapport_app in database "{database}"'
    with hurt(superuser, f"{mine} set lock_timeout = '9s'", f"{mine} reset lock_timeout"):
        code, checks = examined(capsys)
    assert (code, checks["pod 1: login"][:2]) == (1, ("failed", "lock_timeout is 9s"))
    assert "ALTER ROLE rapport_app SET lock_timeout = '1s'" in checks["pod 1: login"][2]


def test_each_part_that_does_not_answer_says_where_to_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").write_text("a file where the folder should be")
    closed = "127.0.0.1:9"
    monkeypatch.setenv("RAPPORT_DATABASE_URL", f"postgresql://rapport_app@{closed}/control")
    monkeypatch.setenv("RAPPORT_OWNER_URL", f"postgresql://rapport_owner@{closed}/control")
    monkeypatch.setenv("RAPPORT_REDIS_URL", f"redis://{closed}/0")
    monkeypatch.setenv("RAPPORT_SMTP_URL", f"smtp://{closed}")
    monkeypatch.setenv("RAPPORT_STORAGE_URL", (tmp_path / "taken").as_uri())
    code, checks = examined(capsys)
    assert code == 1
    for name, variable in {
        "control database": "RAPPORT_DATABASE_URL",
        "valkey": "RAPPORT_REDIS_URL",
        "mail": "RAPPORT_SMTP_URL",
        "storage": "RAPPORT_STORAGE_URL",
    }.items():
        state, found, remedy = checks[name]
        assert (state, bool(found), variable in remedy) == ("failed", True, True), name


def test_another_secret_key_is_told_from_a_pod_that_is_away(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RAPPORT_SECRET_KEY", "k" * 31)
    code, checks = examined(capsys)
    assert (code, checks["secret key"][0]) == (1, "failed")
    assert checks["pod 1"][1:] == (
        "its address was encrypted with another secret key",
        "set RAPPORT_SECRET_KEY to that key",
    )


@pytest.mark.parametrize("name", ["RAPPORT_SMTP_URL", "RAPPORT_STORAGE_URL", "RAPPORT_DATABASE_URL"])
def test_an_address_that_is_none_is_said_in_a_line(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, "nonsense")
    with pytest.raises(SystemExit) as ended:
        main(["doctor"])
    told = capsys.readouterr().err
    assert ended.value.code == 1
    assert f"{name} is not understood" in told
    assert len(told.splitlines()) == 1
