"""The compiled objects of a tenant, whole: cached by version, shared between tenants with the same spec.

Compiled once per distinct effective spec; a tenant without overrides shares everything with the platform, one with
overrides everything but the objects it changed. Both caches are bounded.
"""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, cast

from app.metadata.compiler import compile_object, hash_of, with_targets
from app.metadata.components import read_platform
from app.metadata.layers import effective
from app.metadata.model import Catalog, ObjectType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from uuid import UUID

    from app.metadata.leaves import Leaves, Plain
    from tenants.scope import TenantScope

#: About 20 kB a compiled object and 1 kB a catalog: together below the 64 MB of DESIGN §5.
MAX_OBJECTS: Final = 3_000
MAX_CATALOGS: Final = 2_000
_OVERRIDES: Final = "select component, path, value from metadata_override order by component, path"

_lock = threading.Lock()
_objects: OrderedDict[str, ObjectType] = OrderedDict()
_catalogs: OrderedDict[UUID, Catalog] = OrderedDict()


@functools.cache
def platform_leaves() -> Mapping[str, Leaves]:
    """The platform layer in canonical form, by object name in navigation order."""
    specs = with_targets(read_platform())
    return MappingProxyType(dict(sorted(specs.items(), key=lambda item: (str(item[1].get("rank")), item[0]))))


@functools.cache
def platform() -> Catalog:
    """The standard objects as every new workspace has them; version 0."""
    objects = {name: compile_object(leaves) for name, leaves in platform_leaves().items()}
    return Catalog(version=0, objects=MappingProxyType(objects))


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
    rows = cast("list[tuple[str, str, Plain]]", scope.execute(_OVERRIDES).fetchall())
    built = build(scope.version, rows)
    with _lock:
        _catalogs[tenant] = built
        _catalogs.move_to_end(tenant)
        while len(_catalogs) > MAX_CATALOGS:
            _catalogs.popitem(last=False)
    return built


def build(version: int, overrides: Iterable[tuple[str, str, Plain]]) -> Catalog:
    """The catalog of the platform with ``overrides`` (component, path, value) on top."""
    changed: dict[str, list[tuple[str, Plain]]] = {}
    for component, path, value in overrides:
        kind, _, name = component.partition("/")
        if kind == "object":
            changed.setdefault(name, []).append((path, value))
    base = platform()
    if not changed:
        return Catalog(version=version, objects=base.objects)
    leaves = platform_leaves()
    objects = {
        name: _shared(effective(leaves[name], changed[name])) if name in changed else base.objects[name]
        for name in leaves
    }
    return Catalog(version=version, objects=MappingProxyType(objects))


def forget(tenant: UUID) -> None:
    """Drop a tenant's cached catalog: it was deleted, or a test wants it cold."""
    with _lock:
        _catalogs.pop(tenant, None)


def _shared(leaves: Leaves) -> ObjectType:
    key = hash_of(leaves)
    with _lock:
        known = _objects.get(key)
        if known is not None:
            _objects.move_to_end(key)
            return known
    built = compile_object(leaves)
    with _lock:
        _objects[key] = built
        while len(_objects) > MAX_OBJECTS:
            _objects.popitem(last=False)
    return built
