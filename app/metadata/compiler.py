"""From leaves to the compiled ``ObjectType`` everybody reads; system fields are added here."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, cast

from app.metadata import fieldtypes
from app.metadata.computing import answer_type, unresolved
from app.metadata.fieldtypes import rating
from app.metadata.labels import humanised
from app.metadata.leaves import nest, spec_hash
from app.metadata.model import Field, Gate, ObjectType, Option, Pipeline, Stage
from app.metadata.physical import Names, standard_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from app.metadata.fieldtypes.base import FieldType
    from app.metadata.leaves import Leaves, Plain
    from app.metadata.model import Column, OnDelete, StageStatus, Unique

#: Changes of what this module adds to a spec must change the hash too.
_EDITION: Final = "1"

_IDENTITY: Final[dict[str, dict[str, object]]] = {
    "id": {"type": "uuid", "label": "Id", "system": True},
}
_STANDING: Final[dict[str, dict[str, object]]] = {
    "pipeline": {"type": "pipeline", "label": "Pipeline"},
    "stage": {"type": "stage", "label": "Stage"},
    "stage_status": {"type": "select", "label": "Stage status", "system": True},
    "stage_since": {"type": "datetime", "label": "In stage since", "system": True},
    "closed_at": {"type": "datetime", "label": "Closed at", "system": True},
}
_KEEPING: Final[dict[str, dict[str, object]]] = {
    "owner": {"type": "link", "label": "Owner", "to": ["member"], "inverse": ""},
    "team": {"type": "link", "label": "Team", "to": ["team"], "inverse": "", "indexed": False},
    "tags": {"type": "tags", "label": "Tags"},
    "external_id": {
        "type": "text",
        "label": "External id",
        "help": "The record's id where it came from; imports match by it.",
        "unique": "exact",
    },
    "source_system": {"type": "text", "label": "Source system"},
    "version": {"type": "integer", "label": "Version", "system": True},
    "created_at": {"type": "datetime", "label": "Created", "system": True},
    "created_by": {"type": "link", "label": "Created by", "to": ["member"], "system": True, "indexed": False},
    "updated_at": {"type": "datetime", "label": "Updated", "system": True},
    "updated_by": {"type": "link", "label": "Updated by", "to": ["member"], "system": True, "indexed": False},
    "deleted_at": {"type": "datetime", "label": "Deleted", "system": True},
}
#: Whose a record is: what "mine" and reach look for.
_OURS: Final = frozenset({"owner", "team"})


def compile_object(name: str, leaves: Mapping[str, Plain], names: Names | None = None) -> ObjectType:
    """Compile an effective spec; ``names`` where the database calls something otherwise than the standard."""
    spec = cast("dict[str, object]", nest(leaves))
    names = names or Names(standard_table(name))
    label = _map(spec.get("label"))
    pipelines = _pipelines(_map(spec.get("pipelines")))
    title = _names(spec.get("title"))
    return ObjectType(
        name=name,
        label=str(label.get("one", "")),
        plural=str(label.get("other", "")),
        icon=str(spec.get("icon", "")),
        table=names.table,
        fields=MappingProxyType(_fields(spec, title, pipelines, names)),
        title=title,
        title_else=_names(spec.get("title_else")),
        spec_hash=hash_of(name, leaves, names),
        pipelines=MappingProxyType(pipelines),
        highlights=_names(spec.get("highlights")),
        list_columns=_names(spec.get("list_columns")),
        default_sort=str(spec.get("default_sort", "title")),
        navigation=spec.get("navigation") is not False,
        timeline=spec.get("timeline") is not False,
        help=str(spec.get("help", "")),
        rank=str(spec.get("rank", "")),
    )


def hash_of(name: str, leaves: Mapping[str, Plain], names: Names | None = None) -> str:
    """What tenants with the same effective spec, called the same in the database, share a compiled object by."""
    called: dict[str, Plain] = {"name": name, "edition": _EDITION}
    if names is not None and names != Names(standard_table(name)):
        called |= {f"table:{target}": table for target, table in names.tables.items()}
        called |= {f"column:{field}": column for field, column in names.columns.items()} | {"table": names.table}
    return spec_hash({**leaves, **called})


def system_fields(*, pipelines: bool) -> dict[str, dict[str, object]]:
    """What the engine adds to every object, and to those with pipelines: name → spec."""
    return _IDENTITY | (_STANDING if pipelines else {}) | _KEEPING


def with_targets(specs: Mapping[str, Leaves], document: Mapping[str, Leaves] | None = None) -> dict[str, Leaves]:
    """Resolve ``to: "*"``, every object that has a timeline, and the option sets of ``document`` that fields name."""
    everything = [name for name, leaves in _by_rank(specs.items()) if leaves.get("timeline") is not False]
    return {name: _resolved(leaves, everything, document or {}) for name, leaves in specs.items()}


def _resolved(leaves: Leaves, everything: list[str], document: Mapping[str, Leaves]) -> Leaves:
    found = {path: everything if value == ["*"] and path.endswith("/to") else value for path, value in leaves.items()}
    for path, value in leaves.items():
        if path.endswith("/option_set"):
            shared = document.get(f"option_set/{value}", {})
            field = path.removesuffix("option_set")
            found |= {field + own: one for own, one in shared.items() if own.startswith("options/")}
    return found


def _by_rank(items: Iterable[tuple[str, Leaves]]) -> list[tuple[str, Leaves]]:
    return sorted(items, key=lambda item: (str(item[1].get("rank", "")), item[0]))


def _fields(
    spec: Mapping[str, object], title: tuple[str, ...], pipelines: Mapping[str, Pipeline], names: Names
) -> dict[str, Field]:
    """All fields in display order: id, the object's own with its stage behind the title, what every record keeps."""
    own = {name: _field(name, _map(raw), names) for name, raw in _ordered(_map(spec.get("fields")))}
    standing = {name: _standing(name, raw, pipelines) for name, raw in _STANDING.items()} if pipelines else {}
    lead = {name: own.pop(name) for name in title if name in own}
    return (
        {name: _field(name, raw) for name, raw in _IDENTITY.items()}
        | lead
        | standing
        | own
        | {name: _kept(name, raw, spec) for name, raw in _KEEPING.items()}
    )


def _kept(name: str, raw: Mapping[str, object], spec: Mapping[str, object]) -> Field:
    """Only objects people work with carry an index for "mine" and "my team's"."""
    found = _field(name, raw)
    return replace(found, indexed=spec.get("navigation") is not False) if name in _OURS else found


def _columns(kind: FieldType, base: str, to: tuple[str, ...], tables: Mapping[str, str]) -> tuple[Column, ...]:
    """A reference's columns are called by the tables they point to, which keep their name when an object is renamed."""
    columns = kind.columns(base)
    if kind.name != "reference" or not tables:
        return columns
    return tuple(
        replace(column, name=f"{base}__{tables[target].removeprefix('o_')}") if target in tables else column
        for column, target in zip(columns, to, strict=True)
    )


def _field(name: str, raw: Mapping[str, object], names: Names | None = None) -> Field:
    to = _names(raw.get("to"))
    base = names.columns.get(name, name) if names else name
    kind = fieldtypes.get(answer_type(raw)).specialise(to)
    formula, rollup = unresolved(raw, kind.name)
    computed = formula is not None or rollup is not None
    unique = raw.get("unique") or ""
    return Field(
        name=name,
        type=kind,
        label=str(raw.get("label") or humanised(name)),
        help=str(raw.get("help", "")),
        columns=() if computed else _columns(kind, base, to, names.tables if names else {}),
        required=raw.get("required") is True,
        unique=cast("Unique", _plainly_unique(kind) if unique is True else unique),
        searchable=raw.get("searchable") is True,
        system=computed or raw.get("system") is True,
        readonly=raw.get("readonly") is True,
        default=raw.get("default"),
        default_formula=str(raw.get("default_formula") or ""),
        options=MappingProxyType(_options(_map(raw.get("options")))),
        option_set=str(raw.get("option_set") or ""),
        open=raw.get("open") is True,
        most=cast("int", raw.get("max") or rating.USUAL),
        to=to,
        on_delete=cast("OnDelete", raw.get("on_delete", "clear")),
        inverse=str(raw.get("inverse", "")),
        acyclic=raw.get("acyclic") is True,
        indexed=bool(raw.get("indexed", bool(to))),
        primary_of=str(raw.get("primary_of", "")),
        formula=formula,
        rollup=rollup,
    )


def _plainly_unique(kind: FieldType) -> Unique:
    """What ``unique: true`` means: of texts without case, of anything else the value itself."""
    return "folded" if kind.columns("x")[0].sql_type == "text" else "exact"


def _standing(name: str, raw: Mapping[str, object], pipelines: Mapping[str, Pipeline]) -> Field:
    """The fields of a pipeline object take their options from its pipelines."""
    stages = [stage for pipeline in pipelines.values() for stage in pipeline.stages.values()]
    options: dict[str, Option] = {}
    if name == "pipeline":
        options = {line.name: Option(line.name, line.label, retired=line.retired) for line in pipelines.values()}
    elif name == "stage":
        offering = [line.stages.values() for line in pipelines.values() if not line.retired]
        known = {stage.name for line in offering for stage in line if not stage.retired}
        options = {
            stage.name: Option(stage.name, stage.label, stage.color, stage.rank, retired=stage.name not in known)
            for stage in stages
        }
    elif name == "stage_status":
        statuses = dict.fromkeys(stage.status for stage in stages)
        options = {status: Option(status, status.capitalize()) for status in statuses}
    return replace(_field(name, raw), options=MappingProxyType(options))


def _options(raw: Mapping[str, object]) -> dict[str, Option]:
    found: dict[str, Option] = {}
    for name, value in _ordered(raw):
        spec = _map(value)
        found[name] = Option(
            name=name,
            label=str(spec.get("label") or humanised(name)),
            color=str(spec.get("color", "")),
            rank=str(spec.get("rank", "")),
            retired=spec.get("retired") is True,
        )
    return found


def _pipelines(raw: Mapping[str, object]) -> dict[str, Pipeline]:
    found: dict[str, Pipeline] = {}
    for name, value in _ordered(raw):
        spec = _map(value)
        stages = {stage: _stage(stage, _map(entry)) for stage, entry in _ordered(_map(spec.get("stages")))}
        found[name] = Pipeline(
            name=name,
            label=str(spec.get("label") or humanised(name)),
            stages=MappingProxyType(stages),
            retired=spec.get("retired") is True,
        )
    return found


def _stage(name: str, spec: Mapping[str, object]) -> Stage:
    return Stage(
        name=name,
        label=str(spec.get("label") or humanised(name)),
        status=cast("StageStatus", spec["status"]),
        probability=str(spec.get("probability", "")),
        color=str(spec.get("color", "")),
        rank=str(spec.get("rank", "")),
        enter_if=_gate(_map(spec.get("enter_if"))),
        leave_if=_gate(_map(spec.get("leave_if"))),
        retired=spec.get("retired") is True,
    )


def _gate(spec: Mapping[str, object]) -> Gate | None:
    return Gate(str(spec["when"]), str(spec.get("message", ""))) if spec.get("when") else None


def _ordered(raw: Mapping[str, object]) -> list[tuple[str, object]]:
    return sorted(raw.items(), key=lambda item: (str(_map(item[1]).get("rank", "")), item[0]))


def _map(raw: object) -> dict[str, object]:
    return cast("dict[str, object]", raw) if isinstance(raw, dict) else {}


def _names(raw: object) -> tuple[str, ...]:
    return tuple(str(name) for name in cast("list[object]", raw)) if isinstance(raw, list) else ()
