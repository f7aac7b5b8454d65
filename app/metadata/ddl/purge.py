"""Hidden values are kept for thirty days; then the columns and tables that hold them go.

Dropping a column leaves its bytes in the rows until they are written again: for sensitive fields the table is
rewritten.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, LiteralString, cast

import psycopg

from app.metadata.apply import owner_of
from app.metadata.physical import GONE
from app.metadata.sortkeys import quoted
from tenants.locking import TenantBusy, lock_exclusively

if TYPE_CHECKING:
    from datetime import datetime

    from app.core.db import Databases
    from tenants.scope import Tenant

    Connection = psycopg.Connection[tuple[Any, ...]]

KEPT: Final = timedelta(days=30)
_DUE: Final = """
select "table", "column", sensitive from metadata_physical p
 where hidden_at < %s and type <> %s
   and not exists (select from metadata_work w where w.what = 'convert' and w.state in ('queued', 'running'))
 order by "column", "table"
"""
#: All columns of a field begin with its physical name.
_COLUMNS: Final = """
select a.attname from pg_attribute a join pg_class c on c.oid = a.attrelid
 where c.relnamespace = current_schema()::regnamespace and c.relname = %(table)s and a.attnum > 0
   and not a.attisdropped and (a.attname = %(column)s or starts_with(a.attname, %(column)s || '__'))
"""


def purge(databases: Databases, tenant: Tenant, now: datetime) -> int:
    """Purge what was hidden before ``now`` less thirty days; how many columns and tables went.

    Each in a transaction of its own with the tenant's lock; what others hold is left for the next day.
    """
    with owner_of(databases, tenant) as connection:
        due = connection.execute(_DUE, (now - KEPT, GONE)).fetchall()
    return sum(_purge(databases, tenant, table, column, sensitive=sensitive) for table, column, sensitive in due)


def _purge(databases: Databases, tenant: Tenant, table: str, column: str, *, sensitive: bool) -> bool:
    try:
        with owner_of(databases, tenant) as connection:
            if not lock_exclusively(connection, tenant.id):
                return False
            connection.execute("select set_config('lock_timeout', '100ms', true)")
            if column:
                _drop_column(connection, table, column, sensitive=sensitive)
            else:
                _drop_table(connection, table)
    except (TenantBusy, psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
        return False
    return True


def _drop_column(connection: Connection, table: str, column: str, *, sensitive: bool) -> None:
    names = [row[0] for row in connection.execute(_COLUMNS, {"table": table, "column": column}).fetchall()]
    alter = f"alter table {quoted(table)}"
    for name in names:
        connection.execute(cast("LiteralString", f"{alter} drop column {quoted(name)}"))
    if sensitive and names:
        # Setting a column to its own type writes every row anew, without what was dropped.
        connection.execute(cast("LiteralString", f"{alter} alter column trash_id type uuid using trash_id::text::uuid"))
    # A name is used once: one that the standard would give stays taken.
    connection.execute(
        'update metadata_physical set type = %s where "table" = %s and "column" = %s', (GONE, table, column)
    )


def _drop_table(connection: Connection, table: str) -> None:
    connection.execute(cast("LiteralString", f"drop table if exists {quoted(table)}"))
    connection.execute('delete from metadata_physical where "table" = %s and "column" <> \'\'', (table,))
    connection.execute('update metadata_physical set type = %s where "table" = %s and "column" = \'\'', (GONE, table))
