"""``text``: a line of text, kept exactly as it came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from app.metadata.fieldtypes.single import SingleColumn, nullable
from app.metadata.fieldtypes.strings import checked_text

if TYPE_CHECKING:
    from app.metadata.fieldtypes.base import Coercion
    from app.metadata.model import Field

LIMIT: Final = 1_000
#: Longer unique texts would not fit an index entry once folded (DESIGN §6).
UNIQUE_LIMIT: Final = 255


class TextType(SingleColumn):
    """Up to 1,000 characters, 255 when unique."""

    name = "text"
    condition = "text"

    def coerce(self, field: Field, raw: object, ctx: Coercion) -> Any:  # noqa: ARG002
        """Check length and characters."""
        return checked_text(raw, UNIQUE_LIMIT if field.unique else LIMIT)

    def json_schema(self, field: Field) -> dict[str, object]:
        """A string or null."""
        return nullable({"type": "string", "maxLength": UNIQUE_LIMIT if field.unique else LIMIT})


TYPE = TextType()
