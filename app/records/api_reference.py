"""The API's description of itself: OpenAPI for programs, a page for people; both of the calling workspace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec
from flask import current_app, render_template, request
from flask_smorest import Blueprint  # pyright: ignore[reportMissingTypeStubs]
from werkzeug.wrappers import Response

from app.access import catalogs
from app.http.guard import workspace
from app.http.openapi import answer, described, operation, other_paths
from app.records.api_arguments import known_arguments
from app.records.errors import UnknownObject
from app.records.openapi import document
from app.records.statements import ShapeCache

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.metadata.model import Catalog
    from tenants.scope import TenantScope

blueprint = Blueprint("reference", __name__, url_prefix="/api", description="The API's description of itself")

_DOCUMENTS: Final = ShapeCache(64)
_METHODS: Final = ("get", "post", "patch", "put", "delete")
_TONES: Final = {"get": "blue", "post": "green", "patch": "amber", "put": "violet", "delete": "red"}
WORKSPACE: Final = "workspace"
#: Limits beyond this are the machine's, not worth a reader's time.
_SAID: Final = 10_000
_OPENAPI: Final = operation(
    "This document",
    {"200": answer("OpenAPI 3.1", {"type": "object", "required": ["openapi", "paths"]})},
    operationId="openapi",
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
