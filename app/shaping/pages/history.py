"""Settings → History: who changed what of the workspace, when and why; each taken back after a look at its plan."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, current_app, render_template, request

from app.access.rights import METADATA_EDIT
from app.http.context import runtime
from app.http.guard import workspace
from app.metadata import history
from app.metadata.words import said, words
from app.shaping import service
from app.shaping.pages.applying import asked_again, carry_out, progress
from app.shaping.pages.previews import Asked, preview
from app.shaping.pages.reading import Reading

if TYPE_CHECKING:
    from uuid import UUID

    from werkzeug.wrappers import Response

    from tenants.scope import TenantScope

blueprint = Blueprint("shaping_history", __name__)
_PAGE: Final = 30
_SENTENCES: Final = 6
_SOURCES: Final = {"settings": "in settings", "platform": "by an update of Rapport"}


@blueprint.get("/settings/history")
@workspace(METADATA_EDIT, member=True)
def show_history(scope: TenantScope) -> Response:
    """Changes, newest first."""
    given = request.args.get("before", "")
    before = int(given) if given.isascii() and given.isdigit() and len(given) < 18 else None
    found = history.changes(scope.execute, limit=_PAGE + 1, before=before)
    reading = Reading(scope)
    html = render_template(
        "shaping/history.html",
        changes=[told(one, reading) for one in found[:_PAGE]],
        following=found[_PAGE - 1]["version"] if len(found) > _PAGE else None,
        first=before is None,
    )
    return current_app.make_response(html)


@blueprint.get("/settings/history/<uuid:change>")
@workspace(METADATA_EDIT, member=True)
def show_change(scope: TenantScope, change: UUID) -> Response:
    """One change: in words, leaf by leaf, what it did to the tables."""
    found = history.change(scope.execute, change)
    leaves = [
        (one["component"], one["path"].replace("/", "."), _value(one["before"]), _value(one["after"]))
        for one in found["leaves"]
    ]
    html = render_template(
        "shaping/change.html", one=told(found, Reading(scope), most=1_000), leaves=leaves, work=progress(found)
    )
    return current_app.make_response(html)


@blueprint.post("/settings/history/<uuid:change>/plan")
@workspace(METADATA_EDIT, member=True, write=False)
def plan_revert(scope: TenantScope, change: UUID) -> Response:
    """What taking a change back would do, with ``newer`` and all that people changed after it; nothing is changed."""
    newer = _newer()
    title = "Go back to before this change?" if newer else "Take this change back?"
    asked = Asked(change=str(change), newer=newer, next="/settings/history", title=title)
    return preview(scope, asked, service.wanted_back(scope.execute, change, newer=newer))


@blueprint.post("/settings/history/<uuid:change>/revert")
@workspace(METADATA_EDIT, member=True, after=True)
def revert(scope: TenantScope, change: UUID) -> Response:
    """Take a change back."""
    newer = _newer()
    wanted = service.wanted_back_beside(runtime().databases, scope.tenant, change, newer=newer)
    asked = replace(asked_again([], str(change)), newer=newer)
    return carry_out(scope, asked, wanted, reverts=None if newer else change)


def _newer() -> bool:
    return request.form.get("newer") == "yes"


def told(one: dict[str, Any], reading: Reading, most: int = _SENTENCES) -> dict[str, Any]:
    """A change for a list: who, what in words, why, when, whether it can be taken back."""
    sentences = words(history.leaves_of(one), history.renames_of(one), None, reading.whole)
    source = str(one["source"])
    return {
        "id": one["id"],
        "who": one["by"]["name"] if one["by"] else "Rapport",
        "how": _SOURCES.get(source) or ("by the key " + source[4:] if source.startswith("key:") else f"from {source}"),
        "member": one["by"] is not None,
        "sentences": sentences[:most] or ["A decision about a conflict with an update"],
        "more": max(0, len(sentences) - most),
        "note": one["note"],
        "at": one["at"],
        "version": one["version"],
        "reverts": one["reverts"],
        "reverted": one["reverted_by"],
        "steps": [text for step in one["steps"] for text in step.get("ddl", ())],
    }


def _value(value: Any) -> str:
    return "" if value is None else said(value)
