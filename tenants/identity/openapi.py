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
            "`member` is null for a key",
            of_parts(
                {"tenant": of_parts(_TENANT), "member": {"anyOf": [of_parts(_PERSON), {"type": "null"}]}}, title="Me"
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


def deactivate(form: type[msgspec.Struct]) -> Schema:
    """``POST /members/{id}/deactivate``."""
    moved = {"type": "integer", "minimum": 0, "description": "How many records have another owner now"}
    return operation(
        "End access at once",
        {"200": answer("The member and what was handed over", of_parts({"member": MEMBER, "handed_over": moved}))},
        operationId="member_deactivate",
        request=body(
            form_of(form, hand_over_to={"description": "Becomes the owner of the member's records"}), required=False
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
