"""How the API's description tells about metadata: plans, changes, drift."""

from __future__ import annotations

from typing import Final

from app.http.openapi import Schema, answer, body, of_parts, operation, page_of, query

_TEXT: Final[Schema] = {"type": "string"}
_ID: Final[Schema] = {"type": "string", "format": "uuid"}
_MAYBE_ID: Final[Schema] = {"type": ["string", "null"], "format": "uuid"}
_COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
_FLAG: Final[Schema] = {"type": "boolean"}
_PLAIN: Final[Schema] = {"description": "A text, number, true, false, a list of texts; null where absent"}
_FREE: Final[Schema] = {"type": "object"}
_OPS: Final = ("add", "change", "remove", "rename", "restore", "replace", "convert", "build")


def _list(item: Schema) -> Schema:
    return {"type": "array", "items": item}


_STEP: Final = of_parts({
    "op": {"enum": list(_OPS)}, "kind": _TEXT, "name": _TEXT,
    "safety": {"enum": ["instant", "online", "rewrite", "destructive"]}, "ddl": _list(_TEXT), "rows": _COUNT,
    "preview": of_parts({"rows": _COUNT, "looked_at": _COUNT, "failing": _COUNT, "examples": _list(_FREE)}),
}, optional=("preview",))  # fmt: skip
_LEAF: Final = of_parts({"component": _TEXT, "path": _TEXT, "before": _PLAIN, "after": _PLAIN})
_RENAME: Final = of_parts({"component": _TEXT, "path": _TEXT, "before_component": _TEXT, "before_path": _TEXT})
_NOTICE: Final = of_parts({"code": _TEXT, "component": _TEXT, "path": _TEXT, "message": _TEXT, "about": _list(_TEXT)})
_PROBLEM: Final = of_parts({"component": _TEXT, "path": _TEXT, "code": _TEXT, "message": _TEXT, "pointer": _TEXT})
_CONFLICT: Final = of_parts({"component": _TEXT, "path": _TEXT, "base": _PLAIN, "value": _PLAIN, "lower": _PLAIN})
_HOLDING: Final = of_parts({"component": _TEXT, "path": _TEXT, "count": _COUNT, "message": _TEXT})
_REPAIR: Final = of_parts({
    "code": {"enum": ["required", "unique", "long", "link", "range"]}, "object": _TEXT, "field": _TEXT, "count": _COUNT,
    "ids": _list(_ID),
})  # fmt: skip
_PLANNED: Final = of_parts({
    "base_version": _COUNT, "empty": _FLAG, "steps": _list(_STEP), "leaves": _list(_LEAF), "renames": _list(_RENAME),
    "warnings": _list(_NOTICE), "questions": _list(_NOTICE), "broken": _list(_NOTICE), "problems": _list(_PROBLEM),
    "conflicts": _list(_CONFLICT), "repairs": _list(_REPAIR), "holding": _list(_HOLDING),
    "needs_confirm": _FLAG,
}, title="Plan")  # fmt: skip
_APPLIED: Final = of_parts({
    "version": _COUNT, "change": _MAYBE_ID, "steps": _list(_STEP), "leaves": _list(_LEAF),
    "warnings": _list(_NOTICE), "repairs": _list(_REPAIR), "holding": _list(_HOLDING), "work": _list(_ID),
    "deferred": _FLAG | {"description": "A job converts values first; then everything is applied at once"},
}, title="Applied")  # fmt: skip
_CHANGED: Final = of_parts({
    "id": _ID, "version": _COUNT, "source": _TEXT, "note": _TEXT, "leaves": _list(_LEAF), "renames": _list(_RENAME),
    "steps": _list(_STEP), "reverts": _MAYBE_ID, "reverted_by": _MAYBE_ID,
    "at": {"type": "string", "format": "date-time"},
    "by": {"type": ["object", "null"], "properties": {"id": _ID, "name": _TEXT}},
    "work": _list(_FREE),
}, title="Change")  # fmt: skip
_COMPONENTS: Final[Schema] = _list({
    "type": "object", "required": ["kind", "name"], "properties": {"kind": _TEXT, "name": _TEXT},
})  # fmt: skip
_DESIRED: Final[dict[str, Schema]] = {
    "components": _COMPONENTS,
    "source": _TEXT | {"maxLength": 200, "description": "Whose last-applied set they are; by default the key's"},
    "prune": _FLAG | {"description": "What the source stated before and does not state now is taken away"},
}
_AGREED: Final[dict[str, Schema]] = {
    "note": _TEXT | {"maxLength": 2000, "description": "Why; kept in the history"},
    "confirm": _FLAG | {"description": "Values may be taken away"},
    "base_version": {"type": ["integer", "null"], "description": "The plan's; 409 when the same was changed since"},
}
_EXAMPLE: Final = {
    "components": [{"kind": "field", "name": "company.vat_id", "type": "text", "label": "VAT id"}],
}  # fmt: skip
_NESTED: Final = of_parts({"kind": _TEXT, "name": _TEXT, "layer": _TEXT, "spec": _FREE})
METADATA: Final = operation(
    "The workspace's metadata",
    {"200": answer("Components", of_parts({
        "version": _COUNT, "components": _list({"anyOf": [_NESTED, _COMPONENTS["items"]]}),
    }))},
    operationId="metadata",
    parameters=[
        query("layer", "One layer (platform, tenant); what is in effect when left out", _TEXT),
        query("form", "Nested below `spec`, or as people write components", {"enum": ["nested", "written"]}),
    ],
)  # fmt: skip
PLAN: Final = operation(
    "Plan components",
    {"200": answer("What applying them would do", _PLANNED)},
    operationId="metadata_plan",
    request=body(of_parts(_DESIRED, optional=("source", "prune")), example=_EXAMPLE),
)
APPLY: Final = operation(
    "Apply components",
    {"200": answer("What was done; `change` is null when there was nothing to do", _APPLIED)},
    operationId="metadata_apply",
    request=body(of_parts(_DESIRED | _AGREED, optional=("source", "prune", *_AGREED)), example=_EXAMPLE),
    errors=("409",),
)
CHANGES: Final = operation(
    "List changes of the metadata",
    {"200": answer("Newest first", page_of(_CHANGED), headers=("Link",))},
    operationId="metadata_changes",
    parameters=[
        query("limit", "How many", {"type": "integer", "minimum": 1, "maximum": 200}),
        query("cursor", "`next` of the page before", _TEXT),
    ],
)
CHANGE: Final = operation("Show a change", {"200": answer("The change", _CHANGED)}, operationId="metadata_change")
REVERT: Final = operation(
    "Take a change back",
    {
        "200": answer(
            "What was done, or with `plan` what would be; `newer`: with all that people changed after it",
            {"anyOf": [_APPLIED, _PLANNED]},
        )
    },
    operationId="metadata_revert",
    request=body(
        of_parts({"plan": _FLAG, "newer": _FLAG, **_AGREED}, optional=("plan", "newer", *_AGREED)),
        required=False,
        example={"plan": True},
    ),
    errors=("409",),
)
CONFLICTS: Final = operation(
    "What both sides changed",
    {"200": answer(
        "Leaves: `value` is the workspace's, in force; `base` what it was stated over; `lower` the update's",
        of_parts({"version": _COUNT, "data": _list(_CONFLICT)}),
    )},
    operationId="metadata_conflicts",
)  # fmt: skip
CHOOSE: Final = operation(
    "Decide conflicts",
    {"200": answer("What was done", _APPLIED)},
    operationId="metadata_choose",
    request=body(
        of_parts(
            {"choices": _list(of_parts({"component": _TEXT, "path": _TEXT, "choice": {"enum": ["keep", "take"]}})),
             **_AGREED},
            optional=tuple(_AGREED),
        ),
        example={"choices": [{"component": "object/deal", "path": "label/one", "choice": "keep"}]},
    ),
    errors=("409",),
)  # fmt: skip
DRIFT: Final = operation(
    "What was changed by hand",
    {"200": answer("Leaves: `before` as the source stated it", of_parts({"version": _COUNT, "data": _list(_LEAF)}))},
    operationId="metadata_drift",
    parameters=[query("source", "Whose last-applied set; settings when left out", _TEXT)],
)
