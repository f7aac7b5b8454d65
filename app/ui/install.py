"""Puts the UI kit into a Flask application: templates, static files, what templates may call."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from flask import Flask, current_app, g, request
from jinja2 import ChoiceLoader, FileSystemLoader
from markupsafe import Markup, escape

from app.ui import assets, formats, shell

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.core.ports import Runtime

_HERE: Final = Path(__file__).parent
_FOREVER: Final = 365 * 24 * 3600


def install(flask_app: Flask, runtime: Runtime) -> None:
    """Register template folder, static files, globals and filters. Called once by the composition root."""
    _templates(flask_app)
    flask_app.static_folder = str(_HERE / "static")
    environment = flask_app.jinja_env
    environment.globals["rapport_base_url"] = runtime.config.base_url
    globals_ = cast("dict[str, Any]", environment.globals)
    globals_.update(_globals(flask_app), file_limit=runtime.config.file_limit)
    environment.filters.update(_filters(flask_app))
    flask_app.after_request(_cache_assets)


def current_shell(flask_app: Flask) -> shell.Shell:
    """The shell of this request, built when a template first asks for it."""
    if "ui_shell" not in g:
        g.ui_shell = shell.build(flask_app)
    return cast("shell.Shell", g.ui_shell)


def hx(nonce: Callable[[], str]) -> Callable[..., dict[str, str]]:
    """``hx(get=…, target=…)`` in templates: htmx attributes with the nonce without which they are refused."""

    def attributes(**values: object) -> dict[str, str]:
        found = {f"hx-{name.replace('_', '-')}": str(value) for name, value in values.items() if value is not None}
        return {**found, "hx-nonce": nonce()}

    return attributes


def workspace_button(name: str) -> Markup:
    """What the workspace switcher shows: mark, name, chevrons."""
    template = current_app.jinja_env.get_template("kit/brand.html")
    return Markup(template.render(name=name))  # noqa: S704 - our own template, autoescaped


def code_spans(text: str) -> Markup:
    """Plain text whose `backticks` become code, as messages about conditions use them."""
    parts = str(text).split("`")
    pieces = [Markup("<code>%s</code>") % part if place % 2 else escape(part) for place, part in enumerate(parts)]
    return Markup("").join(pieces)


def _templates(flask_app: Flask) -> None:
    ours = FileSystemLoader(_HERE / "templates")
    present = flask_app.jinja_loader
    flask_app.jinja_loader = ChoiceLoader([ours, present]) if present is not None else ours  # pyright: ignore[reportAttributeAccessIssue]
    flask_app.jinja_options = {**flask_app.jinja_options, "trim_blocks": True, "lstrip_blocks": True}
    environment = flask_app.jinja_env
    environment.trim_blocks = environment.lstrip_blocks = True


def _globals(flask_app: Flask) -> dict[str, object]:
    built: list[assets.Assets] = []

    def built_assets() -> assets.Assets:
        # lazily: the command line and most tests never show a page
        if not built or flask_app.debug:
            built[:] = [assets.load()]
        return built[0]

    def nonce() -> str:
        found = flask_app.jinja_env.globals.get("csp_nonce")
        return str(cast("Callable[[], str]", found)()) if callable(found) else ""

    return {
        "assets": built_assets,
        "hx": hx(nonce),
        "shell": lambda: current_shell(flask_app),
        "initials": formats.initials,
        "tone": formats.tone,
        "text_direction": formats.text_direction,
        "workspace_button": workspace_button,
    }


def _filters(flask_app: Flask) -> dict[str, Callable[..., Any]]:
    def frame() -> shell.Shell:
        return current_shell(flask_app)

    return {
        "money": lambda value, whole=False: formats.money(value, frame().locale, whole=whole),
        "short_money": lambda value: formats.short_money(value, frame().locale),
        "number": lambda value: formats.number(value, frame().locale),
        "day": lambda value: formats.day(value, frame().locale) if value else "",
        "stamp": lambda value: formats.stamp(value, frame().locale, frame().timezone) if value else "",
        "code": code_spans,
        "ago": lambda value: formats.ago(value, frame().locale, frame().timezone) if value else "",
    }


def _cache_assets(response: Any) -> Any:
    """Built files carry their hash in the name: browsers need not ask for them again."""
    if request.path.startswith("/static/dist/assets/") and response.status_code == 200:
        response.headers["Cache-Control"] = f"public, max-age={_FOREVER}, immutable"
    return response
