"""From what a client sent to values: field types coerce, every problem is collected with its JSON pointer."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

from app.core import clock
from app.core.errors import FieldError
from app.metadata.environment import region_of
from app.metadata.fieldtypes.base import Coercion, ValueProblem
from app.metadata.fieldtypes.choices import retired_in
from app.records.plan import plan_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.metadata.model import Field, ObjectType
    from tenants.scope import TenantScope


@dataclass(slots=True)
class Intake:
    """Values by field name, and what was wrong with the rest."""

    values: dict[str, Any] = field(default_factory=dict[str, Any])
    errors: list[FieldError] = field(default_factory=list[FieldError])

    def refuse(self, pointer: str, code: str, message: str) -> None:
        """Add a problem."""
        self.errors.append(FieldError(pointer, code, message))


def coercion_of(scope: TenantScope) -> Coercion:
    """The tenant's settings that coercion needs; one moment for the whole write."""
    tenant = scope.tenant
    now = clock.now()
    today = now.astimezone(ZoneInfo(tenant.timezone)).date()
    return Coercion(
        currency=tenant.currency,
        timezone=tenant.timezone,
        region=region_of(tenant.locale, tenant.timezone),
        now=now,
        today=today,
    )


def take_in(
    object_type: ObjectType, payload: Mapping[str, Any], ctx: Coercion, current: Mapping[str, Any] | None = None
) -> Intake:
    """Coerce the members of ``payload``. ``current`` is the record's JSON form where a merge patch needs it."""
    intake = Intake()
    for name, raw in payload.items():
        target = object_type.fields.get(name)
        if target is None:
            intake.refuse(f"/{escape_pointer(name)}", "field.unknown", unknown_field(object_type, name))
        elif target.denied:
            message = f"{target.label} can be read but not changed with your role."
            intake.refuse(f"/{name}", "field.read_only", message)
        elif target.computed:
            intake.refuse(f"/{name}", "field.readonly", f"{target.label} is calculated and can't be set.")
        elif target.system or target.readonly:
            intake.refuse(f"/{name}", "field.readonly", f"{target.label} is written by the system and can't be set.")
        else:
            take_value(intake, target, _merged(target, raw, current), ctx)
    return intake


def take_value(intake: Intake, target: Field, raw: object, ctx: Coercion) -> None:
    """Coerce one raw value into ``intake``."""
    try:
        intake.values[target.name] = target.type.coerce(target, raw, ctx)
    except ValueProblem as problem:
        pointer = f"/{target.name}" + (f"/{problem.part}" if problem.part else "")
        intake.refuse(pointer, problem.code, problem.message)


def needs_current(object_type: ObjectType, patch: Mapping[str, Any]) -> bool:
    """Whether a merge patch (RFC 7396) goes into a composite value and so needs the record as it is."""
    return any(name in object_type.fields and _is_partial(object_type.fields[name], raw) for name, raw in patch.items())


def _is_partial(target: Field, raw: object) -> bool:
    """Whether ``raw`` is an object that leaves out parts of a composite value."""
    if not isinstance(raw, dict):
        return False
    parts = {column.part for column in target.columns if column.part}
    return bool(parts) and not parts <= cast("dict[str, object]", raw).keys()


def _merged(target: Field, raw: object, current: Mapping[str, Any] | None) -> object:
    """``raw`` merged into the present composite value: parts left out stay, null parts go."""
    present = current.get(target.name) if current is not None else None
    if not isinstance(present, dict) or not _is_partial(target, raw):
        return raw
    merged = cast("dict[str, object]", present) | cast("dict[str, object]", raw)
    return {part: value for part, value in merged.items() if value is not None}


def default_values(object_type: ObjectType, values: dict[str, Any], ctx: Coercion, given: frozenset[str]) -> None:
    """Fill in defaults of fields that were not given at all (an explicit null stays null); a retired one is none."""
    for target in plan_of(object_type).defaults:
        if target.name not in given and target.name not in values:
            value = target.type.initial(target, ctx)
            values[target.name] = None if retired_in(target, value) else value


def missing_required(object_type: ObjectType, values: Mapping[str, Any], *, creating: bool) -> list[FieldError]:
    """A problem for each required field that is empty; on update only for those written."""
    return [
        FieldError(f"/{target.name}", "required", f"{target.label} is required.")
        for target in plan_of(object_type).required
        if _is_blank(values.get(target.name)) and (creating or target.name in values)
    ]


def _is_blank(value: object) -> bool:
    """Nothing, or text nobody can see: a name of blanks names nothing."""
    return value is None or (isinstance(value, str) and not value.strip())


def unknown_field(object_type: ObjectType, name: str) -> str:
    """The message about a field that is not there, with the nearest one that is."""
    near = difflib.get_close_matches(name, object_type.fields, n=1, cutoff=0.6)
    hint = f" Did you mean {near[0]}?" if near else ""
    return f"{object_type.label} has no field {name}.{hint}"


def escape_pointer(name: str) -> str:
    """A member name inside a JSON pointer (RFC 6901 §3)."""
    return name.replace("~", "~0").replace("/", "~1")
