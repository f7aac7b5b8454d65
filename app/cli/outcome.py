"""How commands end: exit codes, error texts, the one JSON document, and questions before harm."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click
import msgspec
import psycopg
import redis
from sqlalchemy import exc

from app.core.config import ConfigError
from app.core.errors import Conflict, InvalidInput, NotFound, RapportError
from app.core.servers.layout import ServerError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_NOT_FOUND = 3
EXIT_CONFLICT = 4
EXIT_NEEDS_YES = 5


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is said about an error: a text for stderr, a document for --json, an exit code."""

    exit_code: int
    text: str
    document: Mapping[str, object]


class NeedsYesError(click.ClickException):
    """The command destroys something and was not told ``--yes``."""

    exit_code = EXIT_NEEDS_YES


def confirm(question: str, *, yes: bool) -> None:
    """Ask at a terminal; elsewhere ``--yes`` is needed.

    Raises:
        NeedsYesError: not confirmed.
    """
    if yes:
        return
    if sys.stdin.isatty() and click.confirm(question, err=True):
        return
    raise NeedsYesError(f"{question} Say --yes to do it.")


def emit(document: Mapping[str, object], *, as_json: bool, human: Callable[[], None]) -> None:
    """Print the result: with ``--json`` this document and nothing else on stdout, else what ``human`` prints."""
    if as_json:
        click.echo(msgspec.json.encode(document).decode())
    else:
        human()


def note(line: str) -> None:
    """A message beside the result, on stderr."""
    click.echo(line, err=True)


def describe(error: Exception) -> Outcome | None:
    """How to report ``error``; None for a defect of ours, which deserves its stack trace."""
    if isinstance(error, click.ClickException):
        return _click(error)
    if isinstance(error, click.exceptions.Abort):
        return Outcome(EXIT_FAILED, "Stopped.", {"code": "aborted", "message": "Stopped."})
    if isinstance(error, RapportError):
        return _rapport(error)
    if isinstance(error, ConfigError | ServerError):
        code = "config" if isinstance(error, ConfigError) else "server"
        return Outcome(EXIT_FAILED, f"Error: {error}", {"code": code, "message": str(error)})
    return _unreachable(error)


def _click(error: click.ClickException) -> Outcome:
    text = f"Error: {error.format_message()}"
    if isinstance(error, click.UsageError) and error.ctx is not None:
        text = f"{error.ctx.get_usage()}\n{text}"
    code = {EXIT_USAGE: "usage", EXIT_NEEDS_YES: "needs_yes"}.get(error.exit_code, "failed")
    return Outcome(error.exit_code, text, {"code": code, "message": error.format_message()})


def _rapport(error: RapportError) -> Outcome:
    exit_code = next(
        (
            code
            for kind, code in ((NotFound, EXIT_NOT_FOUND), (Conflict, EXIT_CONFLICT), (InvalidInput, EXIT_USAGE))
            if isinstance(error, kind)
        ),
        EXIT_FAILED,
    )
    lines = [f"Error: {error.detail}", *(f"  {one.pointer}: {one.message}" for one in error.errors)]
    errors = [{"pointer": one.pointer, "code": one.code, "message": one.message} for one in error.errors]
    document = {"code": error.code, "message": error.detail, "errors": errors, **error.extra}
    return Outcome(exit_code, "\n".join(lines), document)


def _unreachable(error: Exception) -> Outcome | None:
    cause = error.orig if isinstance(error, exc.DBAPIError) else error
    if isinstance(cause, psycopg.OperationalError):
        server = "PostgreSQL"
    elif isinstance(cause, redis.ConnectionError):
        server = "Valkey"
    else:
        return None
    message = f"{server} does not answer as expected: {str(cause).strip()} (`rapport doctor` looks closer)"
    return Outcome(EXIT_FAILED, f"Error: {message}", {"code": "unavailable", "message": message})
