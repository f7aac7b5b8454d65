"""Links to rows of the same file: written when all rows are there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from app.imports import repository
from app.imports.cells import Problem, ReadRow
from app.records.batch import PreparedRow, write_batch

if TYPE_CHECKING:
    from uuid import UUID

    from app.imports.links import LinkResolver
    from app.imports.mapping import Plan
    from tenants.scope import TenantScope

_BATCH: Final = 500
_PENDING: Final = "link.pending"


def settle_pending(scope: TenantScope, import_id: UUID, plan: Plan, resolver: LinkResolver) -> bool:
    """Resolve a batch of waiting links; False when none are left. A target that failed leaves the link empty."""
    waiting = repository.pending_rows(scope, import_id, _BATCH)
    if not waiting:
        return False
    targets = {target.header: target for target in plan.targets if target.field.to}
    rows: list[ReadRow] = []
    for number, _, _, errors in waiting:
        row = ReadRow(number)
        for error in errors:
            if error["code"] == _PENDING:
                target = targets[error["column"]]
                row.links[target.field.name] = (target, error["value"])
        rows.append(row)
    resolver.resolve(scope, rows, last=True)
    prepared = [
        PreparedRow(row.number, {name: value for name, value in row.values.items() if value is not None}, id=record_id)
        for row, (_, record_id, _, _) in zip(rows, waiting, strict=True)
    ]
    results = write_batch(scope, plan.object_type.name, prepared)
    warned = 0
    for row, result, (number, _, version, errors) in zip(rows, results, waiting, strict=True):
        kept: list[dict[str, Any]] = [error for error in errors if error["code"] != _PENDING]
        kept += [msgspec.to_builtins(problem) for problem in row.warnings]
        for error in result.errors:
            kept.append(
                msgspec.to_builtins(Problem(error.pointer.strip("/"), "", error.code, error.message, warning=True))
            )
        warned += bool(kept) - 1
        repository.settle_row(scope, import_id, number, result.version or version, kept)
    # Each waiting row was counted as one with a warning.
    current = repository.read_import(scope, import_id)
    repository.advance(scope, import_id, {"warnings": warned}, current.next_row if current else 0)
    return True
