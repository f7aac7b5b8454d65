"""Exporting from the command line on the machine itself: the operator's own reading, straight into a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.exports.options import checked
from app.exports.parts import prepare, read_part
from app.exports.service import note
from tenants.scope import SYSTEM, enter_job

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from app.core.ports import Runtime
    from app.exports.options import ExportOptions
    from tenants.registry.directory import TenantRow

#: Seconds for a part: a sort without an index reads all records for each page.
_READ_BUDGET = 120.0


def export_here(
    runtime: Runtime,
    tenant: TenantRow,
    options: ExportOptions,
    output: Callable[[], BinaryIO],
    progress: Callable[[float], None],
) -> dict[str, Any]:
    """Write the file piece by piece into what ``output`` opens, which happens when nothing is wrong; the summary.

    That records were taken along is in the log also when it ends early.
    """
    options = checked(options)
    with enter_job(runtime.databases, tenant.id, actor=SYSTEM, write=False, budget=_READ_BUDGET) as scope:
        layout, total = prepare(scope, options)
    stream = output()
    rows, size, place = 0, 0, None
    try:
        while True:
            with enter_job(runtime.databases, tenant.id, actor=SYSTEM, write=False, budget=_READ_BUDGET) as scope:
                part = read_part(scope, options, layout, place)
            stream.write(part.data)
            rows, size, place = rows + part.rows, size + len(part.data), part.place
            progress(min(rows / total, 1.0) if total else 1.0)
            if place is None:
                stream.flush()
                return {"export": None, "object": options.object, "format": options.format, "rows": rows, "bytes": size}
    finally:
        with enter_job(runtime.databases, tenant.id, actor=SYSTEM, write=True) as scope:
            note(scope, options, rows)
