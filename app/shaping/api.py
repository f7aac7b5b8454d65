"""``/api/v1/metadata``: what a workspace is made of, planned, applied, looked back at and taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

import msgspec
from flask_smorest import Blueprint  # pyright: ignore[reportMissingTypeStubs]

from app.access.rights import METADATA_EDIT
from app.core.errors import FieldError, InvalidInput
from app.core.jobs import wake
from app.http.context import runtime
from app.http.guard import workspace
from app.http.openapi import described
from app.http.respond import json_body, json_response, link_next, query_arguments
from app.metadata import history
from app.shaping import exporting, openapi, service

if TYPE_CHECKING:
    from uuid import UUID

    from werkzeug.wrappers import Response

    from tenants.scope import TenantScope

blueprint = Blueprint("shaping_api", __name__, url_prefix="/api/v1/metadata", description="What a workspace is made of")

#: A folder of YAML that states a whole workspace.
BODY_LIMIT: Final = 8 * 1024 * 1024
MOST_COMPONENTS: Final = 2_000
#: ``nested`` leaves below ``spec``, or as people write components.
FORMS: Final = ("nested", "written")
_PAGE: Final = 50
_MOST: Final = 200
_LONGEST: Final = 200


class Desired(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """POST /metadata/plan: components, in the form of the YAML; ``source`` is whose last-applied set they are."""

    components: list[dict[str, Any]]
    source: str = ""
    prune: bool = False


class Order(Desired, forbid_unknown_fields=True, kw_only=True):
    """POST /metadata/apply; ``base_version`` is that of the plan which was agreed to."""

    note: str = ""
    confirm: bool = False
    base_version: int | None = None


class Back(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """POST /metadata/changes/{id}/revert; with ``plan`` nothing is changed and the plan is answered.

    ``newer`` takes back what people changed after it, too.
    """

    plan: bool = False
    newer: bool = False
    note: str = ""
    confirm: bool = False
    base_version: int | None = None


class Choice(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A decision: ``keep`` the workspace's value, or ``take`` the update's."""

    component: str
    path: str
    choice: Literal["keep", "take"]


class Choices(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """POST /metadata/conflicts."""

    choices: list[Choice]
    note: str = ""
    confirm: bool = False
    base_version: int | None = None


Wish = TypeVar("Wish", bound=Desired)


@blueprint.get("")
@described(openapi.METADATA)
@workspace()
def metadata(scope: TenantScope) -> Response:
    """The workspace's metadata: its components as they are in effect, or as one layer states them."""
    given = query_arguments("layer", "form")
    layer, form = given.get("layer", ""), given.get("form", "nested")
    stored = exporting.read(scope)
    layers = exporting.layers_of(stored)
    if layer and layer not in layers:
        message = f"layer is one of {', '.join(layers)}, or left out for what is in effect."
        raise InvalidInput(message, [FieldError("?layer", "layer.unknown", message)])
    if form not in FORMS:
        message = f"form is one of {', '.join(FORMS)}."
        raise InvalidInput(message, [FieldError("?form", "form.unknown", message)])
    told = exporting.written if form == "written" else exporting.components
    return json_response({"version": scope.version, "components": told(scope, stored, layer)})


@blueprint.post("/plan")
@described(openapi.PLAN)
@workspace(METADATA_EDIT, write=False, body_limit=BODY_LIMIT)
def plan(scope: TenantScope) -> Response:
    """What applying components would do: every step with its DDL, what would break, what was changed by hand."""
    query_arguments()
    form = _checked(json_body(Desired))
    wanted = service.wanted_of(form.components, source=_source(scope, form.source), prune=form.prune)
    return json_response(service.plan_told(scope, wanted))


@blueprint.post("/apply")
@described(openapi.APPLY)
@workspace(METADATA_EDIT, after=True, body_limit=BODY_LIMIT)
def apply(scope: TenantScope) -> Response:
    """Apply components; with ``base_version`` only if what the plan was made of is still so."""
    query_arguments()
    form = _checked(json_body(Order))
    source = _source(scope, form.source)
    wanted = service.wanted_of(form.components, source=source, prune=form.prune)
    applied = service.apply_in(
        scope, runtime().databases, wanted, source=source, note=_note(form.note), confirm=form.confirm,
        base=form.base_version,
    )  # fmt: skip
    wake(runtime().redis)
    return json_response(service.applied_told(runtime().databases, scope.tenant, applied))


@blueprint.get("/changes")
@described(openapi.CHANGES)
@workspace(METADATA_EDIT)
def list_changes(scope: TenantScope) -> Response:
    """Changes, newest first: who, when, from where, why, each leaf before and after."""
    given = query_arguments("limit", "cursor")
    limit, before = _limit(given.get("limit")), _cursor(given.get("cursor"))
    found = history.changes(scope.execute, limit=limit + 1, before=before)
    following = str(found[limit - 1]["version"]) if len(found) > limit else None
    return json_response({"data": found[:limit], "next": following}, 200, link_next(following))


@blueprint.get("/changes/<uuid:change>")
@described(openapi.CHANGE)
@workspace(METADATA_EDIT)
def show_change(scope: TenantScope, change: UUID) -> Response:
    """One change with the work it left to a job."""
    query_arguments()
    return json_response(history.change(scope.execute, change))


@blueprint.post("/changes/<uuid:change>/revert")
@described(openapi.REVERT)
@workspace(METADATA_EDIT, after=True)
def revert(scope: TenantScope, change: UUID) -> Response:
    """Take a change back, values included, as far as nothing newer stands on it."""
    query_arguments()
    form, databases = json_body(Back), runtime().databases
    note = _note(form.note)
    wanted = service.wanted_back_beside(databases, scope.tenant, change, newer=form.newer)
    if form.plan:
        return json_response(service.plan_beside(databases, scope, wanted))
    applied = service.apply_in(
        scope, databases, wanted, source=_source(scope, ""), note=note, confirm=form.confirm,
        base=form.base_version, reverts=None if form.newer else change, keeps=False,
    )  # fmt: skip
    wake(runtime().redis)
    return json_response(service.applied_told(runtime().databases, scope.tenant, applied))


@blueprint.get("/conflicts")
@described(openapi.CONFLICTS)
@workspace(METADATA_EDIT)
def list_conflicts(scope: TenantScope) -> Response:
    """What both the workspace and an update of Rapport changed; the workspace's value is in force."""
    query_arguments()
    return json_response({"version": scope.version, "data": service.conflicts_of(scope)})


@blueprint.post("/conflicts")
@described(openapi.CHOOSE)
@workspace(METADATA_EDIT, after=True)
def choose(scope: TenantScope) -> Response:
    """Decide conflicts: keep the workspace's value or take the update's. Can be undone like any change."""
    query_arguments()
    form = json_body(Choices)
    if not 0 < len(form.choices) <= MOST_COMPONENTS:
        message = f"From 1 to {MOST_COMPONENTS:,} choices."
        raise InvalidInput(message, [FieldError("/choices", "choices.count", message)])
    kept = [(one.component, one.path) for one in form.choices if one.choice == "keep"]
    taken = [(one.component, one.path) for one in form.choices if one.choice == "take"]
    applied = service.apply_in(
        scope, runtime().databases, service.wanted_choices(kept, taken), source=_source(scope, ""),
        note=_note(form.note), confirm=form.confirm, base=form.base_version, keeps=False,
    )  # fmt: skip
    wake(runtime().redis)
    return json_response(service.applied_told(runtime().databases, scope.tenant, applied))


@blueprint.get("/drift")
@described(openapi.DRIFT)
@workspace(METADATA_EDIT)
def drift(scope: TenantScope) -> Response:
    """What was changed by hand since a source last stated it."""
    given = query_arguments("source")
    return json_response({"version": scope.version, "data": service.drift_of(scope, given.get("source", "settings"))})


def _checked(form: Wish) -> Wish:
    if len(form.components) > MOST_COMPONENTS:
        message = f"At most {MOST_COMPONENTS:,} components at once."
        raise InvalidInput(message, [FieldError("/components", "components.too_many", message)])
    return form


def _source(scope: TenantScope, given: str) -> str:
    """Whose components they are; by default of people in settings, or of the key."""
    if len(given) > _LONGEST:
        message = f"At most {_LONGEST} characters."
        raise InvalidInput(message, [FieldError("/source", "source.too_long", message)])
    return given or (f"key:{scope.actor.name}" if scope.actor.kind == "key" else "settings")


def _note(given: str) -> str:
    if len(given) > 10 * _LONGEST:
        message = f"At most {10 * _LONGEST} characters."
        raise InvalidInput(message, [FieldError("/note", "note.too_long", message)])
    return given


def _limit(given: str | None) -> int:
    if given is None:
        return _PAGE
    if not given.isascii() or not given.isdigit() or not 1 <= int(given) <= _MOST:
        message = f"limit is a whole number from 1 to {_MOST}."
        raise InvalidInput(message, [FieldError("?limit", "limit.invalid", message)])
    return int(given)


def _cursor(given: str | None) -> int | None:
    if given is None:
        return None
    if not given.isascii() or not given.isdigit() or len(given) > 18:
        message = "cursor is the `next` of an earlier answer."
        raise InvalidInput(message, [FieldError("?cursor", "cursor.invalid", message)])
    return int(given)
