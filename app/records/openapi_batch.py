"""How the API describes mixed batches."""

from __future__ import annotations

from typing import Any, Final

from app.http.openapi import Schema, answer, body, component, of_parts, operation
from app.records.operations import KINDS, MAX_OPERATIONS, REF

_TEXT: Final[Schema] = {"type": "string", "minLength": 1, "maxLength": 255}
_ID: Final[Schema] = {"type": "string", "format": "uuid"}
_REFERENCE: Final[Schema] = {
    "type": "object",
    "properties": {REF: _TEXT},
    "required": [REF],
    "additionalProperties": False,
}
_MEMBERS: Final[dict[str, Schema]] = {
    "record": {
        "type": "object",
        "description": f'As in a single write; a link may be `{{"{REF}": "…"}}`, the `ref` of an earlier operation',
    },
    "id": {"anyOf": [_ID, _REFERENCE], "description": "Which record; or the `ref` of an earlier operation"},
    "match": _TEXT | {"description": "The field of `record` whose value tells which record is meant"},
    "if_match": {"type": ["integer", "null"], "description": "The version read"},
    "ref": _TEXT | {"description": "A name for this operation's record, for later operations"},
}
_STATUSES: Final = ("created", "updated", "unchanged", "deleted", "restored")


def _form(op: str) -> Schema:
    needed, allowed = KINDS[op]
    members: dict[str, Any] = {"op": {"const": op}, "object": _TEXT}
    members |= {name: _MEMBERS[name] for name in _MEMBERS if name in needed | allowed}
    return {
        "type": "object",
        "title": op,
        "properties": members,
        "required": ["op", "object", *sorted(needed)],
        "additionalProperties": False,
    }


_BODY: Final[Schema] = {
    "type": "object",
    "properties": {
        "operations": {"type": "array", "maxItems": MAX_OPERATIONS, "items": {"oneOf": [_form(op) for op in KINDS]}}
    },
    "required": ["operations"],
    "additionalProperties": False,
}
_EXAMPLE: Final = {
    "operations": [
        {"op": "create", "object": "company", "ref": "acme", "record": {"name": "Acme"}},
        {"op": "create", "object": "deal", "record": {"name": "First order", "company": {REF: "acme"}}},
    ]
}
_RESULT: Final = of_parts(
    {
        "index": {"type": "integer", "minimum": 0},
        "op": {"enum": [*KINDS]},
        "object": {"type": "string"},
        "status": {"enum": [*_STATUSES]},
        "id": _ID,
        "version": {"type": ["integer", "null"], "description": "The record's version now; null of a deleted one"},
    }
)
BATCH: Final = operation(
    "Write records of several objects in one transaction",
    {
        "200": answer(
            "A result an operation, in their order",
            of_parts(
                {"batch": _ID | {"description": "Cause of its events"}, "results": {"type": "array", "items": _RESULT}}
            ),
            headers=("Idempotency-Replayed",),
        )
    },
    description=(
        f"Up to {MAX_OPERATIONS:,} operations in their order, all or nothing: when one fails the answer is 422"
        " `batch.refused`, nothing is written and `errors[].pointer` leads to the operation, such as"
        " `/operations/3/record/amount`."
    ),
    operationId="workspace_batch",
    parameters=[component("parameters", "confirm")],
    request=body(_BODY, example=_EXAMPLE),
    write=True,
)
