"""How the API's description tells about letting support in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from app.http.openapi import Schema, answer, body, follow, form_of, of_parts, operation, page_of

if TYPE_CHECKING:
    import msgspec

_TEXT: Final[Schema] = {"type": "string"}
_ID: Final[Schema] = {"type": "string", "format": "uuid"}
_AT: Final[Schema] = {"type": "string", "format": "date-time"}
_MAYBE_AT: Final[Schema] = {"type": ["string", "null"], "format": "date-time"}
_VISIT: Final = of_parts(
    {
        "id": _ID | {"description": "Also the actor's id in events"},
        "name": _TEXT,
        "email": _TEXT,
        "reason": _TEXT,
        "asked_at": _AT,
        "entered_at": _MAYBE_AT | {"description": "Null when the link was not used"},
        "ended_at": _MAYBE_AT,
        "inside": {"type": "boolean", "description": "Whether they are in the workspace now"},
    },
    title="Visit of support",
)
_GRANT: Final = of_parts(
    {
        "id": _ID,
        "role": _TEXT,
        "reason": _TEXT,
        "by": of_parts({"id": _ID, "name": _TEXT}),
        "at": _AT,
        "expires_at": _AT,
        "revoked_at": _MAYBE_AT,
        "revoked_by": {"type": ["string", "null"]},
        "status": {
            "enum": ["open", "revoked", "expired", "void"],
            "description": "`void`: whoever gave it is no active member any more",
        },
        "visits": {"type": "array", "items": _VISIT},
    },
    title="Support grant",
)

GRANTS: Final = operation(
    "Grants to support, ended ones too, with their visits",
    {"200": answer("Grants", page_of(_GRANT, {"type": "null", "description": "There is one page"}))},
    operationId="support_grants",
)
REVOKE: Final = operation(
    "Take a grant back; who is inside by it is out at once",
    {"204": answer("Done")},
    operationId="support_grant_revoke",
    write=True,
)
_REVOKE_LINK: Final = follow("support_grant_revoke", grant="$response.body#/id")


def create(form: type[msgspec.Struct]) -> Schema:
    """``POST /support-grants``."""
    hours: Schema = {"type": "integer", "minimum": 1, "maximum": 168, "default": 4}
    role = _TEXT | {"default": "read_only", "description": "Of it support holds what concerns records, never exports"}
    return operation(
        "Let support in for some hours",
        {"201": answer("The grant", _GRANT) | {"links": {"revoke": _REVOKE_LINK}}},
        operationId="support_grant_create",
        request=body(
            form_of(form, hours=hours, role=role, reason=_TEXT | {"minLength": 1, "maxLength": 500}),
            example={"reason": "Totals of the board look wrong", "hours": 4},
        ),
        write=True,
    )
