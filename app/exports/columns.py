"""Which columns a field becomes in a table of texts, so that an import reads the record back.

A link is two columns: ``company`` holds the title, by which an import elsewhere finds its record, ``company.id`` the
id. Money is an amount and its currency, an address its parts, a link to several objects a column each. A file is its
name and where it is downloaded; what is in it is not in the table.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

from app.exports.cells import text_of
from app.metadata.fieldtypes.file import FileType
from app.metadata.fieldtypes.json import compact
from app.records.paths import link_target

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from uuid import UUID

    from app.metadata.model import Catalog, ObjectType
    from app.metadata.reach import Reach
    from app.records.paths import Located
    from app.records.query import JSONRecord
    from app.records.sources import Source

Titles = dict[tuple[str, str], str]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: what it says of the value under ``path`` in a record's JSON form.

    ``part`` is a key of a composite value, or the object that a link to several must lead to.
    """

    header: str
    path: str
    says: Literal["value", "part", "title", "id", "json"] = "value"
    part: str = ""

    def text(self, record: JSONRecord, titles: Mapping[tuple[str, str], str]) -> str:
        """The cell's text."""
        value = record[self.path]
        if value is None:
            return ""
        if self.says == "value":
            return text_of(value)
        if self.says == "json":
            return compact(value)
        if self.says == "part":
            return text_of(cast("dict[str, object]", value).get(self.part))
        linked, record_id = _target(self, value)
        if self.says == "id":
            return record_id
        return titles.get((linked, record_id), "") if linked == self.part else ""


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a file and what has to be read for them; ``seen`` stands for the view it was made with."""

    paths: tuple[str, ...]
    columns: tuple[Column, ...]
    seen: str

    def wanted_titles(self, records: Iterable[JSONRecord]) -> dict[str, set[UUID | str]]:
        """Ids by object of the records whose titles the columns name."""
        links = [column for column in self.columns if column.says == "title"]
        wanted: defaultdict[str, set[UUID | str]] = defaultdict(set)
        for record in records if links else ():
            for column in links:
                if (value := record[column.path]) is not None:
                    linked, record_id = _target(column, value)
                    wanted[linked].add(record_id)
        return wanted


def lay_out(source: Source, fields: Sequence[str]) -> Layout:
    """The columns of ``fields``, all of the object's when none are named. Raises UnknownField at ``?fields``."""
    obj = source.object
    paths = tuple(fields) or tuple(name for name, field in obj.fields.items() if field.shown)
    columns: dict[str, Column] = {}
    involved = {obj.name}
    for path in paths:
        located = source.need(path, "?fields")
        involved |= {located.owner.name, *(located.field.to if not located.part else ())}
        for column in _columns(source.catalog, located):
            columns.setdefault(column.header, column)
    return Layout(paths, tuple(columns.values()), _seen(source.catalog, obj, involved))


def _columns(catalog: Catalog, located: Located) -> list[Column]:
    path, field = located.path, located.field
    if located.part:
        return [Column(path, path)]
    if field.to and link_target(catalog, field) is not None:
        return [Column(path, path, "title", field.to[0]), Column(f"{path}.id", path, "id", field.to[0])]
    if field.type.name == "reference":
        titles = [Column(f"{path}.{name}", path, "title", name) for name in field.to]
        return [*titles, Column(f"{path}.id", path, "id")]
    if field.type.name == "money":
        return [Column(path, path, "part", "amount"), Column(f"{path}.currency", path, "part", "currency")]
    if isinstance(field.type, FileType):
        return [Column(path, path, "part", "name"), Column(f"{path}.url", path, "part", "url")]
    if field.type.name == "json":
        return [Column(path, path, "json")]
    if located.composite:
        return [Column(f"{path}.{name}", path, "part", name) for name in field.type.parts]
    return [Column(path, path)]


def _target(column: Column, value: object) -> tuple[str, str]:
    """(object, id) of what a link's value leads to."""
    if isinstance(value, dict):
        reference = cast("dict[str, Any]", value)
        return str(reference["object"]), str(reference["id"])
    return column.part, str(value)


def _seen(catalog: Catalog, obj: ObjectType, involved: Iterable[str]) -> str:
    """A mark that differs when roles or sharing open other records than before, of any object the file tells of."""
    found = [(name, catalog.objects.get(name)) for name in sorted(involved)]
    facts = [
        (name, other.masked, [_way(way, export=other is obj) for way in other.reach]) if other else (name,)
        for name, other in found
    ]
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _way(way: Reach, *, export: bool) -> tuple[object, ...]:
    levels = (way.level("read"), way.level("export") if export else "")
    return (*levels, way.read, way.inherit, way.follows, way.widenings)
