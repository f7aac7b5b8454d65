"""A catalog in a reader's language: labels and help the workspace's translations say, the rest as it is.

Translated objects have hashes of their own: what is kept by hash and tells of labels (forms, messages, descriptions) is
kept for each language. Values, names, statements and rules are the very same.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, cast

from app.metadata.leaves import SEPARATOR, nest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.metadata.model import Catalog, Field, ObjectType, Option, Pipeline

_KIND: Final = f"translation{SEPARATOR}"
#: About 20 kB each; those of workspaces that nobody reads any more go first.
_MOST: Final = 1_000
_Spec = dict[str, Any]

_lock = threading.Lock()
_objects: OrderedDict[str, ObjectType] = OrderedDict()


def translated(catalog: Catalog, locale: str) -> Catalog:
    """``catalog`` as readers of ``locale`` (``de-AT``, ``de_AT``) see it; the same one when nothing is said for it."""
    said = _said(catalog, locale)
    if not said:
        return catalog
    spec = cast("_Spec", nest(said))
    objects = {name: _object(obj, _own(obj, spec)) for name, obj in catalog.objects.items()}
    return replace(catalog, objects=MappingProxyType(objects))


def languages(locale: str) -> list[str]:
    """The translations that serve a locale, the most exact first: ``pt-BR``, ``pt``."""
    parts = locale.replace("_", "-").split("-")
    return ["-".join(parts[:length]) for length in range(len(parts), 0, -1)]


def _said(catalog: Catalog, locale: str) -> dict[str, Any]:
    """Leaves of the translations for a locale, the more exact one over the other."""
    found: dict[str, Any] = {}
    for tag in reversed(languages(locale)):
        leaves = catalog.components.get(_KIND + tag, {})
        if leaves.get("retired") is not True:
            found |= leaves
    return found


def _own(obj: ObjectType, spec: _Spec) -> _Spec:
    """What is said about one object: its parts, its views, the option sets its fields take."""
    sets = {field.option_set for field in obj.fields.values() if field.option_set}
    views = {name: label for name, label in spec.get("views", {}).items() if name.partition(".")[0] == obj.name}
    own = {
        "object": spec.get("objects", {}).get(obj.name, {}),
        "views": views,
        "sets": {name: said for name, said in spec.get("option_sets", {}).items() if name in sets},
    }
    return {key: value for key, value in own.items() if value}


def _object(obj: ObjectType, said: _Spec) -> ObjectType:
    if not said:
        return obj
    key = hashlib.sha256(repr((obj.spec_hash, obj.rules_hash, obj.layouts_hash, said)).encode()).hexdigest()
    with _lock:
        known = _objects.get(key)
        if known is not None:
            _objects.move_to_end(key)
            return known
    made = _made(obj, said, key)
    with _lock:
        _objects[key] = made
        while len(_objects) > _MOST:
            _objects.popitem(last=False)
    return made


def _made(obj: ObjectType, said: _Spec, key: str) -> ObjectType:
    own, sets = said.get("object", {}), said.get("sets", {})
    label, fields, views = own.get("label", {}), own.get("fields", {}), said.get("views", {})
    pipelines = own.get("pipelines", {})
    return replace(
        obj,
        label=label.get("one") or obj.label,
        plural=label.get("other") or obj.plural,
        help=own.get("help") or obj.help,
        fields=MappingProxyType(
            {name: _field(one, fields.get(name, {}), sets.get(one.option_set, {})) for name, one in obj.fields.items()}
        ),
        pipelines=MappingProxyType(
            {name: _pipeline(one, pipelines.get(name, {})) for name, one in obj.pipelines.items()}
        ),
        views=tuple(
            replace(one, label=views.get(f"{obj.name}.{one.name.rpartition('.')[2]}") or one.label) for one in obj.views
        ),
        spec_hash=key,
    )


def _field(field: Field, said: _Spec, shared: _Spec) -> Field:
    options: _Spec = {**shared, **said.get("options", {})}
    if not said and not options:
        return field
    return replace(
        field,
        label=said.get("label") or field.label,
        help=said.get("help") or field.help,
        options=_options(field.options, options) if options else field.options,
    )


def _options(options: Mapping[str, Option], said: _Spec) -> Mapping[str, Option]:
    """Options that still know what the workspace calls them: files in its own words are read as before."""
    return MappingProxyType({
        name: replace(one, label=said[name], also=one.label) if said.get(name) else one for name, one in options.items()
    })  # fmt: skip


def _pipeline(pipeline: Pipeline, said: _Spec) -> Pipeline:
    if not said:
        return pipeline
    stages = said.get("stages", {})
    found = {
        name: replace(one, label=stages.get(name, {}).get("label") or one.label)
        for name, one in pipeline.stages.items()
    }
    return replace(pipeline, label=said.get("label") or pipeline.label, stages=MappingProxyType(found))
