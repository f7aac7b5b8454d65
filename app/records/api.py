"""REST routes of records: parse, call one verb, answer (DESIGN §9)."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import msgspec
from flask import request
from flask_smorest import Blueprint  # pyright: ignore[reportMissingTypeStubs]
from werkzeug.exceptions import MethodNotAllowed

from app.access.rights import RECORD_BULK, RECORD_CREATE, RECORD_DELETE, RECORD_DESTROY, RECORD_EDIT, RECORD_READ
from app.core.errors import FieldError, InvalidInput
from app.http.context import gate
from app.http.etag import etag, parse_if_match
from app.http.guard import workspace
from app.http.respond import UnsupportedMediaType, json_response, link_next, no_content
from app.records import api_arguments as arguments
from app.records.aggregate import aggregate
from app.records.board import board
from app.records.bulk import bulk
from app.records.history import feed, record_events
from app.records.intake import unknown_field
from app.records.permits import confirmed
from app.records.read import as_id, find_object, get_record, list_records
from app.records.search import search
from app.records.write import (
    create_record,
    destroy_record,
    restore_record,
    trash_record,
    update_record,
    upsert_record,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from werkzeug.wrappers import Response

    from app.records.query import JSONRecord
    from tenants.scope import TenantScope

blueprint = Blueprint("records", __name__, url_prefix="/api/v1", description="Records of any object")

#: An id is longer than the names of an object's other routes (bulk, aggregate, board), which answer 405 for themselves.
_RECORD: Final = "/records/<object_name>/<string(minlength=10):record_id>"
#: A bulk call's body: 10,000 rows of 3 KB.
_BULK_BYTES: Final = 32 * 1024 * 1024


def _exact(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError("This number is out of range") from None


#: Numbers stay exact: 0.1 is never a binary fraction on its way in.
_OBJECT: Final = msgspec.json.Decoder(dict[str, Any], float_hook=_exact)
_ROWS: Final = msgspec.json.Decoder(list[Any], float_hook=_exact)
_ANY: Final = msgspec.json.Decoder(float_hook=_exact)


@blueprint.get("/records/<object_name>")
@workspace(RECORD_READ)
def list_(scope: TenantScope, object_name: str) -> Response:
    """A page of records."""
    page = list_records(scope, object_name, arguments.list_query())
    return json_response({"data": page.rows, "next": page.next, "total": page.total}, headers=link_next(page.next))


@blueprint.post("/records/<object_name>")
@workspace(RECORD_CREATE, by_key=True)
def create(scope: TenantScope, object_name: str) -> Response:
    """Create a record."""
    _confirm(scope, arguments.known_arguments("confirm"))
    record = create_record(scope, object_name, _body())
    return _answer(object_name, record, 201)


@blueprint.get(_RECORD)
@workspace(RECORD_READ, by_key=True)
def get(scope: TenantScope, object_name: str, record_id: str) -> Response:
    """One record."""
    fields, trash = arguments.get_arguments()
    wanted = (*fields, "version") if fields and "version" not in fields else fields
    record = get_record(scope, object_name, _id(scope, object_name, record_id), fields=wanted, trash=trash)
    tag = etag(_version(record))
    if request.if_none_match.contains_weak(tag.strip('"')):
        return json_response(b"", 304, {"ETag": tag})
    if wanted != fields:
        del record["version"]
    return json_response(record, headers={"ETag": tag})


@blueprint.patch(_RECORD)
@workspace(RECORD_EDIT, by_key=True)
def patch(scope: TenantScope, object_name: str, record_id: str) -> Response:
    """Change a record by a JSON merge patch (RFC 7396)."""
    _confirm(scope, arguments.known_arguments("confirm"))
    wanted = _id(scope, object_name, record_id)
    record = update_record(scope, object_name, wanted, _body(), if_match=parse_if_match())
    return _answer(object_name, record, 200)


@blueprint.delete(_RECORD)
@workspace(RECORD_DELETE)
def delete(scope: TenantScope, object_name: str, record_id: str) -> Response:
    """Move a record to the trash, or destroy it."""
    destroy = arguments.flag(arguments.known_arguments("destroy"), "destroy")
    wanted = _id(scope, object_name, record_id)
    if destroy:
        gate().authorise(scope, RECORD_DESTROY, object_name)
        destroy_record(scope, object_name, wanted, if_match=parse_if_match())
    else:
        trash_record(scope, object_name, wanted, if_match=parse_if_match())
    return no_content()


@blueprint.post("/records/<object_name>/<record_id>/restore")
@workspace(RECORD_DELETE)
def restore(scope: TenantScope, object_name: str, record_id: str) -> Response:
    """Bring a record back from the trash."""
    arguments.known_arguments()
    record = restore_record(scope, object_name, _id(scope, object_name, record_id))
    return _answer(object_name, record, 200)


@blueprint.put("/records/<object_name>/by/<unique_field>/<path:value>")
@workspace(RECORD_CREATE, by_key=True)
def upsert(scope: TenantScope, object_name: str, unique_field: str, value: str) -> Response:
    """Update the record with this unique value, or create it."""
    _confirm(scope, arguments.known_arguments("confirm"))
    gate().authorise(scope, RECORD_EDIT, object_name)
    record, created = upsert_record(scope, object_name, unique_field, value, _body(), if_match=parse_if_match())
    return _answer(object_name, record, 201 if created else 200)


@blueprint.post("/records/<object_name>/bulk")
@workspace(RECORD_BULK, body_limit=_BULK_BYTES, by_key=True)
def bulk_(scope: TenantScope, object_name: str) -> Response:
    """Write many records, each with its own result."""
    given = arguments.known_arguments("mode", "match", "atomic", "confirm")
    _confirm(scope, given)
    mode = given.get("mode", "create")
    for right in _BULK_RIGHTS.get(mode, ()):
        gate().authorise(scope, right, object_name)
    atomic = arguments.flag(given, "atomic")
    result = bulk(scope, object_name, _rows(), mode=mode, match=given.get("match", ""), atomic=atomic)
    return json_response(result)


@blueprint.get("/records/<object_name>/aggregate")
@workspace(RECORD_READ)
def aggregate_(scope: TenantScope, object_name: str) -> Response:
    """Counts, sums, averages and extremes by groups."""
    body = aggregate(scope, object_name, arguments.aggregate_query())
    following = body["next"]
    return json_response(body, headers=link_next(following if isinstance(following, str) else None))


@blueprint.get("/records/<object_name>/board")
@workspace(RECORD_READ)
def board_(scope: TenantScope, object_name: str) -> Response:
    """Records as columns of cards."""
    return json_response(board(scope, object_name, arguments.board_query()))


@blueprint.get("/records/<object_name>/<record_id>/events")
@workspace(RECORD_READ)
def record_events_(scope: TenantScope, object_name: str, record_id: str) -> Response:
    """What happened to a record, or with ``field`` to that field of it, oldest first."""
    given = arguments.known_arguments("after", "limit", "field")
    _, obj = find_object(scope, object_name)
    wanted, field = as_id(obj, record_id), given.get("field", "")
    if field and field not in obj.fields:
        message = unknown_field(obj, field)
        raise InvalidInput(message, [FieldError("?field", "field.unknown", message)])
    limit = arguments.limit_of(given)
    body = record_events(scope, object_name, wanted, after=given.get("after", ""), limit=limit, field=field)
    return json_response(body)


@blueprint.get("/events")
@workspace(RECORD_READ)
def events(scope: TenantScope) -> Response:
    """The workspace's change feed by ``seq``."""
    given = arguments.known_arguments("after", "limit")
    after = given.get("after", "0")
    if not after.isascii() or not after.isdigit() or len(after) > 18:
        message = "after is the seq of an event."
        raise InvalidInput(message, [FieldError("?after", "after.invalid", message)])
    return json_response(feed(scope, after=int(after), limit=arguments.limit_of(given)))


@blueprint.get("/search")
@workspace(RECORD_READ, by_key=True)
def search_(scope: TenantScope) -> Response:
    """Find records of any object."""
    given = arguments.known_arguments("q", "object", "limit")
    found = search(
        scope, given.get("q", ""), arguments.names_of(given.get("object", "")), arguments.limit_of(given, 10)
    )
    return json_response({"data": found})


_BULK_RIGHTS: Final = {
    "create": (RECORD_CREATE,),
    "update": (RECORD_EDIT,),
    "upsert": (RECORD_CREATE, RECORD_EDIT),
    "delete": (RECORD_DELETE,),
}


#: What stands where a record's id does, and the methods that go with it.
_VERBS: Final = {"bulk": ("POST",), "aggregate": ("GET",), "board": ("GET",)}


def _id(scope: TenantScope, object_name: str, record_id: str) -> UUID:
    if record_id in _VERBS:
        raise MethodNotAllowed(_VERBS[record_id])
    _, obj = find_object(scope, object_name)
    return as_id(obj, record_id)


def _answer(object_name: str, record: JSONRecord, status: int) -> Response:
    headers = {"ETag": etag(_version(record))}
    if status == 201:
        headers["Location"] = f"/api/v1/records/{quote(object_name)}/{record['id']}"
    return json_response(record, status, headers)


def _version(record: JSONRecord) -> int:
    version = record["version"]
    return version if isinstance(version, int) else int(str(version))


def _confirm(scope: TenantScope, given: Mapping[str, str]) -> None:
    """What the caller was asked and agrees to."""
    scope.confirmed = confirmed(given.get("confirm", ""))


def _body() -> dict[str, Any]:
    kind = request.mimetype
    if kind and kind != "application/json" and not kind.endswith("+json"):
        raise UnsupportedMediaType("Send application/json.")
    return _OBJECT.decode(request.get_data() or b"{}")


def _rows() -> list[Any]:
    """The rows of a bulk call: a JSON array, or NDJSON."""
    body = request.get_data()
    if request.mimetype not in ("application/x-ndjson", "application/ndjson", "application/jsonl"):
        return _ROWS.decode(body)
    rows: list[Any] = []
    for number, line in enumerate(body.splitlines()):
        if line.strip():
            try:
                rows.append(_ANY.decode(line))
            except msgspec.DecodeError as error:
                message = f"Line {number + 1} is not JSON: {error}"
                raise InvalidInput(message, [FieldError(f"/{len(rows)}", "row.invalid", message)]) from error
    return rows
