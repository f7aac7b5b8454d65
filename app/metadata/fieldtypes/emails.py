"""``emails``: every e-mail address of a person or organisation."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from app.metadata.fieldtypes.email import TYPE as EMAIL
from app.metadata.fieldtypes.entries import EntryList
from app.metadata.fieldtypes.many import split_cell

if TYPE_CHECKING:
    from app.metadata.fieldtypes.base import Coercion
    from app.metadata.model import Field

_SEPARATOR: Final = re.compile(r"[;,|\s]+|:::")


class EmailsType(EntryList):
    """A list of ``{value, label, primary, valid, typed}``."""

    name = "emails"
    single = EMAIL

    def parse(self, field: Field, text: str, ctx: Coercion) -> Any:
        """Addresses separated by ``;``, ``,``, ``|`` or white space."""
        if "<" in text:
            return super().parse(field, text, ctx)
        return self.coerce(field, split_cell(text, _SEPARATOR), ctx)


TYPE = EmailsType()
