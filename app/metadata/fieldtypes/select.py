"""``select``: one of a field's options, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.metadata.fieldtypes.choices import option_label, option_name
from app.metadata.fieldtypes.single import SingleColumn

if TYPE_CHECKING:
    from app.metadata.fieldtypes.base import Coercion
    from app.metadata.model import Field


class SelectType(SingleColumn):
    """The option's name; an open one may be added to by imports and people with the right."""

    name = "select"
    condition = "option"

    def coerce(self, field: Field, raw: object, ctx: Coercion) -> Any:  # noqa: ARG002
        """Name or label of an option."""
        return option_name(field, raw)

    def json_schema(self, field: Field) -> dict[str, object]:
        """An enum with null; an open one is a plain string."""
        if field.open:
            return {"type": ["string", "null"], "examples": list(field.options)[:5]}
        return {"type": ["string", "null"], "enum": [*field.options, None]}

    def format(self, field: Field, value: object, locale: str, timezone: str) -> str:  # noqa: ARG002
        """The label."""
        return "" if value is None else option_label(field, value)


TYPE = SelectType()
