"""The field types: one file a type. Each module's ``TYPE`` is collected at import; the registry is closed then."""

from __future__ import annotations

import importlib
import pkgutil
from types import MappingProxyType
from typing import TYPE_CHECKING

from app.metadata.fieldtypes.base import FieldType

if TYPE_CHECKING:
    from collections.abc import Mapping


def _collect() -> Mapping[str, FieldType]:
    found: dict[str, FieldType] = {}
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda info: info.name):
        kind = getattr(importlib.import_module(f"{__name__}.{module.name}"), "TYPE", None)
        if isinstance(kind, FieldType):
            if kind.name in found:
                message = f"two field types are called {kind.name}"
                raise RuntimeError(message)
            found[kind.name] = kind
    return MappingProxyType(found)


#: Every field type by name; read only.
REGISTRY: Mapping[str, FieldType] = _collect()


def get(name: str) -> FieldType:
    """Return the field type called ``name``. Raises KeyError."""
    return REGISTRY[name]
