"""``time``: a time of day without a date or zone."""

from __future__ import annotations

import re
from datetime import time
from typing import TYPE_CHECKING, Any, Final

from babel.dates import format_time

from app.metadata.fieldtypes.base import ValueProblem
from app.metadata.fieldtypes.single import SingleColumn, nullable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.metadata.fieldtypes.base import Coercion
    from app.metadata.model import Field

_FORM: Final = re.compile(
    r"T?(\d{1,2})(?:[:.](\d{2})(?::(\d{2})(?:[.,]0{1,9})?)?)?\s*([ap])?(?:\.?m\.?)?", re.ASCII | re.IGNORECASE
)
#: ``9h30``, ``9:30 h``, ``9.30 Uhr``: as French and Germans write it.
_HOURS: Final = re.compile(r"(\d{1,2})\s*(?:h\s*(\d{2})|[:.](\d{2})\s*(?:h|uhr))", re.ASCII | re.IGNORECASE)
#: The day zero of spreadsheets, which some write before a time.
_DAY_ZERO: Final = re.compile(r"(?:1899-12-3[01]|1900-01-0[01])[ T]", re.ASCII)
_NOON: Final = 12
_WRONG: Final = "Must be a time of day like 09:30 or 09:30:15"


class TimeType(SingleColumn):
    """JSON ``09:30``, with seconds (``09:30:15``) only where there are some.

    Also taken: ``9:30 pm``, ``9 pm``, ``9h30``, ``9.30 Uhr``.
    """

    name = "time"
    condition = "time"
    sql_type = "time"

    def coerce(self, field: Field, raw: object, ctx: Coercion) -> Any:  # noqa: ARG002
        """``9:30``, ``09:30:15``, ``9:30 pm``, ``9 pm``; whole seconds."""
        if raw is None or raw == "":
            return None
        if isinstance(raw, time):
            return raw
        if not isinstance(raw, str):
            raise ValueProblem("time.type", _WRONG)
        return read_time(raw)

    def parse(self, field: Field, text: str, ctx: Coercion) -> Any:
        """The same; a spreadsheet's day zero before it is dropped."""
        return self.coerce(field, _DAY_ZERO.sub("", text.strip(), count=1), ctx)

    def decode(self, parts: Sequence[Any]) -> object:
        """The driver's time, or its text from another loader."""
        value = parts[0]
        return value if value is None else json_time(value if isinstance(value, time) else time.fromisoformat(value))

    def to_json(self, value: Any) -> object:
        """``09:30``."""
        return None if value is None else json_time(value)

    def json_sql(self, columns: Sequence[str]) -> str:
        """The server's text without seconds that are none."""
        return f"to_jsonb(regexp_replace({columns[0]}::text, '^(.{{5}}):00$', '\\1'))"

    def json_schema(self, field: Field) -> dict[str, object]:  # noqa: ARG002
        """A string or null; a ``time`` of RFC 3339 has a zone, so a pattern."""
        pattern = r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$"
        return nullable({"type": "string", "pattern": pattern, "description": "A time of day: 09:30"})

    def format(self, field: Field, value: object, locale: str, timezone: str) -> str:  # noqa: ARG002
        """By the clock of the locale."""
        if not isinstance(value, str) or not value:
            return ""
        found = time.fromisoformat(value)
        return format_time(found, "medium" if found.second else "short", locale=locale)


def json_time(value: time) -> str:
    """``09:30``, or ``09:30:15``."""
    return value.isoformat("seconds" if value.second else "minutes")


def read_time(text: str) -> time | None:
    """The time of day somebody wrote; None of blanks. Raises ValueProblem."""
    given = text.strip()
    if not given:
        return None
    hours = _HOURS.fullmatch(given)
    found = _FORM.fullmatch(f"{hours[1]}:{hours[2] or hours[3]}" if hours else given)
    half = (found[4] or "").lower() if found else ""
    if found is None or (half == "") != (found[0][-1].lower() not in "m.ap"):
        raise ValueProblem("time.invalid", _WRONG)
    if found[2] is None and not half:
        raise ValueProblem("time.invalid", _WRONG)
    hour = int(found[1])
    if half and not 1 <= hour <= _NOON:
        raise ValueProblem("time.invalid", _WRONG)
    if half:
        hour = hour % _NOON + (_NOON if half == "p" else 0)
    try:
        return time(hour, int(found[2] or 0), int(found[3] or 0))
    except ValueError:
        raise ValueProblem("time.invalid", f"{given!r} is no time of day; write it like 09:30") from None


TYPE = TimeType()
