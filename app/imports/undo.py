"""Take an import back: what it created goes to the trash, what it changed gets its old values.

Records that somebody worked on since are left alone.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

import msgspec

from app.access import catalogs
from app.core import ids
from app.core.jobs import checkpoint
from app.events.append import append_summary
from app.imports import repository
from app.imports.errors import ImportBusy
from app.imports.repository import LINKED
from app.imports.stored import Starter, Stored, Undo, import_scope, undo_scope
from app.metadata.fieldtypes.base import ValueProblem
from app.records.batch import PreparedRow, write_batch
from app.records.intake import coercion_of
from app.records.reach import whole
from app.records.rowform import quote
from app.records.trash import trash_many

if TYPE_CHECKING:
    from uuid import UUID

    from app.core.ports import Runtime
    from app.imports.repository import ImportRow
    from app.metadata.model import Catalog, ObjectType
    from tenants.scope import TenantScope

_BATCH: Final = 200
_SYSTEM: Final = Starter("system", None, "Rapport")


def run_undo(runtime: Runtime, tenant: UUID, import_id: UUID, by: Starter | None = None) -> None:
    """Undo batch by batch, the last rows first, for whoever asked (``by``, when the import does not say).

    How far it is moves with each batch, so whoever runs it next goes on there.

    Raises: ImportBusy: the import has not ended yet; try again later.
    """
    with import_scope(runtime, tenant, import_id, _SYSTEM, write=False) as scope:
        row = repository.read_import(scope, import_id)
    if row is None or row.state == "undone":
        return
    stored = Stored.from_json(row.options)
    who = stored.undo.by if stored.undo else by or stored.by
    if stored.undo is None:
        _begin(runtime, tenant, import_id, who)
    with import_scope(runtime, tenant, import_id, _SYSTEM, write=False) as scope:
        present = repository.read_import(scope, import_id)
        done, total = repository.undo_progress(scope, present) if present else (0, 0)
    while taken := _next_batch(runtime, tenant, import_id, who):
        done += taken
        checkpoint(done, total)


def stop_undo(runtime: Runtime, tenant: UUID, import_id: UUID) -> None:
    """It was cancelled: what was taken back stays so, the rest can be taken back another time."""
    with import_scope(runtime, tenant, import_id, _SYSTEM, write=True) as scope:
        row = repository.read_import(scope, import_id, lock=True)
        if row is not None and row.state != "undone":
            repository.end_undo(scope, import_id)


def _begin(runtime: Runtime, tenant: UUID, import_id: UUID, by: Starter) -> None:
    """Note it where an ended import has not been asked to be taken back through ``undo_import``."""
    with undo_scope(runtime, tenant, import_id, by) as scope:
        row = repository.read_import(scope, import_id, lock=True)
        if row is None or not row.ended:
            raise ImportBusy("The import is still running.")
        repository.begin_undo(scope, import_id, msgspec.to_builtins(Undo(job=ids.uuid7(), by=by)))


def _next_batch(runtime: Runtime, tenant: UUID, import_id: UUID, by: Starter) -> int:
    """Take the next rows back; 0 when there are none left, or somebody else has finished or stopped it."""
    with undo_scope(runtime, tenant, import_id, by) as scope:
        row = repository.read_import(scope, import_id, lock=True)
        if row is None or row.state == "undone" or Stored.from_json(row.options).undo is None:
            return 0
        rows = repository.written_rows(scope, import_id, row.next_row, _BATCH)
        if not rows:
            repository.finish(scope, import_id, "undone")
            append_summary(scope, "import_undone", row.object, {"file": row.file_name}, record_id=import_id)
            return 0
        _undo_batch(scope, row, rows)
        repository.move_undo(scope, import_id, rows[-1][0])
        return len(rows)


def _undo_batch(scope: TenantScope, row: ImportRow, rows: list[tuple[int, str, UUID, int]]) -> None:
    object_type = catalogs.whole(scope).objects[row.object]
    present = _versions(scope, object_type, [record_id for _, _, record_id, _ in rows])
    made = [(at, rid) for at, status, rid, version in rows if status == "created" and present.get(rid) == version]
    changed = [(at, rid, version) for at, status, rid, version in rows if status == "updated"]
    refused = {rid for rid, blocking in trash_many(scope, row.object, [rid for _, rid in made]).items() if blocking}
    undone = [at for at, rid in made if rid not in refused]
    undone += _restore(scope, row, object_type, changed, present)
    undone += _trash_linked(scope, [(at, rid, version) for at, status, rid, version in rows if status == LINKED])
    repository.mark_undone(scope, row.id, undone)


def _trash_linked(scope: TenantScope, rows: list[tuple[int, UUID, int]]) -> list[int]:
    """Records made only because a row linked to them go too; what others link to or somebody changed stays."""
    catalog = catalogs.whole(scope)
    objects = catalog.objects
    undone: list[int] = []
    for name, ids_ in repository.objects_of(scope, [record_id for _, record_id, _ in rows]).items():
        present = _versions(scope, objects[name], ids_)
        used = _linked_to(scope, catalog, name, ids_)
        whole = {
            rid: at for at, rid, version in rows if rid in ids_ and rid not in used and present.get(rid) == version
        }
        outcome = trash_many(scope, name, list(whole))
        undone += [whole[rid] for rid, blocking in outcome.items() if not blocking]
    return undone


def _linked_to(scope: TenantScope, catalog: Catalog, name: str, record_ids: list[UUID]) -> set[UUID]:
    """Which of the records live ones link to."""
    used: set[UUID] = set()
    for object_type in catalog.objects.values():
        for field in object_type.fields.values():
            for column in field.columns if name in field.to else ():
                if column.part not in {"", name}:
                    continue
                link = quote(column.name)
                rows = scope.execute(
                    f"SELECT DISTINCT {link} FROM {whole(object_type)}"  # type: ignore[arg-type]
                    f" WHERE {link} = ANY(%s::uuid[]) AND deleted_at IS NULL",
                    (record_ids,),
                ).fetchall()
                used |= {row[0] for row in rows}
    return used


def _restore(
    scope: TenantScope,
    row: ImportRow,
    object_type: ObjectType,
    changed: list[tuple[int, UUID, int]],
    present: dict[UUID, int],
) -> list[int]:
    """Old values of the records nobody touched after this import did."""
    latest = {rid: version for _, rid, version in changed}
    whole = [rid for rid, version in latest.items() if present.get(rid) == version]
    old: defaultdict[UUID, dict[str, Any]] = defaultdict(dict)
    for record_id, _, diff in repository.diffs_of(scope, row.id, whole):
        # Newest first: the oldest diff of a field has the last word.
        old[record_id] |= {name: pair[0] for name, pair in diff.items()}
    ctx = coercion_of(scope)
    prepared: list[PreparedRow] = []
    for at, (record_id, before) in enumerate(old.items()):
        values: dict[str, Any] = {}
        for name, raw in before.items():
            field = object_type.fields.get(name)
            if field is None or field.system or field.readonly:
                continue
            try:
                values[name] = field.type.coerce(field, raw, ctx)
            except ValueProblem:
                continue
        prepared.append(PreparedRow(at, values, id=record_id))
    write_batch(scope, object_type.name, prepared, ruled=False)
    return [at for at, record_id, _ in changed if record_id in old]


def _versions(scope: TenantScope, object_type: ObjectType, record_ids: list[UUID]) -> dict[UUID, int]:
    """Versions of the live ones."""
    rows = scope.execute(
        f"SELECT id, version FROM {whole(object_type)} WHERE id = ANY(%s::uuid[]) AND deleted_at IS NULL",  # type: ignore[arg-type]
        (record_ids,),
    ).fetchall()
    return {row[0]: row[1] for row in rows}
