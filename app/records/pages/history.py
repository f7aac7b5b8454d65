"""The history of one field in a dialog: who changed it from what to what, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request

from app.core.errors import NotFound
from app.http.guard import workspace
from app.records.pages.answers import fragment
from app.records.pages.timeline import field_history
from app.records.read import find_object, get_record

if TYPE_CHECKING:
    from uuid import UUID

    from werkzeug.wrappers import Response

    from app.metadata.model import ObjectType
    from tenants.scope import TenantScope


@workspace("record.read")
def of_field(scope: TenantScope, object_name: str, record_id: UUID, field_name: str) -> Response:
    """The dialog, or with ``after`` only the changes before that one."""
    _, obj = find_object(scope, object_name)
    field = obj.fields.get(field_name)
    if field is None:
        raise NotFound(f"{obj.plural} have no field of that name.")
    get_record(scope, object_name, record_id, fields=("id",), trash=True)
    after = request.args.get("after", "")
    history = field_history(scope, obj, field, record_id, after)
    template = "records/_history_steps.html" if after else "records/_history.html"
    return fragment(template, field=field, history=history, url=_url(obj, record_id, field_name))


def _url(obj: ObjectType, record_id: UUID, field_name: str) -> str:
    return f"/records/{obj.name}/{record_id}/fields/{field_name}/history"
