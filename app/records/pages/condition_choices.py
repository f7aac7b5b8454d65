"""What a builder of conditions offers: the fields of an object and one link further, operators, forms of values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from app.expressions.rows import FORMS, LISTED, OPERATORS, UNARY
from app.metadata.environment import find, link_target, part_of
from app.metadata.labels import humanised

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from app.metadata.environment import Named
    from app.metadata.model import Catalog, ObjectType

#: Fields nobody asks for in a condition; written as text they work.
_QUIET: Final = frozenset({"id", "version", "deleted_at"})
_ONLY_THERE: Final = ("filled", "empty")
_GENERAL: Final = {
    "is": "is", "is_not": "is not", "contains": "contains", "not_contains": "does not contain",
    "starts": "begins with", "not_starts": "does not begin with", "ends": "ends with", "not_ends": "does not end with",
    "in": "is one of", "not_in": "is none of", "any_of": "has any of", "none_of": "has none of", "all_of": "has all of",
    "filled": "is filled", "empty": "is empty",
    "lt": "is less than", "le": "is at most", "gt": "is more than", "ge": "is at least",
}  # fmt: skip
_TIMED: Final = {
    "is": "is on", "is_not": "is not on", "lt": "is before", "le": "is on or before", "gt": "is after",
    "ge": "is on or after",
}  # fmt: skip
_CLOCK: Final = {
    "is": "is at", "is_not": "is not at", "lt": "is before", "le": "is at or before", "gt": "is after",
    "ge": "is at or after",
}  # fmt: skip
_LENGTHS: Final = {"lt": "is shorter than", "gt": "is longer than"}
#: Kind of a field → its own words for operators.
_WORDED: Final[Mapping[str, Mapping[str, str]]] = {
    "date": _TIMED, "datetime": _TIMED, "time": _CLOCK, "duration": _LENGTHS,
}  # fmt: skip
_FORMS: Final = {
    "value": "the value", "field": "another field", "me": "whoever acts", "today": "today", "ago": "ago",
    "ahead": "from today", "start": "the start of", "moment": "the moment", "now": "now",
}  # fmt: skip
_DAY_FORMS: Final = {
    **_FORMS, "value": "the day", "ago": "time ago", "ahead": "time from now",
}  # fmt: skip
UNITS: Final = (("days", "days"), ("months", "months"), ("years", "years"))
PERIODS: Final = (
    ("week", "this week"), ("month", "this month"), ("quarter", "this quarter"), ("year", "this year"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Choice:
    """A field a row can ask for. ``kind`` is the condition language's; ``choices`` are those of its options."""

    path: str
    label: str
    kind: str
    type: str
    choices: tuple[tuple[str, str], ...] = ()
    target: str = ""
    finder: str = ""
    suffix: str = ""
    #: What the acting member is called.
    me: str = _FORMS["me"]

    @property
    def operators(self) -> list[tuple[str, str]]:
        """Operators that fit, in words."""
        words = {**_GENERAL, **_WORDED.get(self.kind, {})}
        return [(one, words[one]) for one in OPERATORS.get(self.kind, _ONLY_THERE)]

    def forms(self, op: str) -> list[tuple[str, str]]:
        """The forms its value may have under an operator."""
        if op in UNARY or op in LISTED:
            return []
        words = (_DAY_FORMS if self.kind in ("date", "datetime") else _FORMS) | {"me": self.me}
        found = [one for one in FORMS.get(self.kind, ()) if one != "me" or self.target == "member"]
        searches = op not in ("is", "is_not", "lt", "le", "gt", "ge")
        return [(one, words[one]) for one in found if not (searches and one != "value")]


class Choices:
    """The fields conditions on the records of an object may ask for."""

    def __init__(self, catalog: Catalog, obj: ObjectType, currency: str, me: str) -> None:
        self._objects, self._object = catalog.objects, obj
        self._currency, self._me = currency, me

    def of(self, path: str) -> Choice | None:
        """A field by its path."""
        named = find(self._objects, self._object, path)
        return None if named is None else self._choice(named, self._trail(named))

    def groups(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """(path, label) of all fields, those of linked records in groups of their own."""
        own, further = list(_paths(self._object)), list[tuple[str, list[tuple[str, str]]]]()
        for field in self._object.fields.values():
            target = link_target(self._objects, field) if field.shown else None
            if target is not None and field.name not in _QUIET:
                inner = [f"{field.name}.{one}" for one in _paths(target, parts=False)]
                further.append((field.label, self._labelled(inner)))
        return [(self._object.label, self._labelled(own)), *further]

    def comparable(self, choice: Choice) -> list[tuple[str, str]]:
        """Fields whose values can be compared with those of ``choice``."""
        like: Mapping[str, frozenset[str]] = {
            "text": frozenset({"text", "option"}), "texts": frozenset({"text"}),
            "option": frozenset({"text", "option"}),
            "number": frozenset({"number", "money"}), "money": frozenset({"number", "money"}),
            "date": frozenset({"date", "datetime"}), "datetime": frozenset({"date", "datetime"}),
        }  # fmt: skip
        kinds = like.get(choice.kind, frozenset({choice.kind}))
        paths = [path for _, fields in self.groups() for path, _ in fields if path != choice.path]
        named = [(path, find(self._objects, self._object, path)) for path in paths]
        fits = [path for path, one in named if one is not None and one.kind in kinds]
        if choice.kind == "link":
            found = [(path, self.of(path)) for path in fits]
            fits = [path for path, one in found if one is not None and one.target == choice.target]
        return self._labelled(fits)

    def _labelled(self, paths: Sequence[str]) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        for path in paths:
            named = find(self._objects, self._object, path)
            if named is not None:
                found.append((path, self._trail(named)))
        return found

    def _trail(self, named: Named) -> str:
        """Company → Industry."""
        labels: list[str] = []
        owner: ObjectType | None = self._object
        for name in named.via:
            field = owner.fields.get(name) if owner is not None else None
            labels.append(field.label if field is not None else name)
            owner = link_target(self._objects, field) if field is not None else None
        return " → ".join([*labels, _label(named)])

    def _choice(self, named: Named, label: str) -> Choice:
        field, kind = named.field, named.kind
        type_ = field.primary_of or field.type.name
        linked = kind == "link" and len(field.to) == 1
        finds = linked and field.type.name == "link"
        finder = f"/records/{named.owner.name}/options?field={field.name}" if finds else ""
        suffix = self._currency if kind == "money" else ""
        target = field.to[0] if linked else ""
        return Choice(named.path, label, kind, type_, _options(named), target, finder, suffix, self._me)


def _paths(obj: ObjectType, *, parts: bool = True) -> Iterator[str]:
    for field in obj.fields.values():
        if not field.shown or field.name in _QUIET:
            continue
        yield field.name
        if parts and field.type.condition == "none":
            yield from (f"{field.name}.{one}" for one in field.type.parts if part_of(field, one))


def _label(named: Named) -> str:
    return f"{named.field.label}: {humanised(named.part).lower()}" if named.part else named.field.label


def _options(named: Named) -> tuple[tuple[str, str], ...]:
    owner, field = named.owner, named.field
    if named.part:
        return ()
    if owner.has_pipeline and field.name == "pipeline":
        return tuple((one.name, one.label) for one in owner.pipelines.values())
    if owner.has_pipeline and field.name == "stage":
        several = len(owner.pipelines) > 1
        return tuple(
            (stage.name, f"{line.label}: {stage.label}" if several else stage.label)
            for line in owner.pipelines.values()
            for stage in line.stages.values()
        )
    return tuple((one.name, one.label) for one in field.options.values())
