"""The web application: the kits, then every slice's blueprint, then the check that each route declares its access."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

from flask import Flask
from flask_smorest import Api
from werkzeug.middleware.proxy_fix import ProxyFix

from app import http, ui
from app.http.problem import install_errors
from tenants.identity.gate import TenantGate

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.core.ports import Runtime

#: Modules with a ``blueprint``: REST routes (flask-smorest) and pages. Their order is that of the documentation.
APIS: Final = (
    "app.records.api",
    "app.records.api_batch",
    "app.records.api_reference",
    "app.leads.api",
    "app.imports.api",
    "app.exports.api",
    "app.files.api",
    "tenants.identity.api",
    "app.rights.api.members",
    "app.rights.api.teams",
    "app.rights.api.roles",
    "app.rights.api.sharing",
    "app.rights.api.audit",
    "app.shaping.api",
    "app.rights.api.support",
)
PAGES: Final = (
    "tenants.identity.pages",
    "app.home.pages",
    "app.records.pages",
    "app.leads.pages",
    "app.imports.pages",
    "app.exports.pages",
    "app.files.pages",
    "app.rights.pages",
    "app.shaping.pages",
)


class _FlaskApp(Flask):
    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """None of our views and hooks is a coroutine: Flask need not find that out seven times a request."""
        return func


def create_flask_app(runtime: Runtime) -> Flask:
    """The application for ``runtime``; binds the gate, which only requests need."""
    runtime.ports.gate = TenantGate(runtime)
    flask_app = _FlaskApp("app", static_folder="ui/static", static_url_path="/static", template_folder=None)
    flask_app.config.update(
        API_TITLE="Rapport",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        # The document is the calling tenant's own (app.records.openapi), not the library's.
        OPENAPI_URL_PREFIX=None,
    )
    ui.install(flask_app, runtime)
    http.install(flask_app, runtime)
    api = Api(flask_app)
    install_errors(flask_app)  # again: the library puts its own JSON in the place of the pages for 404 and the like
    for name in APIS:
        api.register_blueprint(importlib.import_module(name).blueprint)
    for name in PAGES:
        flask_app.register_blueprint(importlib.import_module(name).blueprint)
    http.seal(flask_app)
    if runtime.config.proxies:
        # Limits are by address: behind a proxy everybody would share the proxy's. Host and scheme are never taken.
        believed = ProxyFix(flask_app.wsgi_app, x_for=runtime.config.proxies, x_proto=0, x_host=0)
        flask_app.wsgi_app = believed
    return flask_app
