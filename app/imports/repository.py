"""Every statement on ``import`` and ``import_row``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from psycopg.types.json import Jsonb

from app.records.store_many import array_text
from tenants.copying import copy_into

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from tenants.scope import TenantScope

_COLUMNS: Final = (
    "id, object, file_name, file_key, options, state, rows, created, updated, skipped, failed, warnings, next_row,"
    " unmapped, error, created_by, created_at, started_at, finished_at, undone_at"
)
#: ``next_row`` before anything was taken back.
PAST_THE_END: Final = 2_000_000_000
_FINAL: Final = ("done", "failed", "undone")
_ROW_COLUMNS: Final = ("import_id", "row", "status", "record_id", "record_version", "errors")
#: import_row.status of records made only because a row links to them; their row numbers are negative.
LINKED: Final = "linked"


@dataclass(slots=True)
class ImportRow:
    """A row of table ``import``."""

    id: UUID
    object: str
    file_name: str
    file_key: str
    options: dict[str, Any]
    state: str
    rows: int
    created: int
    updated: int
    skipped: int
    failed: int
    warnings: int
    next_row: int
    unmapped: list[str]
    error: str | None
    created_by: UUID | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    undone_at: datetime | None

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self.state in _FINAL


@dataclass(slots=True)
class RowReport:
    """What became of one row of the file."""

    row: int
    status: str
    record_id: UUID | None = None
    record_version: int | None = None
    errors: tuple[Mapping[str, Any], ...] = ()


def insert_import(
    scope: TenantScope,
    import_id: UUID,
    *,
    object_name: str,
    file_name: str,
    file_key: str,
    options: Mapping[str, Any],
    rows: int,
    unmapped: Sequence[str],
) -> None:
    """A new import, waiting for its job."""
    scope.execute(
        "INSERT INTO import (id, object, file_name, file_key, options, rows, unmapped, created_by)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        (
            import_id, object_name, file_name, file_key, Jsonb(dict(options)), rows, Jsonb(list(unmapped)),
            scope.member.id if scope.member else None,
        ),
    )  # fmt: skip


def read_import(scope: TenantScope, import_id: UUID, *, lock: bool = False) -> ImportRow | None:
    """One import; ``lock`` keeps others from writing it until the transaction ends."""
    suffix = " FOR UPDATE" if lock else ""
    row = scope.execute(f"SELECT {_COLUMNS} FROM import WHERE id = %s{suffix}", (import_id,)).fetchone()
    return ImportRow(*row) if row else None


def latest_imports(scope: TenantScope, limit: int = 20) -> list[ImportRow]:
    """The newest imports."""
    rows = scope.execute(f"SELECT {_COLUMNS} FROM import ORDER BY id DESC LIMIT %s", (limit,)).fetchall()
    return [ImportRow(*row) for row in rows]


def start(scope: TenantScope, import_id: UUID, *, options: Mapping[str, Any], rows: int) -> None:
    """The job begins (again)."""
    scope.execute(
        "UPDATE import SET state = 'running', options = %s, rows = %s, started_at = coalesce(started_at, now())"
        " WHERE id = %s",
        (Jsonb(dict(options)), rows, import_id),
    )


def change_options(
    scope: TenantScope,
    import_id: UUID,
    options: Mapping[str, Any],
    *,
    rows: int = 0,
    unmapped: Sequence[str] | None = None,
) -> None:
    """Other options for an import that has not begun."""
    scope.execute(
        "UPDATE import SET options = %s, rows = %s, unmapped = coalesce(%s, unmapped) WHERE id = %s",
        (Jsonb(dict(options)), rows, None if unmapped is None else Jsonb(list(unmapped)), import_id),
    )


def delete_import(scope: TenantScope, import_id: UUID) -> None:
    """Forget an import that never began."""
    scope.execute("DELETE FROM import WHERE id = %s", (import_id,))


def advance(scope: TenantScope, import_id: UUID, counts: Mapping[str, int], next_row: int) -> None:
    """Add a batch's counts and move the checkpoint, in the batch's own transaction."""
    scope.execute(
        "UPDATE import SET created = created + %(created)s, updated = updated + %(updated)s,"
        " skipped = skipped + %(skipped)s, failed = failed + %(failed)s, warnings = warnings + %(warnings)s,"
        " next_row = %(next_row)s WHERE id = %(id)s",
        {"created": 0, "updated": 0, "skipped": 0, "failed": 0, "warnings": 0}
        | dict(counts)
        | {"next_row": next_row, "id": import_id},
    )


def finish(scope: TenantScope, import_id: UUID, state: str, error: str = "") -> None:
    """The import has ended."""
    scope.execute(
        "UPDATE import SET state = %s, error = nullif(%s, ''), rows = created + updated + skipped + failed,"
        " finished_at = now(), undone_at = CASE WHEN %s = 'undone' THEN now() END WHERE id = %s",
        (state, error, state, import_id),
    )


def begin_undo(scope: TenantScope, import_id: UUID, undo: Mapping[str, Any]) -> None:
    """Note that the import is taken back, from its last row on."""
    scope.execute(
        "UPDATE import SET options = options || jsonb_build_object('undo', %s::jsonb), next_row = %s WHERE id = %s",
        (Jsonb(dict(undo)), PAST_THE_END, import_id),
    )


def end_undo(scope: TenantScope, import_id: UUID) -> None:
    """It is not taken back any more; it may be asked for again."""
    scope.execute("UPDATE import SET options = options - 'undo' WHERE id = %s", (import_id,))


def move_undo(scope: TenantScope, import_id: UUID, row: int) -> None:
    """The rows from ``row`` on have been looked at."""
    scope.execute("UPDATE import SET next_row = %s WHERE id = %s", (row, import_id))


def undo_progress(scope: TenantScope, row: ImportRow) -> tuple[int, int]:
    """How many of the written rows an undo has looked at, and how many there are."""
    found = scope.execute(
        "SELECT count(*) FILTER (WHERE row >= %s), count(*) FROM import_row"
        " WHERE import_id = %s AND record_id IS NOT NULL",
        (row.next_row, row.id),
    ).fetchone()
    return cast("tuple[int, int]", found or (0, 0))


def old_drafts(scope: TenantScope, before: datetime, limit: int) -> list[tuple[UUID, str]]:
    """Drafts nobody has started since ``before``: id and the file's key."""
    rows = scope.execute(
        "SELECT id, file_key FROM import WHERE state = 'queued' AND options ->> 'draft' = 'true' AND created_at < %s"
        " ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED",
        (before, limit),
    ).fetchall()
    return cast("list[tuple[UUID, str]]", rows)


def report_rows(scope: TenantScope, import_id: UUID, reports: Sequence[RowReport]) -> None:
    """Keep what became of rows: those with problems by COPY, of the others only numbers, ids and versions travel."""
    plain: dict[str, list[RowReport]] = {}
    telling: list[RowReport] = []
    for one in reports:
        if one.errors or one.record_id is None:
            telling.append(one)
        else:
            plain.setdefault(one.status, []).append(one)
    for status, rows in plain.items():
        scope.execute(
            "INSERT INTO import_row (import_id, row, status, record_id, record_version)"
            " SELECT %s::uuid, r.row, %s::text, r.record_id, r.version"
            " FROM unnest(%s::text::integer[], %s::text::uuid[], %s::text::integer[]) AS r(row, record_id, version)",
            (
                import_id,
                status,
                array_text([one.row for one in rows]),
                array_text([one.record_id for one in rows]),
                array_text([one.record_version for one in rows]),
            ),
        )
    if telling:
        copy_into(scope, "import_row", _ROW_COLUMNS, (_row_cells(import_id, one) for one in telling))


def _row_cells(import_id: UUID, one: RowReport) -> tuple[object, ...]:
    errors = Jsonb(one.errors) if one.errors else None
    return (import_id, one.row, one.status, one.record_id, one.record_version, errors)


def report_linked(scope: TenantScope, import_id: UUID, made: Sequence[tuple[UUID, int]]) -> None:
    """Keep the records made for links, so that undo finds them."""
    if not made:
        return
    found = scope.execute("SELECT coalesce(min(row), 0) FROM import_row WHERE import_id = %s", (import_id,)).fetchone()
    lowest = min(0, cast("int", found[0]) if found else 0)
    reports = [RowReport(lowest - at, LINKED, made_id, version) for at, (made_id, version) in enumerate(made, 1)]
    report_rows(scope, import_id, reports)


def pending_rows(scope: TenantScope, import_id: UUID, limit: int) -> list[tuple[int, UUID, int, list[dict[str, Any]]]]:
    """Rows that wait for a target further down in the file: row, record, version, errors."""
    rows = scope.execute(
        "SELECT row, record_id, record_version, errors FROM import_row WHERE import_id = %s"
        """ AND errors @> '[{"code": "link.pending"}]' ORDER BY row LIMIT %s""",
        (import_id, limit),
    ).fetchall()
    return cast("list[tuple[int, UUID, int, list[dict[str, Any]]]]", rows)


def settle_row(
    scope: TenantScope, import_id: UUID, row: int, version: int, errors: Sequence[Mapping[str, Any]]
) -> None:
    """A pending row has got its link, or its warning."""
    scope.execute(
        "UPDATE import_row SET record_version = %s, errors = %s WHERE import_id = %s AND row = %s",
        (version, Jsonb(list(errors)) if errors else None, import_id, row),
    )


def problem_rows(
    scope: TenantScope, import_id: UUID, *, limit: int | None = None
) -> Iterator[tuple[int, str, list[dict[str, Any]]]]:
    """Rows with errors or warnings in the file's order: row, status, problems."""
    cursor = scope.execute(
        "SELECT row, status, errors FROM import_row WHERE import_id = %s AND errors IS NOT NULL ORDER BY row LIMIT %s",
        (import_id, limit),
    )
    yield from cast("Iterator[tuple[int, str, list[dict[str, Any]]]]", cursor)


def problem_kinds(scope: TenantScope, import_id: UUID, limit: int = 20) -> list[tuple[str, str, int, int]]:
    """The commonest problems: column, message, how many rows, an example row."""
    rows = scope.execute(
        "SELECT e ->> 'column', e ->> 'message', count(*), min(row) FROM import_row, jsonb_array_elements(errors) e"
        " WHERE import_id = %s AND errors IS NOT NULL GROUP BY 1, 2 ORDER BY 3 DESC, 4 LIMIT %s",
        (import_id, limit),
    ).fetchall()
    return cast("list[tuple[str, str, int, int]]", rows)


def written_rows(scope: TenantScope, import_id: UUID, after: int, limit: int) -> list[tuple[int, str, UUID, int]]:
    """Rows that created or changed a record, newest first, below ``after``: row, status, record, version."""
    rows = scope.execute(
        "SELECT row, status, record_id, record_version FROM import_row WHERE import_id = %s AND record_id IS NOT NULL"
        " AND status <> 'undone' AND row < %s ORDER BY row DESC LIMIT %s",
        (import_id, after, limit),
    ).fetchall()
    return cast("list[tuple[int, str, UUID, int]]", rows)


def mark_undone(scope: TenantScope, import_id: UUID, rows: Sequence[int]) -> None:
    """These rows were taken back."""
    scope.execute(
        "UPDATE import_row SET status = 'undone' WHERE import_id = %s AND row = ANY(%s)", (import_id, list(rows))
    )


def objects_of(scope: TenantScope, record_ids: Sequence[UUID]) -> dict[str, list[UUID]]:
    """Ids of records by the object they are of, as their first event tells."""
    rows = scope.execute(
        "SELECT object, record_id FROM event WHERE record_id = ANY(%s) AND kind = 'created'", (list(record_ids),)
    ).fetchall()
    found: dict[str, list[UUID]] = {}
    for name, record_id in cast("list[tuple[str, UUID]]", rows):
        found.setdefault(name, []).append(record_id)
    return found


def diffs_of(scope: TenantScope, import_id: UUID, record_ids: Sequence[UUID]) -> list[tuple[UUID, int, dict[str, Any]]]:
    """What this import changed in these records: record, version after, diff; newest first."""
    rows = scope.execute(
        "SELECT record_id, record_version, diff FROM event WHERE record_id = ANY(%s) AND kind = 'updated'"
        " AND cause ->> 'import' = %s ORDER BY id DESC",
        (list(record_ids), str(import_id)),
    ).fetchall()
    return cast("list[tuple[UUID, int, dict[str, Any]]]", rows)
