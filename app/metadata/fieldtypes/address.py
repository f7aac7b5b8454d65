"""``address``: a postal address; each part is a real column, written ``billing_address.city`` in filters and files."""

from __future__ import annotations

from dataclasses import dataclass, fields
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from app.metadata.fieldtypes.base import ConditionKind, FieldType, ValueProblem
from app.metadata.fieldtypes.countries import country_code, territories
from app.metadata.fieldtypes.strings import checked_text
from app.metadata.model import Column

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.metadata.fieldtypes.base import Coercion
    from app.metadata.model import Field

LIMIT: Final = 255


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address; ``country`` is ISO 3166 alpha-2."""

    line1: str | None = None
    line2: str | None = None
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None


PARTS: Final = tuple(part.name for part in fields(Address))
#: ``dataclasses.astuple`` copies deeply, twenty times as slowly.
_PARTS_OF: Final = attrgetter(*PARTS)
_NOTHING: Final = (None,) * len(PARTS)


class AddressType(FieldType):
    """JSON: an object of all parts, null when every part is empty."""

    name = "address"
    condition = "none"
    sortable = False
    parts: ClassVar[Mapping[str, ConditionKind]] = MappingProxyType(dict.fromkeys(PARTS, "text"))

    def columns(self, field_name: str) -> tuple[Column, ...]:
        """A column a part."""
        return tuple(Column(f"{field_name}__{part}", "text", part) for part in PARTS)

    def coerce(self, field: Field, raw: object, ctx: Coercion) -> Any:  # noqa: ARG002
        """An object of parts."""
        if raw is None or raw == "" or isinstance(raw, Address):
            return raw or None
        if not isinstance(raw, dict):
            raise ValueProblem("address.type", f"Must be an object with {', '.join(PARTS)}")
        given = cast("dict[str, object]", raw)
        unknown = set(given) - set(PARTS)
        if unknown:
            raise ValueProblem("address.part", f"Unknown part {min(unknown)!r}; there are {', '.join(PARTS)}")
        values = {part: _part(part, value) for part, value in given.items()}
        return Address(**values) if any(values.values()) else None

    def parse(self, field: Field, text: str, ctx: Coercion) -> Any:
        """A whole address in one cell: its lines are kept together, nothing is guessed apart."""
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        if not lines:
            return None
        return self.coerce(field, {"line1": lines[0], "line2": ", ".join(lines[1:])}, ctx)

    def bind(self, value: Any) -> tuple[object, ...]:
        """A parameter a part."""
        return (None,) * len(PARTS) if value is None else _PARTS_OF(value)

    def decode(self, parts: Sequence[Any]) -> object:
        """An object, null when every part is."""
        return None if tuple(parts) == _NOTHING else dict(zip(PARTS, parts, strict=True))

    def to_json(self, value: Any) -> object:
        """An object."""
        return None if value is None else dict(zip(PARTS, _PARTS_OF(value), strict=True))

    def json_sql(self, columns: Sequence[str]) -> str:
        """Null when every part is."""
        pairs = ", ".join(f"'{part}', {column}" for part, column in zip(PARTS, columns, strict=True))
        return f"case when num_nonnulls({', '.join(columns)}) > 0 then jsonb_build_object({pairs}) end"

    def json_schema(self, field: Field) -> dict[str, object]:  # noqa: ARG002
        """An object or null."""
        properties: dict[str, object] = {part: {"type": ["string", "null"], "maxLength": LIMIT} for part in PARTS}
        properties["country"] = {
            "type": ["string", "null"],
            "description": "ISO 3166 alpha-2; names of countries are accepted when written",
        }
        return {"type": ["object", "null"], "properties": properties, "additionalProperties": False}

    def format(self, field: Field, value: object, locale: str, timezone: str) -> str:  # noqa: ARG002
        """One line; the country by its name in the reader's language."""
        if not isinstance(value, dict):
            return ""
        parts = cast("dict[str, str | None]", value)
        town = " ".join(filter(None, (parts.get("postal_code"), parts.get("city"))))
        code = parts.get("country") or ""
        country = territories(locale).get(code, code)
        return ", ".join(filter(None, (parts.get("line1"), parts.get("line2"), town, parts.get("region"), country)))


def _part(part: str, raw: object) -> str | None:
    try:
        text = checked_text(raw, LIMIT)
        return country_code(text) if part == "country" and text is not None else text
    except ValueProblem as problem:
        raise ValueProblem(problem.code, problem.message, part) from None


TYPE = AddressType()
