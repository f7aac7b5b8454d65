"""Every statement on ``export``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from psycopg.types.json import Jsonb

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from tenants.scope import TenantScope

_COLUMNS: Final = (
    "id, object, options, state, total, rows, parts, bytes, place, seen, error, by_kind, by_id, created_at, finished_at"
)
_OPEN: Final = ("queued", "running")


@dataclass(slots=True)
class ExportRow:
    """A row of table ``export``."""

    id: UUID
    object: str
    options: dict[str, Any]
    state: str
    total: int
    rows: int
    parts: int
    bytes: int
    place: str | None
    seen: str
    error: str | None
    by_kind: str
    by_id: UUID | None
    created_at: datetime
    finished_at: datetime | None

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self.state not in _OPEN


def insert_export(
    scope: TenantScope,
    export_id: UUID,
    *,
    object_name: str,
    options: Mapping[str, Any],
    total: int,
    seen: str,
    by: tuple[str, UUID | None],
) -> None:
    """A new export, waiting for its job."""
    scope.execute(
        "INSERT INTO export (id, object, options, total, seen, by_kind, by_id) VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (export_id, object_name, Jsonb(dict(options)), total, seen, *by),
    )


def read_export(scope: TenantScope, export_id: UUID, *, lock: bool = False) -> ExportRow | None:
    """One export; ``lock`` keeps others from writing it until the transaction ends."""
    suffix = " FOR UPDATE" if lock else ""
    row = scope.execute(f"SELECT {_COLUMNS} FROM export WHERE id = %s{suffix}", (export_id,)).fetchone()
    return ExportRow(*row) if row else None


def exports_of(
    scope: TenantScope, by: tuple[str, UUID | None], limit: int, before: UUID | None = None
) -> list[ExportRow]:
    """The newest exports of one member or key, from the one made before ``before`` on."""
    rows = scope.execute(
        f"SELECT {_COLUMNS} FROM export WHERE by_kind = %s AND by_id IS NOT DISTINCT FROM %s"
        " AND (%s::uuid IS NULL OR id < %s::uuid) ORDER BY id DESC LIMIT %s",
        (*by, before, before, limit),
    ).fetchall()
    return [ExportRow(*row) for row in rows]


def count_open(scope: TenantScope, by: tuple[str, UUID | None]) -> int:
    """How many of their exports are under way."""
    row = scope.execute(
        "SELECT count(*) FROM export WHERE by_kind = %s AND by_id IS NOT DISTINCT FROM %s AND state = ANY(%s)",
        (*by, list(_OPEN)),
    ).fetchone()
    return cast("int", row[0]) if row else 0


def advance(scope: TenantScope, export_id: UUID, *, rows: int, size: int, place: str | None) -> None:
    """One more part is kept; the next begins at ``place``."""
    scope.execute(
        "UPDATE export SET state = 'running', rows = rows + %s, bytes = bytes + %s, parts = parts + 1, place = %s"
        " WHERE id = %s",
        (rows, size, place, export_id),
    )


def finish(scope: TenantScope, export_id: UUID, state: str, error: str = "") -> None:
    """The export has ended."""
    scope.execute(
        "UPDATE export SET state = %s, error = nullif(%s, ''), finished_at = now() WHERE id = %s",
        (state, error, export_id),
    )


def delete_export(scope: TenantScope, export_id: UUID) -> None:
    """Forget an export."""
    scope.execute("DELETE FROM export WHERE id = %s", (export_id,))


def old_exports(scope: TenantScope, before: datetime, limit: int) -> list[UUID]:
    """Exports asked for before a moment, whatever became of them."""
    rows = scope.execute(
        "SELECT id FROM export WHERE created_at < %s ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED", (before, limit)
    ).fetchall()
    return [row[0] for row in rows]
