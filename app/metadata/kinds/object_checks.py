"""What must hold of an object beyond its schema: names, what each field type needs, formulas and roll-ups, gates."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final, cast

from app.metadata import fieldtypes
from app.metadata.fieldtypes.base import Coercion, ValueProblem
from app.metadata.fieldtypes.file import FileType
from app.metadata.kinds.base import Complaint
from app.metadata.kinds.field import COMPUTED, LINKS, SELECTS
from app.metadata.model import Field
from app.metadata.problems import near
from app.metadata.vocabulary import Hop

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
EVERYWHERE: Final = frozenset(_EVERYWHERE.split())
RESERVED: Final = frozenset(_WORDS.split()) | EVERYWHERE
#: No object may be called so: words of the language and the tables links may lead to.
RESERVED_OBJECTS: Final = frozenset(_WORDS.split()) | {"member", "team"}
MAX_FIELDS: Final = 400
#: Types whose values say nothing when two are the same, or have no single value to compare.
NEVER_UNIQUE: Final = frozenset({
    "boolean", "long_text", "rich_text", "multi_select", "tags", "emails", "phones", "address", "json", "reference",
    "formula", "rollup", "file", "image", "geo", "money", "percent", "rating",
})  # fmt: skip
#: Types whose values may be longer than an index entry, or that a filter asks in other ways.
NEVER_INDEXED: Final = frozenset({
    "long_text", "rich_text", "multi_select", "tags", "emails", "phones", "address", "json", "file", "image", "geo",
})  # fmt: skip
#: Any workspace: whether a default is a value does not depend on where.
_SOMEWHERE: Final = Coercion(
    currency="EUR", timezone="UTC", region="DE", now=datetime(2000, 1, 1, tzinfo=UTC), today=date(2000, 1, 1)
)
#: Keys that only fields of these types may have.
_ONLY: Final[Mapping[str, tuple[str, ...]]] = {
    "options": (*SELECTS, "formula"), "option_set": SELECTS, "open": SELECTS,
    "max": ("rating",),
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
        yield from _chosen(name, field, spec, names)
    yield from _primaries(fields)
    yield from _titles(name, leaves, names)
    yield from _inverses(name, names)
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
    yield from _attributes(at, kind, spec)
    yield from _default(field, spec)
    for key in ("required", "default", "default_formula", "searchable"):
        if kind in COMPUTED and spec.get(key):
            yield Complaint(f"{at}/{key}", "field.computed", f"is not for a {kind}: its value is computed")


def _attributes(at: str, kind: str, spec: Mapping[str, object]) -> Iterator[Complaint]:
    """What values of a type can be: unique, searched, indexed."""
    if spec.get("unique") and kind in NEVER_UNIQUE:
        yield Complaint(f"{at}/unique", "field.unique", f"is not for fields of type {kind}")
    elif spec.get("unique") == "folded" and not is_text(kind):
        yield Complaint(f"{at}/unique", "field.unique", f"must be true or exact: a {kind} has no case to ignore")
    if spec.get("searchable") and kind not in COMPUTED and not is_text(kind):
        yield Complaint(f"{at}/searchable", "field.searchable", f"is for texts; a {kind} is found by filters")
    if spec.get("indexed") and kind in NEVER_INDEXED:
        yield Complaint(f"{at}/indexed", "field.indexed", f"is not for fields of type {kind}")


def _chosen(name: str, field: str, spec: Mapping[str, object], names: Vocabulary) -> Iterator[Complaint]:
    """The default of a select must be one of its options; an open one may have it in time."""
    default, known = spec.get("default"), names.options(name, field)
    if default is None or known is None or spec.get("open") is True:
        return
    for one in cast("list[object]", default) if isinstance(default, list) else [default]:
        if one not in known:
            message = f"is {one!r}, which is no option{near(one, known)}"
            yield Complaint(f"fields/{field}/default", "option.unknown", message)


def _default(field: str, spec: Mapping[str, object]) -> Iterator[Complaint]:
    """A default must be a value of the field."""
    kind = fieldtypes.REGISTRY.get(str(spec.get("type")))
    default = spec.get("default")
    if isinstance(kind, FileType):
        for key in ("default", "default_formula"):
            if spec.get(key) is not None:
                yield Complaint(f"fields/{field}/{key}", "default.type", f"is not for fields of type {kind.name}")
        return
    if kind is None or default is None or spec.get("type") in SELECTS:
        return
    try:
        kind.initial(Field(name=field, type=kind, label=field, default=default), _SOMEWHERE)
    except ValueProblem as problem:
        yield Complaint(f"fields/{field}/default", "default.type", f"is {default!r}: {problem.message}")


def is_text(kind: str) -> bool:
    """Whether values of a field type are kept as one text, or as texts."""
    found = fieldtypes.REGISTRY.get(kind)
    columns = found.columns("x") if found is not None else ()
    return bool(columns) and columns[0].sql_type == "text"


def _titles(name: str, leaves: Mapping[str, Plain], names: Vocabulary) -> Iterator[Complaint]:
    """A title is made of texts of the record itself."""
    for leaf in ("title", "title_else"):
        for one in cast("list[str]", leaves.get(leaf) or []):
            hop = names.hop(name, one)
            kind = names.type_of(hop) if hop is not None else None
            if hop is None or kind is None:
                continue
            columns = kind.columns("x")
            if (
                hop.spec.get("type") == "rollup"
                or not columns
                or (columns[0].sql_type, columns[0].part) != ("text", "")
            ):
                message = f"names {one!r}, a field of type {hop.spec.get('type')}: a title is made of texts"
                yield Complaint(leaf, "title.type", message)


def _inverses(name: str, names: Vocabulary) -> Iterator[Complaint]:
    """What links to one object must have names of their own there."""
    for field, spec in names.own_fields(name).items():
        link = spec.get("inverse")
        for target in names.targets(Hop(name, field, spec)) if link else ():
            other = names.inverse(target, str(link))
            if other is not None and (other.object, other.field) != (name, field):
                message = f"is {link!r}, which {target} has from {other.object}.{other.field} already"
                yield Complaint(f"fields/{field}/inverse", "inverse.taken", message)
            elif str(link) in names.fields(target):
                message = f"is {link!r}, which is a field of {target}"
                yield Complaint(f"fields/{field}/inverse", "inverse.taken", message)


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
