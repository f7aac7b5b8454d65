"""A small application on the HTTP kit with a stand-in for tenancy: the kit is tested without a database."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
from flask import Blueprint, Flask, request
from flask_smorest import Api

from app.core import valkey
from app.core.crypto import sha256
from app.core.errors import Conflict, Forbidden, NotFound, Unauthenticated
from app.http import csrf, install, ratelimit, seal
from app.http import health as kit_module
from app.http.gate import PersonSession
from app.http.guard import base_host, public, workspace, workspace_host
from app.http.respond import json_response

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient


@dataclass
class Scope:
    """As much of a scope as the kit touches."""

    tenant: str
    role: str
    credential: UUID
    credential_kind: str
    write: bool
    request_id: str = ""
    statements: list[Any] = field(default_factory=list)

    def execute(self, query: str, params: Any = ()) -> Any:
        self.statements.append((query, params))
        return SimpleNamespace(fetchone=lambda: ("key",))


class InTheWay(Conflict):
    """Another writer, for a moment."""

    passing = True


class Gate:
    """Two tenants on pod 1, one on pod 2; sessions and keys as plain tokens."""

    def __init__(self) -> None:
        self.credentials: dict[bytes, Scope] = {}
        self.outcome: list[str] = []
        self.persons: dict[bytes, PersonSession] = {}

    def add(self, token: str, tenant: str, kind: str = "session", role: str = "member") -> str:
        self.credentials[sha256(token)] = Scope(tenant, role, uuid4(), kind, write=False)
        return token

    def pod_of_host(self, host: str) -> int | None:
        return {"acme.localhost": 1, "globex.localhost": 1, "far.localhost": 2}.get(host)

    def pod_of_key(self, key: str) -> int | None:
        return {"rap_acme": 1, "rap_globex": 1, "rap_far": 2}.get(key.rsplit("_", 1)[0])

    @contextmanager
    def enter(self, *, host: str | None, credential: bytes, write: bool, **_known: object) -> Iterator[Scope]:
        scope = self.credentials.get(credential)
        if scope is None:
            raise Unauthenticated("unknown credential")
        if host is not None and host != f"{scope.tenant}.localhost":
            raise NotFound("elsewhere")
        scope.write = write
        try:
            yield scope
        except BaseException:
            self.outcome.append("rollback")
            raise
        self.outcome.append("commit")

    def person(self, token_hash: bytes) -> PersonSession | None:
        return self.persons.get(token_hash)

    def authorise(self, scope: Any, right: str, object_name: str = "") -> None:  # noqa: ARG002
        if scope.role == "read_only" and right != "record.read":
            raise Forbidden("no right")


def _views() -> Blueprint:
    blueprint = Blueprint("views", __name__)

    @blueprint.get("/")
    @workspace()
    def home(scope: Scope) -> str:
        return f"home of {scope.tenant}"

    @blueprint.get("/", endpoint="front")
    @base_host()
    def front() -> str:
        return "front " + csrf.token()

    @blueprint.post("/act")
    @base_host()
    def act() -> str:
        return "acted"

    @blueprint.get("/account")
    @base_host(person=True)
    def account(session: PersonSession) -> str:
        return session.email

    @blueprint.route("/api/v1/things", methods=["GET", "POST"])
    @workspace("record.read")
    def things(scope: Scope) -> Any:
        return json_response({"tenant": scope.tenant, "write": scope.write})

    @blueprint.post("/api/v1/queue/<int:length>")
    @workspace("record.edit")
    def queue(scope: Scope, length: int) -> Any:
        scope.statements.append(request.get_data())
        if len(scope.statements) <= length:
            raise InTheWay("Somebody else was first.")
        return json_response({"tries": len(scope.statements)})

    @blueprint.post("/api/v1/things/<name>")
    @workspace("record.edit")
    def edit(scope: Scope, name: str) -> Any:
        if name == "busy":
            raise Conflict("Somebody else is at it.", extra={"ids": [1]})
        return json_response({"name": name}, 422 if name == "wrong" else 200)

    _more_views(blueprint)
    return blueprint


def _more_views(blueprint: Blueprint) -> None:
    @blueprint.get("/api/v1/boom")
    @public
    def boom() -> str:
        raise RuntimeError("canary-7f3a in a message")

    @blueprint.get("/boom")
    @public
    def boom_page() -> str:
        raise RuntimeError("canary-7f3a in a message")

    @blueprint.get("/form")
    @workspace(member=True)
    def form(scope: Scope) -> str:
        return csrf.token()

    @blueprint.post("/form")
    @workspace("record.edit", member=True)
    def save(scope: Scope) -> Any:
        return ("wrong", 422) if request.form.get("bad") else "saved"

    @blueprint.get("/session/start")
    @workspace_host
    def start() -> str:
        return "start"


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def flask_app(gate: Gate) -> Iterator[Flask]:
    flask_app = Flask("kit", root_path=str(Path(kit_module.__file__).parents[1] / "ui"))
    config = SimpleNamespace(
        base_domain="localhost", base_url="http://localhost:8000", scheme="http", secret_key="a key for tests"
    )
    nobody = valkey.connect("unix:///nonexistent/valkey.sock")
    runtime: Any = SimpleNamespace(config=config, redis=nobody, ports=SimpleNamespace(gate=gate))
    install(flask_app, runtime)
    Api(flask_app, spec_kwargs={"title": "Kit", "version": "v1", "openapi_version": "3.1.0"})
    flask_app.register_blueprint(_views())
    seal(flask_app)
    ratelimit.forget()
    yield flask_app
    nobody.close()


@pytest.fixture
def client(flask_app: Flask) -> FlaskClient:
    return flask_app.test_client(use_cookies=False)


@pytest.fixture
def person(gate: Gate) -> str:
    session = PersonSession(uuid4(), uuid4(), "Ada", "ada@example.com", datetime.now(UTC))
    gate.persons[sha256("person-token")] = session
    return "person-token"
