"""Statement text written once per shape by SQLAlchemy Core, kept in a bounded cache, run on the driver."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, TypeVar
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_precision
from sqlalchemy.dialects.postgresql import psycopg as psycopg_dialect

from app.access.rights import acting_roles
from app.core import clock
from app.records.reaching import reaching_of

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    import sqlalchemy as sa

    from app.expressions import Checked
    from tenants.scope import TenantScope

T = TypeVar("T")

_DIALECT: Final = psycopg_dialect.dialect(paramstyle="pyformat")
#: About 4 KB a statement with its decoders: 8 MB at most.
_KEPT: Final = 2048
#: A key of this many characters (hundreds of parts of a condition, of fields) stands for an answer many times the usual
#: size, and for somebody who asks differently each time: it is made anew, so that nobody fills the memory of all.
_LONGEST_KEY: Final = 8_000
#: Parameters whose values are the asking member's; those called ``given__<level>__<object>`` are, too.
PERSONAL: Final = frozenset({
    "me", "roles", "teams", "queues", "people", "in_teams", "in_queues", "has_people",
    "given_few", "given_many", "given_most",
})  # fmt: skip
#: What any statement may ask of the moment and the workspace: given where the caller does not.
AMBIENT: Final = frozenset({"now", "today", "zone", "home", "digits"})
GIVEN: Final = "given__"
_REACHING: Final = PERSONAL - {"me"}


_ABSENT: Final = object()


class ShapeCache:
    """Least recently used answers by shape; one a process, shared by its threads and by tenants of equal specs."""

    def __init__(self, kept: int = _KEPT) -> None:
        self._kept = kept
        self._entries: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, build: Callable[[], T]) -> T:
        """The answer kept under ``key``, else what ``build`` makes (two threads may build the same; one stays)."""
        found = self._entries.get(key, _ABSENT)
        if found is not _ABSENT:
            if len(self._entries) * 2 > self._kept:
                self._touch(key)
            return found
        made = build()
        if len(repr(key)) > _LONGEST_KEY:
            return made
        with self._lock:
            self._entries[key] = made
            while len(self._entries) > self._kept:
                self._entries.popitem(last=False)
        return made

    def _touch(self, key: Hashable) -> None:
        """Who was used last matters only to a cache that fills up."""
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)

    def __len__(self) -> int:
        return len(self._entries)


@dataclass(frozen=True, slots=True)
class Statement:
    """Text with named parameters, the constants Core made parameters of, and the parameters about who asks."""

    text: bytes
    constants: Mapping[str, object]
    personal: frozenset[str] = frozenset()


def compile_statement(statement: sa.ClauseElement) -> Statement:
    """Write ``statement`` for psycopg; parameters without a value are the caller's to give."""
    compiled = statement.compile(dialect=_DIALECT)
    params = compiled.params or {}
    constants = {name: value for name, value in params.items() if value is not None}
    personal = frozenset(
        name
        for name in params
        if name in PERSONAL or name.startswith(GIVEN) or (name in AMBIENT and params[name] is None)
    )
    return Statement(str(compiled).encode(), constants, personal)


def run(scope: TenantScope, statement: Statement, params: Mapping[str, object]) -> list[tuple[Any, ...]]:
    """Rows of ``statement``; uuid, numeric, date and timestamptz come as JSON-ready text."""
    cursor = scope.cursor_text()
    who = personal_binds(scope, statement.personal) if statement.personal else {}
    cursor.execute(statement.text, {**statement.constants, **who, **params})
    return cursor.fetchall()


def personal_binds(scope: TenantScope, names: frozenset[str]) -> dict[str, object]:
    """Values of reach's parameters and those of conditions: who asks, whom they reach, and when."""
    now = clock.now()
    return {
        **(reaching_of(scope).binds(names) if not _REACHING.isdisjoint(names) else {}),
        "me": scope.member.id if scope.member else None,
        "roles": list(acting_roles(scope)),
        "now": now,
        "today": now.astimezone(ZoneInfo(scope.tenant.timezone)).date(),
        "zone": scope.tenant.timezone,
        "home": scope.tenant.currency,
        "digits": get_currency_precision(scope.tenant.currency),
    }


def condition_binds(scope: TenantScope, checked: Checked | None) -> dict[str, object]:
    """What a condition's parameters mean for the one who asks, now."""
    if checked is None:
        return {}
    now = clock.now()
    binds = checked.binds()
    binds["me"] = scope.member.id if scope.member else None
    binds["now"] = now
    binds["today"] = now.astimezone(ZoneInfo(scope.tenant.timezone)).date()
    return binds
