"""Exit codes and the one JSON document."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import click
import psycopg
import pytest

from app import cli
from app.cli.outcome import confirm, describe, emit
from app.core.config import ConfigError
from app.core.errors import Conflict, FieldError, Forbidden, InvalidInput, NotFound
from app.core.servers.layout import ServerError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NotFound("no such tenant"), 3),
        (Conflict("taken"), 4),
        (InvalidInput("wrong"), 2),
        (Forbidden("no"), 1),
        (ConfigError("x is missing"), 1),
        (ServerError("port in use"), 1),
        (psycopg.OperationalError("no socket"), 1),
        (click.UsageError("what?"), 2),
    ],
)
def test_each_kind_of_error_has_its_exit_code(error: Exception, code: int) -> None:
    outcome = describe(error)
    assert outcome is not None
    assert outcome.exit_code == code
    assert outcome.text


def test_a_defect_of_ours_keeps_its_stack_trace() -> None:
    assert describe(KeyError("x")) is None


def test_field_errors_are_listed_in_text_and_document() -> None:
    outcome = describe(InvalidInput("The input is not valid", [FieldError("/slug", "taken", "already used")]))
    assert outcome is not None
    assert "/slug: already used" in outcome.text
    assert outcome.document["errors"] == [{"pointer": "/slug", "code": "taken", "message": "already used"}]


def end(*arguments: str) -> int:
    with pytest.raises(SystemExit) as caught:
        cli.main(list(arguments))
    assert isinstance(caught.value.code, int)
    return caught.value.code


def test_an_unknown_command_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert end("nonsense") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "No such command 'nonsense'" in err


def test_help_lists_every_command_and_each_can_be_loaded(capsys: pytest.CaptureFixture[str]) -> None:
    assert end("--help") == 0
    out = capsys.readouterr().out
    for name in (
        "up",
        "web",
        "worker",
        "relay",
        "migrate",
        "doctor",
        "jobs",
        "tenant",
        "member",
        "key",
        "pod",
        "import",
    ):
        assert f"  {name} " in out


def test_with_json_an_error_is_one_document_on_stdout(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RAPPORT_HOME", str(tmp_path))
    monkeypatch.setenv("RAPPORT_REDIS_URL", "redis://127.0.0.1:1")
    assert end("jobs", "list", "--json") == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["error"]["code"] == "config"
    assert "RAPPORT_DATABASE_URL" in err


def test_harm_needs_yes_where_nobody_can_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    confirm("Delete it?", yes=True)
    with pytest.raises(click.ClickException) as caught:
        confirm("Delete it?", yes=False)
    assert caught.value.exit_code == 5


def test_a_result_is_printed_once_in_the_form_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    emit({"a": 1}, as_json=True, human=lambda: click.echo("human"))
    emit({"a": 1}, as_json=False, human=lambda: click.echo("human"))
    assert capsys.readouterr().out == '{"a":1}\nhuman\n'
