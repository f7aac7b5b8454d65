"""`rapport export`: records of one object into a file, on the machine itself or over HTTP (DESIGN §11)."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Self

import click

from app.cli.outcome import emit, note
from app.core.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.exports.options import ExportOptions


@click.command("export")
@click.option("--tenant", default="", help="Slug or id; over HTTP the key names it already.")
@click.option("--object", "object_name", required=True, help="Whose records: company, deal, …")
@click.option("--filter", "filter_", default="", metavar="CONDITION", help="Like 'industry == \"software\"'.")
@click.option("--sort", default="", metavar="FIELDS", help="Like -amount,name; else in the order they were made.")
@click.option(
    "--fields", default="", metavar="FIELDS", help="Paths joined by commas, like name,company.name; else all."
)
@click.option("--format", "format_", type=click.Choice(["csv", "ndjson"]), default="csv", show_default=True)
@click.option("--trash", type=click.Choice(["only", "with"]), help="Records in the trash, alone or too.")
@click.option("--delimiter", default=",", metavar="C", help="Of CSV: comma, semicolon, tab or pipe.")
@click.option("--bom", is_flag=True, help="Mark CSV as UTF-8, which Excel needs.")
@click.option("--output", default="", metavar="FILE", help="Where to; - is standard output, which is the default.")
@click.option("--url", envvar="RAPPORT_URL", default="", help="A workspace's address: export over HTTP.")
@click.option("--key", envvar="RAPPORT_API_KEY", default="", help="The API key for --url.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document; needs --output FILE.")
def export(tenant: str, object_name: str, output: str, url: str, key: str, *, as_json: bool, **given: Any) -> None:
    """Export records. The file can be imported again as it is."""
    from app.exports.options import ExportOptions, checked

    if as_json and output in {"", "-"}:
        raise click.UsageError("With --json the records need a file of their own: --output FILE.")
    options = checked(
        ExportOptions(
            object=object_name,
            format=given["format_"],
            fields=[name.strip() for name in given["fields"].split(",") if name.strip()],
            filter=given["filter_"],
            sort=given["sort"],
            trash=given["trash"] or "",
            delimiter=given["delimiter"],
            bom=given["bom"],
        )
    )
    with _Target(output) as target:
        if url and key:
            found = _there(url, key, tenant, options, target.open)
        elif tenant:
            found = _here(tenant, options, target.open)
        else:
            raise click.UsageError("Name the workspace with --tenant, or set RAPPORT_URL and RAPPORT_API_KEY.")
        target.keep()
    found["file"] = output or "-"
    emit(found, as_json=as_json, human=lambda: note(f"{found['rows']:,} records, {found['bytes']:,} bytes"))


class _Target:
    """Where the file goes: a draft beside it until all is there, so that a half of it is never taken for the whole."""

    def __init__(self, output: str) -> None:
        self._path = Path(output) if output not in {"", "-"} else None
        self._stack = ExitStack()
        self._kept = False

    def __enter__(self) -> Self:
        return self

    @property
    def _draft(self) -> Path | None:
        return self._path.with_name(f".{self._path.name}.{os.getpid()}") if self._path else None

    def open(self) -> BinaryIO:
        """Begin to write."""
        if self._draft is None:
            return sys.stdout.buffer
        try:
            return self._stack.enter_context(self._draft.open("wb"))
        except OSError as error:
            raise click.ClickException(f"{self._path} can't be written: {error.strerror}.") from None

    def keep(self) -> None:
        """All is written."""
        self._stack.close()
        if self._path is not None and self._draft is not None:
            self._draft.replace(self._path)
        else:
            sys.stdout.buffer.flush()
        self._kept = True

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        if not self._kept and self._draft is not None:
            self._draft.unlink(missing_ok=True)


def _here(tenant: str, options: ExportOptions, output: Callable[[], BinaryIO]) -> dict[str, Any]:
    from app.cli.context import open_runtime
    from app.exports.local import export_here
    from tenants.registry.directory import find_tenant

    with open_runtime() as runtime:
        row = find_tenant(runtime.databases, tenant)
        if row is None:
            raise NotFound(f"There is no workspace {tenant}")
        return export_here(runtime, row, options, output, _progress)


def _there(url: str, key: str, tenant: str, options: ExportOptions, output: Callable[[], BinaryIO]) -> dict[str, Any]:
    from app.core.client import check_tenant
    from app.exports.remote import export_there

    if tenant:
        check_tenant(url, key, tenant)
    return export_there(url, key, options, output, _progress)


def _progress(share: float) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{share:4.0%}", nl=False, err=True)
