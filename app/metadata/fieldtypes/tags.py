"""``tags``: free words on a record."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from app.metadata.fieldtypes.base import ValueProblem
from app.metadata.fieldtypes.many import TextArray, listed, split_cell
from app.metadata.fieldtypes.strings import checked_line

if TYPE_CHECKING:
    from app.metadata.fieldtypes.base import Coercion
    from app.metadata.model import Field

LIMIT: Final = 100
MANY: Final = 100
_SEPARATOR: Final = re.compile(r"[;,|\n]")


class TagsType(TextArray):
    """Up to 100 tags of up to 100 characters, each once whatever its case, in the order given."""

    name = "tags"
    condition = "texts"

    def coerce(self, field: Field, raw: object, ctx: Coercion) -> Any:  # noqa: ARG002
        """A list of texts."""
        found: dict[str, str] = {}
        for item in listed(raw):
            tag = checked_line(item, LIMIT)
            if tag is not None:
                found.setdefault(tag.casefold(), tag)
        if len(found) > MANY:
            raise ValueProblem("list.too_many", f"Must be at most {MANY} tags")
        return tuple(found.values()) or None

    def parse(self, field: Field, text: str, ctx: Coercion) -> Any:
        """Tags separated by ``;``, ``,``, ``|`` or a line break."""
        return self.coerce(field, split_cell(text, _SEPARATOR), ctx)

    def json_schema(self, field: Field) -> dict[str, object]:  # noqa: ARG002
        """An array of strings."""
        return {"type": "array", "items": {"type": "string", "maxLength": LIMIT}, "maxItems": MANY}

    def format(self, field: Field, value: object, locale: str, timezone: str) -> str:  # noqa: ARG002
        """Separated by commas."""
        return ", ".join(str(tag) for tag in listed(value))


TYPE = TagsType()
