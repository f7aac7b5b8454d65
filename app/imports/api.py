"""REST routes of imports (DESIGN §9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast
from urllib.parse import quote
from uuid import UUID

import msgspec
from flask import after_this_request, request
from flask_smorest import Blueprint
from werkzeug.http import dump_options_header
from werkzeug.wrappers import Response

from app.access.rights import RECORD_IMPORT
from app.core.errors import FieldError, InvalidInput
from app.core.jobs import wake
from app.http.context import runtime
from app.http.guard import workspace
from app.http.openapi import described
from app.http.respond import json_response, query_arguments
from app.imports import openapi
from app.imports.errorfile import error_lines
from app.imports.errors import ImportNotFound, InvalidImport
from app.imports.service import (
    MAX_BYTES,
    api_form,
    cancel_import,
    get_import,
    read_options,
    start_import,
    undo_import,
)

if TYPE_CHECKING:
    from tenants.scope import TenantScope

blueprint = Blueprint("imports", __name__, url_prefix="/api/v1", description="Files into records")

#: A file, the options and the multipart frame.
BODY_LIMIT: Final = MAX_BYTES + 1_000_000


@blueprint.post("/imports")
@described(openapi.START)
@workspace(RECORD_IMPORT, body_limit=BODY_LIMIT)
def start(scope: TenantScope) -> Response:
    """Accept a file; 202 with where to look for its progress."""
    query_arguments()
    upload = request.files.get("file")
    if upload is None:
        raise InvalidInput("Send the file as the multipart part `file`.")
    stream = cast("BinaryIO", upload.stream)
    import_id, _ = start_import(scope, runtime().storage, _options(), upload.filename or "file.csv", stream)
    ring_after()
    location = f"/api/v1/imports/{import_id}"
    return json_response(api_form(get_import(scope, import_id)), 202, {"Location": location})


@blueprint.get("/imports/<import_id>")
@described(openapi.GET)
@workspace(RECORD_IMPORT)
def get(scope: TenantScope, import_id: str) -> Response:
    """Summary, status and progress."""
    query_arguments()
    return json_response(api_form(get_import(scope, as_id(import_id))))


@blueprint.get("/imports/<import_id>/errors.csv")
@described(openapi.ERRORS)
@workspace(RECORD_IMPORT)
def errors(scope: TenantScope, import_id: str) -> Response:
    """What was wrong with which cell."""
    query_arguments()
    found = get_import(scope, as_id(import_id))
    return csv_answer("".join(error_lines(scope, found.id)), f"{found.id}-errors.csv")


@blueprint.post("/imports/<import_id>/undo")
@described(openapi.UNDO)
@workspace(RECORD_IMPORT)
def undo(scope: TenantScope, import_id: str) -> Response:
    """Take the import back as far as nobody touched its records since; 202, watch ``status``."""
    query_arguments()
    identity = as_id(import_id)
    undo_import(scope, identity)
    ring_after()
    return json_response(api_form(get_import(scope, identity)), 202, {"Location": f"/api/v1/imports/{identity}"})


@blueprint.post("/imports/<import_id>/cancel")
@described(openapi.CANCEL)
@workspace(RECORD_IMPORT)
def cancel(scope: TenantScope, import_id: str) -> Response:
    """End a queued or running import after its present rows; 202, watch ``status``.

    What was written stays and is counted, with ``undo=true`` it is taken back then. While an import is taken back, that
    ends.
    """
    given = query_arguments("undo")
    if given.get("undo", "false") not in {"true", "false"}:
        message = "undo is true or false."
        raise InvalidInput(message, [FieldError("?undo", "undo.invalid", message)])
    identity = as_id(import_id)
    cancel_import(scope, identity, undo=given.get("undo") == "true")
    ring_after()
    return json_response(api_form(get_import(scope, identity)), 202, {"Location": f"/api/v1/imports/{identity}"})


def ring_after() -> None:
    """Ring the relay when the transaction has been committed."""

    @after_this_request
    def ring(response: Response) -> Response:
        wake(runtime().redis)
        return response


def as_id(text: str) -> UUID:
    """The id in an address. Raises ImportNotFound for anything that is none."""
    try:
        return UUID(text)
    except ValueError:
        raise ImportNotFound("There is no such import.") from None


def csv_answer(text: str, name: str) -> Response:
    """A file to download."""
    # The name is of somebody's file: quoted as the header wants it, other scripts by RFC 8187.
    shown = "".join(character for character in name if character.isprintable())
    names = {"filename": shown.encode("ascii", "replace").decode().replace("?", "_")}
    if not shown.isascii():
        names["filename*"] = f"UTF-8''{quote(shown, safe='')}"
    headers = {"Content-Disposition": dump_options_header("attachment", names)}
    return Response(text.encode(), 200, headers, content_type="text/csv; charset=utf-8")


def _options() -> Any:
    part = request.files.get("options")
    raw: bytes | str = part.read() if part is not None else request.form.get("options", "")
    if not raw:
        raise InvalidInput("Send the options as the multipart part `options`, in JSON.")
    try:
        document = msgspec.json.decode(raw)
    except msgspec.DecodeError as error:
        raise InvalidImport(f"The options are no JSON: {error}.") from None
    if not isinstance(document, dict):
        raise InvalidImport("The options must be a JSON object.")
    return read_options(document)
