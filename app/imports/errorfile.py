"""``errors.csv``: what was wrong with which cell, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Final

from app.imports import repository

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from tenants.scope import TenantScope

_HEADER: Final = ("row", "column", "value", "reason", "result")
#: Texts that spreadsheets run as formulas start with one of these (OWASP, CSV injection).
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_PENDING: Final = "link.pending"


def error_lines(scope: TenantScope, import_id: UUID) -> Iterator[str]:
    """The file, piece by piece. ``row`` counts the header as 1; ``result`` is failed or warning."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(_HEADER)
    for row, status, problems in repository.problem_rows(scope, import_id):
        for problem in problems:
            if problem["code"] == _PENDING:
                continue
            result = "failed" if status == "failed" else "warning"
            texts = (problem.get("column", ""), problem.get("value", ""), problem["message"])
            writer.writerow([row, *(safe(text) for text in texts), result])
        if buffer.tell() > 1 << 16:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def safe(text: str) -> str:
    """``text`` with an apostrophe before what a spreadsheet would run."""
    return f"'{text}" if text.startswith(_FORMULA) else text
