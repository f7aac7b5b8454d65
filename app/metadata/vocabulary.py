"""What a document gives names to: objects, their fields, links and options; what paths and conditions may say.

Works on leaves, so it answers for documents too that could not be compiled.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, cast

from app.expressions import Variable
from app.metadata import fieldtypes
from app.metadata.compiler import system_fields
from app.metadata.leaves import SEPARATOR, nest, spec_hash
from app.metadata.rollups import WHOLE

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping

    from app.metadata.fieldtypes.base import FieldType
    from app.metadata.leaves import Leaves, Plain

#: Links a path may follow one after the other.
MAX_HOPS: Final = 3
#: System tables links may lead to, and what of them can be named.
SYSTEM_OBJECTS: Final[Mapping[str, tuple[str, ...]]] = {
    "member": ("id", "name", "email", "role", "status"),
    "team": ("id", "name"),
}
STANDARD_ROLES: Final = frozenset({"owner", "admin", "manager", "member", "read_only"})
#: What a roll-up gives: of the field it looks at, unless the function says otherwise.
_COUNTED: Final = "integer"
_EVERYWHERE: Final = "*"


@dataclass(frozen=True, slots=True)
class Hop:
    """One step of a path: a field of an object; ``system`` fields are no part of a component."""

    object: str
    field: str
    spec: Mapping[str, object]
    system: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What a path means: the fields it steps through, the last one's type, the part of it that is meant."""

    hops: tuple[Hop, ...]
    type: FieldType
    part: str = ""


class Vocabulary:
    """The names of one live document."""

    def __init__(
        self,
        document: Mapping[str, Leaves],
        *,
        currency: str = "EUR",
        timezone: str = "UTC",
        roles: Iterable[str] = (),
    ) -> None:
        self.document = document
        self.currency, self.timezone = currency, timezone
        self._roles = STANDARD_ROLES | set(roles)
        self._specs: dict[str, dict[str, object]] = {}
        self._own: dict[str, dict[str, dict[str, object]]] = {}

    @cached_property
    def objects(self) -> frozenset[str]:
        """Names of the objects, system tables left out."""
        return frozenset(component.partition("/")[2] for component in self.document if component.startswith("object/"))

    @cached_property
    def key(self) -> str:
        """Equal for documents whose names mean the same."""
        hashes: dict[str, Plain] = {
            component: spec_hash(leaves)
            for component, leaves in self.document.items()
            if component.startswith(("object/", "option_set/"))
        }
        return spec_hash(hashes)

    def has_role(self, name: str) -> bool:
        """Whether there is such a role."""
        return name in self._roles or f"role/{name}" in self.document

    def spec(self, component: str) -> dict[str, object]:
        """A component's spec nested; empty when there is none."""
        if component not in self._specs:
            self._specs[component] = cast("dict[str, object]", nest(self.document.get(component, {})))
        return self._specs[component]

    def own_fields(self, name: str) -> dict[str, dict[str, object]]:
        """An object's fields by name, those of the engine left out."""
        if name not in self._own:
            found = _map(self.spec(f"object/{name}").get("fields"))
            self._own[name] = {field: _map(spec) for field, spec in found.items()}
        return self._own[name]

    def fields(self, name: str) -> dict[str, dict[str, object]]:
        """All fields of an object."""
        if name in SYSTEM_OBJECTS:
            kinds = {"id": "uuid"}
            return {one: {"type": kinds.get(one, "text")} for one in SYSTEM_OBJECTS[name]}
        if name not in self.objects:
            return {}
        engine = system_fields(pipelines="pipelines" in self.spec(f"object/{name}"))
        return {field: dict(spec) for field, spec in engine.items()} | self.own_fields(name)

    def hop(self, name: str, field: str) -> Hop | None:
        """A field of an object."""
        spec = self.fields(name).get(field)
        return None if spec is None else Hop(name, field, spec, field not in self.own_fields(name))

    def type_of(self, hop: Hop) -> FieldType | None:
        """The field type its values have: a computed field's is what it gives. None when that can't be told."""
        declared = str(hop.spec.get("type", ""))
        if declared == "formula":
            declared = str(hop.spec.get("returns", ""))
        elif declared == "rollup":
            return self._rolled(hop)
        kind = fieldtypes.REGISTRY.get(declared)
        return kind.specialise(self.targets(hop)) if kind is not None else None

    def _rolled(self, hop: Hop) -> FieldType | None:
        function = hop.spec.get("function")
        if function == "count":
            return fieldtypes.get(_COUNTED)
        linked = self.inverse(hop.object, str(hop.spec.get("over", "")))
        inner = self.hop(linked.object, str(hop.spec.get("field", ""))) if linked else None
        if inner is None or inner.spec.get("type") == "rollup":
            return None
        found = self.type_of(inner)
        if found is None or found.name not in WHOLE or function not in ("sum", "avg"):
            return found
        return fieldtypes.get("decimal" if function == "avg" else _COUNTED)

    def targets(self, hop: Hop) -> tuple[str, ...]:
        """The objects a link field leads to."""
        to = hop.spec.get("to")
        names = tuple(str(one) for one in cast("list[object]", to)) if isinstance(to, list) else ()
        if names != (_EVERYWHERE,):
            return names
        return tuple(sorted(one for one in self.objects if self.spec(f"object/{one}").get("timeline") is not False))

    def find(self, name: str, path: str) -> Found | None:
        """What ``path`` (``company.billing_address.city``) means for records of an object."""
        hops: list[Hop] = []
        steps = path.split(".")
        for at, step in enumerate(steps):
            hop = self.hop(name, step)
            kind = self.type_of(hop) if hop is not None else None
            if hop is None or kind is None:
                return None
            hops.append(hop)
            if at + 1 == len(steps):
                return Found(tuple(hops), kind)
            if at + 2 == len(steps) and steps[-1] in kind.parts:
                return Found(tuple(hops), kind, steps[-1])
            targets = self.targets(hop)
            if len(targets) != 1 or kind.name != "link" or at == MAX_HOPS:
                return None
            name = targets[0]
        return None

    def inverse(self, name: str, link: str) -> Hop | None:
        """The link field whose records an object calls ``link`` (``deals``), as a hop of the linking object."""
        for other in sorted(self.objects):
            for field, spec in self.own_fields(other).items():
                if spec.get("inverse") == link:
                    hop = Hop(other, field, spec)
                    if name in self.targets(hop):
                        return hop
        return None

    def inverses(self, name: str) -> list[str]:
        """What an object calls the records that link to it."""
        return sorted(
            str(spec["inverse"])
            for other in self.objects
            for field, spec in self.own_fields(other).items()
            if spec.get("inverse") and name in self.targets(Hop(other, field, spec))
        )

    def options(self, name: str, field: str) -> frozenset[str] | None:
        """The options of a select, a stage's names included; None for a field without any."""
        spec = self.spec(f"object/{name}")
        lines = [_map(line) for line in _map(spec.get("pipelines")).values()]
        stages = {stage: _map(one) for line in lines for stage, one in _map(line.get("stages")).items()}
        if lines and field in ("pipeline", "stage", "stage_status"):
            statuses = (str(one.get("status")) for one in stages.values())
            found = {"pipeline": _map(spec.get("pipelines")), "stage": stages}.get(field, statuses)
            return frozenset(found)
        own = self.own_fields(name).get(field, {})
        if "select" not in (own.get("type"), own.get("returns")) and own.get("type") != "multi_select":
            return None
        shared = self.spec(f"option_set/{own['option_set']}") if "option_set" in own else {}
        return frozenset(_map(own.get("options"))) | frozenset(_map(shared.get("options")))

    def environment(self, name: str) -> DocumentEnvironment:
        """The names a condition on records of an object may use."""
        return DocumentEnvironment(self, name)


class DocumentEnvironment:
    """``app.expressions.Environment`` over one object of a document."""

    def __init__(self, names: Vocabulary, name: str) -> None:
        self._names, self.object = names, name
        self.currency, self.timezone = names.currency, names.timezone

    @cached_property
    def key(self) -> Hashable:
        """Which document, which object."""
        return ("document", self.object, self._names.key, self.currency, self.timezone)

    def variable(self, path: str) -> Variable | None:
        """The variable called ``path``, or None."""
        found = self._names.find(self.object, path)
        if found is None:
            return None
        last = found.hops[-1]
        columns = found.type.columns(last.field)
        if not columns:
            return None
        if found.part:
            return Variable(path, found.type.parts[found.part])
        composite = columns[0].part not in ("", "amount")
        options = self._names.options(last.object, last.field) or frozenset()
        return Variable(path, "none" if composite else found.type.condition, options)

    def names(self, near: str = "") -> Iterable[str]:
        """Names worth suggesting."""
        *via, _ = near.split(".")
        found = self._names.find(self.object, ".".join(via)) if via else None
        targets = self._names.targets(found.hops[-1]) if found else ()
        inner = self._names.fields(targets[0]) if len(targets) == 1 else {}
        return [*(".".join([*via, one]) for one in inner), *self._names.fields(self.object)]

    def related(self, path: str) -> DocumentEnvironment | None:
        """Names of the records the to-many link ``path`` leads to."""
        hop = self.to_many(path)
        return None if hop is None else DocumentEnvironment(self._names, hop.object)

    def to_many(self, path: str) -> Hop | None:
        """The link field behind the to-many link ``path`` (``company.deals``)."""
        *via, link = path.split(".")
        if not via:
            return self._names.inverse(self.object, link)
        found = self._names.find(self.object, ".".join(via))
        targets = self._names.targets(found.hops[-1]) if found and not found.part else ()
        return self._names.inverse(targets[0], link) if len(targets) == 1 else None


def _map(raw: object) -> dict[str, object]:
    return cast("dict[str, object]", raw) if isinstance(raw, dict) else {}


def node_of(path: str, depth: int) -> str:
    """The node ``depth`` steps into a leaf path."""
    return SEPARATOR.join(path.split(SEPARATOR)[:depth])
