"""``boolean``: yes or no, or not known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from app.metadata.fieldtypes.base import ValueProblem
from app.metadata.fieldtypes.single import SingleColumn, nullable

if TYPE_CHECKING:
    from app.metadata.fieldtypes.base import Coercion
    from app.metadata.model import Field

_WORDS: Final = dict.fromkeys(("true", "t", "yes", "y", "1", "on", "x", "ja", "oui", "si", "sí"), True) | dict.fromkeys(
    ("false", "f", "no", "n", "0", "off", "nein", "non"), False
)


class BooleanType(SingleColumn):
    """true, false or null."""

    name = "boolean"
    condition = "boolean"
    sql_type = "boolean"

    def coerce(self, field: Field, raw: object, ctx: Coercion) -> Any:
        """A JSON boolean, or one of its usual words."""
        if raw is None or isinstance(raw, bool):
            return raw
        if isinstance(raw, str):
            return self.parse(field, raw, ctx)
        raise ValueProblem("boolean.type", "Must be true or false")

    def parse(self, field: Field, text: str, ctx: Coercion) -> Any:  # noqa: ARG002
        """yes/no, true/false, 1/0 and their like, in any case."""
        word = text.strip().casefold()
        if not word:
            return None
        if word not in _WORDS:
            raise ValueProblem("boolean.invalid", "Must be yes or no (true/false, 1/0)")
        return _WORDS[word]

    def json_schema(self, field: Field) -> dict[str, object]:  # noqa: ARG002
        """A boolean or null."""
        return nullable({"type": "boolean"})

    def format(self, field: Field, value: object, locale: str, timezone: str) -> str:  # noqa: ARG002
        """Yes or No; pages translate."""
        return "" if value is None else "Yes" if value else "No"


TYPE = BooleanType()
