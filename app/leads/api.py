"""``POST /api/v1/records/lead/{id}/convert``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import msgspec
from flask import request
from flask_smorest import Blueprint

from app.access.rights import RECORD_CREATE, RECORD_EDIT
from app.core.errors import FieldError, InvalidInput
from app.http.context import gate
from app.http.guard import workspace
from app.http.openapi import Schema, answer, body, described, of_parts, operation
from app.http.respond import json_response
from app.leads.service import convert_lead
from app.records.api_arguments import known_arguments
from app.records.read import as_id, find_object

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from tenants.scope import TenantScope

blueprint = Blueprint("leads", __name__, url_prefix="/api/v1", description="Lead conversion")

_KNOWN: Final = ("deal_name", "company", "contact")
_ID: Final[Schema] = {"type": ["string", "null"], "format": "uuid"}
_FORM: Final[Schema] = {
    "type": "object",
    "properties": {
        "deal_name": {"type": ["string", "null"], "description": "A deal of this name too"},
        "company": _ID | {"description": "A company there is already"},
        "contact": _ID | {"description": "A contact there is already"},
    },
    "additionalProperties": False,
}
_CONVERT: Final = operation(
    "Turn a lead into a company, a contact and, with deal_name, a deal",
    {"200": answer("What it became", of_parts({"company": _ID, "contact": {**_ID, "type": "string"}, "deal": _ID}))},
    operationId="lead_convert",
    request=body(_FORM, required=False, example={"deal_name": "First order"}),
    write=True,
)


@blueprint.post("/records/lead/<record_id>/convert")
@described(_CONVERT)
@workspace(RECORD_EDIT, object_name="lead")
def convert(scope: TenantScope, record_id: str) -> Response:
    """Turn a lead into a company, a contact and, with ``deal_name``, a deal."""
    known_arguments()
    gate().authorise(scope, RECORD_CREATE)
    body = _body()
    conversion = convert_lead(
        scope,
        as_id(find_object(scope, "lead")[1], record_id),
        deal_name=_text(body, "deal_name"),
        company=_uuid(body, "company"),
        contact=_uuid(body, "contact"),
    )
    return json_response(conversion.to_json())


def _body() -> dict[str, Any]:
    """Read the JSON object of the body; none is an empty one."""
    try:
        body = msgspec.json.decode(request.get_data() or b"{}", type=dict[str, Any])
    except msgspec.MsgspecError as error:
        message = "The body must be a JSON object."
        raise InvalidInput(message, [FieldError("", "body.invalid", message)]) from error
    unknown = [name for name in body if name not in _KNOWN]
    if unknown:
        message = f"There are only {', '.join(_KNOWN)}."
        raise InvalidInput(message, [FieldError(f"/{name}", "field.unknown", message) for name in unknown])
    return body


def _text(body: dict[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is None or isinstance(value, str):
        return value.strip() if value else None
    raise _wrong(name, "text.type", "Must be a text.")


def _uuid(body: dict[str, Any], name: str) -> UUID | None:
    value = body.get(name)
    if value is None:
        return None
    try:
        return UUID(str(value))
    except ValueError as error:
        raise _wrong(name, "link.invalid", "Must be the id of a record.") from error


def _wrong(name: str, code: str, message: str) -> InvalidInput:
    return InvalidInput(message, [FieldError(f"/{name}", code, message)])
