"""Every statement on ``file`` but those that say who may read one (``app.records.attachments``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from app.metadata.sortkeys import quoted
from app.records.attachments import pointing
from app.records.rowform import trusted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from app.metadata.model import Catalog
    from app.records.attachments import FileRow
    from tenants.scope import TenantScope

#: Fields that were hidden, with or without their object, and keep their values until they are purged.
_HIDDEN: Final = """
select c.relname, a.attname
  from metadata_physical p
  join pg_class c on c.relname = p."table" and c.relnamespace = current_schema()::regnamespace
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.atttypid = 'uuid'::regtype
  join pg_attribute n on n.attrelid = c.oid and n.attname = a.attname || '__size' and not n.attisdropped
 where p.hidden_at is not null and (p."column" = '' or p."column" = a.attname)
"""


def insert_file(scope: TenantScope, row: FileRow) -> None:
    """A new file, which nothing points to yet."""
    scope.execute(
        "INSERT INTO file (id, name, type, size, sha256, storage_key, by_kind, by_id)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        (row.id, row.name, row.type, row.size, row.sha256, row.storage_key, *row.by),
    )


def any_files(scope: TenantScope) -> bool:
    """Whether there is a file at all."""
    return scope.execute("SELECT FROM file LIMIT 1").fetchone() is not None


def note_use(scope: TenantScope, complete: Catalog, now: datetime) -> None:
    """Note which files nothing points to since when; of those something points to again, forget it."""
    scope.execute(
        trusted(
            f"WITH used (id) AS ({used(scope, complete, 'IS NOT NULL')}) UPDATE file f SET unused_since ="
            " CASE WHEN EXISTS (SELECT FROM used u WHERE u.id = f.id) THEN NULL ELSE %(now)s::timestamptz END"
            " WHERE (f.unused_since IS NULL) <> EXISTS (SELECT FROM used u WHERE u.id = f.id)"
        ),
        {"now": now},
    )


def unused(scope: TenantScope, before: datetime, limit: int) -> list[tuple[UUID, str]]:
    """Files, with their storage keys, that nothing pointed to since before a moment; nobody can point to them now."""
    rows = scope.execute(
        "SELECT id, storage_key FROM file WHERE unused_since < %s ORDER BY unused_since, id LIMIT %s"
        " FOR UPDATE SKIP LOCKED",
        (before, limit),
    ).fetchall()
    return cast("list[tuple[UUID, str]]", rows)


def used_among(scope: TenantScope, complete: Catalog, ids: Sequence[UUID]) -> set[UUID]:
    """Those of the files something points to."""
    text = used(scope, complete, "= ANY(%(ids)s::uuid[])")
    return {row[0] for row in scope.execute(trusted(text), {"ids": list(ids)}).fetchall()}


def known_among(scope: TenantScope, ids: Sequence[UUID]) -> set[UUID]:
    """Those of the ids there is a file of."""
    return {row[0] for row in scope.execute("SELECT id FROM file WHERE id = ANY(%s::uuid[])", (list(ids),)).fetchall()}


def delete_files(scope: TenantScope, ids: Sequence[UUID]) -> None:
    """Forget files."""
    scope.execute("DELETE FROM file WHERE id = ANY(%s::uuid[])", (list(ids),))


def keep_using(scope: TenantScope, ids: Sequence[UUID]) -> None:
    """Something points to these files after all."""
    scope.execute("UPDATE file SET unused_since = NULL WHERE id = ANY(%s::uuid[])", (list(ids),))


def used(scope: TenantScope, complete: Catalog, which: str) -> str:
    """A statement for the ids of all files in use: by records live or trashed, and in fields that were hidden."""
    hidden = scope.execute(_HIDDEN).fetchall()
    parts = [f"SELECT {quoted(column)} FROM {quoted(table)} WHERE {quoted(column)} {which}" for table, column in hidden]
    live = pointing(complete, which)
    return " UNION ALL ".join([*([live] if live else []), *parts]) or "SELECT NULL::uuid WHERE false"
