"""`rapport import`: a delimited file into records of one object (DESIGN §11)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.cli.outcome import EXIT_FAILED, emit, note
from app.core.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.imports.options import ImportOptions

_SUMMARY = ("import", "rows", "created", "updated", "skipped", "failed", "warnings", "errors_file", "unmapped")


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--tenant", default="", help="Slug or id; over HTTP the key names it already.")
@click.option("--object", "object_name", required=True, help="What the rows become: company, deal, …")
@click.option("--map", "map_", multiple=True, metavar="COLUMN=FIELD", help="Repeatable. COLUMN= leaves it out.")
@click.option("--map-value", multiple=True, metavar="FIELD:FROM=TO", help="Replace a value of the file.")
@click.option("--set", "set_", multiple=True, metavar="FIELD=VALUE", help="The same value in every record.")
@click.option("--links", multiple=True, metavar="[LINK:]error|empty|create", help="When a link's target is missing.")
@click.option("--link-by", multiple=True, metavar="LINK:FIELD", help="Find a link's target by this field.")
@click.option("--options", multiple=True, metavar="[FIELD:]error|create", help="When a choice is not known.")
@click.option("--null", multiple=True, metavar="TEXT", help="A text that stands for an empty cell.")
@click.option("--date-format", default="", metavar="F", help="Like DD/MM/YYYY.")
@click.option("--delimiter", default="", metavar="C", help="One character, or tab.")
@click.option("--encoding", default="", help="Like utf-8 or cp1252.")
@click.option("--mode", type=click.Choice(["create", "update", "upsert"]), default="create", show_default=True)
@click.option("--match", default="", metavar="FIELD", help="By which records are found for update and upsert.")
@click.option("--dry-run", is_flag=True, help="Check everything, write nothing.")
@click.option("--url", envvar="RAPPORT_URL", default="", help="A workspace's address: import over HTTP.")
@click.option("--key", envvar="RAPPORT_API_KEY", default="", help="The API key for --url.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def import_(file: Path, tenant: str, object_name: str, url: str, key: str, *, as_json: bool, **given: Any) -> None:
    """Import FILE. Rows that fail are listed in the error file; the others are written."""
    from app.imports.options import ImportOptions, take_apart

    options = ImportOptions(
        object=object_name,
        map=list(given["map_"]),
        map_value=list(given["map_value"]),
        set=list(given["set_"]),
        links=list(given["links"]),
        link_by=list(given["link_by"]),
        options=list(given["options"]),
        null=list(given["null"]),
        date_format=given["date_format"],
        delimiter=given["delimiter"],
        encoding=given["encoding"],
        mode=given["mode"],
        match=given["match"],
        dry_run=given["dry_run"],
    )
    take_apart(options)
    if url and key:
        found, error = _there(url, key, tenant, options, file)
    elif tenant:
        found, error = _here(tenant, options, file)
    else:
        raise click.UsageError("Name the workspace with --tenant, or set RAPPORT_URL and RAPPORT_API_KEY.")
    emit({name: found[name] for name in _SUMMARY}, as_json=as_json, human=lambda: _say(found))
    if error:
        note(f"Error: {error}")
        sys.exit(EXIT_FAILED)


def _here(tenant: str, options: ImportOptions, file: Path) -> tuple[Mapping[str, Any], str]:
    from app.cli.context import open_runtime
    from app.imports.local import import_here, write_errors
    from app.imports.service import progress, summary
    from tenants.registry.directory import find_tenant

    with open_runtime() as runtime, file.open("rb") as stream:
        row = find_tenant(runtime.databases, tenant)
        if row is None:
            raise NotFound(f"There is no workspace {tenant}")
        done = import_here(runtime, row, options, file.name, stream, lambda found: _progress(progress(found)))
        path = write_errors(runtime, row, done, runtime.config.home / "imports")
        return summary(done, str(path) if path else None), done.error or ""


def _there(url: str, key: str, tenant: str, options: ImportOptions, file: Path) -> tuple[Mapping[str, Any], str]:
    from app.core.client import check_tenant
    from app.imports.remote import import_there

    if tenant:
        check_tenant(url, key, tenant)
    found = import_there(url, key, options, file.name, file.read_bytes(), lambda now: _progress(now["progress"]))
    return found, str(found.get("error") or "")


def _progress(share: float) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{share:4.0%}", nl=False, err=True)


def _say(found: Mapping[str, Any]) -> None:
    click.echo(
        f"{found['rows']:,} {'row' if found['rows'] == 1 else 'rows'}: {found['created']:,} created,"
        f" {found['updated']:,} updated, {found['skipped']:,} skipped, {found['failed']:,} failed,"
        f" {found['warnings']:,} with warnings"
    )
    if found["unmapped"]:
        click.echo(f"Columns left out: {', '.join(found['unmapped'])}")
    if found["errors_file"]:
        click.echo(f"What was wrong: {found['errors_file']}")
