"""How many SQL statements a block sends, beside those that begin a scope and end it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Statements:
    """Texts of statements in the order they were sent; a COPY counts as one, each set of executemany too."""

    texts: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.texts)


@contextmanager
def counted() -> Iterator[Statements]:
    """Note every statement of a psycopg cursor in this process while the block runs."""
    found = Statements()
    execute, many, copy = psycopg.Cursor.execute, psycopg.Cursor.executemany, psycopg.Cursor.copy

    def noted_execute(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        found.texts.append(_text(query))
        return execute(self, query, *args, **kwargs)

    def noted_many(self: Any, query: Any, params: Any, *args: Any, **kwargs: Any) -> Any:
        listed = list(params)
        found.texts.extend([_text(query)] * len(listed))
        return many(self, query, listed, *args, **kwargs)

    def noted_copy(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        found.texts.append(_text(query))
        return copy(self, query, *args, **kwargs)

    with (
        patch.object(psycopg.Cursor, "execute", noted_execute),
        patch.object(psycopg.Cursor, "executemany", noted_many),
        patch.object(psycopg.Cursor, "copy", noted_copy),
    ):
        yield found


def _text(query: Any) -> str:
    if isinstance(query, bytes):
        return query.decode()
    return query if isinstance(query, str) else query.as_string()
