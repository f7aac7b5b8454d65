"""The columns of a list: fields, or parts of addresses such as ``billing_address.city``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, cast

from app.records.pages.controls import ADDRESS_PARTS
from app.records.pages.values import NUMERIC, Reader, Shown, Titles, show
from app.ui import formats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.metadata.model import Field, ObjectType
    from tenants.scope import TenantScope

#: Columns of an object that names none.
_FEW: Final = 6
#: More columns than this nobody reads, and they cost time.
MOST: Final = 14
_NEVER: Final = frozenset({"id", "version", "deleted_at", "emails", "phones", "pipeline", "amount_from_lines"})
_NO_COLUMN: Final = frozenset({"rich_text", "reference", "emails", "phones"})
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
    def full_label(self) -> str:
        """Its name among all others: an address's part with the address."""
        return f"{self.field.label}: {self.label.lower()}" if self.part else self.field.label

    @property
    def numeric(self) -> bool:
        """Whether it is set flush with the end."""
        return self.field.type.name in NUMERIC

    @property
    def sortable(self) -> bool:
        """Whether its head sorts."""
        return bool(self.part) or (self.field.type.sortable and self.field.type.name not in _UNSORTED)


def list_columns(obj: ObjectType, chosen: Sequence[str] = ()) -> list[ListColumn]:
    """What a list shows beside the title: the member's choice, else the object's, else its first fields."""
    own = [column for path in chosen if (column := _column(obj, path)) is not None]
    usual = [column for path in obj.list_columns if (column := _column(obj, path)) is not None]
    few = (f for f in obj.fields.values() if f.shown and (f.computed or not f.system) and f.name not in obj.title)
    return own[:MOST] or usual or [ListColumn(field) for field in few][:_FEW]


def chosen_columns(scope: TenantScope, obj: ObjectType) -> list[str]:
    """The paths the member chose for this object's list; none chosen is an empty list."""
    kept = scope.member.preferences.get(f"columns.{obj.name}") if scope.member is not None else None
    return [str(path) for path in cast("list[object]", kept)] if isinstance(kept, list) else []


def possible_columns(obj: ObjectType) -> list[ListColumn]:
    """Every column a member may choose, in the object's own order."""
    found: list[ListColumn] = []
    for field in obj.fields.values():
        if not field.shown or field.name in _NEVER or field.name in obj.title or field.type.name in _NO_COLUMN:
            continue
        if field.type.name == "address":
            found += [ListColumn(field, part) for part in ("city", "region", "country", "postal_code")]
        else:
            found.append(ListColumn(field))
    return found


def _column(obj: ObjectType, path: str) -> ListColumn | None:
    name, _, part = path.partition(".")
    field = obj.fields.get(name)
    if field is None or not field.shown or name in obj.title or (part and part not in dict(ADDRESS_PARTS)):
        return None
    if bool(part) != (field.type.name == "address"):
        return None
    return ListColumn(field, part)


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
