"""What a component names, found by the notes of its kind's schema: for "where used" and for what a change breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from app.expressions import ConditionError, check, check_value
from app.metadata import kinds
from app.metadata.kinds import schema as form
from app.metadata.kinds.base import Complaint, Reference
from app.metadata.leaves import SEPARATOR
from app.metadata.problems import near

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from app.metadata.kinds.base import Kind
    from app.metadata.kinds.schema import Schema
    from app.metadata.leaves import Plain
    from app.metadata.vocabulary import DocumentEnvironment, Hop, Vocabulary

#: What every record has that is no column of its own.
_TITLE: Final = "title"
#: Kinds a field takes beside its own.
_ALSO: Final = {"money": ("number",), "text": ("option",), "option": ("text",)}
#: Leaves that say how a field is computed.
_COMPUTING: Final = frozenset({"value", "over", "function", "field", "when", "indexed"})


class Tracer:
    """Walks the leaves of one component; ``references`` and ``complaints`` are what it found."""

    def __init__(self, component: str, leaves: Mapping[str, Plain], names: Vocabulary) -> None:
        self.kind: Kind = kinds.kind_of(component)
        self.component, self.name, self.names = component, component.partition(SEPARATOR)[2], names
        self.references: list[Reference] = []
        self.complaints: list[Complaint] = []
        #: Leaf → the object over whose records it is a condition or formula.
        self.expressions: dict[str, str] = {}
        self._at_key = False
        if self.kind.of_object:
            self.object(self.kind.object_of(self.name), "")
        self._leaves = leaves
        self._seen: set[tuple[str, str]] = set()
        for path, value in leaves.items():
            self._leaf(path, value)
        self.references += self.kind.further(self.name, leaves, names)
        self.complaints += self.kind.check(self.name, leaves, names)

    def _leaf(self, path: str, value: Plain) -> None:
        schema, context = self._keys(path)
        if schema is None or context is None:
            return
        if what := schema.get("x-refers"):
            self._named(str(what), context, str(value), path)
        inner = cast("Schema", schema.get("items") or {})
        if isinstance(value, list) and (what := inner.get("x-refers")):
            for one in value:
                self._named(str(what), context, one, path)
        if over := schema.get("x-over"):
            self._over(str(over), context, str(value), path)
        if schema.get("x-condition") or schema.get("x-formula"):
            self.expression(context, str(value), path, condition=bool(schema.get("x-condition")))

    def _over(self, what: str, owner: str, value: str, path: str) -> None:
        """A field of the records a roll-up looks at, or a condition on them."""
        link = self._leaves.get(path.rpartition(SEPARATOR)[0] + "/over")
        hop = self.names.inverse(owner, str(link))
        inner = self.names.hop(hop.object, value) if hop is not None and what == "field" else None
        if inner is not None:
            self.hops([inner], path, value)
        elif hop is not None and what == "condition":
            self.expression(hop.object, value, path, condition=True)

    def _keys(self, path: str) -> tuple[Schema | None, str | None]:
        """The leaf's schema and the object its names are of; what keys on the way name is noted once."""
        schema: Schema | None = self.kind.schema
        context: str | None = self.kind.object_of(self.name) or (self.name if self.kind.name == "object" else "")
        at = ""
        for key in path.split(SEPARATOR):
            what = str(schema.get("x-keys-refer", ""))
            at = f"{at}{SEPARATOR}{key}" if at else key
            if what and key != "*":
                known = self._key(what, context or "", key, at)
                context = (key if known else None) if what == "object" else context
                if what == "inverse":
                    hop = self.names.inverse(context or "", key)
                    context = hop.object if hop else None
            schema = form.below(schema, key)
            if schema is None or context is None:
                return None, None
        return schema, context

    def _key(self, what: str, context: str, key: str, at: str) -> bool:
        if (what, at) not in self._seen:
            self._seen.add((what, at))
            self._at_key = True
            self._named(what, context, key, at)
            self._at_key = False
        return what != "object" or key in self.names.objects

    def _named(self, what: str, context: str, value: str, path: str) -> None:
        finders: dict[str, Callable[[], bool]] = {
            "object": lambda: self.object(value, path),
            "field": lambda: self.field(context, value, path),
            "path": lambda: self.path(context, value, path),
            "sort": lambda: self.sort(context, value.removeprefix("-"), path),
            "inverse": lambda: self.inverse(context, value, path),
            "option_set": lambda: self.other("option_set", value, path),
            "role": lambda: self.role(value, path),
            "metric": lambda: self.metric(context, value, path),
        }
        finders[what]()

    def object(self, name: str, path: str) -> bool:
        """``name`` is an object: of the document, a system table, or ``*``."""
        if name in self.names.objects:
            if self.component != f"object/{name}":
                self.refer(path, f"object/{name}", "", name)
            return True
        if name in ("member", "team", "*"):
            return True
        return self.unknown(path, "object.unknown", name, "object", self.names.objects)

    def field(self, owner: str, name: str, path: str) -> bool:
        """``name`` is a field of an object."""
        hop = self.names.hop(owner, name)
        if hop is not None:
            self.hops([hop], path, name)
        elif name != _TITLE and owner:
            return self.unknown(path, "field.unknown", name, "field", self.names.fields(owner))
        return True

    def path(self, owner: str, written: str, path: str) -> bool:
        """``written`` leads over links to a field."""
        found = self.names.find(owner, written)
        if found is not None:
            self.hops(found.hops, path, written)
        elif written != _TITLE and owner:
            return self.unknown(path, "field.unknown", written, "field", self.names.fields(owner))
        return True

    def sort(self, owner: str, written: str, path: str) -> bool:
        """``written`` leads to a field lists can be sorted by."""
        found = self.names.find(owner, written)
        if found is not None and not found.part and not found.type.sortable:
            message = f"names {written!r}, a field of type {found.type.name}: lists can't be sorted by it"
            self.complaints.append(Complaint(path, "sort.type", message))
        return self.path(owner, written, path)

    def inverse(self, owner: str, link: str, path: str) -> bool:
        """``link`` is what an object calls records that link to it."""
        hop = self.names.inverse(owner, link)
        if hop is None and _computed(path):
            return False
        if hop is None:
            return self.unknown(path, "link.unknown", link, "link to many", self.names.inverses(owner))
        self.hops([hop], path, link)
        return True

    def metric(self, owner: str, written: str, path: str) -> bool:
        """``written`` is a figure: ``count``, or ``sum:amount``, which names a field."""
        _, colon, name = written.partition(":")
        found = self.names.find(owner, name) if colon else None
        for step, hop in enumerate(found.hops if found else ()):
            if not hop.system:
                self.refer(path, f"object/{hop.object}", f"fields/{hop.field}", written, step)
        if colon and found is None and owner:
            return self.unknown(path, "field.unknown", name, "field", self.names.fields(owner))
        return True

    def role(self, name: str, path: str) -> bool:
        """``name`` is a role: a component, or one that is none."""
        component = f"role/{name}" in self.names.document
        return self.other("role", name, path) if component or not self.names.has_role(name) else True

    def other(self, kind: str, name: str, path: str) -> bool:
        """``name`` is another component."""
        component = f"{kind}/{name}"
        known = [one.partition(SEPARATOR)[2] for one in self.names.document if one.startswith(f"{kind}/")]
        if name not in known:
            return self.unknown(path, f"{kind}.unknown", name, kind.replace("_", " "), known)
        self.refer(path, component, "", name)
        return True

    def expression(self, owner: str, text: str, path: str, *, condition: bool) -> None:
        """A condition or formula over an object's records."""
        if owner not in self.names.objects:
            return
        self.expressions[path] = owner
        environment = self.names.environment(owner)
        try:
            checked = check(text, environment) if condition else check_value(text, environment)
        except ConditionError as error:
            if not _computed(path):
                self.complaints.append(
                    Complaint(path, error.code, said(error.detail, error.extra.get("position"), text))
                )
            return
        if not condition and not _computed(path):
            self._fits(owner, checked.root.kind, path)
        for one in sorted(checked.paths):
            self.hops(list(along(environment, self.names, one)), path, text)

    def _fits(self, owner: str, kind: str, path: str) -> None:
        """What a formula gives must be what the field it is for holds: ``fields/x/default_formula``, ``default/x``."""
        steps = path.split(SEPARATOR)
        hop = self.names.hop(owner, steps[1]) if len(steps) > 1 else None
        holds = self.names.type_of(hop) if hop is not None else None
        if holds is not None and kind not in (holds.condition, *_ALSO.get(holds.condition, ())) and kind != "none":
            message = f"gives a {kind}; the field holds {holds.condition}"
            self.complaints.append(Complaint(path, "formula.type", message))

    def hops(self, hops: Iterable[Hop], path: str, written: str) -> None:
        """Refer to each own field a path steps through."""
        for step, hop in enumerate(hops):
            if not hop.system:
                self.refer(path, f"object/{hop.object}", f"fields/{hop.field}", written, step)

    def refer(self, path: str, component: str, node: str, written: str, step: int = 0) -> None:
        """Note a reference."""
        self.references.append(Reference(path, component, node, written, step, self._at_key))

    def unknown(self, path: str, code: str, name: str, what: str, known: Iterable[str]) -> bool:
        """Complain about a name nothing has."""
        names = list(known)
        message = f"names {name!r}, which is no {what}{near(name, names)}"
        if name in names:
            message = f"names {name!r}, which can't be calculated: see there"
        self.complaints.append(Complaint(path, code, message))
        return False


def along(environment: DocumentEnvironment, names: Vocabulary, path: str) -> Iterator[Hop]:
    """The fields ``path`` of a checked expression steps through; it may go over links to many."""
    steps = path.split(".")
    for end in range(len(steps), 0, -1):
        found = names.find(environment.object, ".".join(steps[:end])) if end == len(steps) else None
        if found is not None:
            yield from found.hops
            return
        many = environment.to_many(".".join(steps[:end]))
        if many is not None:
            before = names.find(environment.object, ".".join(steps[: end - 1])) if end > 1 else None
            yield from before.hops if before else ()
            yield many
            if end < len(steps):
                yield from along(names.environment(many.object), names, ".".join(steps[end:]))
            return


def _computed(path: str) -> bool:
    """Whether a leaf is part of a formula or roll-up: what is wrong there is told by who works them out."""
    steps = path.split(SEPARATOR)
    return len(steps) == 3 and steps[0] == "fields" and steps[2] in _COMPUTING


def said(detail: str, position: object, text: str) -> str:
    """A condition's error with the place in it."""
    return f"{detail} (at character {position + 1} of {text!r})" if isinstance(position, int) else detail
