"""The compiled objects of a tenant, whole: cached by version, shared between tenants with the same spec.

Compiled once per distinct effective spec; a tenant without overrides shares everything with the platform, one with
overrides everything but the objects it changed. Both caches are bounded.
"""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from app.metadata import layered, store
from app.metadata.arrangement import with_arrangements
from app.metadata.compiler import compile_object, hash_of, with_targets
from app.metadata.computing import resolved
from app.metadata.layers import Override, conflicts, live, overlaid
from app.metadata.leaves import SEPARATOR
from app.metadata.model import Catalog, ObjectType
from app.metadata.physical import OBJECT, naming
from app.metadata.ruling import with_rules
from app.metadata.understood import understood

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from uuid import UUID

    from app.metadata.leaves import Document, Leaves, Plain
    from app.metadata.physical import Names, Naming, Physical
    from tenants.scope import TenantScope

#: About 20 kB a compiled object and 1 kB a catalog: together below the 64 MB of DESIGN §5.
MAX_OBJECTS: Final = 3_000
MAX_CATALOGS: Final = 2_000

_lock = threading.Lock()
_objects: OrderedDict[str, ObjectType] = OrderedDict()
_catalogs: OrderedDict[UUID, Catalog] = OrderedDict()


def platform_leaves() -> Mapping[str, Leaves]:
    """The standard objects' leaves by name in navigation order, targets resolved."""
    return _base(layered.platform_hash()).leaves


def platform() -> Catalog:
    """The standard objects as every new workspace has them; version 0."""
    return _base(layered.platform_hash()).catalog


def whole(scope: TenantScope) -> Catalog:
    """The catalog of the scope's tenant at the version the scope read, whoever asks.

    What somebody may see of it is ``app.access.catalogs.for_scope``.
    """
    tenant = scope.tenant.id
    with _lock:
        known = _catalogs.get(tenant)
        if known is not None and known.version == scope.version:
            _catalogs.move_to_end(tenant)
            return known
    stored = store.read(scope.execute, scope.version)
    layered.learn(scope, stored.pins)
    built = compose(stored)
    with _lock:
        _catalogs[tenant] = built
        _catalogs.move_to_end(tenant)
        while len(_catalogs) > MAX_CATALOGS:
            _catalogs.popitem(last=False)
    return built


def build(version: int, overrides: Iterable[tuple[str, str, Plain]]) -> Catalog:
    """The catalog of the platform with ``overrides`` (component, path, value) on top."""
    rows = tuple(Override(component, path, None, value) for component, path, value in overrides)
    return compose(store.Stored(version, (), rows, ()))


def compose(stored: store.Stored) -> Catalog:
    """The catalog of what a tenant's schema holds."""
    base = _base(layered.key_of(stored.pins))
    if not stored.overrides and not stored.physical:
        return Catalog(version=stored.version, objects=base.catalog.objects, components=base.catalog.components)
    touched = {override.component for override in stored.overrides}
    lower = {component: leaves for component, leaves in base.document.items() if component in touched}
    changed = understood(live(overlaid(lower, stored.overrides)))
    document = {component: leaves for component, leaves in base.document.items() if component not in touched} | changed
    return Catalog(
        version=stored.version,
        objects=_compiled(document, naming(stored.physical), base),
        components=_others(document),
        conflicts=len(conflicts(lower, stored.overrides)),
    )


def of_document(version: int, document: Document, physical: Iterable[Physical]) -> Catalog:
    """The catalog of a document that is not stored (yet); ``document`` without hidden parts."""
    base = _base(layered.platform_hash())
    document = understood(document)
    return Catalog(
        version=version,
        objects=_compiled(document, naming(physical), base),
        components=_others(document),
    )


def forget(tenant: UUID) -> None:
    """Drop a tenant's cached catalog: it was deleted, or a test wants it cold."""
    with _lock:
        _catalogs.pop(tenant, None)


class _Base:
    """What one stack of lower layers comes to without any tenant's own."""

    def __init__(self, document: Document) -> None:
        self.document: Document = understood(live(document))
        self.leaves: Mapping[str, Leaves] = MappingProxyType(
            _in_order(with_targets(_objects_of(self.document), self.document))
        )
        #: Compiled each by itself; those of the catalog have their computed fields worked out.
        self.objects = {name: _shared(name, leaves, None) for name, leaves in self.leaves.items()}
        objects = _finished(MappingProxyType(self.objects), self.document)
        self.catalog = Catalog(version=0, objects=objects, components=_others(self.document))


@functools.lru_cache(maxsize=16)
def _base(key: str) -> _Base:
    return _Base(layered.document(key))


def _compiled(document: Document, names: Naming, base: _Base) -> Mapping[str, ObjectType]:
    found: dict[str, ObjectType] = {}
    for name, leaves in _in_order(with_targets(_objects_of(document), document)).items():
        called = names.of(name, leaves)
        same = called is None and base.leaves.get(name) == leaves
        found[name] = base.objects[name] if same else _shared(name, leaves, called)
    return _finished(MappingProxyType(found), document)


def _finished(objects: Mapping[str, ObjectType], document: Document) -> Mapping[str, ObjectType]:
    """Compiled objects with what other components say of them."""
    return with_arrangements(with_rules(resolved(objects), document), document)


def _objects_of(document: Document) -> dict[str, Leaves]:
    return {
        component.partition(SEPARATOR)[2]: leaves
        for component, leaves in document.items()
        if component.partition(SEPARATOR)[0] == OBJECT
    }


def _in_order(specs: Mapping[str, Leaves]) -> dict[str, Leaves]:
    return dict(sorted(specs.items(), key=lambda item: (str(item[1].get("rank", "")), item[0])))


def _others(document: Document) -> Mapping[str, Leaves]:
    return MappingProxyType(
        {component: leaves for component, leaves in document.items() if component.partition(SEPARATOR)[0] != OBJECT}
    )


def _shared(name: str, leaves: Leaves, names: Names | None) -> ObjectType:
    key = hash_of(name, leaves, names)
    with _lock:
        known = _objects.get(key)
        if known is not None:
            _objects.move_to_end(key)
            return known
    built = compile_object(name, leaves, names)
    with _lock:
        _objects[key] = built
        while len(_objects) > MAX_OBJECTS:
            _objects.popitem(last=False)
    return built
