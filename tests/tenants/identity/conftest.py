"""The pages and the API of identity on real databases."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app.http import ratelimit
from tenants.identity import outgoing
from tests.support.web import BASE, Browser, Page, build_site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask import Flask

    from app.core.ports import Runtime

PASSWORD = "seven purple walruses"


@dataclass(frozen=True)
class Mail:
    """One message of the outbox."""

    to: str
    subject: str
    text: str

    @property
    def link(self) -> str:
        """The link it is about."""
        return next(line for line in self.text.splitlines() if line.startswith("http"))


@pytest.fixture(scope="session")
def flask_app(runtime: Runtime) -> Flask:
    return build_site(runtime)


@pytest.fixture(autouse=True)
def fresh_limits(runtime: Runtime) -> Iterator[None]:
    runtime.redis.flushdb()
    ratelimit.forget()
    yield
    outgoing.settle()


@pytest.fixture
def browser(flask_app: Flask) -> Browser:
    return Browser(flask_app)


@pytest.fixture
def mails(runtime: Runtime) -> Callable[[str], list[Mail]]:
    """What was sent to an address, oldest first."""

    def read(address: str) -> list[Mail]:
        outgoing.settle()
        found: list[Mail] = []
        for path in sorted(Path(runtime.config.home / "mail").glob("*.eml")):
            message = message_from_bytes(path.read_bytes(), policy=policy.default)
            if message["To"] == address:
                found.append(Mail(message["To"], message["Subject"], message.get_content()))
        return found

    return read


@dataclass(frozen=True)
class Company:
    """Somebody who signed up."""

    slug: str
    email: str
    page: Page
    browser: Browser

    @property
    def url(self) -> str:
        """Of the workspace."""
        return f"http://{self.slug}.localhost:8000"


@pytest.fixture
def sign_up(flask_app: Flask) -> Callable[..., Company]:
    """Signs a new company up through the form."""

    def act(browser: Browser | None = None, **values: str) -> Company:
        browser = browser or Browser(flask_app)
        number = uuid.uuid4().hex[:10]
        form = {
            "company": f"Company {number}",
            "slug": f"c-{number}",
            "name": "Olivia Owner",
            "email": f"olivia-{number}@example.com",
            "password": PASSWORD,
            **values,
        }
        page = browser.post(f"{BASE}/sign-up", form)
        return Company(form["slug"], form["email"], page, browser)

    return act
