"""How the API's description tells about imports."""

from __future__ import annotations

from typing import Final

from app.http.openapi import Schema, answer, follow, form_of, of_parts, operation, query
from app.imports.options import ImportOptions

_COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
_IMPORT: Final = of_parts(
    {
        "import": {"type": "string", "format": "uuid", "description": "Its id"},
        "rows": {**_COUNT, "description": "created + updated + skipped + failed"},
        "created": _COUNT,
        "updated": _COUNT,
        "skipped": {**_COUNT, "description": "Nothing to change, or an update without a match"},
        "failed": _COUNT,
        "warnings": {**_COUNT, "description": "Rows written with at least one warning"},
        "errors_file": {"type": ["string", "null"], "description": "Where it says what was wrong with which cell"},
        "unmapped": {"type": "array", "items": {"type": "string"}, "description": "Columns left out"},
        "status": {"enum": ["queued", "running", "done", "failed", "undone"]},
        "progress": {"type": "number", "minimum": 0, "maximum": 1},
        "object": {"type": "string"},
        "file": {"type": "string"},
        "error": {"type": "string", "description": "Why it failed as a whole"},
    },
    optional=("error",),
    title="Import",
)
_ACCEPTED: Final = answer("Accepted; watch `status`", _IMPORT, headers=("Location",))
_STARTED: Final = _ACCEPTED | {
    "links": {
        name: follow(f"import_{name}", import_id="$response.body#/import") for name in ("get", "errors", "cancel")
    }
}
_FORM: Final[Schema] = {
    "type": "object",
    "properties": {
        "file": {"type": "string", "contentMediaType": "application/octet-stream", "description": "CSV or XLSX"},
        "options": form_of(ImportOptions, object={"description": "What the rows are"}),
    },
    "required": ["file", "options"],
}

START: Final = operation(
    "Import a file",
    {"202": _STARTED},
    operationId="import_start",
    request={
        "required": True,
        "content": {
            "multipart/form-data": {"schema": _FORM, "encoding": {"options": {"contentType": "application/json"}}}
        },
    },
    write=True,
)
GET: Final = operation("Summary, status and progress", {"200": answer("The import", _IMPORT)}, operationId="import_get")
ERRORS: Final = operation(
    "What was wrong with which cell",
    {"200": answer("A file", {"type": "string"}, kind="text/csv")},
    operationId="import_errors",
)
UNDO: Final = operation(
    "Take the import back as far as nobody touched its records since",
    {"202": _ACCEPTED},
    operationId="import_undo",
    write=True,
)
CANCEL: Final = operation(
    "End a queued or running import after its present rows",
    {"202": _ACCEPTED},
    description="What was written stays and is counted; with `undo` it is taken back then.",
    operationId="import_cancel",
    parameters=[query("undo", "Take back what was written", {"type": "boolean", "default": False})],
    write=True,
)
