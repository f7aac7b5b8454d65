"""History in words: the one place that says what an event tells people.

``tell`` gives the sentence in parts, so that a page can set values apart and link what is named; ``describe`` is the
same as plain text. Who writes values for a page hands in ``show``, else the field types' own text is taken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from app.metadata.model import Catalog, Field, ObjectType

Act = Literal[
    "created",
    "imported",
    "moved",
    "changed",
    "converted",
    "trashed",
    "restored",
    "destroyed",
    "merged",
    "erased",
    "other",
]
#: A value of a field as text for the reader; "" for an empty one.
Show = Callable[["Field", Any], str]
Diff = dict[str, list[Any]]

_ACTS: Final[dict[str, tuple[Act, str]]] = {
    "created": ("created", "created {object}"),
    "trashed": ("trashed", "deleted {object}"),
    "restored": ("restored", "brought {object} back from the trash"),
    "destroyed": ("destroyed", "deleted {object} for good"),
    "merged": ("merged", "merged another record into {object}"),
    "erased": ("erased", "erased what the history of {object} quoted"),
}
#: What an act on many records is, around the file's name.
_SUMMARIES: Final = {
    "bulk": ("changed many ", "{objects} at once"),
    "imported": ("imported ", " into {objects}"),
    "import_undone": ("took back the import of ", " into {objects}"),
    "exported": ("exported ", "{objects} into a file"),
}
#: Of these the file is not named.
_WITHOUT_FILE: Final = frozenset({"bulk", "exported"})
#: Written along with another field, or by every write; saying them would say it twice.
_QUIET: Final = frozenset({
    "version", "updated_at", "updated_by", "created_at", "created_by", "stage_since", "closed_at", "stage_status",
    "pipeline",
})  # fmt: skip
#: So many changed fields are named in a line.
_NAMED: Final = 3
_LONGEST: Final = 120


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of the sentence; a ``value`` stands apart from its words, ``link`` is (object or "import", id)."""

    text: str
    value: bool = False
    link: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """An event in words. ``changes`` are (label, before, after) of what the sentence only names."""

    act: Act
    who: str
    parts: tuple[Part, ...]
    changes: tuple[tuple[str, str, str], ...] = ()

    @property
    def text(self) -> str:
        """The sentence without who did it."""
        return "".join(part.text for part in self.parts)


def describe(
    event: Mapping[str, Any],
    catalog: Catalog,
    locale: str,
    *,
    timezone: str = "UTC",
    titles: Mapping[tuple[str, str], str] | None = None,
) -> str:
    """One line of plain text, with the actor: ``Mira moved the deal from New to Won``."""
    told = tell(event, catalog, plain_values(locale, timezone, titles or {}))
    if told is None:
        return f"{who(_of(event, 'actor'))} changed this"
    line = f"{told.who} {told.text}".strip()
    changes = "; ".join(f"{label}: {before or 'empty'} → {after or 'empty'}" for label, before, after in told.changes)
    return f"{line} ({changes})" if changes else line


def tell(event: Mapping[str, Any], catalog: Catalog, show: Show, *, this: str = "this") -> Told | None:
    """What happened; None for an update of nothing but what the engine keeps beside.

    ``this`` stands before the object: the record's own page says ``this deal``, others name it.
    """
    object_type = catalog.objects.get(event["object"])
    label = object_type.label.lower() if object_type else str(event["object"]).replace("_", " ")
    kind, imported = str(event["kind"]), _cause(event) == "import"
    if kind == "created" and imported:
        return Told("imported", "", (Part("Imported from "), _file(event), *_by(event)))
    name = _starter(event) if imported else who(_of(event, "actor"))
    if kind in _SUMMARIES:
        before, after = _SUMMARIES[kind]
        objects = object_type.plural.lower() if object_type else label
        middle = () if kind in _WITHOUT_FILE else (_file(event),)
        return Told("other", name, (Part(before), *middle, Part(after.format(objects=objects))))
    if kind != "updated" or object_type is None:
        act, text = _ACTS.get(kind, ("other", kind.replace("_", " ")))
        return Told(act, name, (Part(text.format(object=f"{this} {label}")), *_reason(event, act)))
    told = _update(event, object_type, label, show, this)
    return None if told is None else Told(told.act, name, (*told.parts, *_reason(event, told.act)), told.changes)


def plain_values(locale: str, timezone: str, titles: Mapping[tuple[str, str], str]) -> Show:
    """Values as the field types write them, links by their title."""

    def show(field: Field, value: Any) -> str:
        target = target_of(field, value)
        if target:
            return titles.get(target) or "a record that is gone"
        if isinstance(value, str) and value in field.options:
            return field.options[value].label
        return field.type.format(field, value, locale, timezone)

    return show


def links_of(events: Iterable[Mapping[str, Any]], catalog: Catalog) -> dict[str, set[str]]:
    """The records that updates link to or from, by object: what titles are needed of, in one statement."""
    wanted: dict[str, set[str]] = {}
    for event in events:
        object_type = catalog.objects.get(event["object"])
        if object_type is None or event["kind"] != "updated":
            continue
        diff: Diff = event["diff"] or {}
        for name, pair in diff.items():
            field = object_type.fields.get(name)
            for value in pair if field is not None and field.to else ():
                target = target_of(field, value)
                if target:
                    wanted.setdefault(target[0], set()).add(target[1])
    return wanted


def target_of(field: Field | None, value: Any) -> tuple[str, str] | None:
    """(object, id) that a link or reference holds."""
    if field is None or not field.to or value is None:
        return None
    if isinstance(value, dict):
        reference = cast("dict[str, object]", value)
        return (str(reference["object"]), str(reference["id"]))
    return (field.to[0], str(value))


def who(actor: Mapping[str, Any]) -> str:
    """The actor by name, also when nobody of that name is there any more."""
    name, kind = str(actor.get("name") or ""), actor.get("kind")
    if kind == "key":
        return f"{name} (API key)" if name else "A deleted API key"
    if kind == "support":
        return f"{name or 'Somebody'} (support)"
    if kind == "import":
        return f"Import of {name or 'a file'}"
    return name or ("Former member" if kind == "member" else "Rapport")


def _of(event: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """A part of the event that is an object; an empty one when it is not there."""
    found = event.get(key)
    return cast("Mapping[str, Any]", found) if isinstance(found, dict) else {}


def _cause(event: Mapping[str, Any]) -> str:
    """The kind of the cause; the actor tells of an import too."""
    kind = _of(event, "cause").get("kind")
    return str(kind or ("import" if _of(event, "actor").get("kind") == "import" else ""))


def _starter(event: Mapping[str, Any]) -> str:
    """Who started the import that made the event, else the import itself."""
    return who(_of(_of(event, "cause"), "by") or _of(event, "actor"))


def _by(event: Mapping[str, Any]) -> tuple[Part, ...]:
    by = _of(_of(event, "cause"), "by")
    return (Part(" by "), Part(who(by), value=True)) if by else ()


def _file(event: Mapping[str, Any]) -> Part:
    actor = _of(event, "actor")
    made: Mapping[str, Any] = actor if actor.get("kind") == "import" else {}
    import_id = _of(event, "cause").get("id") or made.get("id")
    name = event.get("file") or made.get("name") or "a file"
    return Part(str(name), value=True, link=("import", str(import_id)) if import_id else None)


def _reason(event: Mapping[str, Any], act: Act) -> tuple[Part, ...]:
    """The end of the sentence: by which act of somebody's it came to this."""
    cause = _cause(event)
    if cause == "import":
        return (Part(" with the import of "), _file(event))
    if cause == "import_undo":
        return (Part(", taking back the import of "), _file(event))
    if cause == "bulk":
        return (Part(" among many at once"),)
    if cause == "batch":
        return (Part(" with other changes in one step"),)
    if cause == "conversion" and act != "converted":
        return (Part(" by converting "), Part("a lead", link=("lead", str(_of(event, "cause").get("id")))))
    if cause == "handover":
        return (Part(", handing over a colleague's records"),)
    if cause == "trash":
        return (Part(", as the record it named was deleted"),)
    return ()


def _update(event: Mapping[str, Any], object_type: ObjectType, label: str, show: Show, this: str) -> Told | None:
    diff: Diff = event.get("diff") or {}
    if not diff and event.get("erased"):
        return Told("erased", "", (Part(f"changed {this} {label}; what has been erased"),))
    if diff.get("converted_at", [None, None])[1]:
        return Told("converted", "", (Part(f"converted {this} {label}"),))
    moves = _changes(object_type, {name: pair for name, pair in diff.items() if name == "stage"}, show)
    changes = _changes(object_type, {name: pair for name, pair in diff.items() if name != "stage"}, show)
    if moves:
        _, before, after = moves[0]
        if before:
            middle = (Part(f"moved the {label} from "), Part(before, value=True), Part(" to "))
        else:
            middle = (Part(f"put the {label} into "),)
        return Told("moved", "", (*middle, Part(after, value=True)), tuple(changes))
    if not changes:
        return None
    if len(changes) == 1:
        return Told("changed", "", _one_change(*changes[0]))
    return Told("changed", "", (Part(f"changed {_listed([label for label, _, _ in changes])}"),), tuple(changes))


def _changes(object_type: ObjectType, diff: Mapping[str, Any], show: Show) -> list[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = []
    # A list of addresses changes with its primary one, which says it better.
    lists = {object_type.fields[name].primary_of for name in diff if name in object_type.fields}
    for name, pair in diff.items():
        field = object_type.fields.get(name)
        if field is None or name in _QUIET or name in lists or not isinstance(pair, list):
            continue
        old, new = cast("list[Any]", pair)
        before, after = _text(field, old, show), _text(field, new, show)
        if before != after:
            found.append((field.label, before, after))
    return found


def _text(field: Field, value: Any, show: Show) -> str:
    text = "" if value in (None, [], {}, "") else show(field, value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1].rstrip() + "…"


def _one_change(label: str, before: str, after: str) -> tuple[Part, ...]:
    if not before:
        return (Part(f"set {label} to "), Part(after, value=True))
    if not after:
        return (Part(f"cleared {label} (was "), Part(before, value=True), Part(")"))
    return (Part(f"changed {label} from "), Part(before, value=True), Part(" to "), Part(after, value=True))


def _listed(labels: Sequence[str]) -> str:
    """Up to three names in words, the rest as a number."""
    if len(labels) <= _NAMED:
        return f"{', '.join(labels[:-1])} and {labels[-1]}"
    return f"{', '.join(labels[: _NAMED - 1])} and {len(labels) - _NAMED + 1} more"
