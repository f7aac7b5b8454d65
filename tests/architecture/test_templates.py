"""What templates and page scripts may not hold: it would break the security policy, right-to-left, or the kit."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UI = ROOT / "app" / "ui"
TEMPLATES = sorted((UI / "templates").rglob("*.html"))
CONTROLLERS = sorted((UI / "frontend" / "src" / "controllers").glob("*.js"))
SCRIPTS = sorted((UI / "frontend" / "src").rglob("*.js"))
CONTROLLER_LINES = 150

BANNED = {
    "inline style": re.compile(r"\sstyle\s*="),
    "inline handler": re.compile(r"\son[a-z]+\s*=\s*[\"']"),
    "htmx code that needs eval (hx-on, hx-live, js:)": re.compile(r"hx[-_](?:on|live)\b|[\"'](?:js|javascript):"),
    "htmx trigger filter, which needs eval": re.compile(r"trigger\s*=\s*[\"'][^\"']*\["),
    "markup trusted in a template": re.compile(r"\|\s*safe\b"),
    "htmx attribute without the nonce: use hx(…)|xmlattr": re.compile(r"\shx-(?!partial|target=|swap=)[a-z-]+\s*="),
    "physical direction: use ms- me- ps- pe- start- end-": re.compile(
        r"[\"'\s:](?:-?m[lr]|p[lr]|left|right|border-[lr]|rounded-[lr])-|[\"'\s:]text-(?:left|right)\b|float-(?:left|right)"
    ),
    "script of the page itself": re.compile(r"<script(?![^>]*\bsrc=)[^>]*>"),
}
#: htmx attributes on <hx-partial> are read from the answer's text and take no nonce.
PARTIAL = re.compile(r"<hx-partial\b[^>]*>")
BUTTON = re.compile(r"<button\b[^>]*>", re.DOTALL)
EXPRESSION = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
ICON_ONLY = re.compile(
    r"<button\b(?P<attributes>(?:[^>\"]|\"[^\"]*\")*)>\s*(?:<svg|\{\{\s*_?icon\([^}]*\}\}\s*</button>)"
)


def _named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("what", BANNED)
def test_no_template_holds_what_the_policy_or_the_kit_forbids(what: str) -> None:
    found = []
    for path in TEMPLATES:
        text = PARTIAL.sub("", re.sub(r"\{#.*?#\}", "", path.read_text(), flags=re.DOTALL))
        found += [f"{_named(path)}: {match.group(0).strip()}" for match in BANNED[what].finditer(text)]
    assert found == []


def test_every_button_says_its_type() -> None:
    found = [
        f"{_named(path)}: {button[:80]}"
        for path in TEMPLATES
        for button in BUTTON.findall(path.read_text())
        if "type=" not in button
    ]
    assert found == []


def test_a_button_that_shows_only_an_icon_has_a_name() -> None:
    found = [
        f"{_named(path)}: {match.group(0)[:100]}"
        for path in TEMPLATES
        for match in ICON_ONLY.finditer(path.read_text())
        if "aria-label" not in match.group("attributes")
    ]
    assert found == []


def test_every_page_has_a_title() -> None:
    found = [
        _named(path)
        for path in TEMPLATES
        if "{% extends 'layouts/" in path.read_text()
        and path.parent.name != "layouts"
        and not path.name.startswith("_")
        and "{% block title %}" not in path.read_text()
    ]
    assert found == []


def test_controllers_stay_small() -> None:
    assert CONTROLLERS
    assert [_named(path) for path in CONTROLLERS if len(path.read_text().splitlines()) > CONTROLLER_LINES] == []


def test_scripts_write_no_markup() -> None:
    """Trusted Types would refuse it; markup comes from the server through htmx."""
    sinks = re.compile(r"\b(?:innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval)\b(?!')|new Function")
    found = []
    for path in SCRIPTS:
        code = re.sub(r"swap: '[a-zA-Z]+'", "", path.read_text())
        found += [f"{_named(path)}: {match.group(0)}" for match in sinks.finditer(code)]
    assert found == []
