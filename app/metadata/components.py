"""The platform layer: reads ``app/objects/*.yaml``, says exactly what is wrong with one, gives its leaves."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias, cast

import yaml

from app.metadata import fieldtypes
from app.metadata.leaves import flatten, ranked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.metadata.leaves import Leaves

FOLDER: Final = Path(__file__).resolve().parent.parent / "objects"
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_NAME_LIMIT: Final = 50
#: Words of the condition language and names every record has; no object, field or option may carry them as field name.
_WORDS: Final = """
    true false null has date now today me as break const continue else for function if import let loop package
    namespace return var void while int uint double bool string bytes list map type dyn duration timestamp
"""
_EVERYWHERE: Final = """
    id version created_at created_by updated_at updated_by deleted_at owner team tags external_id source_system
    pipeline stage stage_status stage_since closed_at
"""
RESERVED: Final = frozenset((_WORDS + _EVERYWHERE).split())
_Keys: TypeAlias = "Mapping[str, type | tuple[type, ...]]"
_OBJECT_KEYS: Final[_Keys] = {
    "kind": str, "name": str, "label": dict, "help": str, "icon": str, "rank": str, "title": list, "title_else": list,
    "highlights": list, "list_columns": list, "default_sort": str, "navigation": bool, "timeline": bool,
    "pipelines": dict, "fields": dict,
}  # fmt: skip
_FIELD_KEYS: Final[_Keys] = {
    "type": str, "label": str, "help": str, "required": bool, "unique": (bool, str), "searchable": bool,
    "readonly": bool, "default": object, "options": dict, "open": bool, "to": (str, list), "on_delete": str,
    "inverse": str, "acyclic": bool, "indexed": bool, "primary_of": str, "rank": str,
}  # fmt: skip
_OPTION_KEYS: Final = {"label": str, "color": str, "rank": str, "retired": bool}
_PIPELINE_KEYS: Final = {"label": str, "stages": dict, "rank": str}
_STAGE_KEYS: Final = {"label": str, "status": str, "probability": str, "color": str, "rank": str}
COLORS: Final = (
    "slate", "blue", "sky", "teal", "green", "lime", "amber", "orange", "red", "pink", "violet", "indigo",
)  # fmt: skip
_STATUSES: Final = ("open", "won", "lost", "done", "cancelled")


class ComponentError(Exception):
    """A component that can't be used: which file, where in it, what would be right."""

    def __init__(self, source: str, path: str, message: str) -> None:
        super().__init__(f"{source}: {path or 'the document'}: {message}")
        self.source, self.path, self.message = source, path, message


def read_platform(folder: Path = FOLDER) -> dict[str, Leaves]:
    """Object name → leaves of every file of the platform layer. Raises ComponentError."""
    found: dict[str, Leaves] = {}
    for file in sorted(folder.glob("*.yaml")):
        leaves = read_object(file.read_text(encoding="utf-8"), file.name)
        name = str(leaves["name"])
        if file.stem != name:
            raise ComponentError(file.name, "name", f"is {name!r}; a file is called like its object, {name}.yaml")
        found[name] = leaves
    return found


def read_object(text: str, source: str) -> Leaves:
    """The leaves of one object written in YAML. Raises ComponentError."""
    try:
        document = yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise ComponentError(source, "", f"is not YAML: {error}") from None
    return _Reader(source).object(document)


class _Reader:
    """Walks one document; every complaint carries its path."""

    def __init__(self, source: str) -> None:
        self.source = source

    def object(self, document: object) -> Leaves:
        spec = self.mapping(document, "", _OBJECT_KEYS)
        for key in ("kind", "name", "label", "icon", "title", "fields"):
            if key not in spec:
                self.fail("", f"has no {key!r}")
        if spec["kind"] != "object":
            self.fail("kind", f"is {spec['kind']!r}; must be 'object'")
        self.name(spec["name"], "name")
        label = self.mapping(spec["label"], "label", {"one": str, "other": str})
        if set(label) != {"one", "other"}:
            self.fail("label", "must be like {one: Machine, other: Machines}")
        fields = self.fields(cast("dict[str, object]", spec["fields"]))
        spec |= {"fields": fields}
        if "pipelines" in spec:
            spec["pipelines"] = self.pipelines(cast("dict[str, object]", spec["pipelines"]))
        self.names_of_fields(spec, set(fields))
        return flatten(spec)

    def fields(self, given: dict[str, object]) -> dict[str, object]:
        found: dict[str, object] = {}
        for (name, raw), rank in zip(given.items(), ranked(len(given)), strict=True):
            path = f"fields.{name}"
            self.name(name, path)
            if name in RESERVED:
                self.fail(path, "is a reserved name")
            found[name] = {"rank": rank} | self.field(raw, path)
        for name, spec in found.items():
            target = cast("dict[str, object]", spec).get("primary_of")
            if target is not None and target not in found:
                self.fail(f"fields.{name}.primary_of", f"names {target!r}, which is no field{_near(target, found)}")
        return found

    def field(self, raw: object, path: str) -> dict[str, object]:
        spec = self.mapping(raw, path, _FIELD_KEYS)
        kind = spec.get("type")
        if kind not in fieldtypes.REGISTRY:
            self.fail(f"{path}.type", f"is {kind!r}, which is no field type{_near(kind, fieldtypes.REGISTRY)}")
        if "label" not in spec:
            self.fail(path, "has no 'label'")
        if kind in {"link", "reference"}:
            targets = spec.get("to")
            if not targets:
                self.fail(path, "needs 'to': the object it links to")
            spec["to"] = [targets] if isinstance(targets, str) else targets
        if kind in {"select", "multi_select"}:
            if "options" not in spec:
                self.fail(path, "needs 'options', {} when an open one starts empty")
            spec["options"] = self.options(cast("dict[str, object]", spec["options"]), f"{path}.options")
        self.choice(spec, "on_delete", path, ("restrict", "cascade", "clear"))
        self.choice(spec, "unique", path, (True, False, "folded", "exact"))
        return spec

    def options(self, given: dict[str, object], path: str) -> dict[str, object]:
        found: dict[str, object] = {}
        for (name, raw), rank in zip(given.items(), ranked(len(given)), strict=True):
            self.name(name, f"{path}.{name}")
            spec = {"label": raw} if isinstance(raw, str) else self.mapping(raw, f"{path}.{name}", _OPTION_KEYS)
            self.choice(spec, "color", f"{path}.{name}", COLORS)
            found[name] = {"rank": rank} | spec
        return found

    def pipelines(self, given: dict[str, object]) -> dict[str, object]:
        found: dict[str, object] = {}
        for (name, raw), rank in zip(given.items(), ranked(len(given)), strict=True):
            path = f"pipelines.{name}"
            self.name(name, path)
            spec = self.mapping(raw, path, _PIPELINE_KEYS)
            given_stages = cast("dict[str, object]", spec.get("stages") or {})
            if not given_stages:
                self.fail(path, "needs 'stages'")
            stages: dict[str, object] = {}
            for (stage, entry), at in zip(given_stages.items(), ranked(len(given_stages)), strict=True):
                self.name(stage, f"{path}.stages.{stage}")
                checked = self.mapping(entry, f"{path}.stages.{stage}", _STAGE_KEYS)
                if "status" not in checked:
                    self.fail(f"{path}.stages.{stage}", f"needs 'status': one of {', '.join(_STATUSES)}")
                self.choice(checked, "status", f"{path}.stages.{stage}", _STATUSES)
                self.choice(checked, "color", f"{path}.stages.{stage}", COLORS)
                stages[stage] = {"rank": at} | checked
            found[name] = {"rank": rank} | spec | {"stages": stages}
        return found

    def names_of_fields(self, spec: dict[str, object], names: set[str]) -> None:
        """``title``, ``highlights`` and columns must name fields of the object (system ones included)."""
        known = names | RESERVED | {"title"}
        for key in ("title", "title_else", "highlights", "list_columns"):
            for name in cast("list[object]", spec.get(key) or []):
                if str(name).split(".")[0] not in known:
                    self.fail(key, f"names {name!r}, which is no field{_near(name, names)}")
        sort = str(spec.get("default_sort", "title")).lstrip("-")
        if sort not in known:
            self.fail("default_sort", f"names {sort!r}, which is no field{_near(sort, names)}")

    def mapping(self, raw: object, path: str, keys: _Keys) -> dict[str, object]:
        if not isinstance(raw, dict):
            self.fail(path, f"must be a map with {', '.join(keys)}")
        given = dict(cast("dict[str, object]", raw))
        for key, value in given.items():
            if key not in keys:
                self.fail(f"{path}.{key}".lstrip("."), f"is not known{_near(key, keys)}")
            wanted = keys[key]
            if not isinstance(value, wanted):
                shown = " or ".join(one.__name__ for one in (wanted if isinstance(wanted, tuple) else (wanted,)))
                self.fail(f"{path}.{key}".lstrip("."), f"is {value!r}; must be a {shown}")
        return given

    def choice(self, spec: Mapping[str, object], key: str, path: str, choices: tuple[object, ...]) -> None:
        if key in spec and spec[key] not in choices:
            self.fail(f"{path}.{key}", f"is {spec[key]!r}; must be one of {', '.join(map(str, choices))}")

    def name(self, raw: object, path: str) -> None:
        if not isinstance(raw, str) or not _NAME.fullmatch(raw) or len(raw) > _NAME_LIMIT:
            self.fail(path, f"{raw!r} must be snake_case of at most {_NAME_LIMIT} characters")

    def fail(self, path: str, message: str) -> None:
        raise ComponentError(self.source, path, message)


def _near(word: object, known: Mapping[str, object] | set[str]) -> str:
    close = difflib.get_close_matches(str(word), list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
