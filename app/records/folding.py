"""Keeps indexed roll-ups: adds up what came since, builds new ones, verifies and rebuilds them.

One of these at a time per workspace. Each step is one statement, so it sees records and what they added to in the same
moment: nothing is counted twice or lost, however many write meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from app.core.jobs import register
from app.metadata.catalog import whole as whole_catalog
from app.metadata.rollups import kept
from app.records.feeds import contribution
from app.records.reach import whole
from app.records.rowform import trusted
from tenants.scope import SYSTEM, enter_job

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from app.core.ports import Runtime
    from app.metadata.model import Catalog, Feed, ObjectType
    from tenants.scope import TenantScope

JOB: Final = "records.fold_rollups"
#: Rows of a step: far below a write's budget of time.
_STEP: Final = 5_000
#: Seconds that building or verifying the figures of a whole workspace may take.
_PATIENCE: Final = 300.0
_BUILT: Final = "00000000-0000-0000-0000-000000000000"
_FOLD: Final = (
    "WITH open AS (SELECT ctid FROM rollup_delta LIMIT %(step)s), taken AS (DELETE FROM rollup_delta d USING open"
    " WHERE d.ctid = open.ctid RETURNING d.field, d.record_id, d.currency, d.day, d.n, d.sum), folded AS ("
    " INSERT INTO rollup AS k (field, record_id, currency, day, n, sum)"
    " SELECT field, record_id, currency, day, sum(n), sum(sum) FROM taken GROUP BY field, record_id, currency, day"
    " ORDER BY field, record_id, currency, day"
    " ON CONFLICT (field, record_id, currency, day) DO UPDATE SET n = k.n + excluded.n, sum = k.sum + excluded.sum)"
    " SELECT count(*) FROM taken"
)
_EMPTY: Final = f"DELETE FROM rollup WHERE n = 0 AND sum = 0 AND record_id <> '{_BUILT}'"


@dataclass(frozen=True, slots=True)
class Kept:
    """An indexed roll-up: whose field it is, and the object whose records it counts."""

    object: str
    field: str
    child: ObjectType
    feed: Feed

    @property
    def key(self) -> str:
        """What its figures are kept under."""
        return self.feed.rollup.key


@dataclass(frozen=True, slots=True)
class Drift:
    """A roll-up whose kept figures are not those of the records; ``wrong`` records of it differ."""

    object: str
    field: str
    wrong: int


def kept_rollups(catalog: Catalog) -> Iterator[Kept]:
    """Every roll-up of a workspace whose figures are kept."""
    for child in catalog.objects.values():
        for feed in child.feeds:
            if kept(feed.rollup):
                yield Kept(feed.object, feed.field, child, feed)


def fold(scope: TenantScope) -> int:
    """Add up one step of what came since; how many rows. Zero: there is no more, or somebody else is at it."""
    _take_turns(scope)
    row = scope.execute(_FOLD, {"step": _STEP}).fetchone()
    return int(row[0]) if row else 0


def build(scope: TenantScope, one: Kept) -> None:
    """Count a roll-up's records anew; what came since is in it."""
    _take_turns(scope)
    scope.execute("DELETE FROM rollup WHERE field = %s", (one.key,))
    text = (
        "WITH gone AS (DELETE FROM rollup_delta WHERE field = %(key)s)"
        " INSERT INTO rollup (field, record_id, currency, day, n, sum)"
        f" SELECT %(key)s, p, c, d, n, s FROM ({_truth(one)}) x"
        f" UNION ALL SELECT %(key)s, '{_BUILT}'::uuid, '', NULL, 0, 0"
    )
    scope.execute(trusted(text), {"key": one.key})


def build_missing(scope: TenantScope) -> int:
    """Build the roll-ups that are new, forget those that are no more; how many were built."""
    wanted = {one.key: one for one in kept_rollups(whole_catalog(scope))}
    rows = scope.execute(f"SELECT field FROM rollup WHERE record_id = '{_BUILT}'").fetchall()
    built = {row[0] for row in rows}
    missing = [one for key, one in sorted(wanted.items()) if key not in built]
    for one in missing:
        build(scope, one)
    gone = sorted(built - wanted.keys())
    if gone:
        _take_turns(scope)
        scope.execute("DELETE FROM rollup WHERE field = ANY(%s)", (gone,))
        scope.execute("DELETE FROM rollup_delta WHERE field = ANY(%s)", (gone,))
    return len(missing)


def verify(scope: TenantScope) -> list[Drift]:
    """The roll-ups whose figures (kept and what came since) are not those of the records."""
    found: list[Drift] = []
    for one in kept_rollups(whole_catalog(scope)):
        shown = (
            "SELECT record_id AS p, currency AS c, day AS d, sum(n) AS n, sum(sum) AS s FROM (SELECT * FROM rollup"
            " WHERE field = %(key)s UNION ALL SELECT * FROM rollup_delta WHERE field = %(key)s) k"
            f" WHERE record_id <> '{_BUILT}' GROUP BY 1, 2, 3 HAVING sum(n) <> 0 OR sum(sum) <> 0"
        )
        text = (
            f"SELECT count(*), (SELECT count(*) FROM rollup WHERE field = %(key)s AND record_id = '{_BUILT}')"
            f" FROM ((({shown}) EXCEPT ({_truth(one)})) UNION ALL (({_truth(one)}) EXCEPT ({shown}))) x"
        )
        row = scope.execute(trusted(text), {"key": one.key}).fetchone()
        if row is not None and row[0] and row[1]:
            found.append(Drift(one.object, one.field, int(row[0])))
    return found


def rebuild(scope: TenantScope, drifts: list[Drift]) -> None:
    """Build the roll-ups again whose figures are wrong."""
    wrong = {(drift.object, drift.field) for drift in drifts}
    for one in kept_rollups(whole_catalog(scope)):
        if (one.object, one.field) in wrong:
            build(scope, one)


def examine(runtime: Runtime, tenant_id: UUID, *, repair: bool = False) -> list[Drift]:
    """The roll-ups of a workspace whose figures are wrong; with ``repair`` they are built anew."""
    with enter_job(runtime.databases, tenant_id, actor=SYSTEM, write=repair, budget=_PATIENCE) as scope:
        found = verify(scope)
        if repair:
            rebuild(scope, found)
    return found


def _truth(one: Kept) -> str:
    """The figures as the records themselves say: record, currency, day, count, sum."""
    record, currency, day, count, total = contribution(one.child, one.feed, "t")
    return (
        "SELECT p, c, d, sum(n) AS n, sum(s) AS s FROM"
        f" (SELECT {record} AS p, coalesce({currency}, '') AS c, {day} AS d,"
        f" {count} AS n, {total} AS s FROM {whole(one.child)} t) y WHERE p IS NOT NULL GROUP BY p, c, d"
    )


def _take_turns(scope: TenantScope) -> None:
    """In a statement before the one that counts: its snapshot is taken when the other's work is there."""
    scope.execute("SELECT pg_advisory_xact_lock(hashtext(%s), hashtext(%s))", (f"rollup {scope.tenant.schema}", "fold"))


@register(JOB, timeout=600)
def fold_job(runtime: Runtime, tenant_id: UUID, _args: dict[str, Any]) -> None:
    """Asked for when a change adds a roll-up, and by the sealer when something came since."""
    with enter_job(runtime.databases, tenant_id, actor=SYSTEM, write=True, budget=_PATIENCE) as scope:
        build_missing(scope)
    while True:
        with enter_job(runtime.databases, tenant_id, actor=SYSTEM, write=True) as scope:
            if fold(scope) == 0:
                scope.execute(_EMPTY)
                return
