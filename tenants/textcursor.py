"""A cursor that loads what JSON writes as a string straight as that string."""

from __future__ import annotations

from typing import Any, Final

import psycopg
from psycopg import adapt
from psycopg.abc import Buffer

#: Any: what a column holds; the caller knows.
Row = tuple[Any, ...]


class _Text(adapt.Loader):
    """The server's own text of a uuid, numeric or date: already what JSON wants."""

    def load(self, data: Buffer) -> str:
        return bytes(data).decode("ascii")


class _Instant(adapt.Loader):
    """``2026-11-22 11:04:56.1234+00`` as ``2026-11-22T11:04:56.123400Z``; sessions run in UTC."""

    def load(self, data: Buffer) -> str:
        text = bytes(data).decode("ascii")
        if not text.endswith("+00"):
            return text  # infinity, years before 1: nothing JSON readers would parse anyway
        seconds, _, fraction = text[11:-3].partition(".")
        if fraction:
            return f"{text[:10]}T{seconds}.{fraction:0<6}Z"
        return f"{text[:10]}T{seconds}Z"


def _adapters() -> adapt.AdaptersMap:
    adapters = adapt.AdaptersMap(psycopg.adapters)
    for name in ("uuid", "numeric", "date"):
        adapters.register_loader(name, _Text)
    adapters.register_loader("timestamptz", _Instant)
    return adapters


#: Built once: registering loaders on every cursor costs more than a short query.
_ADAPTERS: Final = _adapters()


class TextCursor(psycopg.Cursor[Row]):
    """See ``TenantScope.cursor_text``."""

    def __init__(self, connection: psycopg.Connection[Row]) -> None:
        super().__init__(connection)
        self._adapters = _ADAPTERS
