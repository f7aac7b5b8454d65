"""``long_text``: plain text of many lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from app.metadata.fieldtypes.single import SingleColumn, nullable
from app.metadata.fieldtypes.strings import checked_text

if TYPE_CHECKING:
    from app.metadata.fieldtypes.base import Coercion
    from app.metadata.model import Field

LIMIT: Final = 250_000


class LongTextType(SingleColumn):
    """Up to 250,000 characters, as much as search reads."""

    name = "long_text"
    condition = "text"
    sortable = False

    def coerce(self, field: Field, raw: object, ctx: Coercion) -> Any:  # noqa: ARG002
        """Check length and characters."""
        return checked_text(raw, LIMIT)

    def json_schema(self, field: Field) -> dict[str, object]:  # noqa: ARG002
        """A string or null."""
        return nullable({"type": "string", "maxLength": LIMIT})


TYPE = LongTextType()
