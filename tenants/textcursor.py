"""How values cross the driver where its own way is too dear.

A cursor that loads what JSON writes as a string straight as that string; arrays of ids that nobody looks into.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
import psycopg
from psycopg import adapt, pq
from psycopg.types.string import TextLoader

if TYPE_CHECKING:
    from psycopg.abc import Buffer

#: Any: what a column holds; the caller knows.
Row = tuple[Any, ...]


#: Nine moments in ten have six digits of a second's fraction, and no sign or fifth digit of a year.
_TO_THE_MICROSECOND: Final = len("2026-11-22 11:04:56.123456+00")


class _Json(adapt.Loader):
    """Decoded by msgspec: psycopg's own goes through the slow module of the standard library."""

    # The decoder itself, without a method of ours around it: a third of the time.
    load = staticmethod(msgspec.json.Decoder[Any]().decode)  # pyright: ignore[reportAssignmentType]


class _Instant(adapt.Loader):
    """``2026-11-22 11:04:56.1234+00`` as ``2026-11-22T11:04:56.123400Z``; sessions run in UTC."""

    def load(self, data: Buffer) -> str:
        text = str(data, "ascii")
        if len(text) == _TO_THE_MICROSECOND and text[26:] == "+00":
            return f"{text[:10]}T{text[11:26]}Z"
        if not text.endswith("+00"):
            return text  # infinity, years before 1: nothing JSON readers would parse anyway
        seconds, _, fraction = text[11:-3].partition(".")
        if fraction:
            return f"{text[:10]}T{seconds}.{fraction:0<6}Z"
        return f"{text[:10]}T{seconds}Z"


class IdArray(bytes):
    """A ``uuid[]`` as the server sends it (``array_send``), to be bound again: a thousand ids as text take 1 ms."""


class _IdArrayDumper(adapt.Dumper):
    format = pq.Format.BINARY
    oid = 2951

    def dump(self, obj: IdArray) -> Buffer:
        return obj


# Of all connections, and before the cursor's adapters are made of these.
psycopg.adapters.register_dumper(IdArray, _IdArrayDumper)


def _adapters() -> adapt.AdaptersMap:
    adapters = adapt.AdaptersMap(psycopg.adapters)
    for name in ("uuid", "numeric", "date", "time"):
        # The server's own text of a uuid, numeric or date is already what JSON wants; this loader is C code.
        adapters.register_loader(name, TextLoader)
    for name in ("json", "jsonb"):
        adapters.register_loader(name, _Json)
    adapters.register_loader("timestamptz", _Instant)
    return adapters


#: Built once: registering loaders on every cursor costs more than a short query.
_ADAPTERS: Final = _adapters()


class TextCursor(psycopg.Cursor[Row]):
    """See ``TenantScope.cursor_text``."""

    def __init__(self, connection: psycopg.Connection[Row]) -> None:
        super().__init__(connection)
        self._adapters = _ADAPTERS
