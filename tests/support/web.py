"""A browser of the tests: follows redirects between hosts with a cookie jar per host, as `__Host-` cookies want."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from app.factory import bind_ports
from app.factory.web import create_flask_app

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.test import TestResponse

    from app.core.ports import Runtime

BASE = "http://localhost:8000"
_FORM_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
_META_TOKEN = re.compile(r'<meta name="csrf-token" content="([^"]+)"')
_INPUT = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
_ACTION = re.compile(r'<form action="([^"]+)" method="post" data-controller="autosubmit"')


def build_site(runtime: Runtime) -> Flask:
    """The whole web application on the databases of the tests."""
    bound = bind_ports()
    for port in ("authorise", "hand_over", "seal", "locate_tenant", "pending", "pods"):
        setattr(runtime.ports, port, getattr(bound, port))
    return create_flask_app(runtime)


@dataclass
class Page:
    """An answer and where it came from."""

    url: str
    response: TestResponse

    @property
    def status(self) -> int:
        """HTTP status."""
        return self.response.status_code

    @property
    def text(self) -> str:
        """The body."""
        return self.response.text

    @property
    def path(self) -> str:
        """Where one ended up."""
        return urlsplit(self.url).path

    @property
    def host(self) -> str:
        """On which host."""
        return urlsplit(self.url).hostname or ""

    def token(self) -> str:
        """The CSRF token of the page."""
        found = _META_TOKEN.search(self.text) or _FORM_TOKEN.search(self.text)
        assert found is not None, f"no CSRF token on {self.url}: {self.text[:300]}"
        return found.group(1)


@dataclass
class Browser:
    """Keeps cookies by host; obeys Secure and Path only as far as our cookies use them."""

    flask_app: Flask
    cookies: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    follow: bool = True
    user_agent: str = "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/150.0"

    def get(self, url: str, **headers: str) -> Page:
        """GET, following redirects and the form that posts itself."""
        return self._settle(self.request("GET", url, headers=headers))

    def post(self, url: str, data: dict[str, str], *, token: str | None = None, **headers: str) -> Page:
        """POST a form; the CSRF token is fetched from the page itself unless given ('' sends none)."""
        target = urljoin(BASE, url)
        if token is None:
            token = self.token(target)
        if token:
            data = {**data, "csrf_token": token}
        return self._settle(self.request("POST", target, data=data, headers=headers))

    def token(self, url: str) -> str:
        """The CSRF token this host gives us."""
        parts = urlsplit(urljoin(BASE, url))
        here = f"{parts.scheme}://{parts.netloc}"
        page = "/settings/profile" if parts.hostname != "localhost" else "/password/forgot"
        return Page(here, self.request("GET", here + page).response).token()

    def request(
        self, method: str, url: str, *, data: dict[str, str] | None = None, headers: dict[str, str] | None = None
    ) -> Page:
        """One request, no redirects."""
        target = urljoin(BASE, url)
        parts = urlsplit(target)
        jar = self.cookies[parts.hostname or ""]
        sent = {
            "User-Agent": self.user_agent,
            **{name.replace("_", "-"): value for name, value in (headers or {}).items()},
        }
        if jar:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in jar.items())
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        client = self.flask_app.test_client(use_cookies=False)
        response = client.open(
            path, method=method, base_url=f"{parts.scheme}://{parts.netloc}", data=data, headers=sent
        )
        for cookie in response.headers.getlist("Set-Cookie"):
            name, _, value = cookie.split(";")[0].partition("=")
            if "Max-Age=0" in cookie:
                jar.pop(name, None)
            else:
                jar[name] = value
        return Page(target, response)

    def _settle(self, page: Page) -> Page:
        for _ in range(12):
            if not self.follow:
                return page
            location = page.response.headers.get("Location")
            form = (
                _ACTION.search(page.text) if page.status == 200 and "text/html" in page.response.content_type else None
            )
            if page.status in {301, 302, 303, 307, 308} and location:
                page = self.request("GET", urljoin(page.url, location))
            elif form is not None:
                data = {name: unescape(value) for name, value in _INPUT.findall(page.text)}
                page = self.request("POST", urljoin(page.url, form.group(1)), data=data, headers={"Origin": BASE})
            else:
                return page
        raise AssertionError("too many redirects")
