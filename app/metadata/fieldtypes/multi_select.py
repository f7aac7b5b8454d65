"""``multi_select``: any number of a field's options."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from app.metadata.fieldtypes.choices import option_label, option_name
from app.metadata.fieldtypes.many import TextArray, listed

if TYPE_CHECKING:
    from app.metadata.fieldtypes.base import Coercion
    from app.metadata.model import Field

_SEPARATOR: Final = re.compile(r"[;,|\n]")


class MultiSelectType(TextArray):
    """Option names, each once, in the order of the options, so that the same choice is always the same value."""

    name = "multi_select"
    condition = "options"

    def coerce(self, field: Field, raw: object, ctx: Coercion) -> Any:  # noqa: ARG002
        """A list of names or labels."""
        chosen = {option_name(field, item) for item in listed(raw)}
        return tuple(name for name in field.options if name in chosen) or None

    def parse(self, field: Field, text: str, ctx: Coercion) -> Any:
        """Names or labels separated by ``;``, ``,``, ``|`` or a line break."""
        return self.coerce(field, [part.strip() for part in _SEPARATOR.split(text)], ctx)

    def json_schema(self, field: Field) -> dict[str, object]:
        """An array of option names."""
        items: dict[str, object] = {"type": "string"} if field.open else {"type": "string", "enum": list(field.options)}
        return {"type": "array", "items": items, "uniqueItems": True}

    def format(self, field: Field, value: object, locale: str, timezone: str) -> str:  # noqa: ARG002
        """Labels separated by commas."""
        return ", ".join(option_label(field, name) for name in listed(value))


TYPE = MultiSelectType()
