"""Pages of people and rights; the settings' frame is ``identity/_settings.html``."""

from __future__ import annotations

from flask import Blueprint

from app.rights.pages import audit, bulk_invite, member, members, record, roles, sharing, support, teams

blueprint = Blueprint("rights", __name__)
for part in (members, member, bulk_invite, teams, roles, sharing, record, audit, support):
    blueprint.register_blueprint(part.blueprint)
