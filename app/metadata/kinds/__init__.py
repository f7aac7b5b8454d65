"""The kinds of components: one file a kind. Each module's ``KIND`` is collected at import; the registry is closed then.

*Root kinds* have leaves of their own; *nested kinds* are a way to write a part of a root component by itself.
"""

from __future__ import annotations

import importlib
import pkgutil
from types import MappingProxyType
from typing import TYPE_CHECKING

from app.metadata.kinds.base import Kind, Nested

if TYPE_CHECKING:
    from collections.abc import Mapping


def _collect() -> tuple[dict[str, Kind], dict[str, Nested]]:
    roots: dict[str, Kind] = {}
    nested: dict[str, Nested] = {}
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda info: info.name):
        kind = getattr(importlib.import_module(f"{__name__}.{module.name}"), "KIND", None)
        if isinstance(kind, Kind):
            roots[kind.name] = kind
        elif isinstance(kind, Nested):
            nested[kind.name] = kind
    return roots, nested


_ROOTS, _NESTED = _collect()
#: Root kinds by name; read only.
ROOTS: Mapping[str, Kind] = MappingProxyType(_ROOTS)
#: Nested kinds by name; read only.
NESTED: Mapping[str, Nested] = MappingProxyType(_NESTED)


def kind_of(component: str) -> Kind:
    """The root kind of ``object/deal``. Raises KeyError."""
    return ROOTS[component.partition("/")[0]]
