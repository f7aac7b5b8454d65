"""REST route of mixed batches: several objects in one transaction."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final

import msgspec
from flask import request
from flask_smorest import Blueprint  # pyright: ignore[reportMissingTypeStubs]

from app.access.rights import RECORD_BULK, RECORD_CREATE, RECORD_DELETE, RECORD_EDIT
from app.core.errors import FieldError, Forbidden
from app.http.context import gate
from app.http.guard import workspace
from app.http.openapi import described
from app.http.respond import UnsupportedMediaType, json_response
from app.records import api_arguments as arguments
from app.records.mixed import write_mixed
from app.records.openapi_batch import BATCH
from app.records.operations import read_operations
from app.records.permits import confirmed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from werkzeug.wrappers import Response

    from app.records.operations import Operation
    from tenants.scope import TenantScope

blueprint = Blueprint("batch", __name__, url_prefix="/api/v1", description="Several writes in one transaction")

#: A thousand operations of 8 KB.
_BATCH_BYTES: Final = 8 * 1024 * 1024
_RIGHTS: Final = {
    "create": (RECORD_CREATE,),
    "update": (RECORD_EDIT,),
    "upsert": (RECORD_CREATE, RECORD_EDIT),
    "delete": (RECORD_DELETE,),
    "restore": (RECORD_DELETE,),
}


def _exact(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError("This number is out of range") from None


#: Numbers stay exact: 0.1 is never a binary fraction on its way in.
_ANY: Final = msgspec.json.Decoder(float_hook=_exact)


@blueprint.post("/batch")
@described(BATCH)
@workspace(RECORD_BULK, body_limit=_BATCH_BYTES, by_key=True)
def batch(scope: TenantScope) -> Response:
    """Create, change, delete and restore records of several objects, all or nothing."""
    scope.confirmed = confirmed(arguments.known_arguments("confirm").get("confirm", ""))
    kind = request.mimetype
    if kind and kind != "application/json" and not kind.endswith("+json"):
        raise UnsupportedMediaType("Send application/json.")
    operations = read_operations(_ANY.decode(request.get_data() or b"{}"))
    _authorise(scope, operations)
    return json_response(write_mixed(scope, operations))


def _authorise(scope: TenantScope, operations: Sequence[Operation]) -> None:
    """Each operation needs the right of its kind; the error points at the first that lacks it."""
    for operation in {(operation.op, operation.object): operation for operation in reversed(operations)}.values():
        for right in (RECORD_BULK, *_RIGHTS[operation.op]):
            try:
                gate().authorise(scope, right, operation.object)
            except Forbidden as error:
                problem = FieldError(operation.pointer, error.code, error.detail)
                raise Forbidden(error.detail, [problem]) from error
