"""The address files have in pages: as the API gives them out, to who is signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint

from app.access.rights import RECORD_READ
from app.files.api_answers import file_answer
from app.http.guard import workspace

if TYPE_CHECKING:
    from uuid import UUID

    from werkzeug.wrappers import Response

    from tenants.scope import TenantScope

blueprint = Blueprint("file_pages", __name__)


@blueprint.get("/files/<uuid:file_id>")
@workspace(RECORD_READ)
def show(scope: TenantScope, file_id: UUID) -> Response:
    """The file to save, a picture to look at."""
    return file_answer(scope, file_id)
