"""How the API's description tells about members' roles, invitations, teams, roles, sharing and the audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from app.access.grants import FLAGS, SPECIALS
from app.http.openapi import Schema, answer, body, form_of, of_parts, operation, page_of, query
from app.metadata.reach import ACTIONS, LEVELS
from app.rights.audit import ACTOR_KINDS, GROUPS
from app.rights.explain import ASKED
from app.rights.sharing import OPENNESS
from tenants.identity.openapi import MEMBER

if TYPE_CHECKING:
    import msgspec

_TEXT: Final[Schema] = {"type": "string"}
_ID: Final[Schema] = {"type": "string", "format": "uuid"}
_MAYBE_ID: Final[Schema] = {"type": ["string", "null"], "format": "uuid"}
_MAYBE: Final[Schema] = {"type": ["string", "null"]}
_AT: Final[Schema] = {"type": "string", "format": "date-time"}
_MAYBE_AT: Final[Schema] = {"type": ["string", "null"], "format": "date-time"}
_COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
_FLAG: Final[Schema] = {"type": "boolean"}
_LEVEL: Final[Schema] = {"enum": ["read", "edit"]}
_OPEN: Final[Schema] = {"enum": list(OPENNESS)}
_NAMES: Final[Schema] = {"type": "array", "items": _TEXT}
_ALL_PAGES: Final[Schema] = {"type": "null", "description": "There is one page"}
_CSV: Final = "text/csv"
_FREE: Final[Schema] = {"type": "object"}

_INVITATION: Final = of_parts({"id": _ID, "email": _TEXT, "role": _TEXT, "url": {"type": "string", "format": "uri"}})
_PENDING: Final = of_parts(
    {
        "id": _ID,
        "member": _ID,
        "name": _TEXT,
        "email": _TEXT,
        "role": _TEXT,
        "roles": _NAMES,
        "invited_by": _TEXT,
        "created_at": _AT,
        "expires_at": _AT,
        "status": {"enum": ["open", "expired"]},
        "url": _MAYBE | {"description": "Null when the member's roles hold more than the caller's"},
    },
    title="Invitation",
)
_RESULT: Final = of_parts(
    {"row": _COUNT, "email": _TEXT, "status": {"enum": ["invited", "failed"]}, "error": _TEXT, "url": _TEXT},
    optional=("error", "url"),
)
_TEAM_PARTS: Final[dict[str, Schema]] = {
    "id": _ID,
    "name": _TEXT,
    "parent": _MAYBE_ID,
    "manager": _MAYBE_ID,
    "queue": _FLAG | {"description": "Owns records itself"},
}
_TEAM: Final = of_parts({**_TEAM_PARTS, "members": _COUNT}, title="Team")
_PERSON: Final = of_parts({"id": _ID, "name": _TEXT, "status": _TEXT})
_GRANT: Final = of_parts(
    {**{action: {"enum": list(LEVELS)} for action in ACTIONS}, **dict.fromkeys(FLAGS, _FLAG)},
    optional=(*ACTIONS, *FLAGS),
)
_ROLE_PARTS: Final[dict[str, Schema]] = {
    "name": _TEXT,
    "label": _TEXT,
    "help": _TEXT,
    "standard": _FLAG,
    "objects": {"type": "object", "additionalProperties": _GRANT, "description": "By object; `*` for all others"},
    "fields": {"type": "object", "additionalProperties": {"type": "object"}, "description": "What is less than edit"},
    "rows": {"type": "object", "additionalProperties": {"type": "object"}, "description": "Conditions that open more"},
    "special": {"type": "array", "items": {"enum": list(SPECIALS)}},
}
_ROLE: Final = of_parts(
    {**_ROLE_PARTS, "members": _COUNT, "keys": _COUNT, "differences": _FREE},
    optional=("members", "keys", "differences"),
    title="Role",
)
_DEFAULT: Final = of_parts(
    {"object": _TEXT, "read": _OPEN, "edit": _OPEN, "inherit": _MAYBE, "rules": _COUNT}, title="Sharing"
)
_GRANTEE: Final = of_parts({"kind": {"enum": ["member", "team", "role"]}, "id": _TEXT, "name": _TEXT})
_RULE: Final = of_parts(
    {"id": _ID, "object": _TEXT, "name": _TEXT, "condition": _TEXT, "grantee": _GRANTEE, "level": _LEVEL},
    title="Sharing rule",
)
_SHARE: Final = of_parts(
    {
        "id": _ID,
        "grantee": _GRANTEE,
        "level": _LEVEL,
        "collaborator": _FLAG,
        "expires_at": _MAYBE_AT,
        "by": _MAYBE,
        "at": _AT,
    },
    title="Share",
)
_REASON: Final = of_parts({"opens": _FLAG, "of": _TEXT, "text": _TEXT})
_ACCESS: Final = of_parts(
    {
        "action": {"enum": list(ASKED)},
        "allowed": _FLAG,
        "summary": _TEXT,
        "reasons": {"type": "array", "items": _REASON},
        "hidden_fields": _NAMES,
        "read_only_fields": _NAMES,
    },
    title="Access",
)
_ENTRY: Final = of_parts(
    {
        "id": _ID,
        "at": _AT,
        "actor": of_parts({"kind": _TEXT, "id": _MAYBE_ID, "name": _TEXT}),
        "kind": _TEXT,
        "object": _TEXT,
        "record_id": _MAYBE_ID,
        "title": _TEXT,
        "changes": {"type": "object", "additionalProperties": {"type": "array", "minItems": 2, "maxItems": 2}},
        "request_id": _MAYBE,
    },
    title="Audit entry",
)
_FILTERS: Final = [
    query("group", "Only what is of this sort", {"enum": list(GROUPS)}),
    query("actor", "Only what this member or key did", _ID),
    query("actor_kind", "Only what such actors did", {"enum": list(ACTOR_KINDS)}),
    query("object", "Only what concerns this object", _TEXT),
    query("record", "Only what concerns this record", _ID),
    query("since", "From this day on", {"type": "string", "format": "date"}),
    query("until", "Up to and with this day", {"type": "string", "format": "date"}),
]


def _read(summary: str, name: str, form: Schema, **more: Any) -> Schema:
    return operation(summary, {"200": answer("The answer", form)}, operationId=name, **more)


def _listed(summary: str, name: str, item: Schema, **more: Any) -> Schema:
    return _read(summary, name, page_of(item, _ALL_PAGES), **more)


def _gone(summary: str, name: str) -> Schema:
    return operation(summary, {"204": answer("Done")}, operationId=name, write=True)


def _with_grantee(form: type[msgspec.Struct]) -> Schema:
    """A form that names a grantee; spelled out, a reference would lead nowhere."""
    named = form_of(form)
    named["properties"]["grantee"] = of_parts({"kind": {"enum": ["member", "team", "role"]}, "id": _TEXT})
    return named


def written(
    summary: str, name: str, form: Schema, taken: type[msgspec.Struct] | None = None, status: str = "200", **more: Any
) -> Schema:
    """A call that changes something and answers with what it is now."""
    given = (
        None
        if taken is None
        else body(_with_grantee(taken) if "grantee" in taken.__struct_fields__ else form_of(taken))
    )
    headers = ("Location",) if more.pop("located", False) else ()
    answers = {status: answer("As it is now", form, headers=headers)}
    return operation(summary, answers, operationId=name, request=given, write=True, **more)


def change_member(form: type[msgspec.Struct]) -> Schema:
    """``PATCH /members/{id}``."""
    return written("Other roles, another manager", "member_change", MEMBER, form)


def invite(form: type[msgspec.Struct]) -> Schema:
    """``POST /members/invitations``."""
    made = of_parts({"invitation": _INVITATION})
    return written("Invite a colleague by mail; the link comes back too", "member_invite", made, form, "201")


INVITATIONS: Final = _listed("Invitations not taken up yet", "invitations", _PENDING)
RESEND: Final = written(
    "Send an invitation anew, with a new link", "invitation_resend", of_parts({"invitation": _INVITATION}), None, "201"
)
REVOKE: Final = _gone("Take an invitation back", "invitation_revoke")
BULK: Final = operation(
    "Invite everybody a CSV names",
    {
        "200": answer(
            "A result a row",
            of_parts({"results": {"type": "array", "items": _RESULT}, "invited": _COUNT, "failed": _COUNT}),
        )
    },
    description="Columns `email`, and if you like `name`, `role` (several with `;`), `team`; at most 200 rows.",
    operationId="invitations_bulk",
    request=body(_TEXT, _CSV),
    write=True,
)
TEAMS: Final = _listed("All teams, each before those below it", "teams", _TEAM)
SHOW_TEAM: Final = _read(
    "One team with its members",
    "team",
    of_parts({**_TEAM_PARTS, "members": {"type": "array", "items": _PERSON}}, title="Team with members"),
)
DELETE_TEAM: Final = _gone("Take a team away that nothing hangs on", "team_delete")
JOIN_TEAM: Final = _gone("Make somebody a member of the team", "team_join")
LEAVE_TEAM: Final = _gone("Take somebody out of the team", "team_leave")


def team(summary: str, name: str, form: type[msgspec.Struct], status: str = "200") -> Schema:
    """A team made or changed."""
    return written(summary, name, _TEAM, form, status, located=status == "201")


ROLES: Final = _listed("Every role with its document", "roles", _ROLE)
SHOW_ROLE: Final = _read(
    "One role",
    "role",
    _ROLE,
    parameters=[query("compare", "Another role: `differences` says where they differ", _TEXT)],
)
DELETE_ROLE: Final = _gone("Take a role away that nobody holds", "role_delete")


def role(summary: str, name: str, form: type[msgspec.Struct], status: str = "200") -> Schema:
    """A role made or changed."""
    return written(summary, name, _ROLE, form, status, located=status == "201")


SHARING: Final = _listed("What each object is open to", "sharing", _DEFAULT)
RULES: Final = _listed(
    "The sharing rules", "sharing_rules", _RULE, parameters=[query("object", "Of this object only", _TEXT)]
)
DELETE_RULE: Final = _gone("Take a sharing rule away", "sharing_rule_delete")
SHARES: Final = _listed("Who was given the record by hand", "record_shares", _SHARE)
UNSHARE: Final = _gone("Take it back", "record_unshare")
ACCESS: Final = _read(
    "Why a member may or may not",
    "record_access",
    _ACCESS,
    parameters=[
        query("member", "Oneself when left out; others only for who manages rights", _ID),
        query("action", "May they do this", {"enum": list(ASKED), "default": "read"}),
    ],
)


def set_sharing(form: type[msgspec.Struct]) -> Schema:
    """``PUT /sharing/{object}``."""
    return written("Open an object to less or to more", "sharing_change", _DEFAULT, form)


def rule(summary: str, name: str, form: type[msgspec.Struct], status: str = "200") -> Schema:
    """A sharing rule made or changed."""
    return written(summary, name, _RULE, form, status, located=status == "201")


def share(form: type[msgspec.Struct]) -> Schema:
    """``POST /records/{object}/{id}/shares``."""
    return written("Give the record to somebody", "record_share", _SHARE, form, "201")


AUDIT: Final = operation(
    "Who did what, newest first",
    {"200": answer("A page of the log", page_of(_ENTRY), headers=("Link",))},
    operationId="audit",
    parameters=[
        *_FILTERS,
        query("limit", "How many", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}),
        query("cursor", "`next` of the page before", _TEXT),
    ],
)
EXPORT_AUDIT: Final = operation(
    "The same as a file, at most 10,000 lines",
    {"200": answer("A file", _TEXT, kind=_CSV)},
    operationId="audit_export",
    parameters=_FILTERS,
    write=True,
)
EXPORT_REVIEW: Final = operation(
    "Who holds what: a line for each member and object",
    {"200": answer("A file", _TEXT, kind=_CSV)},
    operationId="access_review_export",
    write=True,
)
