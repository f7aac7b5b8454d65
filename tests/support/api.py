"""A program that calls the API of one workspace with a key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from tenants.identity.keys import create_key
from tenants.scope import enter_job
from tests.support.tenants import owner_of

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.test import TestResponse

    from app.core.db import Databases
    from tenants.scope import Tenant


def make_key(databases: Databases, tenant: Tenant, role: str = "admin") -> str:
    """An API key of the workspace."""
    with enter_job(databases, tenant.id, actor=owner_of(databases, tenant), write=True) as scope:
        return create_key(scope, f"Test {role}", role)[1]


@dataclass(frozen=True, slots=True)
class Api:
    """Calls routes below ``/api/v1`` and decodes what they answer."""

    flask_app: Flask
    key: str
    host: str = "localhost"

    def call(
        self, method: str, path: str, body: object = None, *, query: dict[str, str] | None = None, **headers: str
    ) -> TestResponse:
        """One request; ``body`` is encoded as JSON unless it is bytes."""
        sent = {"Authorization": f"Bearer {self.key}", **{k.replace("_", "-"): v for k, v in headers.items()}}
        data = body if isinstance(body, bytes) or body is None else msgspec.json.encode(body)
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        client = self.flask_app.test_client(use_cookies=False)
        return client.open(
            f"/api/v1{path}", method=method, data=data, headers=sent, query_string=query, base_url=f"http://{self.host}"
        )

    def get(self, path: str, **query: str) -> Any:
        """The body of a GET that must succeed."""
        answer = self.call("GET", path, query=query)
        assert answer.status_code == 200, answer.text
        return answer.json

    def post(self, path: str, body: object, status: int = 201) -> Any:
        """The body of a POST that must succeed."""
        answer = self.call("POST", path, body)
        assert answer.status_code == status, answer.text
        return answer.json
