"""A real server on loopback and a real browser: what the browser tests are made of."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright
from werkzeug.serving import make_server
from werkzeug.wsgi import ClosingIterator, FileWrapper

from app.factory import bind_ports
from app.factory.web import create_flask_app
from app.ui import assets
from tests.support import browser as chromium

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from werkzeug.serving import BaseWSGIServer

    from app.core.ports import Runtime

AXE = Path(assets.__file__).parent / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
#: Without motion: a message that fades away lacks contrast for a moment, whenever axe happens to look.
SCREEN = {"viewport": {"width": 1440, "height": 900}, "locale": "en-IE", "reduced_motion": "reduce"}
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
#: All that another colour scheme can change.
COLOURS = {"type": "rule", "values": ["color-contrast"]}
PASSWORD = "correct horse battery 9"

#: A colour scheme is taken up with the next picture; what fades to it begins then, and then what inherits from that.
_STILL = """
async () => {
  do {
    await Promise.allSettled(document.getAnimations().map((animation) => animation.finished))
    await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))
  } while (document.getAnimations().some((animation) => animation.playState === 'running'))
}
"""
#: By how much a page of a workspace, whose panels scroll by themselves, is longer than the window.
_LONGER = "document.querySelector('#main') ? document.documentElement.scrollHeight - innerHeight : 0"
_WATCH = """
document.addEventListener('securitypolicyviolation', (event) => {
  const { effectiveDirective, blockedURI, sourceFile, lineNumber, sample } = event;
  (window.__violations ||= []).push([effectiveDirective, blockedURI, sourceFile, lineNumber, sample].join(' '))
})
"""


@dataclass
class Site:
    """The running server; ``base`` is the base host, ``workspace`` a workspace's origin once there is one."""

    base: str
    port: int
    runtime: Runtime
    workspace: str = ""
    problems: list[str] = field(default_factory=list)

    def at(self, slug: str) -> str:
        """The origin of a workspace."""
        return f"http://{slug}.localhost:{self.port}"


@pytest.fixture(scope="session", autouse=True)
def built() -> None:
    """Browser tests need the built front end."""
    try:
        assets.load()
    except assets.AssetsMissing as error:
        pytest.fail(str(error))


def _closing(application: WSGIApplication) -> WSGIApplication:
    """Read answers whole: the development server forgets to close a file when its browser has left."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        chunks = application(environ, start_response)
        try:
            return [b"".join(chunks)]
        finally:
            if isinstance(chunks, ClosingIterator | FileWrapper):
                chunks.close()

    return answer


@pytest.fixture(scope="session")
def site(runtime: Runtime) -> Iterator[Site]:
    """The application on a free port, on the worker's databases."""
    flask_server: BaseWSGIServer = make_server("127.0.0.1", 0, Flask("unused"), threaded=True)
    port = flask_server.server_port
    config = replace(runtime.config, port=port, base_url=f"http://localhost:{port}")
    live = replace(runtime, config=config, ports=bind_ports())
    flask_server.app = _closing(create_flask_app(live))
    thread = threading.Thread(target=flask_server.serve_forever, daemon=True)
    thread.start()
    yield Site(config.base_url, port, live)
    flask_server.shutdown()
    thread.join(timeout=10)
    flask_server.server_close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, headless."""
    found = chromium.find()
    if found is None:
        pytest.fail("no Chromium: python -m tests.support.browser installs one")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=list(chromium.FLAGS))
        yield started
        started.close()


NewContext = Callable[..., BrowserContext]


@pytest.fixture
def new_context(browser: Browser) -> Iterator[NewContext]:
    """Browser contexts that are closed after the test."""
    made: list[BrowserContext] = []

    def make(**options: object) -> BrowserContext:
        context = browser.new_context(**{**SCREEN, **options})  # pyright: ignore[reportArgumentType]
        context.set_default_timeout(10_000)
        context.add_init_script(_WATCH)
        made.append(context)
        return context

    yield make
    for context in made:
        context.close()


def watched(page: Page, problems: list[str]) -> Page:
    """Collect what must not happen on a page: script errors and answers of status 500."""
    page.on("pageerror", lambda error: problems.append(f"script: {error}"))
    page.on(
        "response", lambda answer: problems.append(f"{answer.status} {answer.url}") if answer.status >= 500 else None
    )
    page.on(
        "console",
        lambda message: (
            problems.append(f"console: {message.text}")
            if message.type == "error" and "status of 4" not in message.text
            else None
        ),
    )
    return page


def asked(page: Page) -> dict[str, str]:
    """What the address says."""
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def assert_sound(page: Page, problems: list[str]) -> None:
    """No violation of the policy, no script error, nothing empty below, nothing axe objects to; wide in dark, too."""
    assert page.evaluate("window.__violations || []") == []
    assert problems == []
    assert page.evaluate(_LONGER) <= 0
    if not page.evaluate("typeof window.axe === 'object'"):
        page.evaluate(AXE.read_text())
    assert objections(page, TAGS) == []
    if page.evaluate("innerWidth >= 640 && matchMedia('(prefers-color-scheme: light)').matches"):
        page.emulate_media(color_scheme="dark")
        assert objections(page, COLOURS) == []
        page.emulate_media(color_scheme="light")


def objections(page: Page, rules: object) -> list[str]:
    """What axe objects to, once nothing moves: half-way through fading in, everything lacks contrast."""
    page.evaluate(_STILL)
    # all that axe also found in order, with every node of it, would take as long to come here as the looking
    found = page.evaluate("async (rules) => (await axe.run(document, {runOnly: rules})).violations", rules)
    return [
        f"{v['id']}: {v['nodes'][0]['target']} {v['nodes'][0]['html'][:160]} {v['nodes'][0]['failureSummary'][:220]}"
        for v in found
    ]


@pytest.fixture(scope="session")
def workspace(site: Site, browser: Browser) -> tuple[str, dict]:
    """A workspace made through the sign-up page with sample data, and the browser state that is signed in to it."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-IE")
    page = context.new_page()
    origin = sign_up(page, site, "Kestrel Works", "Kit Kestrel")
    page.get_by_role("button", name="Load sample data").click()
    page.get_by_role("button", name="Remove sample data").wait_for()
    state = context.storage_state()
    context.close()
    return origin, state


_NUMBER = iter(range(1, 1000))


def sign_up(page: Page, site: Site, company: str, name: str) -> str:
    """Fill in the sign-up page and end on the new workspace's home; its origin."""
    number = next(_NUMBER)
    page.goto(f"{site.base}/sign-up")
    page.get_by_label("Company name").fill(company)
    if page.locator("input[name=name]").count():
        page.locator("input[name=name]").fill(name)
    slug = f"{company.lower().replace(' ', '-')}-{number}-{site.port}"
    page.locator("input[name=slug]").fill(slug)
    page.locator("input[name=email]").fill(f"owner{number}-{site.port}@example.test")
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("main button[type=submit]").click()
    page.wait_for_url(f"{site.at(slug)}/**")
    page.get_by_role("heading", name="Home").wait_for()
    return site.at(slug)


def choose(place: Page | Locator, label: str, text: str) -> None:
    """Find somebody or something in a box by typing, and take the first that is found."""
    box = place.get_by_role("combobox", name=label)
    box.fill(text)
    place.get_by_role("option").filter(has_text=text).first.wait_for()
    box.press("Enter")
    expect(box).to_have_value(text)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything beside this file drives Chromium."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker("browser")


def drag(page: Page, card: Locator, place: Locator) -> None:
    """As a hand does it: there, a moment over the place, let go. A list hears of a card only while that is over it."""
    place.scroll_into_view_if_needed()
    card.hover()
    page.mouse.down()
    box = place.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y, steps=8)
    page.wait_for_timeout(150)
    page.mouse.move(x + 3, y + 3, steps=3)
    page.wait_for_timeout(150)
    page.mouse.up()
