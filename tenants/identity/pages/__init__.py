"""Pages of identity: the base host's, the door of a workspace, and the settings that concern people."""

from __future__ import annotations

from flask import Blueprint

from tenants.identity.pages import account, door, passwords, settings, sign_in, sign_up, support

blueprint = Blueprint("identity", __name__)
for part in (sign_up, sign_in, passwords, account, door, settings, support):
    blueprint.register_blueprint(part.blueprint)
