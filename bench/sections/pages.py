"""Web pages: what they weigh, how long the server takes for them at 100,000 records, how soon Chromium shows a list."""

from __future__ import annotations

import gzip
import json
import statistics
import time
from typing import TYPE_CHECKING, Final

from playwright.sync_api import sync_playwright

from app.http.context import WORKSPACE_COOKIE
from app.ui.assets import DIST
from bench.load import Connection, drive
from bench.measure import percentile
from bench.results import Budget, Part, table
from tenants.scope import Actor
from tests.support import browser as chromium
from tests.support.sessions import open_session

if TYPE_CHECKING:
    from pathlib import Path

    from bench.sections import Options
    from bench.site import Site, Workspace

_ENTRY: Final = "src/app.js"
_TIMES: Final = 40
_VISITS: Final = 7
_LIST: Final = "/records/contact"
#: Until the first record of the list is laid out, counted from the start of the navigation.
_SHOWN: Final = (
    "() => { const row = document.querySelector('tbody th a'); return row && row.getClientRects().length > 0 }"
)
_MILLISECONDS: Final = "() => performance.now()"


def run(site: Site, options: Options) -> Part:
    """Measure."""
    workspace = site.large()
    owner = Actor("member", workspace.owner, "Olivia Owner")
    cookie = open_session(site.runtime.databases, workspace.tenant, owner)
    weights, budgets = _weights()
    with site.web(None):
        rows, html, slowest = _pages(site, workspace, cookie, options)
        shown = _chromium(site, workspace, cookie, max(3, int(_VISITS * options.effort)))
    budgets += [
        Budget("list page, HTML", "≤ 60 kB gz", f"{html:.1f} kB", html <= 60),
        Budget(
            f"pages at {workspace.sizes.all:,} records, server",
            "p95 ≤ 100 ms",
            f"{slowest:.0f} ms in the slowest",
            slowest <= 100,
        ),
        _shown_budget(shown),
    ]
    text = f"""Milliseconds from request to last byte, one signed-in client, the workspace of
{workspace.sizes.all:,} records.

{table(("page", "p50 ms", "p95 ms", "kB", "kB gz"), rows)}

{table(("what a browser loads", "kB gz"), weights)}"""
    if shown:
        text += f"""

A list of contacts in Chromium with nothing cached, from the start of the navigation until the first record is laid
out: {statistics.median(shown):.0f} ms, the slowest of {len(shown)} visits {max(shown):.0f} ms."""
    return Part(text, budgets)


def _shown_budget(shown: list[float]) -> Budget:
    what, asked = "list content in Chromium, cold", "≤ 0.5 s"
    if not shown:
        return Budget(what, asked, "not measured: no Chromium here")
    median = statistics.median(shown)
    return Budget(what, asked, f"{median / 1000:.2f} s", median <= 500)


def _weights() -> tuple[list[tuple[str, ...]], list[Budget]]:
    """What the entry page loads, and what is loaded when it is needed."""
    manifest = json.loads((DIST / ".vite" / "manifest.json").read_text("utf-8"))
    entry = manifest[_ENTRY]
    core = sum(
        _gz(DIST / name) for name in (entry["file"], *(manifest[name]["file"] for name in entry.get("imports", ())))
    )
    css = sum(_gz(DIST / name) for name in entry.get("css", ()))
    lazy = {name.rsplit("/", 1)[-1]: _gz(DIST / manifest[name]["file"]) for name in entry.get("dynamicImports", ())}
    rows = [
        ("core JS", f"{core:.1f}"),
        ("CSS", f"{css:.1f}"),
        *((f"lazy: {name}", f"{kb:.1f}") for name, kb in lazy.items()),
    ]
    largest = max(lazy.values(), default=0.0)
    return rows, [
        Budget("core JS", "≤ 45 kB gz", f"{core:.1f} kB", core <= 45),
        Budget("CSS", "≤ 25 kB gz", f"{css:.1f} kB", css <= 25),
        Budget("lazy chunk", "≤ 60 kB gz", f"{largest:.1f} kB the largest", largest <= 60),
    ]


def _gz(path: Path) -> float:
    return len(gzip.compress(path.read_bytes(), 9)) / 1000


def _pages(
    site: Site, workspace: Workspace, cookie: str, options: Options
) -> tuple[list[tuple[str, ...]], float, float]:
    """Each page; then kB of the list, and the p95 of the slowest."""
    with site.scope(workspace) as scope:
        contact = scope.execute("select id from o_contact order by id limit 1 offset 5").fetchall()[0][0]
        company = scope.execute("select id from o_company order by id limit 1 offset 5").fetchall()[0][0]
    connection = Connection(site.port)
    rows: list[tuple[str, ...]] = []
    worst = listed = 0.0
    for path in (
        "/", _LIST, f"{_LIST}?sort=-title", f"{_LIST}?filter=lifecycle+%3D%3D+%22customer%22", f"{_LIST}?q=anna",
        f"{_LIST}/{contact}", f"/records/company/{company}", "/records/deal", "/records/deal/board", "/records/note",
    ):  # fmt: skip
        asked = f"GET {path} HTTP/1.1\r\nHost: {workspace.tenant.host}\r\nCookie: {cookie}\r\n\r\n".encode()
        drive([connection], [iter([asked] * 5)], count=5)
        seen = drive([connection], [iter([asked] * (options.times(_TIMES) + 1))], count=options.times(_TIMES))
        assert not seen.errors, f"{path}: {seen.errors[0]}"
        body = bytes(connection.buffer).partition(b"\r\n\r\n")[2]
        packed = len(gzip.compress(body, 6)) / 1000
        listed = packed if path == _LIST else listed
        p95 = percentile(seen.times, 0.95)
        worst = max(worst, p95)
        name = path.replace(str(contact), "…").replace(str(company), "…")
        rows.append(
            (
                f"`{name}`",
                f"{statistics.median(seen.times):.0f}",
                f"{p95:.0f}",
                f"{len(body) / 1000:.0f}",
                f"{packed:.1f}",
            )
        )
        print("  " + " | ".join(rows[-1]), flush=True)
    return rows, listed, worst


def _chromium(site: Site, workspace: Workspace, cookie: str, visits: int) -> list[float]:
    """Milliseconds until the list shows its first record, with nothing cached; empty without a Chromium."""
    found = chromium.find()
    if found is None:
        return []
    origin = f"http://{workspace.tenant.host}:{site.port}"
    name, _, value = cookie.partition("=")
    assert name == WORKSPACE_COOKIE
    times: list[float] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(chromium.FLAGS))
        for _ in range(visits + 1):
            context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-IE")
            context.add_cookies(
                [
                    {
                        "name": name,
                        "value": value,
                        "url": origin.replace("http:", "https:"),
                        "secure": True,
                        "httpOnly": True,
                        "sameSite": "Lax",
                    }
                ]
            )
            page = context.new_page()
            page.goto(origin + _LIST, wait_until="commit")
            page.wait_for_function(_SHOWN, polling="raf")
            times.append(float(page.evaluate(_MILLISECONDS)))
            context.close()
            time.sleep(0.1)
        browser.close()
    # The first visit also starts the browser's own machinery.
    return times[1:]
