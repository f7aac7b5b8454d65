"""Puts the kit into a Flask application; the composition root calls ``install`` first and ``seal`` last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Flask, current_app, request
from werkzeug.wrappers import Response

from app.http import csrf
from app.http.context import facts, load_facts, runtime
from app.http.guard import BODY_LIMIT, Access, public
from app.http.headers import install_headers
from app.http.health import blueprint as health
from app.http.health import install_metrics
from app.http.problem import install_errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.routing import Rule

    from app.core.ports import Runtime


def install(flask_app: Flask, runtime: Runtime) -> None:
    """Every request gets facts, guards, headers, error forms, metrics. ``runtime.ports.gate`` is bound before."""
    flask_app.extensions["rapport"] = runtime
    flask_app.extensions["rapport_gate"] = runtime.ports.gate
    flask_app.config.setdefault("MAX_CONTENT_LENGTH", BODY_LIMIT)
    flask_app.config["PROPAGATE_EXCEPTIONS"] = False
    flask_app.before_request(load_facts)
    install_metrics(flask_app)
    flask_app.before_request(choose_view)
    install_errors(flask_app)
    install_headers(flask_app)
    globals_: dict[str, Callable[..., Any]] = flask_app.jinja_env.globals  # pyright: ignore[reportAssignmentType]
    globals_["csrf_token"] = csrf.token
    flask_app.register_blueprint(health)
    if "static" in flask_app.view_functions:
        public(flask_app.view_functions["static"])


class UndeclaredRoute(Exception):
    """A view lacks its access declaration."""


def seal(flask_app: Flask) -> None:
    """Check that each route declares its access and note which paths have a view per kind of host."""
    pairs: dict[tuple[str, str, str], Rule] = {}
    bare: list[str] = []
    for rule in flask_app.url_map.iter_rules():
        access = declared(flask_app, rule.endpoint)
        if access is None:
            bare.append(f"{rule.endpoint} ({rule.rule})")
            continue
        for method in rule.methods or ():
            if pairs.setdefault((rule.rule, method, access.audience), rule) is not rule and method not in {
                "HEAD",
                "OPTIONS",
            }:
                raise UndeclaredRoute(f"two views for {method} {rule.rule} on the same host")
    if bare:
        raise UndeclaredRoute("no access declaration (app.http.guard): " + ", ".join(sorted(bare)))
    flask_app.extensions["rapport_routes"] = pairs
    # Once more: flask-smorest's Api, made after the kit, registers a form of its own for HTTP errors.
    install_errors(flask_app)


def declared(flask_app: Flask, endpoint: str) -> Access | None:
    """The access declaration of an endpoint."""
    return getattr(flask_app.view_functions[endpoint], "__access__", None)


#: Other names of this machine; browsers resolve ``*.localhost`` themselves, but no name below an address.
LOOPBACK = frozenset({"127.0.0.1", "[::1]"})


def choose_view() -> Response | None:
    """The same path may have one view for the base host and one for workspaces (``/``, ``/sign-out``)."""
    if "rapport_routes" not in current_app.extensions:
        raise UndeclaredRoute("app.http.seal was not called")
    rule = request.url_rule
    access = declared(current_app, rule.endpoint) if rule is not None else None
    if rule is None or access is None or access.audience == "public":
        return None
    config = runtime().config
    if facts().host in LOOPBACK and config.base_domain == "localhost" and access.audience == "base":
        return Response("", 302, {"Location": config.base_url + request.full_path.rstrip("?")})
    wanted = "base" if facts().kind == "base" else "workspace"
    if access.audience == wanted:
        return None
    other = current_app.extensions["rapport_routes"].get((rule.rule, request.method, wanted))
    if other is not None:
        request.url_rule = other
    return None
