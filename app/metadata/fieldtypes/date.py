"""``date``: a day without a time or zone."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

from babel.dates import format_date

from app.metadata.fieldtypes.base import ValueProblem
from app.metadata.fieldtypes.calendar import parse_day
from app.metadata.fieldtypes.single import SingleColumn, nullable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.metadata.fieldtypes.base import Coercion
    from app.metadata.model import Field

_ISO_LENGTH = 10


class DateType(SingleColumn):
    """ISO 8601 ``2017-03-01``, years 1…9999. The default ``today`` is the day in the tenant's time zone."""

    name = "date"
    condition = "date"
    sql_type = "date"

    def coerce(self, field: Field, raw: object, ctx: Coercion) -> Any:  # noqa: ARG002
        """An ISO date; a time of midnight behind it is dropped."""
        if raw is None or raw == "":
            return None
        if isinstance(raw, datetime):
            raise ValueProblem("date.type", "Must be a date without a time")
        if isinstance(raw, date):
            return raw
        if not isinstance(raw, str):
            raise ValueProblem("date.type", "Must be a date like 2017-03-01")
        return _iso_day(raw.strip())

    def parse(self, field: Field, text: str, ctx: Coercion) -> Any:  # noqa: ARG002
        """ISO, the file's own format, or any form that reads one way only."""
        text = text.strip()
        return parse_day(text, ctx.date_format) if text else None

    def initial(self, field: Field, ctx: Coercion) -> Any:
        """``today`` is the day of the write."""
        return ctx.today if field.default == "today" else super().initial(field, ctx)

    def decode(self, parts: Sequence[Any]) -> object:
        """A date arrives as ISO text."""
        return parts[0]

    def to_json(self, value: Any) -> object:
        """ISO 8601."""
        return None if value is None else value.isoformat()

    def json_sql(self, columns: Sequence[str]) -> str:
        """As text, whatever DateStyle says."""
        return f"to_jsonb(to_char({columns[0]}, 'YYYY-MM-DD'))"

    def json_schema(self, field: Field) -> dict[str, object]:  # noqa: ARG002
        """A string of format date or null."""
        return nullable({"type": "string", "format": "date"})

    def format(self, field: Field, value: object, locale: str, timezone: str) -> str:  # noqa: ARG002
        """Medium form of the locale."""
        return format_date(date.fromisoformat(str(value)), "medium", locale=locale) if value else ""


def _iso_day(text: str) -> date:
    try:
        if len(text) == _ISO_LENGTH and text[4] == "-":
            return date.fromisoformat(text)
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueProblem("date.invalid", "Must be a date like 2017-03-01") from None
    if moment.time() != time(0):
        raise ValueProblem("date.time", "Must be a date without a time")
    return moment.date()


TYPE = DateType()
