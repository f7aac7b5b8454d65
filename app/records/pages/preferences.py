"""The member's own theme and density."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response, request
from psycopg.types.json import Jsonb

from app.core.errors import InvalidInput
from app.http.guard import workspace
from app.ui.shell import DENSITIES, THEMES

if TYPE_CHECKING:
    from tenants.scope import TenantScope


@workspace(member=True)
def choose(scope: TenantScope) -> Response:
    """Keep the choice with the member, so that every device and the next page show it without a flash."""
    allowed = {"theme": THEMES, "density": DENSITIES}
    chosen = {name: value for name, value in request.form.items() if name in allowed and value in allowed[name]}
    if not chosen or scope.member is None:
        raise InvalidInput("Choose a theme or a density.")
    scope.execute(
        "UPDATE member SET preferences = preferences || %(chosen)s WHERE id = %(id)s",
        {"chosen": Jsonb(chosen), "id": scope.member.id},
    )
    return Response("", 204)
