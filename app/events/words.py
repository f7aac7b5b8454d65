"""History in words: what an event says to people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from app.metadata.model import Catalog, Field, ObjectType

_ACTS: Final = {
    "created": "created this {object}",
    "trashed": "moved this {object} to the trash",
    "restored": "restored this {object} from the trash",
    "destroyed": "deleted this {object} for good",
    "merged": "merged another record into this {object}",
}
#: Written along with another field; saying both would say it twice.
_FOLLOWING: Final = frozenset({"stage_status", "stage_since", "closed_at", "email", "phone"})
_MANY: Final = 3

Diff = dict[str, list[Any]]


def describe(
    event: Mapping[str, Any],
    catalog: Catalog,
    locale: str,
    *,
    timezone: str = "UTC",
    titles: Mapping[tuple[str, str], str] | None = None,
) -> str:
    """What happened, without the actor: ``changed Stage from New to Won``. ``titles`` name linked records by id."""
    object_type = catalog.objects.get(event["object"])
    label = object_type.label.lower() if object_type else str(event["object"])
    if event["kind"] != "updated" or object_type is None:
        return _ACTS.get(event["kind"], f"{event['kind']} this {{object}}").format(object=label)
    diff: Diff = event["diff"] or {}
    if diff.get("converted_at", [None, None])[1]:
        return f"converted this {label}"
    changes = _shown(object_type, diff)
    if not changes:
        return f"changed this {label}"
    said = [_change(field, old, new, locale, timezone, titles or {}) for field, old, new in changes[:_MANY]]
    if len(changes) > _MANY:
        said.append(f"{len(changes) - _MANY} more")
    return f"changed {_listed(said)}"


def links_of(events: Iterable[Mapping[str, Any]], catalog: Catalog) -> dict[str, set[str]]:
    """The records that updates link to or from, by object: what ``titles`` should hold."""
    wanted: dict[str, set[str]] = {}
    for event in events:
        object_type = catalog.objects.get(event["object"])
        if object_type is None or event["kind"] != "updated":
            continue
        diff: Diff = event["diff"] or {}
        for name, pair in diff.items():
            field = object_type.fields.get(name)
            for value in pair if field is not None and field.to else ():
                target = _target(field, value)
                if target:
                    wanted.setdefault(target[0], set()).add(target[1])
    return wanted


def _shown(object_type: ObjectType, diff: Mapping[str, Any]) -> list[tuple[Field, Any, Any]]:
    known = [(object_type.fields[name], *pair) for name, pair in diff.items() if name in object_type.fields]
    telling = [change for change in known if change[0].name not in _FOLLOWING]
    return telling or known


def _change(field: Field, old: Any, new: Any, locale: str, timezone: str, titles: Mapping[tuple[str, str], str]) -> str:
    before = _value(field, old, locale, timezone, titles)
    after = _value(field, new, locale, timezone, titles)
    if not after:
        return f"{field.label} from {before} to empty"
    return f"{field.label} from {before} to {after}" if before else f"{field.label} to {after}"


def _value(field: Field, value: Any, locale: str, timezone: str, titles: Mapping[tuple[str, str], str]) -> str:
    if value is None or value == []:
        return ""
    target = _target(field, value) if field.to else None
    if target:
        return titles.get(target, "a record that is gone")
    if isinstance(value, str) and value in field.options:
        return field.options[value].label
    return field.type.format(field, value, locale, timezone)


def _target(field: Field | None, value: Any) -> tuple[str, str] | None:
    if field is None or value is None:
        return None
    if isinstance(value, dict):
        reference = cast("dict[str, object]", value)
        return (str(reference["object"]), str(reference["id"]))
    return (field.to[0], str(value))


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
