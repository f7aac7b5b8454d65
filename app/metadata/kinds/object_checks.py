"""What must hold of an object beyond its schema: names, what each field type needs, formulas and roll-ups, gates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from app.metadata.kinds.base import Complaint
from app.metadata.kinds.field import COMPUTED, LINKS, SELECTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from app.metadata.leaves import Plain
    from app.metadata.vocabulary import Vocabulary

#: Words of the condition language and names every record has; no field may be called so.
_WORDS: Final = """
    true false null in has date now today me as break const continue else for function if import let loop package
    namespace return var void while int uint double bool string bytes list map type dyn duration timestamp
"""
_EVERYWHERE: Final = """
    id version created_at created_by updated_at updated_by deleted_at owner team tags external_id source_system
    pipeline stage stage_status stage_since closed_at
"""
RESERVED: Final = frozenset((_WORDS + _EVERYWHERE).split())
#: No object may be called so: words of the language and the tables links may lead to.
RESERVED_OBJECTS: Final = frozenset(_WORDS.split()) | {"member", "team"}
MAX_FIELDS: Final = 400
#: Types whose values say nothing when two are the same, or have no single value to compare.
_NEVER_UNIQUE: Final = frozenset({
    "boolean", "long_text", "rich_text", "multi_select", "tags", "emails", "phones", "address", "json", "reference",
    "formula", "rollup", "file", "image", "geo",
})  # fmt: skip
#: Keys that only fields of these types may have.
_ONLY: Final[Mapping[str, tuple[str, ...]]] = {
    "options": (*SELECTS, "formula"), "option_set": SELECTS, "open": SELECTS,
    "to": LINKS, "on_delete": LINKS, "inverse": LINKS, "acyclic": ("link",),
    "returns": ("formula",), "value": ("formula",),
    "over": ("rollup",), "function": ("rollup",), "field": ("rollup",), "when": ("rollup",),
}  # fmt: skip
_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "link": ("to",), "reference": ("to",), "formula": ("returns", "value"), "rollup": ("over", "function"),
}  # fmt: skip


def check_object(name: str, leaves: Mapping[str, Plain], names: Vocabulary) -> Iterator[Complaint]:
    """Everything about one object."""
    if name in RESERVED_OBJECTS:
        yield Complaint("", "name.reserved", f"{name!r} is a reserved name")
    fields = names.own_fields(name)
    if len(fields) > MAX_FIELDS:
        yield Complaint("fields", "object.too_many_fields", f"has more than {MAX_FIELDS} fields")
    for field, spec in fields.items():
        if field in RESERVED:
            yield Complaint(f"fields/{field}", "name.reserved", "is a reserved name")
        yield from _field(field, spec)
    yield from _primaries(fields)
    yield from _pipelines(leaves)


def _field(field: str, spec: Mapping[str, object]) -> Iterator[Complaint]:
    kind, at = str(spec.get("type")), f"fields/{field}"
    for key, types in _ONLY.items():
        if key in spec and kind not in types:
            yield Complaint(f"{at}/{key}", "field.misplaced", f"is for fields of type {' or '.join(types)} only")
    yield from _needs(at, kind, spec)
    if {"default", "default_formula"} <= spec.keys():
        yield Complaint(f"{at}/default", "field.both", "stands beside default_formula: say one of them, null the other")
    if {"options", "option_set"} <= spec.keys():
        yield Complaint(f"{at}/options", "field.both", "stand beside option_set: say one of them")
    if {"open", "option_set"} <= spec.keys() and spec["open"]:
        yield Complaint(
            f"{at}/open", "field.both", "stands beside option_set: new options would be another field's too"
        )
    if spec.get("unique") and kind in _NEVER_UNIQUE:
        yield Complaint(f"{at}/unique", "field.unique", f"is not for fields of type {kind}")
    for key in ("required", "default", "default_formula", "searchable"):
        if kind in COMPUTED and spec.get(key):
            yield Complaint(f"{at}/{key}", "field.computed", f"is not for a {kind}: its value is computed")


def _needs(at: str, kind: str, spec: Mapping[str, object]) -> Iterator[Complaint]:
    for key in _NEEDED.get(kind, ()):
        if key not in spec:
            what = ": the object it links to" if key == "to" else ""
            yield Complaint(at, "required", f"needs {key!r}{what}")


def _primaries(fields: Mapping[str, Mapping[str, object]]) -> Iterator[Complaint]:
    for field, spec in fields.items():
        target = spec.get("primary_of")
        if isinstance(target, str) and target in fields and fields[target].get("type") not in ("emails", "phones"):
            yield Complaint(f"fields/{field}/primary_of", "field.primary", f"names {target!r}, which holds one value")


def _pipelines(leaves: Mapping[str, Plain]) -> Iterator[Complaint]:
    stages: dict[str, list[Plain]] = {}
    for path, value in leaves.items():
        steps = path.split("/")
        if len(steps) == 5 and steps[0] == "pipelines" and steps[4] == "status":
            stages.setdefault(steps[1], []).append(value)
    for pipeline in dict.fromkeys(path.split("/")[1] for path in leaves if path.startswith("pipelines/")):
        if "open" not in stages.get(pipeline, []):
            yield Complaint(f"pipelines/{pipeline}", "pipeline.no_open", "needs a stage whose status is open")
