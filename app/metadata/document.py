"""The document: YAML or JSON components to leaves and back.

``Document = dict[component, Leaves]``; a component is "kind/name" (``object/deal``, ``rule/deal.amount_first``). Leaves
hold neither ``kind`` nor ``name``. What is written are *patches* (``app.metadata.patch``): a document of a layer is
what ``whole`` makes of patches that stand alone; ``app.metadata.changeset.desired`` lays patches over what is there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, cast

from app.metadata import kinds, ranks
from app.metadata.kinds import link
from app.metadata.kinds import schema as form
from app.metadata.leaves import SEPARATOR, rank_after
from app.metadata.problems import InvalidComponents, Problem, near
from app.metadata.written import Writing, join
from app.metadata.yamlform import NotYaml, dump, load_all

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from app.metadata.kinds.schema import Schema
    from app.metadata.leaves import Document, Leaves, Plain
    from app.metadata.patch import Patch

#: Files of a folder that hold components.
SUFFIXES: Final = (".yaml", ".yml", ".json")
#: In what order kinds are written.
_ORDER: Final = (
    "option_set", "object", "rule", "view", "layout", "role", "currency", "calendar", "translation",
)  # fmt: skip
#: Kinds whose components have an order among themselves.
RANKED: Final = ("object", "rule", "view", "layout")


def read(text: str, source: str = "") -> list[Patch]:
    """The components written in one YAML (or JSON) text, separated by ``---``. Raises InvalidComponents."""
    try:
        found = [one for one in load_all(text) if one is not None]
    except NotYaml as error:
        raise InvalidComponents([Problem("", "", "yaml", f"is not YAML: {error}", source)]) from None
    flat = [one for each in found for one in (cast("list[object]", each) if isinstance(each, list) else [each])]
    return _parsed([(one, _place(source, at, len(flat)), "") for at, one in enumerate(flat, 1)])


def read_folder(folder: Path) -> list[Patch]:
    """Every ``*.yaml``, ``*.yml`` and ``*.json`` below ``folder``, in order of names. Raises InvalidComponents."""
    files = sorted(file for file in folder.rglob("*") if file.suffix in SUFFIXES and file.is_file())
    return [
        patch for file in files for patch in read(file.read_text(encoding="utf-8"), file.relative_to(folder).as_posix())
    ]


def parse(components: Iterable[object], source: str = "") -> list[Patch]:
    """JSON values, as the API takes them; pointers ``/components/<n>/…``. Raises InvalidComponents."""
    return _parsed([(one, source, f"/components/{at}") for at, one in enumerate(components)])


def whole(patches: Iterable[Patch]) -> Document:
    """A document of its own (a layer): ranks follow the order written. Raises InvalidComponents.

    Patches that remove or reset make no sense there and are refused. A ``renamed_from`` is kept as a leaf: workspaces
    that have the layer as it was before follow the rename.
    """
    given = list(patches)
    found: Document = {}
    problems: list[Problem] = []
    for patch in given:
        if patch.removes or patch.resets:
            message = "a layer states what there is: it removes and resets nothing"
            problems.append(Problem(patch.component, "", "layer", message, patch.source, patch.pointer))
    for patch in rooted(given, found):
        if isinstance(patch, Problem):
            problems.append(patch)
            continue
        leaves = found.setdefault(patch.component, {})
        leaves |= ranks_of(replace(patch, renamed={}), leaves)
        leaves |= {join(node, "renamed_from"): old for node, old in patch.renamed.items() if old}
        leaves |= {
            path: value for path, value in patch.leaves.items() if value is not None or not path.endswith("/rank")
        }
    if problems:
        raise InvalidComponents(problems)
    return found


def ranks_of(patch: Patch, leaves: Mapping[str, Plain]) -> Leaves:
    """The rank leaves a patch needs that it does not state, over a component's ``leaves``."""
    found: Leaves = {}
    for place, written in patch.order.items():
        current = _ranks_in(leaves, place)
        stated = {name: str(patch.leaves.get(join(place, f"{name}/rank")) or "") for name in written}
        said = {name: rank for name, rank in stated.items() if join(place, f"{name}/rank") in patch.leaves}
        gone = {name for name in written if join(place, name) in patch.removes or patch.renamed.get(join(place, name))}
        wanted = [name for name in written if name not in gone]
        news = ranks.placed(current, wanted, said, listed=place in patch.listed)
        found |= {join(place, f"{name}/rank"): rank for name, rank in news.items() if name not in said}
    return found


def _ranks_in(leaves: Mapping[str, Plain], place: str) -> dict[str, str]:
    """The ranks of the items of a collection, "" for one without."""
    depth, found = place.count(SEPARATOR) + 2, dict[str, str]()
    prefix = place + SEPARATOR
    for path, value in leaves.items():
        if path.startswith(prefix):
            steps = path.split(SEPARATOR)
            found.setdefault(steps[depth - 1], "")
            if len(steps) == depth + 1 and steps[-1] == "rank":
                found[steps[depth - 1]] = str(value)
    return found


def rooted(patches: Sequence[Patch], document: Mapping[str, Mapping[str, Plain]]) -> list[Patch | Problem]:
    """Each patch in terms of its root component: ``stage/sales.won`` is looked for in all objects' pipelines."""
    pipelines: dict[str, set[str]] = {}
    for component, leaves in [*document.items(), *((patch.component, patch.leaves) for patch in patches)]:
        for path in leaves:
            steps = path.split(SEPARATOR)
            if steps[0] == "pipelines" and component.startswith("object/"):
                pipelines.setdefault(steps[1], set()).add(component)
    return [_rooted(patch, pipelines) for patch in patches]


def _rooted(patch: Patch, pipelines: Mapping[str, set[str]]) -> Patch | Problem:
    kind, _, name = patch.component.partition(SEPARATOR)
    if kind not in kinds.NESTED:
        return patch
    first = name.partition(".")[0]
    owners = sorted(pipelines.get(first, ()))
    if len(owners) == 1:
        return replace(patch, component=owners[0])
    if owners:
        shown = ", ".join(f"{owner.partition(SEPARATOR)[2]}.{name}" for owner in owners)
        message = f"is {name!r}, which several objects have: say {shown}"
    else:
        message = f"is {name!r}; there is no pipeline {first!r}{near(first, pipelines)}"
    return Problem(patch.component, "name", "name", message, patch.source, patch.pointer)


def _place(source: str, at: int, count: int) -> str:
    return f"{source} ({at})" if count > 1 else source


def _parsed(written: Sequence[tuple[object, str, str]]) -> list[Patch]:
    patches: list[Patch] = []
    problems: list[Problem] = []
    for raw, source, pointer in written:
        writing = _component(raw, source, pointer)
        problems += writing.problems
        patches.append(writing.patch())
    if problems:
        raise InvalidComponents(problems)
    return patches


def _component(raw: object, source: str, pointer: str) -> Writing:
    writing = Writing("", source, pointer)
    if not isinstance(raw, dict):
        writing.refuse("", "map", "must be a map with kind and name")
        return writing
    spec = {str(key): value for key, value in cast("dict[object, object]", raw).items()}
    if spec.get("kind") == "link" and spec.get("many") is True:
        spec = link.expand(spec)
    kind, name = spec.pop("kind", None), spec.pop("name", None)
    known = (*kinds.ROOTS, *kinds.NESTED)
    if not isinstance(kind, str) or kind not in known:
        writing.refuse(
            "kind", "kind", "is missing" if kind is None else f"is {kind!r}, which is no kind{near(kind, known)}"
        )
    elif not isinstance(name, str):
        writing.refuse("name", "name", "is missing" if name is None else f"is {name!r}; must be a text")
    elif kind in kinds.ROOTS:
        _root(writing, kind, name, spec)
    else:
        _nested(writing, kind, name, spec)
    return writing


def _root(writing: Writing, kind_name: str, name: str, spec: dict[str, object]) -> None:
    kind = kinds.ROOTS[kind_name]
    writing.component = f"{kind_name}/{name}"
    if kind.takes(name):
        writing.record(kind.schema, spec, "", item=True)
    else:
        writing.refuse("name", "name", f"{name!r} must be {kind.named}")


def _nested(writing: Writing, kind_name: str, name: str, spec: dict[str, object]) -> None:
    kind = kinds.NESTED[kind_name]
    found = kind.parts(name)
    if found is None and kind.short:
        inner = kind.parts(f"x.{name}")
        found = (f"{kind_name}/{name}", inner[1]) if inner else None
    if found is None:
        writing.component = f"{kind_name}/{name}"
        writing.refuse("name", "name", f"{name!r} must be {kind.named}")
        return
    writing.component, node = found
    place, _, last = node.rpartition(SEPARATOR)
    writing.order[place] = (last,)
    item = kind.schema | {"properties": form.properties_of(kind.schema) | form.standing()}
    writing.record(item, spec, node, item=True)
    if "to" in spec:
        writing.leaves = {join(node, path): value for path, value in kind.implied.items()} | writing.leaves


def export(document: Mapping[str, Mapping[str, Plain]]) -> list[dict[str, object]]:
    """Components as people write them, by kind and name: fields nested in their object, in order.

    Ranks are left out where reading gives the same: ``whole(parse(export(document))) == document``.
    """
    return [_exported(component, document[component]) for component in sorted(document, key=_sorting)]


def to_yaml(document: Mapping[str, Mapping[str, Plain]]) -> str:
    """``export`` as one YAML text. ``whole(read(to_yaml(document))) == document``."""
    return "---\n".join(dump(component) for component in export(document))


def to_files(document: Mapping[str, Mapping[str, Plain]]) -> dict[str, str]:
    """``export`` as a folder: relative path (``object/deal.yaml``) → text."""
    return {f"{one['kind']}/{one['name']}.yaml": dump(one) for one in export(document)}


def _sorting(component: str) -> tuple[int, str]:
    kind, _, name = component.partition(SEPARATOR)
    return (_ORDER.index(kind) if kind in _ORDER else len(_ORDER), name)


def _exported(component: str, leaves: Mapping[str, Plain]) -> dict[str, object]:
    kind, _, name = component.partition(SEPARATOR)
    tree: dict[str, object] = {}
    for path, value in leaves.items():
        node = tree
        *parents, last = path.split(SEPARATOR)
        for step in parents:
            node = cast("dict[str, object]", node.setdefault(step, {}))
        node[last] = value
    schema = kinds.ROOTS[kind].schema if kind in kinds.ROOTS else {}
    return {"kind": kind, "name": name} | cast("dict[str, object]", _written(schema, tree))


def _written(schema: Schema, value: object) -> object:
    """A value, map or collection as people write it."""
    if isinstance(value, list):
        items = cast("list[object]", value)
        return items[0] if schema.get("x-many") and schema.get("minItems") == 1 and len(items) == 1 else items
    if not isinstance(value, dict):
        return value
    tree = cast("dict[str, object]", value)
    if form.is_collection(schema):
        return _collected(schema, cast("dict[str, dict[str, object]]", tree))
    known = list(form.properties_of(schema))
    names = sorted(tree, key=lambda key: (known.index(key) if key in known else len(known), key))
    return {name: _written(form.below(schema, name) or {}, tree[name]) for name in names}


def _collected(schema: Schema, tree: dict[str, dict[str, object]]) -> object:
    """Items in order; a rank only where reading would give another, the shorthand where nothing else is said."""
    found: dict[str, object] = {}
    seen: list[str] = []
    shorthand = schema.get("x-shorthand")
    for name in sorted(tree, key=lambda key: (str(tree[key].get("rank", "")), key)):
        item = cast("dict[str, object]", _written(form.below(schema, name) or {}, tree[name]))
        rank = item.pop("rank", None)
        if rank != rank_after(seen):
            item["rank"] = rank
        seen.append(str(rank or ""))
        found[name] = item[str(shorthand)] if list(item) == [shorthand] else item
    return found if any(found.values()) else list(found)
