"""Records that link to the one shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from app.metadata import catalog as catalogs
from app.records.pages.values import Record, gather_titles, reader_of, show
from app.records.paths import TITLE
from app.records.query import ListQuery
from app.records.read import list_records

if TYPE_CHECKING:
    from app.metadata.model import Field, ObjectType
    from tenants.scope import TenantScope

_FEW: Final = 5
#: Joins whose other end is the interesting one: shown as the records at the far side.
_THROUGH: Final = {"deal_contact", "affiliation", "company_relation"}
_NOT_TELLING: Final = frozenset({"address", "boolean"})
_SKIPPED: Final = frozenset({"record_link"})


@dataclass(frozen=True, slots=True)
class Item:
    """A related record: title, a second line, where it is."""

    title: str
    text: str
    href: str
    square: bool


@dataclass(frozen=True, slots=True)
class Related:
    """A list of records that link here by one field."""

    object: ObjectType
    label: str
    items: tuple[Item, ...]
    total: int
    more: str
    add: str


def related_lists(scope: TenantScope, obj: ObjectType, record: Record) -> list[Related]:
    """Every object with a link here, those with records first."""
    found: list[Related] = []
    for other in catalogs.for_scope(scope).objects.values():
        if other.name in _SKIPPED:
            continue
        links = (f for f in other.fields.values() if f.type.name == "link" and f.to == (obj.name,))
        found += [_related(scope, other, f, record) for f in links if not f.name.startswith("converted_")]
    return sorted((r for r in found if r.total or r.object.navigation), key=lambda related: not related.total)


def _related(scope: TenantScope, other: ObjectType, field: Field, record: Record) -> Related:
    condition = f'{field.name} == "{record["id"]}"'
    second = _second_line(other, field)
    far = _far_end(other, field)
    names = [f.name for f in (*second, *((far,) if far else ()))]
    page = list_records(
        scope, other.name, ListQuery(filter=condition, sort="-id", fields=(TITLE, *names), limit=_FEW, total="exact")
    )
    known = gather_titles(scope, other, names, page.rows)
    reader = reader_of(scope)

    def item(row: Record) -> Item:
        texts = [show(f, row.get(f.name), reader, known, other).text for f in second]
        title, href = str(row.get(TITLE) or "Untitled"), f"/records/{other.name}/{row['id']}"
        if far is not None and row.get(far.name):
            title, href = known.get((far.to[0], str(row[far.name])), title), f"/records/{far.to[0]}/{row[far.name]}"
        square = (far.to[0] if far is not None else other.name) not in {"contact", "lead", "member"}
        return Item(title, " · ".join(text for text in texts if text), href, square)

    total = page.total or len(page.rows)
    plain = field.name == field.to[0] or far is not None
    named = field.inverse.replace("_", " ").capitalize() or f"{other.plural} ({field.label.lower()})"
    label = other.plural if plain else named
    return Related(
        other, label, tuple(item(row) for row in page.rows), total,
        f"/records/{other.name}?filter={condition}" if total > _FEW else "",
        f"/records/{other.name}/new?{field.name}={record['id']}&stay=1",
    )  # fmt: skip


def _second_line(other: ObjectType, link: Field) -> list[Field]:
    """Up to two telling fields for the line under the title."""
    known = [other.fields[n] for n in dict.fromkeys((*other.highlights, *other.list_columns)) if n in other.fields]
    usable = [f for f in known if f is not link and f.name not in other.title and f.type.name not in _NOT_TELLING]
    far = _far_end(other, link)
    return [f for f in usable if f is not far and f.name != "owner"][:2]


def _far_end(other: ObjectType, link: Field) -> Field | None:
    if other.name not in _THROUGH:
        return None
    ends = (f for f in other.fields.values() if f.type.name == "link" and f.name != link.name and f.required)
    return next(ends, None)
