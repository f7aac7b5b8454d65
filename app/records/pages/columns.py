"""The columns of a list: fields, or parts of addresses such as ``billing_address.city``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, cast

from app.metadata.environment import find, object_at
from app.records.pages.controls import ADDRESS_PARTS
from app.records.pages.values import NUMERIC, Reader, Shown, Titles, link_of, show
from app.records.titles import titles
from app.ui import formats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.metadata.environment import Named
    from app.metadata.model import Catalog, Field, ObjectType
    from app.records.pages.values import Record
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
    #: The links that lead to the field, and what people call the way.
    via: tuple[str, ...] = ()
    prefix: str = ""
    owner: ObjectType | None = None

    @property
    def path(self) -> str:
        """Its name in sort and fields."""
        return ".".join((*self.via, self.field.name, *((self.part,) if self.part else ())))

    @property
    def label(self) -> str:
        """Its head."""
        label = dict(ADDRESS_PARTS).get(self.part, self.part) if self.part else self.field.label
        if self.owner is not None and self.field.name in self.owner.title:
            return self.prefix
        return f"{self.prefix}: {label.lower()}" if self.prefix else label

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


def path_columns(catalog: Catalog, obj: ObjectType, paths: Sequence[str]) -> list[ListColumn]:
    """The columns that paths lead to, over links too; what may not be read, or shows nothing in a line, is left out."""
    found = (find(catalog.objects, obj, path) for path in paths)
    return [
        column for named in found
        if named is not None and (column := _over_links(obj, catalog, named)) is not None
    ][:MOST]  # fmt: skip


def _over_links(obj: ObjectType, catalog: Catalog, named: Named) -> ListColumn | None:
    if not named.via:
        return _column(obj, named.path)
    if named.composite or named.field.type.name in _NO_COLUMN:
        return None
    labels, holder = list[str](), obj
    for name in named.via:
        labels.append(holder.fields[name].label)
        holder = object_at(catalog.objects, holder, (name,)) or holder
    return ListColumn(named.field, named.part, named.via, " ".join(labels), named.owner)


def titles_for(scope: TenantScope, columns: Sequence[ListColumn], records: Sequence[Record]) -> Titles:
    """Titles of everything the columns of ``records`` link to, by one statement."""
    wanted: dict[str, set[str]] = {}
    for column in columns:
        for record in records if column.field.to else ():
            found = link_of(column.field, record.get(column.path))
            if found is not None:
                wanted.setdefault(found[0], set()).add(found[1])
    return titles(scope, wanted) if wanted else {}


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
    shown = show(column.field, value, reader, known, column.owner or obj)
    if column.field.type.name == "datetime" and value:
        return replace(shown, text=formats.ago(str(value), reader.locale, reader.timezone))
    return shown
