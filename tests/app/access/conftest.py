"""A workspace with secrets in it, and a spy who may see little of it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from app.http import ratelimit
from app.records.write import create_record, update_record
from tenants.identity.keys import create_key
from tenants.scope import Actor, enter_job
from tests.isolation.conftest import call, csrf_token
from tests.support.records import record_id
from tests.support.rights import WORKER, make_person, make_role, share_by_default
from tests.support.sessions import open_session
from tests.support.tenants import PATIENT, make_tenant, owner_of
from tests.support.web import build_site

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.test import TestResponse

    from app.core.ports import Runtime
    from tenants.scope import Tenant

#: In no answer to the spy, ever: names and values of records out of reach and of hidden fields.
SECRETS = ("Whisper", "31337", "enigma", "Turing", "backroom", "espionage")
HIDDEN: dict[str, dict[str, str]] = {
    "deal": {"amount": "none"}, "contact": {"email": "none"}, "company": {"industry": "none"},
    "task": {"title": "none"},
}  # fmt: skip


@dataclass
class Den:
    """Companies and deals are private, contacts and notes open; the spy has one of each, the others are the owner's."""

    runtime: Runtime
    site: Flask
    tenant: Tenant
    owner: Actor
    ids: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    people: dict[str, Actor] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where people open it."""
        return f"http://{self.tenant.host}:8000"

    def ask(self, path: str, method: str = "GET", who: str = "spy", **more: Any) -> TestResponse:
        """An answer of the API, by key."""
        ratelimit.forget()
        return call(self.site, method, self.url, f"/api/v1{path}", key=self.keys[who], **more)

    def page(self, path: str, method: str = "GET", who: str = "spy", **more: Any) -> TestResponse:
        """A page, signed in."""
        ratelimit.forget()
        cookie = self.cookies[who]
        token = "" if method == "GET" else csrf_token(self.site, self.url, cookie)
        return call(self.site, method, self.url, path, session=cookie.partition("=")[2], token=token, **more)

    def write(self, who: str = "owner") -> Any:
        """A scope that commits."""
        return enter_job(self.runtime.databases, self.tenant.id, actor=self.people[who], write=True, budget=PATIENT)

    def enlist(self, name: str, role: str) -> Actor:
        """One more member with a session and a key of the same role."""
        with self.write() as scope:
            person = make_person(scope, role)
            if role not in ("member", "admin", "read_only"):
                scope.at_commit("select pod.bump_version(%(tenant)s)", {"tenant": self.tenant.id})
        self.people[name] = Actor("member", person.id, person.name)
        self.cookies[name] = open_session(self.runtime.databases, self.tenant, self.people[name])
        with self.write(name) as scope:
            self.keys[name] = create_key(scope, f"Key of {name}", role)[1]
        return self.people[name]


@pytest.fixture(scope="module")
def den(runtime: Runtime) -> Den:
    tenant = make_tenant(runtime, name="Den")
    owner = owner_of(runtime.databases, tenant)
    made = Den(runtime, build_site(runtime), tenant, owner, people={"owner": owner})
    made.cookies["owner"] = open_session(runtime.databases, tenant, owner)
    with made.write() as scope:
        role = make_role(scope, "spy", objects={"*": WORKER, "lead": {}}, fields=HIDDEN)
        for name in ("company", "deal"):
            share_by_default(scope, name, "private")
        scope.at_commit("select pod.bump_version(%(tenant)s)", {"tenant": tenant.id})
        made.keys["owner"] = create_key(scope, "Owner", "owner")[1]
    spy = made.enlist("spy", role)
    with made.write() as scope:
        _fill(scope, made.ids, str(spy.id), str(owner.id))
    return made


def _fill(scope: Any, ids: dict[str, str], spy: str, owner: str) -> None:
    def make(label: str, name: str, /, **values: Any) -> dict[str, Any]:
        found = create_record(scope, name, values)
        ids[label] = str(found["id"])
        return found

    hidden = make("company", "company", name="Whisper Ltd", external_id="W-1", domain="whisper.example", owner=owner)
    own = make("own_company", "company", name="Acme", external_id="A-1", industry="finance", owner=spy)
    deal = make("deal", "deal", name="Whisper deal", amount="31337", company=hidden["id"], owner=owner)
    update_record(scope, "deal", record_id(deal), {"next_step": "backroom"})
    mine = make("own_deal", "deal", name="Plain deal", amount="31337", company=hidden["id"], owner=spy)
    update_record(scope, "deal", record_id(mine), {"amount": "31337.5"})
    make("contact", "contact", last_name="Open", emails=["enigma@example.test"], company=hidden["id"], owner=owner)
    make("twin", "contact", last_name="Open", emails=["plain@example.test"], company=own["id"], owner=owner)
    make("lead", "lead", last_name="Turing", status="new", owner=owner)
    make("note", "note", title="Plain", body="<p>Said</p>", owner=owner)
    for number, title in enumerate(("espionage c", "espionage a", "espionage b")):
        make(f"task{number}", "task", title=title, owner=owner)
    line = {"deal": deal["id"], "description": "espionage", "quantity": "1", "unit_price": "5"}
    make("line", "deal_line", **line)
    make("link", "record_link", **{"from": {"object": "note", "id": ids["note"]}, "to": {"object": "lead",
         "id": ids["lead"]}})  # fmt: skip


def silent(answer: TestResponse) -> str:
    """The answer's text; nothing secret is in it nor in its headers."""
    text = answer.text
    assert answer.status_code < 500, text[:500]
    told = [secret for secret in SECRETS if secret.lower() in (text + str(answer.headers)).lower()]
    assert told == [], text[:2000]
    return text


def stripped(answer: TestResponse, *names: str) -> tuple[int, str, list[tuple[str, str]]]:
    """Status, body and headers without what differs from call to call, and without ``names`` of what was asked for."""
    body = answer.text
    for name in names:
        body = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "…", body)
    if answer.is_json:
        kept = {name: value for name, value in json.loads(body).items() if name != "request_id"}
        body = json.dumps(kept)
    body = re.sub(r'(nonce="|nonce-|name="csrf_token" value="|csrf-token" content=")[^"\']+', r"\1", body)
    body = re.sub(r"[0-9a-f]{32}|(?<![0-9a-z])[0-9a-f]{16}(?![0-9a-z])", "…", body)
    changing = ("date", "x-request-id", "content-security-policy", "content-length", "ratelimit", "server-timing")
    headers = sorted((name, value) for name, value in answer.headers if not name.lower().startswith(changing))
    return answer.status_code, body, headers
