"""`rapport metadata`: what a workspace is made of, as a folder of YAML: exported, planned, applied, taken back."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.cli.outcome import NeedsYesError, emit, note
from app.core.errors import Conflict, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from uuid import UUID

    from app.shaping.workspaces import Wish, Workspace

_SIGNS = {"add": "+", "remove": "-", "rename": ">", "restore": "+", "replace": "~", "convert": "~", "change": "~",
          "build": "…"}  # fmt: skip


def _where(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that name the workspace, and --json."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print one JSON document."),
        click.option("--key", envvar="RAPPORT_API_KEY", default="", help="The API key for --url."),
        click.option("--url", envvar="RAPPORT_URL", default="", help="A workspace's address: work over HTTP."),
        click.option("--tenant", default="", help="Slug or id; over HTTP the key names it already."),
    ):
        command = option(command)
    return command


_PATHS = click.argument("paths", nargs=-1, required=True, metavar="PATH…")
_SOURCE = click.option("--source", default="git", show_default=True, help="Whose last-applied set these files are.")
_PRUNE = click.option("--prune", is_flag=True, help="Take away what the source stated before and does not state now.")
_NOTE = click.option("--note", default="", help="Why; kept in the history.")
_YES = click.option("--yes", is_flag=True, help="Also what takes values away.")


@click.group()
def metadata() -> None:
    """What a workspace is made of: objects, fields, pipelines, rules, views, layouts, roles."""


@metadata.command()
@click.argument("folder", required=False, type=click.Path(file_okay=False, path_type=Path))
@click.option("--layer", default="tenant", show_default=True, help="tenant, platform, or effective for all together.")
@_where
def export(folder: Path | None, layer: str, tenant: str, url: str, key: str, *, as_json: bool) -> None:
    """Write components to FOLDER, a file each, or to the standard output."""
    with _workspace(tenant, url, key) as workspace:
        found = workspace.export("" if layer == "effective" else layer)
    components = found["components"]
    if folder is not None:
        _write(folder, components)
        note(f"{len(components)} {'component' if len(components) == 1 else 'components'} in {folder}")
    emit(found, as_json=as_json, human=lambda: None if folder else click.echo(_yaml(components), nl=False))


@metadata.command()
@_PATHS
@_SOURCE
@_PRUNE
@_where
def plan(paths: tuple[str, ...], source: str, tenant: str, url: str, key: str, *, prune: bool, as_json: bool) -> None:
    """Show what applying the YAML at PATH (files, folders, - for the standard input) would do."""
    wish = _wish(paths, source, prune=prune)
    with _workspace(tenant, url, key) as workspace:
        found = workspace.plan(wish)
    emit(found, as_json=as_json, human=lambda: _tell(found))
    blocked = [*found["problems"], *found["broken"], *found["questions"]]
    if blocked:
        raise Conflict(f"This can't be applied as it is: {blocked[0]['message']}")


@metadata.command()
@_PATHS
@_SOURCE
@_PRUNE
@_NOTE
@_YES
@_where
def apply(
    paths: tuple[str, ...], source: str, note: str, tenant: str, url: str, key: str, *, prune: bool, yes: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Apply the YAML at PATH. Twice is a no-op."""
    wish = _wish(paths, source, prune=prune, note=note, confirm=yes)
    with _workspace(tenant, url, key) as workspace, _asking():
        done = workspace.apply(wish)
    emit(done, as_json=as_json, human=lambda: _tell(done))


@metadata.command()
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 200))
@click.option("--drift", "drift_of", default="", metavar="SOURCE", help="What was changed by hand.")
@_where
def changes(limit: int, drift_of: str, tenant: str, url: str, key: str, *, as_json: bool) -> None:
    """The history, newest first."""
    with _workspace(tenant, url, key) as workspace:
        found = workspace.drift(drift_of) if drift_of else workspace.changes(limit)

    def human() -> None:
        for one in found:
            if drift_of:
                click.echo(f"{one['component']} {one['path']}: {one['before']!r} → {one['after']!r}")
            else:
                who = one["by"]["name"] if one["by"] else one["source"]
                click.echo(f"{one['id']}  {one['at'][:19]}  {who}: {one['note'] or _summary(one['steps'])}")

    emit({"data": found}, as_json=as_json, human=human)


@metadata.command()
@click.argument("change", type=click.UUID)
@click.option("--newer", is_flag=True, help="And all that people changed after it; updates of Rapport stay.")
@_NOTE
@_YES
@_where
def revert(
    change: UUID, note: str, tenant: str, url: str, key: str, *, newer: bool, yes: bool, as_json: bool
) -> None:  # fmt: skip
    """Take CHANGE back, values included."""
    with _workspace(tenant, url, key) as workspace, _asking():
        done = workspace.revert(change, note, confirm=yes, newer=newer)
    emit(done, as_json=as_json, human=lambda: _tell(done))


@metadata.command()
@click.option("--keep", multiple=True, metavar="LEAF", help="Keep the workspace's value, as object/deal/label/one.")
@click.option("--take", multiple=True, metavar="LEAF", help="Take the update's value.")
@_NOTE
@_YES
@_where
def conflicts(
    keep: tuple[str, ...], take: tuple[str, ...], note: str, tenant: str, url: str, key: str, *, yes: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """What both the workspace and an update of Rapport changed. The workspace's value is in force until you decide.

    A LEAF without an end stands for all below it: object/deal/fields/amount.
    """
    with _workspace(tenant, url, key) as workspace, _asking():
        found = workspace.conflicts()
        if not keep and not take:
            emit({"data": found}, as_json=as_json, human=lambda: _show_conflicts(found))
            return
        choices = [*_choices(found, keep, "keep"), *_choices(found, take, "take")]
        done = workspace.choose(choices, note, confirm=yes)
    emit(done, as_json=as_json, human=lambda: _tell(done))


def _choices(found: list[dict[str, Any]], leaves: tuple[str, ...], choice: str) -> list[dict[str, Any]]:
    chosen: list[dict[str, Any]] = []
    for leaf in leaves:
        fitting = [one for one in found if f"{one['component']}/{one['path']}/".startswith(f"{leaf.rstrip('/')}/")]
        if not fitting:
            raise NotFound(f"{leaf} is not in conflict.")
        chosen += [{"component": one["component"], "path": one["path"], "choice": choice} for one in fitting]
    return chosen


def _show_conflicts(found: list[dict[str, Any]]) -> None:
    for one in found:
        click.echo(f"{one['component']}/{one['path']}")
        click.echo(f"  was {one['base']!r}; here {one['value']!r} (in force), update {one['lower']!r}")
    if not found:
        click.echo("No conflicts.")


@contextmanager
def _workspace(tenant: str, url: str, key: str) -> Generator[Workspace]:
    from app.shaping.workspaces import Here, There

    if url and key:
        yield There(url, key)
        return
    if not tenant:
        raise click.UsageError("Name the workspace with --tenant, or set RAPPORT_URL and RAPPORT_API_KEY.")
    from app.cli.context import open_runtime
    from tenants.registry.directory import find_tenant

    with open_runtime() as runtime:
        row = find_tenant(runtime.databases, tenant)
        if row is None:
            raise NotFound(f"There is no workspace {tenant}")
        yield Here(runtime, row.id)


@contextmanager
def _asking() -> Generator[None]:
    """What would take values away needs ``--yes``."""
    try:
        yield
    except Conflict as refused:
        if refused.code != "metadata.confirm":
            raise
        steps: Any = refused.extra.get("steps", [])
        lines = [f"  {_line(step)}" for step in steps]
        raise NeedsYesError("\n".join(["This takes values away:", *lines, "Say --yes to do it."])) from None


def _wish(paths: tuple[str, ...], source: str, *, prune: bool = False, note: str = "", confirm: bool = False) -> Wish:
    """The components at ``paths``; checked here, so that what is wrong is told with its file."""
    from app.metadata import document, yamlform
    from app.shaping.workspaces import Wish

    components: list[Any] = []
    for path in paths:
        for name, text in _texts(path):
            document.read(text, name)
            for one in yamlform.load_all(text):
                components += one if isinstance(one, list) else [one] if one is not None else []
    return Wish(components, source, prune, note, confirm)


def _texts(path: str) -> list[tuple[str, str]]:
    from app.metadata.document import SUFFIXES

    if path == "-":
        return [("standard input", sys.stdin.read())]
    found = Path(path)
    if found.is_dir():
        files = sorted(one for one in found.rglob("*") if one.suffix in SUFFIXES and one.is_file())
        files = [one for one in files if not any(part.startswith(".") for part in one.relative_to(found).parts)]
        return [(one.relative_to(found).as_posix(), one.read_text(encoding="utf-8")) for one in files]
    if not found.exists():
        raise NotFound(f"There is no file or folder {path}")
    return [(found.name, found.read_text(encoding="utf-8"))]


def _write(folder: Path, components: list[dict[str, Any]]) -> None:
    """A file a component; files of components that are gone are taken away, others are left alone."""
    from app.metadata.yamlform import dump

    wanted = {folder / one["kind"] / f"{one['name']}.yaml": dump(one) for one in components}
    for kind in {file.parent for file in wanted}:
        kind.mkdir(parents=True, exist_ok=True)
    for file, text in wanted.items():
        file.write_text(text, encoding="utf-8")
    kinds = {one["kind"] for one in components}
    for file in (one for kind in kinds for one in (folder / kind).glob("*.yaml")):
        if file not in wanted:
            file.unlink()


def _yaml(components: list[dict[str, Any]]) -> str:
    from app.metadata.yamlform import dump

    return "---\n".join(dump(one) for one in components)


def _tell(found: dict[str, Any]) -> None:
    for step in found["steps"]:
        click.echo(_line(step))
    blocked = [*found.get("problems", ()), *found.get("broken", ()), *found.get("questions", ())]
    if not found["steps"] and not blocked:
        click.echo("Nothing to do.")
    for one in found.get("holding", ()):
        note(f"Note: {one['message']}")
    for one in found["warnings"]:
        note(f"Note: {_placed(one)}")
    for one in blocked:
        note(f"Problem: {_placed(one)}")
    for one in found["repairs"]:
        note(f"To mend: {one['count']:,} records of {one['object']} by their field {one['field']} ({one['code']})")


def _placed(one: dict[str, Any]) -> str:
    """What is told with where it is; some messages say that themselves."""
    message, component = one["message"], one["component"]
    return message if message.startswith(f"{component}:") else f"{component} {one['path']}: {message}"


def _line(step: dict[str, Any]) -> str:
    rows = f", {step['rows']:,} records" if step["rows"] else ""
    return f"{_SIGNS[step['op']]} {step['op']} {step['kind']} {step['name']} ({step['safety']}{rows})"


def _summary(steps: list[dict[str, Any]]) -> str:
    told = [f"{step['op']} {step['kind']} {step['name']}" for step in steps if step["op"] != "build"]
    return ", ".join(told[:3]) + (" …" if len(told) > 3 else "")
