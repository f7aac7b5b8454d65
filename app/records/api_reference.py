"""The API's description of itself: OpenAPI for programs, a page for people; both of the calling workspace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec
from flask import current_app, render_template, request
from flask_smorest import Blueprint  # pyright: ignore[reportMissingTypeStubs]
from werkzeug.wrappers import Response

from app.access import catalogs
from app.access.rights import METADATA_EDIT, allows
from app.core.errors import FieldError, InvalidInput
from app.http.guard import workspace
from app.http.openapi import answer, described, of_parts, operation, other_paths, query
from app.http.respond import json_response
from app.metadata.catalog import platform_leaves
from app.metadata.layers import component_name, effective
from app.metadata.leaves import SEPARATOR, nest
from app.records.api_arguments import known_arguments
from app.records.errors import UnknownObject
from app.records.openapi import document
from app.records.statements import ShapeCache

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.metadata.leaves import Plain
    from app.metadata.model import Catalog
    from tenants.scope import TenantScope

blueprint = Blueprint("reference", __name__, url_prefix="/api", description="The API's description of itself")

_DOCUMENTS: Final = ShapeCache(64)
_METHODS: Final = ("get", "post", "patch", "put", "delete")
_TONES: Final = {"get": "blue", "post": "green", "patch": "amber", "put": "violet", "delete": "red"}
WORKSPACE: Final = "workspace"
#: Limits beyond this are the machine's, not worth a reader's time.
_SAID: Final = 10_000
#: What ``layer`` of the metadata route may be; "" is all layers together.
LAYERS: Final = ("", "platform", "tenant")
_OPENAPI: Final = operation(
    "This document",
    {"200": answer("OpenAPI 3.1", {"type": "object", "required": ["openapi", "paths"]})},
    operationId="openapi",
)
_METADATA: Final = operation(
    "The workspace's metadata",
    {
        "200": answer(
            "Components",
            of_parts(
                {
                    "version": {"type": "integer", "minimum": 0},
                    "components": {
                        "type": "array",
                        "items": of_parts(
                            {
                                "kind": {"type": "string"},
                                "name": {"type": "string"},
                                "layer": {"type": "string"},
                                "spec": {"type": "object"},
                            }
                        ),
                    },
                }
            ),
        )
    },
    operationId="metadata",
    parameters=[
        query("layer", "One layer; what is in effect when left out", {"enum": [name for name in LAYERS if name]})
    ],
)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter as the page shows it."""

    name: str
    place: str
    type: str
    text: str


@dataclass(frozen=True, slots=True)
class Operation:
    """A route and method as the page shows it."""

    id: str
    method: str
    tone: str
    path: str
    summary: str
    parameters: tuple[Parameter, ...]
    answers: tuple[tuple[str, str], ...]
    example: str


@dataclass(frozen=True, slots=True)
class Attribute:
    """A field as the page shows it."""

    name: str
    type: str
    text: str
    required: bool
    readonly: bool


@blueprint.get("/v1/openapi.json")
@described(_OPENAPI)
@workspace()
def openapi(scope: TenantScope) -> Response:
    """The OpenAPI 3.1 document of this workspace's API."""
    known_arguments()
    return Response(_encoded(scope), content_type="application/json")


@blueprint.get("/v1/metadata")
@described(_METADATA)
@workspace()
def metadata(scope: TenantScope) -> Response:
    """The workspace's metadata: its components as they are in effect, or as one layer states them."""
    layer = known_arguments("layer").get("layer", "")
    if layer not in LAYERS:
        message = f"layer is one of {', '.join(name for name in LAYERS if name)}, or left out for what is in effect."
        raise InvalidInput(message, [FieldError("?layer", "layer.unknown", message)])
    return json_response({"version": scope.version, "components": components(scope, layer)})


@blueprint.get("/docs")
@workspace()
def docs(scope: TenantScope) -> str:
    """The same for people, an object a page."""
    given = known_arguments("object")
    catalog = catalogs.for_scope(scope)
    described = msgspec.json.decode(_encoded(scope))
    name = given.get("object", next(iter(catalog.objects), WORKSPACE))
    if name != WORKSPACE and name not in catalog.objects:
        raise UnknownObject(f"This workspace has no object called {name!r}.")
    return render_template(
        "records/reference.html",
        objects=[(obj.name, obj.plural) for obj in catalog.objects.values()],
        current=name,
        title=catalog.objects[name].plural if name in catalog.objects else "Workspace",
        operations=operations(described, name),
        attributes=attributes(described, name),
        server=described["servers"][0]["url"],
    )


def components(scope: TenantScope, layer: str) -> list[dict[str, object]]:
    """The components of a layer, or, without one, what all layers come to; specs nested as in YAML.

    Of objects and fields that may not be read nothing is told, except to who shapes the metadata.
    """
    catalog = catalogs.for_scope(scope)
    told = None if allows(scope, METADATA_EDIT) else catalog
    overrides: dict[str, list[tuple[str, Plain]]] = {}
    for component, path, value in scope.execute("select component, path, value from metadata_override order by 1, 2"):
        overrides.setdefault(component, []).append((path, value))
    found: list[dict[str, object]] = []
    for name, leaves in platform_leaves().items():
        own = overrides.get(component_name("object", name), [])
        spec = {"": effective(leaves, own), "platform": leaves, "tenant": dict(own)}[layer]
        if told is not None:
            spec = _told(told, name, spec)
        if spec:
            found.append({"kind": "object", "name": name, "layer": layer or "platform", "spec": nest(spec)})
    return found


def _told(catalog: Catalog, name: str, leaves: Mapping[str, Plain]) -> dict[str, Plain]:
    """The leaves that tell of nothing hidden."""
    obj = catalog.objects.get(name)
    if obj is None or catalog.whole is None:
        return dict(leaves) if obj is not None else {}
    hidden = catalog.whole.objects[name].fields.keys() - obj.fields.keys()
    objects = catalog.whole.objects.keys() - catalog.objects.keys()
    found: dict[str, Plain] = {}
    for path, value in leaves.items():
        parts = path.split(SEPARATOR)
        if parts[0] == "fields" and parts[1] in hidden:
            continue
        unknown = objects if parts[-1] == "to" else hidden
        plain = [one for one in value if one.split(".")[0] not in unknown] if isinstance(value, list) else value
        if not (isinstance(plain, str) and parts[-1] in {"default_sort", "inverse"} and plain.lstrip("-") in hidden):
            found[path] = plain
    return found


def operations(described: Mapping[str, Any], tag: str) -> list[Operation]:
    """The operations of one object, or of the workspace as a whole, in the document's order."""
    found: list[Operation] = []
    server = described["servers"][0]["url"]
    for path, item in described["paths"].items():
        for method in _METHODS:
            operation = item.get(method)
            if operation is None or (operation.get("tags") or [WORKSPACE])[0] != tag:
                continue
            shared = described["components"]["parameters"]
            listed = [*item.get("parameters", []), *operation.get("parameters", [])]
            found.append(
                Operation(
                    id=operation.get("operationId", f"{method}{path}").replace("/", "-"),
                    method=method.upper(),
                    tone=_TONES[method],
                    path=path,
                    summary=operation.get("summary", ""),
                    parameters=tuple(_parameter(one, shared) for one in listed),
                    answers=tuple(_answers(operation, described)),
                    example=_example(method, server, path, operation.get("requestBody", {}).get("content", {})),
                )
            )
    return found


def attributes(described: Mapping[str, Any], name: str) -> list[Attribute]:
    """The fields of an object; none for the workspace."""
    schema = described["components"]["schemas"].get(name)
    if schema is None:
        return []
    required = described["components"]["schemas"][f"{name}.new"].get("required", [])
    return [
        Attribute(field, _type(one), one.get("description", ""), field in required, bool(one.get("readOnly")))
        for field, one in schema["properties"].items()
    ]


def _encoded(scope: TenantScope) -> bytes:
    catalog = catalogs.for_scope(scope)
    server, title = request.host_url.rstrip("/"), scope.tenant.name
    hashes = tuple(obj.spec_hash for obj in catalog.objects.values())
    return _DOCUMENTS.get((hashes, server, title), lambda: _build(catalog, server, title))


def _build(catalog: Catalog, server: str, title: str) -> bytes:
    return msgspec.json.encode(
        document(catalog, server=server, title=title, others=other_paths(current_app, tag=WORKSPACE))
    )


def _parameter(one: Mapping[str, Any], shared: Mapping[str, Any]) -> Parameter:
    known = shared[one["$ref"].rpartition("/")[2]] if "$ref" in one else one
    return Parameter(known["name"], known["in"], _type(known.get("schema", {})), known.get("description", ""))


def _answers(operation: Mapping[str, Any], described: Mapping[str, Any]) -> list[tuple[str, str]]:
    shared = described["components"].get("responses", {})
    answers: list[tuple[str, str]] = []
    for status, one in operation.get("responses", {}).items():
        known = shared.get(one["$ref"].rpartition("/")[2], {}) if "$ref" in one else one
        answers.append((status, known.get("description", "")))
    return answers


def _type(schema: Mapping[str, Any]) -> str:
    """A schema in a word or two."""
    if "anyOf" in schema:
        return _type(schema["anyOf"][0])
    options = [str(option) for option in schema.get("enum", ()) if option is not None]
    if options:
        return " · ".join(options[:8]) + (" · …" if len(options) > 8 else "")
    kinds: str | list[str] = schema.get("type", "any")
    names = [kind for kind in ([kinds] if isinstance(kinds, str) else kinds) if kind != "null"]
    if names == ["array"]:
        return f"array of {_type(schema.get('items', {}))}"
    most = schema.get("maximum")
    limits = f" {schema.get('minimum', 0)}…{most}" if isinstance(most, int) and most <= _SAID else ""
    return f"{'/'.join(names)}{limits}{' (' + schema['format'] + ')' if 'format' in schema else ''}"


def _example(method: str, server: str, path: str, bodies: Mapping[str, Any]) -> str:
    lines = [f"curl {server}{path.replace('{id}', '$ID')}", '  -H "Authorization: Bearer $RAPPORT_API_KEY"']
    if method != "get":
        lines[0] += f" -X {method.upper()}"
    for kind, media in [*bodies.items()][-1:] if method == "patch" else [*bodies.items()][:1]:
        if kind == "multipart/form-data":
            lines += [f"  -F {name}=@{name}" for name in media["schema"]["required"]]
        else:
            body = f"'{msgspec.json.encode(media['example']).decode()}'" if "example" in media else "@body.json"
            lines += [f'  -H "Content-Type: {kind}"', f"  -d {body}"]
    return " \\\n".join(lines)
