"""How the API's description tells about files."""

from __future__ import annotations

from typing import Final

from app.http.openapi import Schema, answer, follow, of_parts, operation

_FILE: Final = of_parts(
    {
        "id": {"type": "string", "format": "uuid", "description": "What a field of type file or image is set to"},
        "name": {"type": "string", "maxLength": 255},
        "type": {"type": "string", "description": "Media type; of pictures found out by their content"},
        "size": {"type": "integer", "minimum": 1, "description": "Bytes"},
    },
    title="File",
)
_FORM: Final[Schema] = {
    "type": "object",
    "properties": {"file": {"type": "string", "contentMediaType": "application/octet-stream"}},
    "required": ["file"],
}

UPLOAD: Final = operation(
    "Upload a file",
    {
        "201": answer("Kept; yours only until a record points to it, and thrown away after a day if none does", _FILE,
                      headers=("Location",))
        | {"links": {"file_download": follow("file_download", file_id="$response.body#/id")}}
    },
    description="Set a field of type `file` or `image` to the `id`. 413 `file.too_large` beyond the limit.",
    operationId="file_upload",
    request={"required": True, "content": {"multipart/form-data": {"schema": _FORM}}},
    write=True,
)  # fmt: skip
DOWNLOAD: Final = operation(
    "Download a file",
    {
        "200": answer("To save; PNG, JPEG, GIF and WebP are shown by browsers")
        | {"content": {"application/octet-stream": {"schema": {"type": "string"}}}},
        "304": answer("As it was when it was last asked for (`If-None-Match`)"),
    },
    description="For whoever may read a record and the field of it that points to the file; 404 for everybody else.",
    operationId="file_download",
)
