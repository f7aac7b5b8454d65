"""``datetime``: a moment, kept in UTC to the microsecond."""

from __future__ import annotations

import functools
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from babel.dates import format_datetime

from app.metadata.fieldtypes.base import ValueProblem
from app.metadata.fieldtypes.calendar import parse_moment
from app.metadata.fieldtypes.single import SingleColumn, nullable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.metadata.fieldtypes.base import Coercion
    from app.metadata.model import Field

_FRACTION: Final = re.compile(r"(\.\d{6})\d+")


class DatetimeType(SingleColumn):
    """JSON ``2026-11-22T11:04:56.123456Z``, without a fraction on the full second.

    Input without a zone is in the tenant's time zone.
    """

    name = "datetime"
    condition = "datetime"
    sql_type = "timestamptz"

    def coerce(self, field: Field, raw: object, ctx: Coercion) -> Any:  # noqa: ARG002
        """ISO 8601 with or without a zone; digits beyond the microsecond are cut."""
        if raw is None or raw == "":
            return None
        if isinstance(raw, datetime):
            return to_utc(raw, ctx.timezone)
        if not isinstance(raw, str):
            raise ValueProblem("datetime.type", "Must be a moment like 2026-11-22T11:04:56Z")
        try:
            moment = datetime.fromisoformat(_FRACTION.sub(r"\1", raw.strip()))
        except ValueError:
            raise ValueProblem("datetime.invalid", "Must be a moment like 2026-11-22T11:04:56Z") from None
        return to_utc(moment, ctx.timezone)

    def parse(self, field: Field, text: str, ctx: Coercion) -> Any:  # noqa: ARG002
        """ISO, the file's own format, or any form that reads one way only; a day alone is its midnight."""
        text = _FRACTION.sub(r"\1", text.strip())
        return to_utc(parse_moment(text, ctx.date_format)[0], ctx.timezone) if text else None

    def initial(self, field: Field, ctx: Coercion) -> Any:
        """``now`` is the moment of the write."""
        return ctx.now if field.default == "now" else super().initial(field, ctx)

    def decode(self, parts: Sequence[Any]) -> object:
        """A timestamptz arrives in its JSON form; other loaders' forms are brought to it."""
        value = parts[0]
        if value is None or (isinstance(value, str) and value[-1] == "Z"):
            return value
        return json_moment(value if isinstance(value, datetime) else datetime.fromisoformat(value))

    def to_json(self, value: Any) -> object:
        """UTC with Z."""
        return None if value is None else json_moment(value)

    def json_sql(self, columns: Sequence[str]) -> str:
        """The same form by to_char."""
        text = f"""to_char({columns[0]} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
        return f"to_jsonb(replace({text}, '.000000Z', 'Z'))"

    def json_schema(self, field: Field) -> dict[str, object]:  # noqa: ARG002
        """A string of format date-time or null."""
        return nullable({"type": "string", "format": "date-time"})

    def format(self, field: Field, value: object, locale: str, timezone: str) -> str:  # noqa: ARG002
        """Medium date and short time in the reader's zone."""
        if not value:
            return ""
        moment = datetime.fromisoformat(str(value)).astimezone(_zone(timezone))
        return format_datetime(moment, "medium", tzinfo=_zone(timezone), locale=locale)


def to_utc(moment: datetime, timezone: str) -> datetime:
    """``moment`` in UTC; a naive one is in ``timezone``. Raises ValueProblem outside the years 1…9999."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=_zone(timezone))
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueProblem("datetime.range", "Must be in the years 1 to 9999") from None


def json_moment(moment: datetime) -> str:
    """``2026-11-22T11:04:56.123456Z``, without a fraction on the full second: as tenants.textcursor loads it."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


@functools.lru_cache(maxsize=512)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


TYPE = DatetimeType()
