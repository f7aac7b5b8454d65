"""The columns of a list: fields, or parts of addresses such as ``billing_address.city``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from app.records.pages.controls import ADDRESS_PARTS
from app.records.pages.values import NUMERIC, Reader, Shown, Titles, show
from app.ui import formats

if TYPE_CHECKING:
    from app.metadata.model import Field, ObjectType

#: Columns of an object that names none.
_FEW: Final = 6
_UNSORTED: Final = frozenset(
    {"address", "tags", "multi_select", "emails", "phones", "rich_text", "long_text", "reference"}
)


@dataclass(frozen=True, slots=True)
class ListColumn:
    """One column; ``part`` is what it shows of an address."""

    field: Field
    part: str = ""

    @property
    def path(self) -> str:
        """Its name in sort and fields."""
        return f"{self.field.name}.{self.part}" if self.part else self.field.name

    @property
    def label(self) -> str:
        """Its head."""
        return dict(ADDRESS_PARTS).get(self.part, self.part) if self.part else self.field.label

    @property
    def numeric(self) -> bool:
        """Whether it is set flush with the end."""
        return self.field.type.name in NUMERIC

    @property
    def sortable(self) -> bool:
        """Whether its head sorts."""
        return bool(self.part) or (self.field.type.sortable and self.field.type.name not in _UNSORTED)


def list_columns(obj: ObjectType) -> list[ListColumn]:
    """What a list shows beside the title."""
    found: list[ListColumn] = []
    for path in obj.list_columns:
        name, _, part = path.partition(".")
        if name in obj.fields and name not in obj.title:
            found.append(ListColumn(obj.fields[name], part))
    usual = (f for f in obj.fields.values() if f.columns and not f.system and f.name not in obj.title)
    return found or [ListColumn(field) for field in usual][:_FEW]


def cell(column: ListColumn, value: object, reader: Reader, known: Titles, obj: ObjectType) -> Shown:
    """What stands in the column; moments are short here."""
    if column.part:
        text = str(value or "")
        if column.part == "country" and text:
            text = formats.country(text, reader.locale)
        return Shown(column.path, column.label, "text", text=text)
    shown = show(column.field, value, reader, known, obj)
    if column.field.type.name == "datetime" and value:
        return replace(shown, text=formats.ago(str(value), reader.locale, reader.timezone))
    return shown
