"""The generated page about kinds: what each is for, how its components are called, everything they may say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from app.metadata import kinds
from app.metadata.kinds import schema as form

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.metadata.kinds.base import Kind, Nested
    from app.metadata.kinds.schema import Schema

_ORDER: Final = (
    "object", "field", "link", "option_set", "pipeline", "stage", "rule", "view", "layout", "role", "currency",
    "calendar", "translation",
)  # fmt: skip
_NAMES: Final = {
    "object": "an object", "field": "a field", "path": "a path of fields", "sort": "a field, `-` for descending",
    "metric": "a figure: `count`, `sum:amount`",
    "inverse": "a link to many", "option_set": "an option set", "role": "a role",
}  # fmt: skip
_SHOWN: Final = 12
#: Kinds whose parts are described with a kind of their own.
_ELSEWHERE: Final = {"object/fields/*": "field", "object/pipelines/*": "pipeline", "pipeline/stages/*": "stage"}


def kinds_page(generated: str) -> Iterator[str]:
    """The lines of the page; ``generated`` is the note on its top."""
    yield from ("# Kinds of components", "", generated, "")
    yield "What a workspace is made of, and how each part is written. Components are written as YAML or JSON, many a"
    yield "file (separated by `---`) or a file each; what one does not state is left alone. `schemas/` beside this page"
    yield "holds a JSON Schema of each for editors."
    yield ""
    yield from _everywhere()
    yield "| kind | name | what it is |"
    yield "|---|---|---|"
    for name in _ORDER:
        kind = _kind(name)
        yield f"| [{name}](#{name}) | {kind.named} | {kind.help} |"
    for name in _ORDER:
        yield from _section(name, _kind(name))


def _everywhere() -> Iterator[str]:
    yield "Every component, and every item of a map by name, may also say:"
    yield ""
    yield "| | |"
    yield "|---|---|"
    yield "| `remove: true` | Take it away. What a lower layer has is hidden, shown again when it is written again. |"
    yield "| `reset: true` | Take back what the workspace says of it; `reset: [label, help]` of these leaves. |"
    yield "| `renamed_from: old` | It had another name and keeps its data. `null`: it is new, whatever goes with it. |"
    yield "| `rank` | Its place among the others. A map's new items go to the end; a list is the order wanted. |"
    yield "| `retired: true` | It stays where it is used and is not offered any more. |"
    yield "| any leaf `null` | Take the lower layer's value away. |"
    yield ""


def _kind(name: str) -> Kind | Nested:
    return kinds.ROOTS.get(name) or kinds.NESTED[name]


def _section(name: str, kind: Kind | Nested) -> Iterator[str]:
    yield from ("", f"## {name}", "", kind.help, "", "```yaml", *kind.example.strip().splitlines(), "```", "")
    yield "| leaf | holds | what it says |"
    yield "|---|---|---|"
    yield from _rows(name, kind.schema, "", required=())


def _rows(kind: str, schema: Schema, path: str, required: tuple[str, ...]) -> Iterator[str]:
    """A line for each leaf; items of maps stand as ``*``."""
    last = path.rpartition("/")[2]
    where = f"{kind}/{path}"
    if path and where in _ELSEWHERE:
        yield f"| `{path}` | see [{_ELSEWHERE[where]}](#{_ELSEWHERE[where]}) | {schema['description']} |"
    elif form.is_mapping(schema):
        item = form.below(schema, "x") or {}
        yield from _rows(kind, item, f"{path}/*", ())
    elif schema.get("type") == "object":
        needs = tuple(cast("list[str]", schema.get("required") or []))
        for name, inner in form.properties_of(schema).items():
            if not (name in form.standing() and inner == form.standing()[name]):
                yield from _rows(kind, inner, f"{path}/{name}".lstrip("/"), needs)
    else:
        star = " \\*" if last in required else ""
        yield f"| `{path}`{star} | {_holds(schema)} | {_said(schema)} |"


def _holds(schema: Schema) -> str:
    """What a leaf holds, in a few words."""
    if schema.get("x-many"):
        item = _holds(cast("Schema", schema.get("items") or {}))
        return "list" if item == "text" else f"list: {item}"
    if what := schema.get("x-refers"):
        return _NAMES[str(what)]
    if "enum" in schema:
        values = [
            str(one).lower() if isinstance(one, bool) else str(one) for one in cast("list[object]", schema["enum"])
        ]
        return ", ".join(f"`{one}`" for one in values[:_SHOWN]) + (" …" if len(values) > _SHOWN else "")
    if schema.get("x-condition") or schema.get("x-over") == "condition":
        return "condition"
    if schema.get("x-formula"):
        return "formula"
    if schema.get("x-decimal"):
        return "number"
    kind = schema.get("type")
    words = {"string": "text", "boolean": "yes or no", "integer": "whole number", "array": "list"}
    return ", ".join(words[str(one)] for one in (cast("list[str]", kind) if isinstance(kind, list) else [kind]))


def _said(schema: Schema) -> str:
    text = str(schema.get("description", "")).replace("|", "\\|")
    return f"{text} Only the layer that made it may say so." if schema.get("x-locked") else text
