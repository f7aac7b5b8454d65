"""Settings → Audit log and → Access: who did what, who may do what, why somebody may."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from flask import Blueprint, request

from app.access import catalogs
from app.access.rights import RIGHTS_MANAGE
from app.core.errors import InvalidInput, NotFound
from app.http.guard import workspace
from app.records.pages.people import chosen
from app.rights import audit, explain, exports
from app.rights.api.audit import FILTERS, attachment, query_of
from app.rights.pages.forms import page
from app.rights.words import told

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from tenants.scope import TenantScope

blueprint = Blueprint("audit", __name__)

_SHOWN: Final = 50
_GROUPS: Final = [
    ("records", "Records"), ("members", "Members and teams"), ("sign_ins", "Sign-ins"), ("keys", "API keys"),
    ("rights", "Roles and sharing"), ("shares", "Shared records"), ("metadata", "Objects and fields"),
    ("exports", "Exports"), ("support", "Support access"),
]  # fmt: skip
_ACTORS: Final = [("member", "Members"), ("key", "API keys"), ("import", "Imports"), ("support", "Support"),
                  ("system", "Rapport itself")]  # fmt: skip
#: A record's page, or its address cut short.
_RECORD: Final = re.compile(r"(?:^|/)records/([a-z][a-z0-9_]*)/([0-9a-fA-F-]{36})\b")
_ACTIONS: Final = [("read", "see"), ("edit", "edit"), ("delete", "delete"), ("destroy", "delete for good"),
                   ("export", "export")]  # fmt: skip


@blueprint.get("/settings/audit")
@workspace(RIGHTS_MANAGE, member=True)
def show_audit(scope: TenantScope) -> Response:
    """The log, filtered."""
    values = {name: request.args.get(name, "") for name in FILTERS}
    kept = {name: value for name, value in values.items() if value}
    problem, found, following = "", [], None
    try:
        before = _id(request.args.get("before", ""))
        found, following = audit.entries(scope, query_of(kept), limit=_SHOWN, before=before)
    except InvalidInput as error:
        problem = error.detail
    return page(
        "audit.html",
        422 if problem else 200,
        entries=[(entry, told(entry, catalogs.for_scope(scope))) for entry in found],
        values=values,
        problem=problem,
        kept=kept,
        following=str(following) if following else "",
        first="before" in request.args,
        groups=_GROUPS,
        actor_kinds=_ACTORS,
        who=chosen(scope, values["actor"]),
        objects=[(obj.name, obj.plural) for obj in catalogs.for_scope(scope).objects.values() if obj.navigation],
    )


@blueprint.post("/settings/audit/export")
@workspace(RIGHTS_MANAGE, member=True)
def export_audit(scope: TenantScope) -> Response:
    """What the filter shows, as CSV."""
    kept = {name: request.form[name] for name in FILTERS if request.form.get(name)}
    return attachment("audit.csv", exports.audit_lines(scope, query_of(kept)))


@blueprint.get("/settings/access")
@workspace(RIGHTS_MANAGE, member=True)
def show_access(scope: TenantScope) -> Response:
    """Why can or can't somebody? And the review to take along."""
    asked = {name: request.args.get(name, "")[:300] for name in ("member", "action", "record")}
    values: dict[str, Any] = {"explanation": None, "errors": {}, "title": "", "href": ""}
    if any(asked.values()):
        values |= _explained(scope, asked)
    return page(
        "access.html",
        422 if values["errors"] else 200,
        asked=asked,
        who=chosen(scope, asked["member"]),
        actions=_ACTIONS,
        **values,
    )


@blueprint.post("/settings/access/export")
@workspace(RIGHTS_MANAGE, member=True)
def export_review(scope: TenantScope) -> Response:
    """Who holds what, as CSV."""
    return attachment("access-review.csv", exports.review_lines(scope))


def _explained(scope: TenantScope, asked: dict[str, str]) -> dict[str, Any]:
    place = _RECORD.search(asked["record"])
    member = _id(asked["member"])
    if place is None or member is None:
        missing = {"record": "Paste the address of a record's page."} if place is None else {}
        return {"errors": missing | ({} if member else {"member": "Choose a member."})}
    object_name, record = place.group(1), UUID(place.group(2))
    action = asked["action"] if asked["action"] in dict(_ACTIONS) else "read"
    try:
        title = explain.title_of(scope, object_name, record)
        found = explain.explain(scope, member, object_name, record, action)
    except NotFound as error:
        return {"errors": {"record": error.detail}}
    return {"explanation": found, "title": title, "href": f"/records/{object_name}/{record}"}


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
