"""``rating``: a whole number of stars, one up to the field's ``max``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from app.metadata.fieldtypes.base import ValueProblem
from app.metadata.fieldtypes.exact import exact
from app.metadata.fieldtypes.single import SingleColumn, nullable

if TYPE_CHECKING:
    from app.metadata.fieldtypes.base import Coercion
    from app.metadata.model import Field

#: Stars there are unless the field says otherwise, and how few and many it may say.
USUAL: Final = 5
LEAST: Final = 3
MOST: Final = 10
_OF: Final = re.compile(r"(\d{1,3})(?:\s*(?:/|of)\s*(\d{1,3}))?", re.ASCII)
_STARS: Final = re.compile("(★+|\u2b50+)(☆*)")


class RatingType(SingleColumn):
    """JSON: a whole number 1 … ``max``, which is 3 … 10, 5 when not said. Also taken: ``4/5``, ``★★★★``."""

    name = "rating"
    condition = "number"
    sql_type = "integer"

    def coerce(self, field: Field, raw: object, ctx: Coercion) -> Any:
        """A whole number; a text as in a file."""
        if isinstance(raw, str):
            return self.parse(field, raw, ctx)
        try:
            number = exact(raw)
        except ValueProblem:
            raise _wrong(field) from None
        if number is None:
            return None
        if number != int(number) or not 1 <= number <= field.most:
            raise _wrong(field)
        return int(number)

    def parse(self, field: Field, text: str, ctx: Coercion) -> Any:
        """``4``, ``4/5`` of five, ``★★★★``."""
        text = text.strip()
        if not text:
            return None
        stars, found = _STARS.fullmatch(text), _OF.fullmatch(text.removesuffix(".0"))
        if stars:
            return self.coerce(field, len(stars[1]), ctx)
        if found is None or (found[2] and int(found[2]) != field.most):
            raise _wrong(field)
        return self.coerce(field, int(found[1]), ctx)

    def json_schema(self, field: Field) -> dict[str, object]:
        """An integer or null."""
        return nullable({"type": "integer", "minimum": 1, "maximum": field.most})

    def format(self, field: Field, value: object, locale: str, timezone: str) -> str:  # noqa: ARG002
        """``4/5``."""
        return f"{value}/{field.most}" if isinstance(value, int) else ""


def _wrong(field: Field) -> ValueProblem:
    return ValueProblem("rating.range", f"Must be a whole number from 1 to {field.most}")


TYPE = RatingType()
