"""The names an expression may use of an object: its fields, those some links further, records that link to it.

Names only: ``app.records.paths`` finds the tables and columns behind them.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from babel.core import Locale, UnknownLocaleError, get_global

from app.expressions import Variable
from app.metadata.fieldtypes.phone import e164
from app.metadata.system import SYSTEM_OBJECTS

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping

    from app.expressions import Kind
    from app.metadata.model import Catalog, Field, ObjectType
    from tenants.scope import Tenant

#: Links a path may follow one after the other: ``company.parent.owner.name``.
MAX_HOPS: Final = 3
#: Unknown, and CLDR's codes for the world and for no country.
_NOWHERE: Final = frozenset({"", "001", "ZZ"})


@dataclass(frozen=True, slots=True)
class Named:
    """A path found: the field, the part of it that is meant (``city``), its object, the links that lead there."""

    path: str
    field: Field
    owner: ObjectType
    part: str = ""
    via: tuple[str, ...] = ()

    @property
    def kind(self) -> Kind:
        """The kind the condition language sees; a value of several parts can only be asked whether it is there."""
        if self.part:
            return self.field.type.parts.get(self.part, "text")
        return "none" if self.composite else self.field.type.condition

    @property
    def composite(self) -> bool:
        """Whether the field as a whole has several columns and none of them stands for it (an address)."""
        return not self.part and self.field.forms[0].part not in ("", "amount")


def find(objects: Mapping[str, ObjectType], obj: ObjectType, path: str, hops: int = MAX_HOPS) -> Named | None:
    """What ``path`` means for records of ``obj``; None when it means nothing."""
    names, via, owner = path.split("."), list[str](), obj
    while True:
        field = owner.fields.get(names[0])
        if field is None or not field.shown:
            return None
        if len(names) == 1:
            return Named(path, field, owner, "", tuple(via))
        if len(names) == 2 and (part := part_of(field, names[1])):
            return Named(path, field, owner, part, tuple(via))
        target = link_target(objects, field)
        if target is None or len(via) == hops:
            return None
        via.append(names.pop(0))
        owner = target


def link_target(objects: Mapping[str, ObjectType], field: Field) -> ObjectType | None:
    """The one object a link field leads to; None for other fields and for links to several objects."""
    if len(field.to) != 1 or len(field.columns) != 1:
        return None
    return objects.get(field.to[0]) or SYSTEM_OBJECTS.get(field.to[0])


def inverse_link(objects: Mapping[str, ObjectType], obj: ObjectType, name: str) -> tuple[ObjectType, str, str] | None:
    """What links to ``obj`` under the inverse ``name`` (``deals``): the object, the link's column and its field."""
    for other in objects.values():
        for field in other.fields.values():
            if field.inverse == name and obj.name in field.to:
                column = next((one.name for one in field.columns if one.part in ("", obj.name)), None)
                if column is not None:
                    return other, column, field.name
    return None


def object_at(objects: Mapping[str, ObjectType], obj: ObjectType, via: Iterable[str]) -> ObjectType | None:
    """The object that the links ``via`` lead to, one after the other; None when they do not."""
    found: ObjectType | None = obj
    for count, name in enumerate(via, 1):
        field = found.fields.get(name) if found is not None else None
        found = link_target(objects, field) if field is not None and count <= MAX_HOPS else None
    return found


def part_of(field: Field, name: str) -> str:
    """``name`` when the field has such a part, else ""."""
    return name if name in field.type.parts and any(column.part == name for column in field.forms) else ""


def names_of(objects: Mapping[str, ObjectType], obj: ObjectType, near: str = "") -> list[str]:
    """Paths that mean something here, for hints: those one hop away, or as many hops as ``near`` has."""
    *via, _ = near.split(".")
    at = object_at(objects, obj, via) if len(via) > 1 else None
    if at is not None:
        return [f"{'.'.join(via)}.{name}" for name in _names(objects, at, further=False)]
    return _names(objects, obj, further=True)


def _names(objects: Mapping[str, ObjectType], obj: ObjectType, *, further: bool) -> list[str]:
    found: list[str] = []
    for field in obj.fields.values():
        if field.shown:
            found.append(field.name)
            found += [f"{field.name}.{part}" for part in field.type.parts]
            if further and (target := link_target(objects, field)):
                found += [f"{field.name}.{name}" for name, inner in target.fields.items() if inner.shown]
    return found


class FormulaEnvironment:
    """``app.expressions.Environment`` of what workspaces share: zone and currency are parameters."""

    currency = ""
    timezone = ""

    def __init__(self, objects: Mapping[str, ObjectType], obj: ObjectType, region: str = "") -> None:
        self._objects, self._object, self._region = objects, obj, region
        self.key: Hashable = ("formula", *_hashes(objects, obj))

    def variable(self, path: str) -> Variable | None:
        """The variable called ``path``, or None."""
        named = find(self._objects, self._object, path)
        if named is None:
            return None
        return Variable(path, named.kind, _options(named), _normaliser(named, self._region))

    def names(self, near: str = "") -> Iterable[str]:
        """Names worth suggesting."""
        return names_of(self._objects, self._object, near)

    def related(self, path: str) -> FormulaEnvironment | None:
        """Names of the records the to-many link ``path`` leads to."""
        found = self._behind(path)
        return None if found is None else FormulaEnvironment(self._objects, found, self._region)

    def _behind(self, path: str) -> ObjectType | None:
        *before, name = path.split(".")
        holder = object_at(self._objects, self._object, before)
        found = inverse_link(self._objects, holder, name) if holder is not None else None
        return None if found is None else found[0]


class RecordEnvironment(FormulaEnvironment):
    """``app.expressions.Environment`` over one object of a catalog, with a workspace's settings."""

    def __init__(self, catalog: Catalog, obj: ObjectType, tenant: Tenant) -> None:
        region = region_of(tenant.locale, tenant.timezone)
        super().__init__(catalog.objects, obj, region)
        self._catalog, self._tenant = catalog, tenant
        self.currency = tenant.currency
        self.timezone = tenant.timezone
        self.key: Hashable = (*spec_key(catalog, obj), tenant.currency, tenant.timezone, region)

    def related(self, path: str) -> RecordEnvironment | None:
        """Names of the records the to-many link ``path`` leads to."""
        found = self._behind(path)
        return None if found is None else RecordEnvironment(self._catalog, found, self._tenant)


def spec_key(catalog: Catalog, obj: ObjectType) -> tuple[str, ...]:
    """What the meaning of names depends on: the object's spec, and those of all it may reach by links."""
    return _hashes(catalog.objects, obj)


def _hashes(objects: Mapping[str, ObjectType], obj: ObjectType) -> tuple[str, ...]:
    return (obj.spec_hash, *(other.spec_hash for other in objects.values()))


def _normaliser(named: Named, region: str) -> Callable[[str], str] | None:
    """How a literal is brought into the form addresses are stored in."""
    kind = named.field.primary_of or named.field.type.name
    if kind == "emails":
        return str.lower
    if kind == "phones":
        return lambda text: e164(text, region) or text
    return None


def _options(named: Named) -> frozenset[str]:
    if named.part:
        return frozenset()
    if named.field.name == "stage" and named.owner.has_pipeline:
        return frozenset(name for pipeline in named.owner.pipelines.values() for name in pipeline.stages)
    return frozenset(named.field.options)


@functools.cache
def region_of(locale: str, timezone: str) -> str:
    """The country a workspace is in, for numbers written without one: ``de-AT`` says it, else the time zone does.

    Where neither tells, the country where most speak the language (likely subtags of CLDR).
    """
    try:
        parsed = Locale.parse(locale, sep="-" if "-" in locale else "_")
    except (ValueError, UnknownLocaleError):
        parsed = Locale("en")
    zones = cast("Mapping[str, str]", get_global("zone_territories"))
    territory = parsed.territory or zones.get(timezone, "")
    if territory not in _NOWHERE:
        return territory
    likely = cast("Mapping[str, str]", get_global("likely_subtags"))
    return likely.get(parsed.language, "en_Latn_US").rpartition("_")[2]
