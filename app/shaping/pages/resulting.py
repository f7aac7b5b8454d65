"""What the formulas of fields that are about to be added come to, where nobody said it: money, days, text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from app.expressions import ConditionError, check_value
from app.metadata.leaves import flatten
from app.metadata.vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.metadata.leaves import Leaves
    from app.shaping.pages.reading import Reading

#: By what an expression gives: what a formula returns.
_RETURNS: Final = {
    "text": "text", "option": "text", "number": "decimal", "money": "money", "boolean": "boolean", "date": "date",
    "datetime": "datetime", "time": "time", "duration": "duration",
}  # fmt: skip
#: How many formulas may stand on each other before one has to say what it returns.
_DEEPEST: Final = 8
_Fields = dict[str, dict[str, Any]]


def settled(reading: Reading, name: str, fields: _Fields, stages: list[dict[str, Any]] | None = None) -> _Fields:
    """``fields`` of an object, each formula with what it returns; one that can't be worked out returns text."""
    found = dict(fields)
    for _ in range(_DEEPEST):
        open_ = {one: str(spec["value"]) for one, spec in found.items() if _unsaid(spec)}
        known = {one: spec for one, spec in found.items() if one not in open_}
        told = _told(_vocabulary(reading, name, known, stages or []), name, open_) if open_ else {}
        if not told:
            break
        found |= {one: found[one] | {"returns": returns} for one, returns in told.items()}
    return {one: spec | {"returns": "text"} if _unsaid(spec) else spec for one, spec in found.items()}


def _unsaid(spec: Mapping[str, Any]) -> bool:
    return spec["type"] == "formula" and "returns" not in spec


def _told(names: Vocabulary, name: str, formulas: Mapping[str, str]) -> dict[str, str]:
    """What those formulas return that name nothing unknown; what is wrong with the others is said by the plan."""
    found: dict[str, str] = {}
    for field, source in formulas.items():
        try:
            kind = check_value(source, names.environment(name)).root.kind
        except ConditionError:
            continue
        if kind in _RETURNS:
            found[field] = _RETURNS[kind]
    return found


def _vocabulary(reading: Reading, name: str, fields: _Fields, stages: list[dict[str, Any]]) -> Vocabulary:
    """The names there will be."""
    component = f"object/{name}"
    leaves: Leaves = dict(reading.live.get(component, {}))
    for field, spec in fields.items():
        said: dict[str, object] = dict(spec)
        if "options" in spec:
            said["options"] = {one["name"]: {"label": one["label"]} for one in spec["options"]}
        if "to" in spec:
            said["to"] = [spec["to"]]
        leaves |= flatten(said, f"fields/{field}")
    for stage in stages:
        leaves |= flatten({"status": stage["status"]}, f"pipelines/main/stages/{stage['name']}")
    tenant = reading.scope.tenant
    return Vocabulary({**reading.live, component: leaves}, currency=tenant.currency, timezone=tenant.timezone)
