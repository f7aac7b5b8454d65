"""A workspace whose records hold files: its people, their keys, and uploading."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from app.http.context import WORKSPACE_COOKIE
from tenants.scope import enter_job
from tests.support.api import Api, make_key
from tests.support.exports import as_member
from tests.support.limits import open_limits  # noqa: F401 - a fixture of every test here
from tests.support.rights import put_role
from tests.support.sessions import open_session
from tests.support.shaping import change
from tests.support.tenants import owner_of
from tests.support.web import Browser, build_site

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.test import TestResponse

    from app.core.ports import Runtime
    from tenants.scope import Actor, Tenant
    from tests.support.tenants import NewTenant

FIELDS = """
- {kind: field, name: company.contract, type: file, label: Contract}
- {kind: field, name: company.logo, type: image, label: Logo}
"""


def png(width: int = 4, height: int = 3) -> bytes:
    """A real picture of one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + b"\x30\x90\xd0" * width for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def send(api: Api, content: bytes, name: str, kind: str = "application/pdf", **headers: str) -> TestResponse:
    """An upload with a key; the name as RFC 5987 writes any (browsers and curl send others)."""
    part = f"Content-Disposition: form-data; name=\"file\"; filename*=UTF-8''{quote(name, safe='')}"
    lines = (b"--frontier", part.encode(), f"Content-Type: {kind}".encode(), b"", content, b"--frontier--", b"")
    sent = {
        "Authorization": f"Bearer {api.key}",
        "Content-Type": "multipart/form-data; boundary=frontier",
        **{key.replace("_", "-"): value for key, value in headers.items()},
    }
    client = api.flask_app.test_client(use_cookies=False)
    return client.post("/api/v1/files", data=b"\r\n".join(lines), headers=sent, base_url=f"http://{api.host}")


@dataclass
class Archive:
    """One workspace whose companies have a contract (file) and a logo (image); ``api`` is the owner's key."""

    runtime: Runtime
    site: Flask
    tenant: Tenant
    owner: Actor
    api: Api

    @property
    def url(self) -> str:
        """Where people open it."""
        return f"http://{self.tenant.host}:8000"

    def change(self, text: str) -> Any:
        """Metadata applied by the owner."""
        return change(self.runtime.databases, self.tenant, text, confirm=True)

    def upload(self, content: bytes = b"%PDF-1.7 ...", name: str = "contract.pdf", api: Api | None = None) -> Any:
        """An upload that must succeed."""
        answer = send(api or self.api, content, name)
        assert answer.status_code == 201, answer.text
        return answer.json

    def company(self, **values: object) -> Any:
        """A company with these values."""
        return self.api.post("/records/company", {"name": "Acme", **values})

    def keyed(self, role: str, **spec: Any) -> Api:
        """A key of a role of the workspace's own."""
        if spec:
            put_role(self.runtime.databases, self.tenant, role, **spec)
        return Api(self.site, make_key(self.runtime.databases, self.tenant, role))

    def member(self, role: str = "member", name: str = "Somebody") -> Actor:
        """An active member with this role."""
        row = self.sql(
            "insert into member (name, email, role, status) values (%s, %s, %s, 'active') returning id",
            name, f"{name.lower()}-{role}@example.test", role,
        )  # fmt: skip
        return as_member(row[0][0])

    def browser(self, who: Actor) -> Browser:
        """Their browser, signed in."""
        cookie = open_session(self.runtime.databases, self.tenant, who)
        browser = Browser(self.site)
        browser.cookies[self.tenant.host][WORKSPACE_COOKIE] = cookie.partition("=")[2]
        return browser

    def sql(self, text: str, *params: object) -> list[tuple[Any, ...]]:
        """One statement in the workspace."""
        with enter_job(self.runtime.databases, self.tenant.id, actor=self.owner, write=True) as scope:
            cursor = scope.execute(text, params or None)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []


@pytest.fixture(scope="session")
def site(runtime: Runtime) -> Flask:
    return build_site(runtime)


@pytest.fixture
def archive(runtime: Runtime, site: Flask, new_tenant: NewTenant) -> Archive:
    tenant = new_tenant()
    change(runtime.databases, tenant, FIELDS)
    owner = owner_of(runtime.databases, tenant)
    return Archive(runtime, site, tenant, owner, Api(site, make_key(runtime.databases, tenant, "owner")))
