"""Metadata handed out: what is in effect or what one layer states, as leaves nested or as people write it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from app.access import catalogs
from app.access.rights import METADATA_EDIT, allows
from app.metadata import document, layered, store
from app.metadata.layers import live, overlaid, stack
from app.metadata.leaves import SEPARATOR, nest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from app.metadata.layers import Override
    from app.metadata.leaves import Document, Leaves, Plain
    from app.metadata.model import Catalog
    from app.metadata.store import Stored
    from tenants.scope import TenantScope

TENANT: Final = "tenant"
#: Kinds that tell of nothing one may not read.
_OPEN: Final = frozenset({"option_set", "currency", "calendar"})


def read(scope: TenantScope) -> Stored:
    """What the workspace holds."""
    stored = store.read(scope.execute, scope.version)
    layered.learn(scope, stored.pins)
    return stored


def layers_of(stored: Stored) -> list[str]:
    """The layers of the workspace, lowest first."""
    return [*(layer for layer, _ in layered.layers(stored.pins)), TENANT]


def document_of(scope: TenantScope, stored: Stored, layer: str) -> Document:
    """What one layer states; "" is what is in effect. Of what one may not read nothing, except to who shapes."""
    below = dict(layered.layers(stored.pins))
    if layer == TENANT:
        found = own(stored.overrides)
    elif layer:
        found = below.get(layer, {})
    else:
        found = live(overlaid(stack(list(below.values())), stored.overrides))
    return found if allows(scope, METADATA_EDIT) else _told(catalogs.for_scope(scope), found)


def own(overrides: Iterable[Override]) -> Document:
    """The tenant's layer as a document; a null takes a lower leaf away."""
    found: Document = {}
    for one in overrides:
        found.setdefault(one.component, {})[one.path] = one.value
    return found


def components(scope: TenantScope, stored: Stored, layer: str) -> list[dict[str, object]]:
    """Kind, name, layer and nested spec of each component."""
    found: list[dict[str, object]] = []
    for component, leaves in document_of(scope, stored, layer).items():
        kind, _, name = component.partition(SEPARATOR)
        found.append({"kind": kind, "name": name, "layer": layer or "platform", "spec": nest(leaves)})
    return found


def written(scope: TenantScope, stored: Stored, layer: str) -> list[dict[str, object]]:
    """The components as people write them: applied to a workspace on the same layers they give the same."""
    found = document.export(document_of(scope, stored, layer))
    return [cast("dict[str, object]", _cleaned(one)) for one in found]


def _cleaned(value: Any) -> Any:
    """What is hidden is written as removed; a rank that is not stated is not taken away."""
    if not isinstance(value, dict):
        return value
    spec = cast("dict[str, Any]", value)
    if spec.get("hidden") is True:
        return {name: one for name, one in spec.items() if name in ("kind", "name")} | {"remove": True}
    return {name: _cleaned(one) for name, one in spec.items() if name != "rank" or one is not None}


def _told(catalog: Catalog, found: Document) -> Document:
    """The components and leaves that tell of nothing hidden."""
    told: Document = {}
    for component, leaves in found.items():
        kind, _, name = component.partition(SEPARATOR)
        kept = _told_of(catalog, name, leaves) if kind == "object" else leaves if kind in _OPEN else {}
        if kept:
            told[component] = dict(kept)
    return told


def _told_of(catalog: Catalog, name: str, leaves: Mapping[str, Plain]) -> Leaves:
    obj = catalog.objects.get(name)
    if obj is None or catalog.whole is None:
        return dict(leaves) if obj is not None else {}
    hidden = catalog.whole.objects[name].fields.keys() - obj.fields.keys()
    objects = catalog.whole.objects.keys() - catalog.objects.keys()
    found: Leaves = {}
    for path, value in leaves.items():
        parts = path.split(SEPARATOR)
        if parts[0] == "fields" and parts[1] in hidden:
            continue
        unknown = objects if parts[-1] == "to" else hidden
        plain = [one for one in value if one.split(".")[0] not in unknown] if isinstance(value, list) else value
        if not (isinstance(plain, str) and parts[-1] in {"default_sort", "inverse"} and plain.lstrip("-") in hidden):
            found[path] = plain
    return found
