"""REST routes of files."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, cast
from uuid import UUID

from flask import request
from flask_smorest import Blueprint

from app.access.rights import RECORD_EDIT, RECORD_READ
from app.core.errors import FieldError
from app.files import openapi
from app.files.api_answers import file_answer
from app.files.errors import InvalidFile
from app.files.service import keep_file, not_there
from app.http.context import runtime
from app.http.guard import workspace
from app.http.openapi import described
from app.http.respond import json_response, query_arguments
from app.http.uploads import file_too_large

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from tenants.scope import TenantScope

blueprint = Blueprint("files", __name__, url_prefix="/api/v1", description="Files that fields of records hold")


@blueprint.post("/files")
@described(openapi.UPLOAD)
@workspace(RECORD_EDIT, upload=True)
def upload(scope: TenantScope) -> Response:
    """Keep a file; 201 with the id that a field of a record is set to."""
    query_arguments()
    sent = request.files.get("file")
    if sent is None:
        message = "Send the file as the multipart part `file`."
        raise InvalidFile(message, [FieldError("/file", "required", message)])
    stream = cast("BinaryIO", sent.stream)
    if stream.seek(0, 2) > runtime().config.file_limit:
        raise file_too_large()
    row = keep_file(scope, runtime().storage, stream, sent.filename or "", sent.mimetype)
    made = {"id": str(row.id), "name": row.name, "type": row.type, "size": row.size}
    return json_response(made, 201, {"Location": f"/api/v1/files/{row.id}"})


@blueprint.get("/files/<file_id>")
@described(openapi.DOWNLOAD)
@workspace(RECORD_READ)
def download(scope: TenantScope, file_id: str) -> Response:
    """The file, for whoever may read a record and the field of it that points to it."""
    query_arguments()
    return file_answer(scope, as_id(file_id))


def as_id(text: str) -> UUID:
    """The id in an address. Raises FileNotThere for anything that is none."""
    try:
        return UUID(text)
    except ValueError:
        raise not_there() from None
