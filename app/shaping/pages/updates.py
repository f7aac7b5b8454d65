"""Settings → Updates: what both the workspace and an update changed (ADR 34), with both sides; kept or taken here."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, cast

from flask import Blueprint, request

from app.access.rights import METADATA_EDIT
from app.core.errors import FieldError, InvalidInput
from app.http.guard import workspace
from app.metadata import store
from app.metadata.apply import MetadataConflict
from app.metadata.layers import conflicts
from app.metadata.words import said
from app.shaping import service
from app.shaping.pages import typed
from app.shaping.pages.applying import asked_again, carry_out
from app.shaping.pages.objects import answer
from app.shaping.pages.previews import Asked, preview, refused
from app.shaping.pages.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from werkzeug.wrappers import Response

    from app.metadata.layers import Conflict
    from app.metadata.leaves import Plain
    from app.shaping.service import Wanted
    from tenants.scope import TenantScope

blueprint = Blueprint("shaping_updates", __name__)
_UPDATES: Final = "/settings/updates"
_APPLY: Final = f"{_UPDATES}/apply"
_CHOICES: Final = ("keep", "take")
#: What is said of a leaf beside its place, where its own steps would not do.
_INNER: Final = {"label/one": ["of one"], "label/other": ["of several"]}


@dataclass(frozen=True, slots=True)
class Told:
    """A conflict in words: what it is about, what it was, both sides, who said the workspace's and when."""

    key: str
    place: str
    href: str
    what: str
    base: str
    mine: str
    theirs: str
    who: str
    at: datetime | None


@blueprint.get(_UPDATES)
@workspace(METADATA_EDIT, member=True)
def show_updates(scope: TenantScope) -> Response:
    """Every open conflict with both sides."""
    reading = Reading(scope)
    found = conflicts(reading.lower, reading.stored.overrides)
    said_by = store.said_by(scope.execute) if found else {}
    return answer("updates.html", reading, conflicts=[_told(reading, one, said_by) for one in found])


@blueprint.post(_UPDATES)
@workspace(METADATA_EDIT, member=True, write=False)
def plan_updates(scope: TenantScope) -> Response:
    """What deciding would do: each by itself, or ``all`` of them the same way."""
    reading, every = Reading(scope), request.form.get("all", "")
    found = conflicts(reading.lower, reading.stored.overrides)
    choices = [
        {"component": one.component, "path": one.path, "choice": choice}
        for one in found
        if (choice := every or request.form.get(f"choice.{_key(one)}", "")) in _CHOICES
    ]
    if not choices:
        return refused(["Choose for at least one of them: keep yours, or take what the update says."])
    title = "Decide this?" if len(choices) == 1 else f"Decide these {len(choices)}?"
    asked = Asked(components=choices, next=_UPDATES, title=title, base=typed.base(), address=_APPLY)
    try:
        return preview(scope, asked, _wanted(choices))
    except MetadataConflict as error:
        return refused([error.detail])


@blueprint.post(_APPLY)
@workspace(METADATA_EDIT, member=True, after=True)
def apply(scope: TenantScope) -> Response:
    """Decide as the dialog agreed."""
    choices = _sent()
    asked = replace(asked_again(cast("list[dict[str, Any]]", choices)), address=_APPLY)
    return carry_out(scope, asked, _wanted(choices))


def _wanted(choices: Iterable[dict[str, str]]) -> Wanted:
    sides: dict[str, list[tuple[str, str]]] = {one: [] for one in _CHOICES}
    for one in choices:
        sides[one["choice"]].append((one["component"], one["path"]))
    return service.wanted_choices(sides["keep"], sides["take"])


def _sent() -> list[dict[str, str]]:
    """The choices of a dialog. Raises InvalidInput."""
    try:
        found: Any = json.loads(request.form.get("components", ""))
    except ValueError:
        found = None
    keys = {"component", "path", "choice"}
    rows = cast("list[Any]", found) if isinstance(found, list) else []
    if not rows or not all(isinstance(one, dict) and set(one) == keys and one["choice"] in _CHOICES for one in rows):  # pyright: ignore[reportUnknownArgumentType]
        message = "Open the page again: what it sent can not be read."
        raise InvalidInput(message, [FieldError("/components", "json", message)])
    return [{key: str(one[key]) for key in keys} for one in rows]


def _told(reading: Reading, one: Conflict, said_by: dict[tuple[str, str], tuple[str | None, datetime]]) -> Told:
    place, href = reading.place(one.component, one.path)
    who, at = said_by.get((one.component, one.path), (None, None))
    steps = one.path.split("/")
    inner = steps[2:] if steps[0] in ("fields", "pipelines") and len(steps) > 2 else _INNER.get(one.path, steps[1:])
    what = " · ".join(inner).replace("_", " ")
    return Told(
        _key(one), place, href, "removed" if steps[-1] == "hidden" else what, _words(one.base), _words(one.value),
        _words(one.lower), who or "", at,
    )  # fmt: skip


def _words(value: Plain) -> str:
    return "nothing" if value is None else said(value)


def _key(one: Conflict) -> str:
    return f"{one.component}/{one.path}"
