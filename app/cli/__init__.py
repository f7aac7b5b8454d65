"""The ``rapport`` command: one file per noun, loaded when it is called."""

from __future__ import annotations

import importlib
import json
import sys
from typing import Final, cast

import click

from app.cli.outcome import EXIT_FAILED, describe

#: Command → module and attribute; nothing is imported for a command that isn't called.
_COMMANDS: Final = {
    "up": "app.cli.up:up",
    "web": "app.cli.web:web",
    "worker": "app.cli.worker:worker",
    "relay": "app.cli.relay:relay",
    "migrate": "app.cli.migrate:migrate",
    "upgrade": "app.cli.upgrade:upgrade",
    "doctor": "app.cli.doctor:doctor",
    "jobs": "app.cli.jobs:jobs",
    "pod": "app.cli.pod:pod",
    "tenant": "app.cli.tenant:tenant",
    "member": "app.cli.member:member",
    "key": "app.cli.key:key",
    "metadata": "app.cli.metadata:metadata",
    "support": "app.cli.support:support",
    "import": "app.cli.import_:import_",
    "export": "app.cli.export:export",
}


class _Lazy(click.Group):
    """A group that imports a command's file when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        target = _COMMANDS.get(cmd_name)
        if target is None:
            return None
        module, attribute = target.split(":")
        return cast("click.Command", getattr(importlib.import_module(module), attribute))


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="rapport")
def rapport() -> None:
    """Rapport, an on-demand CRM."""


def main(arguments: list[str] | None = None) -> None:
    """Entry point: runs one command and ends the process with its exit code (0 done … 5 needs --yes)."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        code = rapport.main(args=given, prog_name="rapport", standalone_mode=False)
    except KeyboardInterrupt:
        raise SystemExit(EXIT_FAILED) from None
    except Exception as error:
        outcome = describe(error)
        if outcome is None:
            raise
        click.echo(outcome.text, err=True)
        if "--json" in given:
            click.echo(json.dumps({"error": outcome.document}))
        raise SystemExit(outcome.exit_code) from None
    raise SystemExit(code if isinstance(code, int) else 0)
