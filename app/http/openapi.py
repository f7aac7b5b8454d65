"""The vocabulary of the API's description: operations, answers, headers and errors, said once (OpenAPI 3.1).

A slice describes its routes with ``@described(operation(...))``; ``app.records.openapi`` puts everything together for
the calling workspace, with the routes of its objects.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from flask import Flask

V = TypeVar("V")
Schema = dict[str, Any]

REF: Final = "$ref"
JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"
#: What any call may meet: credential, right, address, input, rate, a part of the service that is away.
COMMON_ERRORS: Final = ("401", "403", "404", "422", "429", "503")
#: What may be wrong with a body as such.
BODY_ERRORS: Final = ("400", "413", "415")
#: Writing may collide with somebody else's, or with an earlier call of the same Idempotency-Key.
WRITE_ERRORS: Final = ("409",)

ERRORS: Final = {
    "400": "The body is not what its Content-Type says",
    "401": "No credential, or not a valid one",
    "403": "The credential's role lacks the right",
    "404": "Unknown, in the trash, or another workspace's",
    "409": "The state does not allow this now",
    "412": "The record was changed meanwhile",
    "413": "The body is larger than this route reads",
    "415": "The body is of a type this route does not read",
    "422": "Something in the request is not acceptable; errors[] points at it",
    "429": "Too many requests; see Retry-After",
    "503": "A part of the service does not answer at the moment; try again",
}
_RATE_HEADERS: Final = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")


#: Where a view keeps its description.
ATTRIBUTE: Final = "__operation__"
_ARGUMENT: Final = re.compile(r"<(?:[^:<>]+:)?([a-z_]+)>")


def described(operation: Schema) -> Callable[[V], V]:
    """Leave the view's description readable on it."""

    def decorate(view: V) -> V:
        setattr(view, ATTRIBUTE, operation)
        return view

    return decorate


def other_paths(flask_app: Flask, *, tag: str) -> dict[str, Schema]:
    """The paths of described views, in the order they were registered; the values in their addresses are ids."""
    paths: dict[str, Schema] = {}
    for rule in flask_app.url_map.iter_rules():
        found: Schema | None = getattr(flask_app.view_functions[rule.endpoint], ATTRIBUTE, None)
        if found is None:
            continue
        item = paths.setdefault(_ARGUMENT.sub(_placeholder, rule.rule), {})
        names = [_placeholder(argument)[1:-1] for argument in _ARGUMENT.finditer(rule.rule)]
        if names:
            item["parameters"] = [_identity(name) for name in names]
        for method in (rule.methods or set[str]()) - {"HEAD", "OPTIONS"}:
            item[method.lower()] = {"tags": [tag], **found}
    return paths


def _placeholder(argument: re.Match[str]) -> str:
    return "{id}" if argument[1] == "record_id" else f"{{{argument[1]}}}"


def _identity(name: str) -> Schema:
    if name == "id":
        return component("parameters", "id")
    if name in ("object_name", "role"):
        text = f"Name of the {name.removesuffix('_name')}"
        return {"name": name, "in": "path", "required": True, "description": text, "schema": {"type": "string"}}
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": f"Id of the {name.removesuffix('_id')}",
        "schema": {"type": "string", "format": "uuid"},
    }


def component(kind: str, name: str) -> Schema:
    """A reference to a shared component."""
    return {REF: f"#/components/{kind}/{name}"}


def schema(name: str) -> Schema:
    """A reference to a shared schema."""
    return component("schemas", name)


def query(name: str, text: str, form: Schema, *, required: bool = False) -> Schema:
    """A query parameter."""
    described: Schema = {"name": name, "in": "query", "description": text, "schema": form}
    return described | ({"required": True} if required else {})


def answer(text: str, form: Schema | None = None, *, kind: str = JSON, headers: Iterable[str] = ()) -> Schema:
    """A successful answer with the headers every answer has, and ``headers``."""
    described: Schema = {
        "description": text,
        "headers": {name: component("headers", name) for name in (*headers, "X-Request-Id", *_RATE_HEADERS)},
    }
    return described | ({"content": {kind: {"schema": form}}} if form is not None else {})


def follow(operation: str, **parameters: str) -> Schema:
    """A link from an answer to what can be done next; ``parameters`` are runtime expressions."""
    return {"operationId": operation, "parameters": parameters}


def body(form: Schema, *kinds: str, required: bool = True, example: object = None) -> Schema:
    """A request body, JSON unless said otherwise."""
    media: Schema = {"schema": form} | ({"example": example} if example is not None else {})
    return {"required": required, "content": dict.fromkeys(kinds or (JSON,), media)}


def operation(
    summary: str,
    answers: dict[str, Schema],
    *,
    description: str = "",
    parameters: Iterable[Schema] = (),
    request: Schema | None = None,
    write: bool = False,
    errors: Iterable[str] = (),
    **more: Any,
) -> Schema:
    """An operation with every error it may answer. ``write`` adds Idempotency-Key and what collisions answer."""
    codes = {*COMMON_ERRORS, *errors, *(BODY_ERRORS if request else ()), *(WRITE_ERRORS if write else ())}
    described: Schema = {
        "summary": summary,
        "parameters": [*parameters, *([component("parameters", "idempotency_key")] if write else [])],
        "responses": answers | {code: component("responses", f"Problem{code}") for code in sorted(codes)},
        **more,
    }
    if description:
        described["description"] = description
    return described | ({"requestBody": request} if request else {})


def form_of(struct: type[msgspec.Struct], **properties: Schema) -> Schema:
    """The schema of a msgspec struct; ``properties`` adds what its annotations can't say (limits, meanings)."""
    (_,), known = msgspec.json.schema_components([struct], ref_template="{name}")
    form: Schema = _whole(known[struct.__name__], known)
    for name, more in properties.items():
        form["properties"][name] = form["properties"][name] | more
    return form


def _whole(part: Any, known: Mapping[str, Any]) -> Any:
    """A schema with those it refers to in their places, and without the names of our classes."""
    if isinstance(part, list):
        return [_whole(one, known) for one in cast("list[Any]", part)]
    if not isinstance(part, dict):
        return part
    schema = cast("dict[str, Any]", part)
    if REF in schema:
        return _whole(known[schema[REF]], known)
    ours = {"title", "description"} if "properties" in schema else set[str]()
    return {name: _whole(value, known) for name, value in schema.items() if name not in ours}


def page_of(item: Schema, following: Schema | None = None) -> Schema:
    """A page of a list: ``data`` and ``next``."""
    return {
        "type": "object",
        "required": ["data", "next"],
        "properties": {
            "data": {"type": "array", "items": item},
            "next": following
            or {"type": ["string", "null"], "description": "Cursor of the next page; null on the last"},
        },
        "additionalProperties": False,
    }


def of_parts(properties: dict[str, Schema], *, optional: Iterable[str] = (), title: str = "") -> Schema:
    """An object of an answer that holds exactly ``properties``, all of them but ``optional``."""
    form: Schema = {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in set(optional)],
        "additionalProperties": False,
    }
    return form | ({"title": title} if title else {})


def shared() -> dict[str, dict[str, Schema]]:
    """The components operations refer to: headers, errors, parameters about versions and repeats."""
    return {
        "headers": _headers(),
        "responses": {f"Problem{status}": _problem(status, text) for status, text in ERRORS.items()},
        "parameters": _parameters(),
        "schemas": _schemas(),
        "securitySchemes": {
            "key": {"type": "http", "scheme": "bearer", "description": "An API key: `rap_…`"},
            "session": {
                "type": "apiKey",
                "in": "cookie",
                "name": "__Host-rapport",
                "description": "A signed-in member",
            },
        },
    }


def _headers() -> dict[str, Schema]:
    whole: Schema = {"type": "integer", "minimum": 0}

    def header(text: str, form: Schema, *, required: bool = False) -> Schema:
        return {"description": text, "schema": form} | ({"required": True} if required else {})

    tag: Schema = {"type": "string", "pattern": '^"[0-9]+"$', "examples": ['"3"']}
    return {
        "ETag": header("The record's version", tag, required=True),
        "Location": header("Where the new thing is", {"type": "string", "format": "uri-reference"}, required=True),
        "Link": header('RFC 8288: `rel="next"` when there is a next page', {"type": "string"}),
        "X-Request-Id": header("Name it when you ask for help", {"type": "string"}),
        "RateLimit-Limit": header("Requests this credential may send at once", whole),
        "RateLimit-Remaining": header("How many are left now", whole),
        "RateLimit-Reset": header("Seconds until all are there again", whole),
        "Retry-After": header("Seconds to wait; on a 409 only where waiting helps", whole),
        "WWW-Authenticate": header("How to authenticate", {"type": "string"}, required=True),
        "Idempotency-Replayed": header("`true` when this is the stored answer of an earlier call", {"const": "true"}),
    }


def _problem(status: str, text: str) -> Schema:
    more = {"401": ("WWW-Authenticate",), "409": ("Retry-After",), "429": ("Retry-After",)}.get(status, ())
    return answer(text, schema("Problem"), kind=PROBLEM, headers=more)


def _parameters() -> dict[str, Schema]:
    return {
        "id": {
            "name": "id",
            "in": "path",
            "required": True,
            "description": "Id of the record",
            "schema": {"type": "string", "format": "uuid"},
        },
        "confirm": query("confirm", "Do it although the record leaves your own reach", {"enum": ["leaves_reach"]}),
        "if_match": {
            "name": "If-Match",
            "in": "header",
            "description": 'The ETag read, such as `"3"`: when the record has another version by now the answer is 412',
            "schema": {"type": "string", "pattern": r'^(\*|(W/)?"[0-9]{1,18}")$', "examples": ['"3"']},
        },
        "if_none_match": {
            "name": "If-None-Match",
            "in": "header",
            "description": "The ETag known; 304 when it is still the one",
            "schema": {"type": "string", "examples": ['"3"']},
        },
        "idempotency_key": {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "A repeat with the same key and request gets the first answer; another request with it 422",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        },
    }


def _schemas() -> dict[str, Schema]:
    problem: Schema = of_parts(
        {
            "type": {"type": "string", "format": "uri"},
            "title": {"type": "string"},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "code": {"type": "string", "description": "Stable, for programs", "examples": ["record.invalid"]},
            "detail": {"type": "string", "description": "A sentence for people"},
            "errors": {"type": "array", "items": schema("FieldError")},
            "request_id": {"type": "string"},
        }
    )
    problem["additionalProperties"] = True
    problem["description"] = "RFC 9457. Some problems say more, by members of their own."
    pointer = {"type": "string", "description": "JSON pointer into the body, or `?name` of a parameter"}
    return {
        "Problem": problem,
        "FieldError": of_parts({"pointer": pointer, "code": {"type": "string"}, "message": {"type": "string"}}),
    }
