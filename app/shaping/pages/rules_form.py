"""The form of a rule: when it holds, what it refuses, and what follows, a line each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from flask import request

from app.shaping.pages import typed
from app.shaping.pages.conditions import given

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.metadata.model import Field
    from app.records.pages.conditions import Desk
    from tenants.scope import TenantScope

#: What may follow from a rule, in words, as lines of the form offer it.
EFFECTS: Final = (
    ("required", "Must be filled in"), ("visible", "Is shown only then"), ("read_only", "Can't be changed"),
    ("options", "Allows only these choices"), ("default", "Gets a value when empty"),
)  # fmt: skip
_LISTS: Final = ("required", "visible", "read_only")
_REFUSALS: Final = ("refuse_if", "require")
_CHOSEN: Final = frozenset({"select", "multi_select"})
_MOST: Final = 100


class Effects:
    """What may follow for the fields of an object."""

    def __init__(self, desk: Desk) -> None:
        self._fields: Mapping[str, Field] = desk.object.fields

    def fields(self) -> list[tuple[str, str]]:
        """Fields a message can stand at."""
        return [(one.name, one.label) for one in self._fields.values() if one.shown and not one.system]

    def lines(self, spec: Mapping[str, Any]) -> list[dict[str, Any]]:
        """What follows by the rule as it is."""
        found = [self.line(kind, name, None) for kind in _LISTS for name in spec.get(kind) or ()]
        found += [self.line("options", name, allowed) for name, allowed in sorted((spec.get("options") or {}).items())]
        found += [self.line("default", name, said) for name, said in sorted((spec.get("default") or {}).items())]
        return found

    def line(self, kind: str, name: str, said: Any) -> dict[str, Any]:
        """One line: the fields that fit its effect, and what it takes."""
        fits = [one for one in self._fields.values() if self._fits(kind, one)]
        known = self._fields.get(name)
        if known is not None and known not in fits:
            fits = [*fits, known] if said is not None or not kind else fits
        field = known if known in fits else None
        found: dict[str, Any] = {
            "kind": kind, "kinds": EFFECTS, "field": name, "label": known.label if known else "", "control": "",
            "fields": [(one.name, one.label) for one in fits],
        }  # fmt: skip
        if field is not None and kind == "options":
            options = [(one.name, one.label) for one in field.options.values()]
            found |= {"control": "boxes", "choices": options, "chosen": list(said or ())}
        elif field is not None and kind == "default":
            found |= {"value": _default_shown(said), "control": "text"}
            if field.type.name == "boolean":
                found |= {"control": "choice", "choices": [("true", "Yes"), ("false", "No")]}
            elif field.type.name == "select" and not str(found["value"]).startswith("="):
                options = [(one.name, one.label) for one in field.options.values()]
                found |= {"control": "choice", "choices": options}
        return found

    @staticmethod
    def _fits(kind: str, field: Field) -> bool:
        if not field.shown or field.system or field.readonly or field.computed:
            return False
        if kind == "options":
            return field.type.name in _CHOSEN
        return kind != "default" or field.type.name not in ("stage", "pipeline", "link", "reference")


def refusal_of(spec: Mapping[str, Any]) -> dict[str, str]:
    """How a rule refuses: which of the two, and the condition."""
    kind = next((one for one in _REFUSALS if spec.get(one)), "")
    return {"kind": kind, "condition": str(spec.get(kind) or "") if kind else ""}


def spec_of(scope: TenantScope, object_name: str, known: Mapping[str, Any]) -> dict[str, Any]:
    """What the form says of a rule, as far as it differs from ``known``. Raises typed.Wrong."""
    refusal = request.form.get("refusal", "")
    now: dict[str, Any] = {"label": typed.text("label") or None, "help": typed.text("help") or None}
    now["active"] = None if request.form.get("active") else False
    now["when"] = given(scope, object_name, "when") or None
    condition = given(scope, object_name, "refusal_condition") if refusal in _REFUSALS else ""
    if refusal in _REFUSALS and not condition:
        raise typed.Wrong("Refuse: add the condition that decides.")
    if refusal in _REFUSALS and not typed.text("message"):
        raise typed.Wrong("Message: say what people read when the rule refuses a record.")
    now |= {one: condition if one == refusal else None for one in _REFUSALS}
    now["message"] = typed.text("message") or None
    now["field"] = typed.text("field") or None if refusal in _REFUSALS else None
    effects = _effects()
    if not condition and not any(effects.values()):
        raise typed.Wrong("This rule does nothing yet: let it refuse records, or add what follows.")
    now |= {one: effects[one] or None for one in _LISTS}
    found = {key: value for key, value in now.items() if typed.differs(known.get(key), value)}
    if now["active"] is None and known.get("active", True) is True:
        found.pop("active", None)
    return found | _mapping("options", effects["options"], known) | _defaults(effects["default"], known)


def _effects() -> dict[str, Any]:
    """The lines of the form by effect."""
    found: dict[str, Any] = {"required": [], "visible": [], "read_only": [], "options": {}, "default": {}}
    lines = zip(request.form.getlist("effect.kind"), request.form.getlist("effect.field"), strict=False)
    for kind, field in list(lines)[:_MOST]:
        if kind not in found or not field:
            continue
        if kind in _LISTS:
            if field not in found[kind]:
                found[kind].append(field)
        elif kind == "options":
            found[kind][field] = request.form.getlist(f"effect.options.{field}")
            typed.needs(" ".join(found[kind][field]), "Choices: tick at least one choice that is allowed.")
        else:
            found[kind][field] = _default(field)
    return found


def _default(field: str) -> dict[str, Any]:
    """A value, or after = an expression."""
    text = typed.text(f"effect.default.{field}")
    typed.needs(text, "Value: say what the field gets; after = an expression.")
    if text.startswith("="):
        return {"formula": text[1:].strip()}
    if text in ("true", "false"):
        return {"value": text == "true"}
    return {"value": int(text) if re.fullmatch(r"-?[0-9]{1,15}", text) else text}


def _mapping(key: str, now: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    was: Mapping[str, Any] = known.get(key) or {}
    changed = {name: value for name, value in now.items() if typed.differs(was.get(name), value)}
    changed |= dict.fromkeys(name for name in was if name not in now)
    return {key: changed} if changed else {}


def _defaults(now: Mapping[str, Mapping[str, Any]], known: Mapping[str, Any]) -> dict[str, Any]:
    was: Mapping[str, Mapping[str, Any]] = known.get("default") or {}
    changed: dict[str, Any] = {}
    for name in dict.fromkeys([*was, *now]):
        before, after = was.get(name, {}), now.get(name, {})
        said = {key: after.get(key) for key in ("value", "formula") if before.get(key) != after.get(key)}
        if said:
            changed[name] = said
    return {"default": changed} if changed else {}


def _default_shown(said: Any) -> str:
    if not isinstance(said, dict):
        return ""
    if said.get("formula"):
        return f"= {said['formula']}"
    value = said.get("value")
    return ("true" if value else "false") if isinstance(value, bool) else str(value if value is not None else "")
