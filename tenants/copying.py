"""The only caller of COPY.

psycopg sends COPY by the simple protocol, where stacked statements run and can even commit. So its text is composed
here from names the catalog gave, quoted, and nobody else may pass text (the architecture test looks; the attack is in
the isolation suite).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tenants.scope import TenantScope


def copy_into(scope: TenantScope, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Write ``rows`` into the tenant's ``table`` by COPY and return how many there were.

    ``table`` and ``columns`` are names of the tenant's own schema; a qualified name is not understood as one.
    """
    scope.check_budget()
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(sql.Identifier(column) for column in columns)
    )
    count = 0
    with scope.connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
            count += 1
    return count
