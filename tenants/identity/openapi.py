"""How the API's description tells about members and keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from app.http.openapi import Schema, answer, body, follow, form_of, of_parts, operation, page_of, query
from tenants.identity.members import ROLES

if TYPE_CHECKING:
    import msgspec

_TEXT: Final[Schema] = {"type": "string"}
_ID: Final[Schema] = {"type": "string", "format": "uuid"}
_AT: Final[Schema] = {"type": "string", "format": "date-time"}
_MAYBE_AT: Final[Schema] = {"type": ["string", "null"], "format": "date-time"}
_ROLE: Final[Schema] = {"type": "string", "examples": list(ROLES)}
_REVOKE: Final = follow("key_revoke", key="$response.body#/id")

_PERSON: Final[dict[str, Schema]] = {"id": _ID, "name": _TEXT, "email": _TEXT, "role": _TEXT}
MEMBER: Final = of_parts(
    {
        **_PERSON,
        "roles": {"type": "array", "items": _TEXT, "description": "Further roles beside the main one"},
        "team": {"type": ["string", "null"], "format": "uuid", "description": "The main team"},
        "manager": {"type": ["string", "null"], "format": "uuid"},
        "status": {"enum": ["active", "invited", "inactive"]},
    },
    title="Member",
)
_KEY: Final[dict[str, Schema]] = {"id": _ID, "name": _TEXT, "role": _TEXT}
_TENANT: Final[dict[str, Schema]] = {
    "id": _ID,
    "slug": _TEXT,
    "name": _TEXT,
    "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
    "timezone": {"type": "string", "examples": ["Europe/Berlin"]},
}

ME: Final = operation(
    "The calling workspace and member",
    {
        "200": answer(
            "`member` is null for a key, and in a session of support, which says who it is in `support`",
            of_parts(
                {
                    "tenant": of_parts(_TENANT),
                    "member": {"anyOf": [of_parts(_PERSON), {"type": "null"}]},
                    "support": of_parts({"name": _TEXT, "role": _TEXT, "until": _AT}),
                },
                title="Me",
                optional=("support",),
            ),
        )
    },
    operationId="me",
)
MEMBERS: Final = operation(
    "Members by name",
    {"200": answer("A page of members", page_of(MEMBER), headers=("Link",))},
    operationId="members",
    parameters=[
        query("limit", "How many", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}),
        query("cursor", "`next` of the page before", _TEXT),
    ],
)
REACTIVATE: Final = operation(
    "Let a deactivated member in again",
    {"200": answer("The member", MEMBER)},
    operationId="member_reactivate",
    write=True,
)
KEYS: Final = operation(
    "All keys, without their secrets",
    {
        "200": answer(
            "Keys",
            page_of(
                of_parts(
                    {
                        **_KEY,
                        "prefix": _TEXT | {"description": "How the key begins"},
                        "created_at": _AT,
                        "expires_at": _MAYBE_AT,
                        "revoked_at": _MAYBE_AT,
                    },
                    title="Key",
                )
            ),
        )
    },
    operationId="keys",
)
REVOKE_KEY: Final = operation("End a key at once", {"204": answer("Ended")}, operationId="key_revoke", write=True)


_HANDED: Final = of_parts(
    {
        "id": _ID,
        "to": of_parts({"kind": {"enum": ["member", "team"]}, "id": _ID, "name": _TEXT}),
        "state": {"enum": ["queued", "running", "done", "failed"]},
        "done": {"type": "integer", "minimum": 0, "description": "Records handed over so far"},
        "total": {"type": "integer", "minimum": 0, "description": "Of so many; 0 before it has begun"},
        "asked_at": _AT,
        "finished_at": _MAYBE_AT,
    },
    title="HandOver",
)
HAND_OVER: Final = operation(
    "How far the handing over of a member's records is",
    {"200": answer("The last one", _HANDED)},
    operationId="member_hand_over",
)


def start_hand_over(form: type[msgspec.Struct]) -> Schema:
    """``POST /members/{id}/hand-over``."""
    return operation(
        "Hand the records of a member over",
        {"202": answer("Asked for; it follows in the background", _HANDED)},
        operationId="member_hand_over_start",
        request=body(
            form_of(
                form,
                to={"description": "The member who becomes the owner"},
                to_team={"description": "Instead: the team they belong to from now on, without an owner"},
            )
        ),
        write=True,
    )


def deactivate(form: type[msgspec.Struct]) -> Schema:
    """``POST /members/{id}/deactivate``."""
    started = {"anyOf": [_HANDED, {"type": "null"}], "description": "The job that was asked for; ask how far it is"}
    return operation(
        "End access at once",
        {"200": answer("The member, and the handing over", of_parts({"member": MEMBER, "hand_over": started}))},
        operationId="member_deactivate",
        request=body(
            form_of(
                form,
                hand_over_to={"description": "Becomes the owner of the member's records"},
                hand_over_to_team={"description": "Instead: the team they belong to from now on, without an owner"},
            ),
            required=False,
        ),
        write=True,
    )


def create_key(form: type[msgspec.Struct]) -> Schema:
    """``POST /keys``."""
    secret = {"type": "string", "pattern": "^rap_", "description": "Shown in this answer and never again"}
    made = of_parts({**_KEY, "expires_at": _MAYBE_AT, "key": secret})
    return operation(
        "A new key",
        {"201": answer("The key", made, headers=("Location",)) | {"links": {"revoke": _REVOKE}}},
        operationId="key_create",
        request=body(form_of(form, role=_ROLE), example={"name": "Warehouse", "role": "read_only"}),
        write=True,
    )
