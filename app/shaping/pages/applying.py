"""What a dialog agreed to is applied: the same verb as ``POST /api/v1/metadata/apply``; and how far its jobs are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, current_app, render_template, request

from app.access.rights import METADATA_EDIT
from app.core.errors import FieldError, Forbidden, InvalidInput
from app.core.jobs import wake
from app.http.context import runtime
from app.http.guard import workspace
from app.http.respond import see_other
from app.metadata import history
from app.metadata.apply import MetadataBlocked, MetadataConflict, NeedsConfirmation
from app.metadata.problems import InvalidComponents
from app.shaping import service
from app.shaping.pages.previews import SOURCE, Asked, clash_words, dialog, not_theirs, refused, told_of
from tenants.locking import TenantBusy

if TYPE_CHECKING:
    from uuid import UUID

    from werkzeug.wrappers import Response

    from app.metadata.apply import Applied
    from app.shaping.service import Wanted
    from tenants.scope import TenantScope

blueprint = Blueprint("applying", __name__)
_MOST: Final = 200
_LONGEST: Final = 2_000


@blueprint.post("/settings/changes")
@workspace(METADATA_EDIT, member=True, after=True)
def apply(scope: TenantScope) -> Response:
    """Apply the components of a dialog."""
    asked = asked_again(_components())
    try:
        return carry_out(scope, asked, service.wanted_of(asked.components, source=SOURCE))
    except InvalidComponents as error:
        return refused(str(one) for one in error.problems)


@blueprint.get("/settings/changes/<uuid:change>/work")
@workspace(METADATA_EDIT, member=True)
def work(scope: TenantScope, change: UUID) -> Response:
    """How far a change's jobs are."""
    return current_app.make_response(
        render_template("shaping/_work.html", **progress(history.change(scope.execute, change)))
    )


def progress(change: dict[str, Any]) -> dict[str, Any]:
    """What a page tells of a change's jobs."""
    work: list[dict[str, Any]] = change["work"]
    done = sum(one["state"] in ("done", "failed") for one in work)
    failed = [one for one in work if one["state"] == "failed"]
    return {
        "change": change,
        "running": done < len(work),
        "percent": 100 * done // len(work) if work else 100,
        "failed": len(failed),
        "pieces": len(work),
    }


def asked_again(components: list[dict[str, Any]], change: str = "") -> Asked:
    """What a dialog sends: what to apply, why, from which version, where to go then."""
    base = request.form.get("base", "")
    following = request.form.get("next", "")
    return Asked(
        components=components,
        change=change,
        note=request.form.get("note", "").replace("\0", "").strip()[:_LONGEST],
        base=int(base) if base.isascii() and base.isdigit() and len(base) < 18 else None,
        next=following if following.startswith("/settings/") and "\\" not in following else "/settings/objects",
        title=request.form.get("title", "")[:200] or "Apply this change?",
    )


def carry_out(scope: TenantScope, asked: Asked, wanted: Wanted, reverts: UUID | None = None) -> Response:
    """Apply, then go on; or the dialog again with what stands in the way."""
    databases = runtime().databases
    try:
        applied = service.apply_in(
            scope, databases, wanted, source=SOURCE, note=asked.note, confirm=request.form.get("confirm") == "yes",
            base=asked.base, reverts=reverts,
        )  # fmt: skip
    except MetadataConflict as error:
        changed: Any = error.extra.get("changed", ())
        return _again(scope, asked, wanted, told_of(error), clash_words(changed))
    except (NeedsConfirmation, MetadataBlocked, TenantBusy) as error:
        return _again(scope, asked, wanted, told_of(error), [])
    except InvalidComponents as error:
        return refused(str(one) for one in error.problems)
    except Forbidden as error:
        return not_theirs(error)
    wake(runtime().redis)
    return see_other(_onward(asked.next, applied))


def _again(scope: TenantScope, asked: Asked, wanted: Wanted, alert: str, clashes: list[str]) -> Response:
    """The dialog with a plan made anew, from the version as it is now."""
    made, version = service.planned_beside(runtime().databases, scope, wanted)
    return dialog(scope, made, asked, base=version, clashes=clashes, alert=alert)


def _onward(following: str, applied: Applied) -> str:
    if applied.change is None:
        return f"{following}?deferred=1" if applied.deferred else following
    return f"{following}?change={applied.change}"


def _components() -> list[dict[str, Any]]:
    message = "Open the page again: what it sent can not be read."
    try:
        found: Any = json.loads(request.form.get("components", ""))
    except ValueError as error:
        raise InvalidInput(message, [FieldError("/components", "json", message)]) from error
    if not isinstance(found, list) or len(found) > _MOST or not all(isinstance(one, dict) for one in found):  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        raise InvalidInput(message, [FieldError("/components", "json", message)])
    return found  # pyright: ignore[reportUnknownVariableType]
