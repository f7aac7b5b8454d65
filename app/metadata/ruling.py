"""Rules of a tenant's document as the compiled model has them."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, cast

from app.metadata.leaves import SEPARATOR, nest, spec_hash
from app.metadata.model import Rule, RuleDefault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.metadata.leaves import Document, Leaves, Plain
    from app.metadata.model import ObjectType

_KIND: Final = f"rule{SEPARATOR}"


def with_rules(objects: Mapping[str, ObjectType], document: Document) -> Mapping[str, ObjectType]:
    """``objects`` with the rules the document has for them; those without stay the same."""
    found: dict[str, dict[str, Leaves]] = {}
    for component, leaves in document.items():
        if component.startswith(_KIND):
            owner, _, name = component.removeprefix(_KIND).partition(".")
            if owner in objects and _in_force(leaves):
                found.setdefault(owner, {})[name] = leaves
    if not found:
        return objects
    ruled = {name: _ruled(objects[name], rules) for name, rules in found.items()}
    return MappingProxyType({name: ruled.get(name, obj) for name, obj in objects.items()})


def _in_force(leaves: Leaves) -> bool:
    return leaves.get("active") is not False and leaves.get("retired") is not True


def _ruled(obj: ObjectType, specs: Mapping[str, Leaves]) -> ObjectType:
    ordered = sorted(specs.items(), key=lambda item: (str(item[1].get("rank", "")), item[0]))
    named: dict[str, Plain] = {
        SEPARATOR.join((name, path)): value for name, leaves in ordered for path, value in leaves.items()
    }
    rules = tuple(rule_of(name, leaves) for name, leaves in ordered)
    return replace(obj, rules=rules, rules_hash=spec_hash(named))


def rule_of(name: str, leaves: Leaves) -> Rule:
    """One rule from its leaves."""
    spec = cast("dict[str, object]", nest(leaves))
    return Rule(
        name=name,
        label=str(spec.get("label", "")),
        when=str(spec.get("when") or ""),
        refuse_if=str(spec.get("refuse_if") or ""),
        require=str(spec.get("require") or ""),
        message=str(spec.get("message", "")),
        field=str(spec.get("field") or ""),
        required=_names(spec.get("required")),
        visible=_names(spec.get("visible")),
        read_only=_names(spec.get("read_only")),
        options=tuple((field, _names(allowed)) for field, allowed in sorted(_map(spec.get("options")).items())),
        defaults=tuple(
            RuleDefault(field, _map(one).get("value"), str(_map(one).get("formula") or ""))
            for field, one in sorted(_map(spec.get("default")).items())
        ),
    )


def _map(raw: object) -> dict[str, object]:
    return cast("dict[str, object]", raw) if isinstance(raw, dict) else {}


def _names(raw: object) -> tuple[str, ...]:
    return tuple(str(name) for name in cast("list[object]", raw)) if isinstance(raw, list) else ()
