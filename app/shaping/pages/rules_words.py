"""What a rule does, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from app.metadata.model import Field
    from app.records.pages.conditions import Desk


def sentences(desk: Desk, spec: Mapping[str, Any]) -> list[str]:
    """When it holds, then what it refuses and what follows, a sentence each."""
    found = [f"When {desk.words(str(spec['when']))}:"] if spec.get("when") else []
    if spec.get("refuse_if"):
        found.append(f"Refuses the record if {desk.words(str(spec['refuse_if']))}.")
    if spec.get("require"):
        found.append(f"Refuses the record unless {desk.words(str(spec['require']))}.")
    return [*found, *_effects(desk.object.fields, spec)]


def _effects(fields: Mapping[str, Field], spec: Mapping[str, Any]) -> Iterator[str]:
    for key, one, many in (
        ("required", "must be filled in", "must be filled in"),
        ("visible", "is shown only then", "are shown only then"),
        ("read_only", "can't be changed", "can't be changed"),
    ):
        names = list(spec.get(key) or ())
        if names:
            yield f"{_listed(_label(fields, name) for name in names)} {one if len(names) == 1 else many}."
    for name, allowed in sorted((spec.get("options") or {}).items()):
        options = fields[name].options if name in fields else {}
        labels = (options[one].label if one in options else str(one) for one in allowed)
        yield f"{_label(fields, name)} can only be {_listed(labels, 'or')}."
    for name, said in sorted((spec.get("default") or {}).items()):
        formula = said.get("formula")
        value = said.get("value")
        told = f"`{formula}`" if formula else {True: "Yes", False: "No"}.get(value, value)
        if name in fields and str(value) in fields[name].options:
            told = fields[name].options[str(value)].label
        yield f"{_label(fields, name)} gets {told} when it is empty."


def _label(fields: Mapping[str, Field], name: str) -> str:
    return fields[name].label if name in fields else name


def _listed(names: Iterable[str], word: str = "and") -> str:
    found = list(names)
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} {word} {found[-1]}"
