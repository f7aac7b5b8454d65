"""Names of what belongs to a table: predictable, and within PostgreSQL's 63 bytes, which cuts silently."""

from __future__ import annotations

import hashlib
from typing import Final

_LIMIT: Final = 63
_DIGEST: Final = 10


def within_limit(name: str) -> str:
    """``name``, cut and marked with a digest when it is too long."""
    if len(name.encode()) <= _LIMIT:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:_DIGEST]
    return f"{name[: _LIMIT - _DIGEST - 1]}_{digest}"


def index_name(table: str, field: str, kind: str = "idx") -> str:
    """The index over a field, or over what ``field`` says for the others (``title``, ``search``, ``board``)."""
    return within_limit(f"{table}__{field}__{kind}")


def unique_name(table: str, field: str) -> str:
    """The unique index of a field: a violation names it, the write path finds the field back by it."""
    return index_name(table, field, "unique")


def foreign_key_name(table: str, column: str) -> str:
    """The foreign key of a link's column: a violation names it too."""
    return index_name(table, column, "fkey")
