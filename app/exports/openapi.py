"""How the API's description tells about exports."""

from __future__ import annotations

from typing import Final

from app.exports.options import FORMATS, ExportOptions
from app.http.openapi import Schema, answer, body, follow, form_of, of_parts, operation, page_of, query

_COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
_MOMENT: Final[Schema] = {"type": "string", "format": "date-time"}
_EXPORT: Final = of_parts(
    {
        "id": {"type": "string", "format": "uuid"},
        "object": {"type": "string"},
        "status": {"enum": ["queued", "running", "done", "failed", "cancelled"]},
        "progress": {"type": "number", "minimum": 0, "maximum": 1},
        "rows": {**_COUNT, "description": "Records written so far"},
        "total": {**_COUNT, "description": "Records that met the condition when it was asked for"},
        "bytes": _COUNT,
        "format": {"enum": list(FORMATS)},
        "fields": {"type": "array", "items": {"type": "string"}, "description": "Empty: all"},
        "filter": {"type": "string"},
        "sort": {"type": "string", "description": "Empty: in the order the records were made"},
        "trash": {"enum": ["", "only", "with"]},
        "file": {"type": ["string", "null"], "description": "Where the file is once it is done"},
        "created_at": _MOMENT,
        "finished_at": {"type": ["string", "null"], "format": "date-time"},
        "expires_at": {**_MOMENT, "description": "When it is thrown away"},
        "error": {"type": "string", "description": "Why it failed"},
    },
    optional=("error",),
    title="Export",
)
_NEXT: Final = {
    "links": {name: follow(f"export_{name}", export_id="$response.body#/id") for name in ("get", "file", "cancel")}
}

START: Final = operation(
    "Export records into a file",
    {"202": answer("Accepted; watch `status`", _EXPORT, headers=("Location",)) | _NEXT},
    description="With the rights, in the reach and of the fields of whoever asks, when the file is made.",
    operationId="export_start",
    request=body(
        form_of(
            ExportOptions,
            object={"description": "Whose records"},
            format={"enum": list(FORMATS)},
            fields={"description": "Paths as in a list, like `company.name`; none means all"},
            filter={"description": "A condition, as in a list"},
            sort={"description": "As in a list; without, in the order the records were made"},
            delimiter={"enum": [",", ";", "|", "\t", "comma", "semicolon", "pipe", "tab"]},
            bom={"description": "Mark a CSV file as UTF-8, which Excel needs"},
        ),
        example={"object": "company", "filter": "has(industry)", "fields": ["name", "industry", "owner"]},
    ),
    write=True,
)
LIST: Final = operation(
    "Your exports, newest first",
    {"200": answer("A page", page_of(_EXPORT), headers=("Link",))},
    operationId="export_list",
    parameters=[
        query("limit", "How many", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}),
        query("cursor", "`next` of the page before", {"type": "string", "format": "uuid"}),
    ],
)
GET: Final = operation("Status and progress", {"200": answer("The export", _EXPORT)}, operationId="export_get")
FILE: Final = operation(
    "The file",
    {
        "200": answer("For whoever asked for it, while they may still export what is in it")
        | {"content": {kind: {"schema": {"type": "string"}} for kind in ("text/csv", "application/x-ndjson")}}
    },
    operationId="export_file",
    errors=("409",),
)
CANCEL: Final = operation(
    "End an export under way",
    {"200": answer("The export", _EXPORT)},
    operationId="export_cancel",
    write=True,
)
DELETE: Final = operation(
    "Throw an export and its file away",
    {"204": answer("Gone")},
    operationId="export_delete",
    write=True,
)
