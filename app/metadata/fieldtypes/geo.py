"""``geo``: a place on earth by latitude and longitude (WGS 84)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from babel.numbers import format_decimal

from app.metadata.fieldtypes.base import ConditionKind, FieldType, ValueProblem
from app.metadata.fieldtypes.exact import exact, parse_exact, plain_text, shortest
from app.metadata.model import Column

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.metadata.fieldtypes.base import Coercion
    from app.metadata.model import Field

PARTS: Final = ("lat", "lon")
_BOUNDS: Final = {"lat": 90, "lon": 180}
_NAMES: Final = {"lat": "latitude", "lon": "longitude"}
#: A seventh place is about a centimetre; a double holds such a number exactly.
_PLACES: Final = 7
_LIKE: Final = "write it like 52.52, 13.40"
_NUMBER: Final = r"[+\-\u2212]?\d{1,3}(?:%s\d{1,20})?"
_POINT: Final = re.compile(rf"({_NUMBER})°?(?:\s*[,;]\s*|\s+)({_NUMBER})°?" % (r"\.", r"\."), re.ASCII)
_COMMA: Final = re.compile(rf"({_NUMBER})°?(?:\s*;\s*|,\s+|\s+)({_NUMBER})°?" % (",", ","), re.ASCII)
_TEXT_LIMIT: Final = 80


@dataclass(frozen=True, slots=True)
class Place:
    """Degrees north and east, at most seven places."""

    lat: Decimal
    lon: Decimal


class GeoType(FieldType):
    """JSON ``{"lat": 52.52, "lon": 13.4}``: numbers of at most seven places. Also taken: ``52.52, 13.40``."""

    name = "geo"
    condition = "none"
    sortable = False
    parts: ClassVar[Mapping[str, ConditionKind]] = MappingProxyType(dict.fromkeys(PARTS, "number"))

    def columns(self, field_name: str) -> tuple[Column, ...]:
        """A column a part."""
        return tuple(Column(f"{field_name}__{part}", "numeric", part) for part in PARTS)

    def coerce(self, field: Field, raw: object, ctx: Coercion) -> Any:
        """An object of both parts, or a text like ``52.52, 13.40``."""
        if raw is None or raw == "" or isinstance(raw, Place):
            return raw or None
        if isinstance(raw, str):
            return self.parse(field, raw, ctx)
        if not isinstance(raw, dict):
            raise ValueProblem("geo.type", f"Must be a place with lat and lon; {_LIKE}")
        given = cast("dict[str, object]", raw)
        unknown = set(given) - set(PARTS)
        if unknown:
            raise ValueProblem("geo.part", f"Unknown part {min(unknown)!r}; there are lat and lon")
        lat, lon = (_degrees(part, given.get(part)) for part in PARTS)
        if lat is None and lon is None:
            return None
        if lat is None or lon is None:
            missing = "lat" if lat is None else "lon"
            raise ValueProblem("geo.half", f"Needs a {_NAMES[missing]}, too", missing)
        return Place(lat, lon)

    def parse(self, field: Field, text: str, ctx: Coercion) -> Any:
        """``52.52, 13.40``; ``geo:52.52,13.40``; with a decimal comma ``52,52; 13,40``."""
        given = text.strip().removeprefix("geo:").removeprefix("(").removesuffix(")").strip()
        if not given:
            return None
        found = _POINT.fullmatch(given) or _COMMA.fullmatch(given) if len(given) <= _TEXT_LIMIT else None
        if found is None:
            raise ValueProblem("geo.invalid", f"Must be a latitude and a longitude; {_LIKE}")
        lat, lon = (one.replace(",", ".").replace("\u2212", "-") for one in found.groups())
        return self.coerce(field, {"lat": lat, "lon": lon}, ctx)

    def parse_part(self, field: Field, part: str, text: str, ctx: Coercion) -> object:  # noqa: ARG002
        """A latitude or a longitude alone."""
        try:
            return parse_exact(text, decimal_comma=ctx.decimal_comma)
        except ValueProblem as problem:
            raise ValueProblem(problem.code, problem.message, part) from None

    def bind(self, value: Any) -> tuple[object, ...]:
        """Latitude, longitude."""
        return (None, None) if value is None else (value.lat, value.lon)

    def decode(self, parts: Sequence[Any]) -> object:
        """An object of numbers."""
        if parts[0] is None or parts[1] is None:
            return None
        return {part: _json_number(value) for part, value in zip(PARTS, parts, strict=True)}

    def decode_part(self, part: str, loaded: Any) -> object:  # noqa: ARG002
        """A number."""
        return None if loaded is None else _json_number(loaded)

    def to_json(self, value: Any) -> object:
        """An object of numbers."""
        return None if value is None else {"lat": _json_number(value.lat), "lon": _json_number(value.lon)}

    def json_sql(self, columns: Sequence[str]) -> str:
        """Null without both."""
        lat, lon = columns
        return (
            f"case when num_nulls({lat}, {lon}) = 0 then"
            f" jsonb_build_object('lat', trim_scale({lat}), 'lon', trim_scale({lon})) end"
        )

    def json_schema(self, field: Field) -> dict[str, object]:  # noqa: ARG002
        """An object or null."""
        properties = {
            part: {"type": "number", "minimum": -bound, "maximum": bound, "description": f"Degrees of {_NAMES[part]}"}
            for part, bound in _BOUNDS.items()
        }
        return {
            "type": ["object", "null"],
            "properties": properties,
            "required": list(PARTS),
            "additionalProperties": False,
        }

    def format(self, field: Field, value: object, locale: str, timezone: str) -> str:  # noqa: ARG002
        """Both numbers by locale; where the comma is the decimal sign a semicolon stands between."""
        if not isinstance(value, dict):
            return ""
        place = cast("dict[str, object]", value)
        lat, lon = (
            format_decimal(Decimal(str(place[part])), "0.#######", locale=locale, decimal_quantization=False)
            for part in PARTS
        )
        return f"{lat}; {lon}" if "," in lat + lon else f"{lat}, {lon}"


def _degrees(part: str, raw: object) -> Decimal | None:
    try:
        number = exact(raw) if not isinstance(raw, float) else exact(repr(round(raw, _PLACES)))
    except ValueProblem as problem:
        raise ValueProblem(problem.code, problem.message, part) from None
    if number is None:
        return None
    if abs(number) > _BOUNDS[part]:
        bound = _BOUNDS[part]
        raise ValueProblem("geo.range", f"A {_NAMES[part]} is between -{bound} and {bound}", part)
    return shortest(round(number, _PLACES))


def _json_number(value: object) -> float:
    number = shortest(Decimal(str(value)))
    return int(number) if number == int(number) else float(number)


def typed_text(value: Mapping[str, object]) -> str:
    """As a form holds it: ``52.52, 13.4``."""
    return ", ".join(plain_text(Decimal(str(value[part]))) for part in PARTS)


TYPE = GeoType()
