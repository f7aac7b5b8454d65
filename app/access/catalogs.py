"""The catalog as somebody may see it: objects and fields they may not read are not there at all.

What is not there can't be filtered, sorted, grouped, searched or exported by, is in no hint, error or description.
Records out of reach are kept out by the object's ``reach``, which every statement over it carries. Roles that see
everything get the very catalog of the workspace. The engine itself (defaults, rules, unique values, cascades) reads
``whole``.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from app.access.grants import union_of
from app.access.rights import Rights, view_of
from app.metadata.catalog import whole
from app.metadata.reach import ACTIONS, OPENNESS, Action, Level, Reach, Widening
from app.metadata.translated import translated

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from uuid import UUID

    from app.access.grants import Role
    from app.metadata.model import Catalog, Field, ObjectType
    from app.metadata.reach import Openness
    from tenants.scope import Tenant, TenantScope

__all__ = ["for_scope", "forget", "of_rights", "whole"]

_MOST: Final = 4_000
#: Without these a record is no record; what they say is no secret to whoever may read it.
_ALWAYS: Final = frozenset({"id", "version", "deleted_at"})
#: How many links one after the other may open a record: ``deal_line`` by ``deal`` by ``company``.
_MAX_INHERITED: Final = 3

_Key = tuple["UUID", int, tuple[str, ...], tuple[str, ...], str]
_lock = threading.Lock()
_catalogs: OrderedDict[_Key, Catalog] = OrderedDict()


def for_scope(scope: TenantScope) -> Catalog:
    """The catalog of the scope's workspace as the scope may see it."""
    view = view_of(scope)
    if view.catalog is not None:
        return view.catalog
    language = _language(scope)
    key = (scope.tenant.id, scope.version, (scope.role, *scope.roles), scope.makers, language)
    known = None
    if not scope.unsettled:
        with _lock:
            known = _catalogs.get(key)
            if known is not None:
                _catalogs.move_to_end(key)
    view.catalog = known or of_rights(translated(whole(scope), language), view.rights, scope.tenant)
    if known is None and not scope.unsettled:
        with _lock:
            _catalogs[key] = view.catalog
            while len(_catalogs) > _MOST:
                _catalogs.popitem(last=False)
    return view.catalog


def _language(scope: TenantScope) -> str:
    """The locale labels are read in: the member's own, else the workspace's."""
    preferences = scope.member.preferences if scope.member is not None else {}
    return str(preferences.get("locale") or scope.tenant.locale)


def forget(tenant: UUID) -> None:
    """Drop what is kept of a tenant."""
    with _lock:
        for key in [key for key in _catalogs if key[0] == tenant]:
            del _catalogs[key]


def of_rights(catalog: Catalog, rights: Rights, tenant: Tenant) -> Catalog:
    """``catalog`` as ``rights`` let it be seen; the same one when they see all of it."""
    narrowing = _Narrowing(catalog, rights, tenant)
    objects = {name: narrowing.object(name) for name in catalog.objects if rights.grant(name).level("read") != "none"}
    if len(objects) == len(catalog.objects) and all(objects[name] is catalog.objects[name] for name in objects):
        return catalog
    return replace(catalog, objects=MappingProxyType(objects), whole=catalog, tenant=tenant)


class _Narrowing:
    """One catalog for one set of rights."""

    def __init__(self, catalog: Catalog, rights: Rights, tenant: Tenant) -> None:
        self._catalog, self._rights = catalog, rights
        self._made: dict[str, ObjectType] = {}
        self._open: list[str] = []
        # Conditions read amounts, days and what other objects are called.
        facts = (tenant.currency, tenant.timezone, tenant.locale, *(o.spec_hash for o in catalog.objects.values()))
        self._salt = hashlib.sha256(repr(facts).encode()).hexdigest()

    def object(self, name: str) -> ObjectType:
        if name not in self._made:
            self._open.append(name)
            self._made[name] = self._narrow(self._catalog.objects[name])
            self._open.pop()
        return self._made[name]

    def _narrow(self, obj: ObjectType) -> ObjectType:
        fields = self._fields(obj)
        reach = self._reach(obj)
        if fields == dict(obj.fields) and not reach:
            return obj
        hidden = obj.fields.keys() - fields.keys()
        masked = not hidden.isdisjoint({*obj.title, *obj.title_else})
        standing = not hidden.isdisjoint({"stage", "pipeline"})
        return replace(
            obj,
            fields=MappingProxyType(fields),
            reach=reach,
            masked=masked,
            title=() if masked else obj.title,
            title_else=() if masked else obj.title_else,
            pipelines=MappingProxyType({}) if standing else obj.pipelines,
            highlights=tuple(name for name in obj.highlights if name.split(".")[0] not in hidden),
            list_columns=tuple(name for name in obj.list_columns if name.split(".")[0] not in hidden),
            default_sort=_sort(obj, hidden, masked=masked),
            spec_hash=self._hash(obj, fields, reach),
        )

    def _fields(self, obj: ObjectType) -> dict[str, Field]:
        """What may be read; a single value and its list (``email``, ``emails``) go together."""
        levels = {name: self._rights.field(obj.name, name) for name in obj.fields}
        order = ("none", "read", "edit").index
        for name, field in obj.fields.items():
            for pair in (field.primary_of, *(["pipeline"] if name == "stage" else [])):
                if pair in levels:
                    levels[name] = levels[pair] = min(levels[name], levels[pair], key=order)
        writes = self._writes(obj.name)
        found: dict[str, Field] = {}
        for name, field in obj.fields.items():
            leading = self._leading(field)
            if leading is not None and (levels[name] != "none" or name in _ALWAYS) and self._may_calculate(field):
                found[name] = replace(leading, denied=True) if levels[name] == "read" and writes else leading
        return found

    def _may_calculate(self, field: Field) -> bool:
        """Whether everything a computed field is calculated from may be read: it would tell of it (ADR 32)."""
        computed = field.formula or field.rollup
        return computed is None or all(self._may_read(*one) for one in computed.reads)

    def _may_read(self, object_name: str, name: str) -> bool:
        obj = self._catalog.objects.get(object_name)
        if obj is None or name in _ALWAYS:
            return True
        if self._rights.grant(object_name).level("read") == "none":
            return False
        field = obj.fields.get(name)
        together = (name, field.primary_of) if field is not None and field.primary_of else (name,)
        return all(self._rights.field(object_name, one) != "none" for one in together)

    def _leading(self, field: Field) -> Field | None:
        """A link with the targets that may be read; None when there is none."""
        known = self._catalog.objects
        to = tuple(name for name in field.to if name not in known or self._rights.grant(name).level("read") != "none")
        if to == field.to:
            return field
        left = tuple(column for column in field.columns if not column.part or column.part in to)
        return replace(field, to=to, type=field.type.specialise(to), columns=left) if to else None

    def _writes(self, name: str) -> bool:
        grant = self._rights.grant(name)
        return grant.level("edit") != "none" or "create" in grant.flags

    def _reach(self, obj: ObjectType) -> tuple[Reach, ...]:
        """The ways that leave a record out; () when every record is in each of them."""
        # A key often holds the role of who made it: the same way twice is one.
        ways = dict.fromkeys(self._way(obj, roles) for roles in self._rights.ways)
        return tuple(way for way in ways if any(_narrows(way, action) for action in ACTIONS))

    def _way(self, obj: ObjectType, roles: tuple[Role, ...]) -> Reach:
        policy, name = self._rights.policy, obj.name
        grant = union_of(roles, name)
        levels: dict[Action, Level] = {action: grant.level(action) for action in ACTIONS}
        sharing = policy.sharing.get(name)
        if sharing is None and (details := details_of(obj)):
            # A detail of other records has no owner worth asking: it goes as they do.
            levels = {action: "reach" if level == "own" else level for action, level in levels.items()}
            return Reach(
                levels=tuple(levels.items()), follows=tuple(link for link in details if self._leads_away(obj, link))
            )
        return Reach(
            levels=tuple(levels.items()),
            read=sharing.read if sharing else "everyone",
            edit=_lesser(sharing.read, sharing.edit) if sharing else "everyone",
            inherit=self._inherit(obj, sharing.inherit if sharing else ""),
            widenings=tuple(dict.fromkeys([*self._of_roles(name, roles), *self._of_rules(name)])),
        )

    def _leads_away(self, obj: ObjectType, link: str) -> bool:
        """Whether some record the link may point to is out of reach."""
        return any(self._narrowed(target) for target in obj.fields[link].to)

    def _narrowed(self, name: str) -> bool:
        if name not in self._catalog.objects:
            return False
        if self._rights.grant(name).level("read") == "none" or name in self._open:
            return True
        return bool(self.object(name).reach)

    def _inherit(self, obj: ObjectType, link: str) -> str:
        """The link that opens a record too; none that leads back to where it began, or too far."""
        field = obj.fields.get(link)
        if field is None or len(self._open) > _MAX_INHERITED:
            return ""
        if any(target in self._open for target in field.to):
            return ""
        for target in field.to:
            if target in self._catalog.objects:
                self.object(target)
        return link

    def _of_roles(self, name: str, roles: tuple[Role, ...]) -> Iterable[Widening]:
        """Conditions of roles that go as far as sharing does."""
        for role in roles:
            for action, condition in role.rows.get(name, {}).items():
                if role.grant(name).level("edit" if action == "edit" else "read") in ("reach", "all"):
                    yield Widening(condition, action == "edit")

    def _of_rules(self, name: str) -> Iterable[Widening]:
        """Sharing rules: those for a role one holds hold for all who have this catalog."""
        acting = {role.name for role in self._rights.ways[-1]}
        for rule in self._rights.policy.rules.get(name, ()):
            edit = rule.level == "edit"
            if rule.grantee_kind == "role":
                if rule.grantee in acting:
                    yield Widening(rule.condition, edit)
            else:
                yield Widening(rule.condition, edit, "team" if rule.grantee_kind == "team" else "member", rule.grantee)

    def _hash(self, obj: ObjectType, fields: Mapping[str, Field], reach: tuple[Reach, ...]) -> str:
        """Differs wherever a statement, a form or an answer would."""
        links = {link for way in reach for link in (way.inherit, *way.follows) if link}
        targets = [name for link in sorted(links) for name in obj.fields[link].to if name in self._catalog.objects]
        above = [self._made[name].spec_hash if name in self._made else "-" for name in targets]
        unread = [name for name in targets if self._rights.grant(name).level("read") == "none"]
        shown = [(name, field.denied, field.to) for name, field in fields.items()]
        facts = (obj.spec_hash, shown, reach, above, unread, self._salt if any(way.widenings for way in reach) else "")
        return hashlib.sha256(repr(facts).encode()).hexdigest()


def details_of(obj: ObjectType) -> tuple[str, ...]:
    """The links a record can't be without and goes to the trash with, where people don't work with it by itself."""
    if obj.navigation:
        return ()
    return tuple(name for name, field in obj.fields.items() if field.required and field.on_delete == "cascade")


def _narrows(way: Reach, action: Action) -> bool:
    """Whether some records are in reach and others may not be; "none at all" is the right itself."""
    return way.level(action) != "none" and not way.is_whole(action)


def _lesser(one: Openness, other: Openness) -> Openness:
    """Nothing is open to be changed that is not open to be seen."""
    return OPENNESS[min(OPENNESS.index(one), OPENNESS.index(other))]


def _sort(obj: ObjectType, hidden: set[str], *, masked: bool) -> str:
    names = [key.lstrip("-").split(".")[0] for key in obj.default_sort.split(",")]
    if hidden.isdisjoint(names) and not (masked and "title" in names):
        return obj.default_sort
    return "-created_at" if "created_at" not in hidden else "id"
