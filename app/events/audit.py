"""Checks a tenant's whole log against its seals and its anchor, and names the first thing that does not fit.

The database's owner reads, in one snapshot: only it sees the outbox, and so tells an event that waits for its seal from
one that somebody put there.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, cast
from uuid import UUID

from psycopg import sql

from app.core.errors import NotFound
from app.events.anchor import Anchor, ForgedAnchorError, read_anchor
from app.events.causes import ERASED
from app.events.erase import LEAVES, erased_leaf
from app.events.seal import CANONICAL, leaf_of, root_of
from tenants.registry.directory import locate_tenant

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    import psycopg

    from app.core.ports import Runtime

What = Literal["altered", "missing", "added", "moved", "broken", "truncated", "forged"]

#: Events compared at once.
_PART: Final = 5_000
#: Seals fetched at once.
_SEALS: Final = 100


@dataclass(frozen=True, slots=True)
class Finding:
    """The first thing that does not fit: ``seq`` and ``event`` as far as they are known."""

    what: What
    text: str
    batch: int | None = None
    seq: int | None = None
    event: UUID | None = None

    def document(self) -> dict[str, object]:
        """Make the JSON form."""
        event = str(self.event) if self.event else None
        return {"what": self.what, "batch": self.batch, "seq": self.seq, "event": event, "detail": self.text}


@dataclass(frozen=True, slots=True)
class Audit:
    """What was looked at in one tenant, and what was found."""

    tenant: UUID
    batches: int
    events: int
    erased: int
    anchored_seq: int | None
    finding: Finding | None

    def document(self) -> dict[str, object]:
        """Make the JSON form."""
        return {
            "tenant": str(self.tenant),
            "ok": self.finding is None,
            "batches": self.batches,
            "events": self.events,
            "erased": self.erased,
            "anchored_seq": self.anchored_seq,
            "finding": self.finding.document() if self.finding else None,
        }


@dataclass(frozen=True, slots=True)
class _Seal:
    batch: int
    first_seq: int
    event_ids: list[UUID]
    leaves: list[bytes]
    root: bytes
    previous: bytes | None


class _Reader:
    """The tenant's log as the owner sees it in one snapshot."""

    def __init__(self, connection: psycopg.Connection[tuple[Any, ...]], tenant_id: UUID) -> None:
        self._connection = connection
        row = connection.execute("SELECT schema, role FROM pod.tenant WHERE id = %s", (tenant_id,)).fetchone()
        if row is None:
            raise NotFound("There is no such workspace")
        self._role: str = row[1]
        self._event = sql.Identifier(row[0], "event")
        self._seal = sql.Identifier(row[0], "event_seal")

    def seals(self) -> Generator[_Seal]:
        """All seals by batch."""
        query = sql.SQL(
            "SELECT batch, first_seq, event_ids, leaves, root, previous_root FROM {} ORDER BY batch"
        ).format(self._seal)
        with self._connection.cursor(name="audit") as cursor:
            cursor.itersize = _SEALS
            cursor.execute(query)
            for row in cursor:
                yield _Seal(*row)

    def canonical(self, event_ids: list[UUID]) -> dict[UUID, str]:
        """The signed text of those events that are there."""
        query = sql.SQL("SELECT id, {} FROM {} WHERE id = ANY(%s)").format(sql.SQL(cast("Any", CANONICAL)), self._event)
        return dict(cast("Iterable[tuple[UUID, str]]", self._connection.execute(query, (event_ids,)).fetchall()))

    def erasures(self, event_ids: list[UUID]) -> dict[UUID, tuple[UUID, str]]:
        """Which of the events say that they were erased: the erasure and the leaf it holds of each ("" if none)."""
        query = sql.SQL("SELECT id, cause ->> %s FROM {} WHERE id = ANY(%s) AND cause ? %s").format(self._event)
        marks: dict[UUID, UUID] = {}
        for event, mark in self._connection.execute(query, (ERASED, event_ids, ERASED)).fetchall():
            marks[event] = _uuid(mark)
        query = sql.SQL("SELECT id, cause -> %s FROM {} WHERE id = ANY(%s) AND kind = 'erased'").format(self._event)
        rows = self._connection.execute(query, (LEAVES, list(set(marks.values())))).fetchall()
        leaves = {row[0]: cast("dict[str, str]", row[1]) if isinstance(row[1], dict) else {} for row in rows}
        return {event: (mark, str(leaves.get(mark, {}).get(str(event), ""))) for event, mark in marks.items()}

    def unknown(self, sealed: int) -> UUID | None:
        """The first event that neither a seal nor the outbox knows. Looked for only when the numbers don't agree."""
        count = sql.SQL(
            "SELECT (SELECT count(*) FROM {}),"
            " (SELECT coalesce(sum(cardinality(events)), 0) FROM pod.outbox WHERE tenant = %s)"
        ).format(self._event)
        numbers = self._connection.execute(count, (self._role,)).fetchone()
        if numbers is not None and numbers[0] == sealed + numbers[1]:
            return None
        # NOT IN, hashed: without statistics of the arrays an anti join is planned as a nested loop.
        query = sql.SQL(
            "SELECT e.id FROM {} e WHERE e.id NOT IN (SELECT s.id FROM (SELECT unnest(event_ids) AS id FROM {}"
            " UNION ALL SELECT unnest(events) FROM pod.outbox WHERE tenant = %s) s WHERE s.id IS NOT NULL)"
            " ORDER BY e.id LIMIT 1"
        ).format(self._event, self._seal)
        row = self._connection.execute(query, (self._role,)).fetchone()
        return None if row is None else row[0]

    def lost_before_sealing(self) -> UUID | None:
        """The first event that the outbox names and that is not there."""
        query = sql.SQL(
            "SELECT o.id FROM (SELECT unnest(events) AS id FROM pod.outbox WHERE tenant = %s) o"
            " WHERE NOT EXISTS (SELECT FROM {} e WHERE e.id = o.id) ORDER BY 1 LIMIT 1"
        ).format(self._event)
        row = self._connection.execute(query, (self._role,)).fetchone()
        return None if row is None else row[0]


class _Checker:
    """Goes through the seals in order and stops at the first finding."""

    def __init__(self, secret_key: str, tenant_id: UUID, reader: _Reader, anchor: Anchor | None) -> None:
        self._secret_key, self._tenant, self._reader, self._anchor = secret_key, tenant_id, reader, anchor
        self.batches = self.events = self.erased = 0
        self._root: bytes | None = None

    def run(self) -> Finding | None:
        part: list[_Seal] = []
        for seal in self._reader.seals():
            part.append(seal)
            if sum(len(one.event_ids) for one in part) >= _PART:
                if found := self._part(part):
                    return found
                part = []
        return self._part(part) or self._end()

    def _part(self, part: list[_Seal]) -> Finding | None:
        texts = self._reader.canonical([event for seal in part for event in seal.event_ids])
        for seal in part:
            if found := self._place(seal) or self._leaves(seal, texts) or self._chain(seal):
                return found
            self.batches, self.events, self._root = seal.batch, self.events + len(seal.event_ids), seal.root
        return None

    def _place(self, seal: _Seal) -> Finding | None:
        batch, seq = self.batches + 1, self.events + 1
        if seal.batch == batch and seal.first_seq == seq:
            return None
        if seal.batch > batch:
            return Finding("missing", f"batch {batch}, which begins with event {seq}, is missing", batch, seq)
        return Finding("moved", f"batch {seal.batch} says it begins with {seal.first_seq}, not {seq}", seal.batch, seq)

    def _leaves(self, seal: _Seal, texts: dict[UUID, str]) -> Finding | None:
        key, tenant = self._secret_key, self._tenant
        expected = [leaf_of(key, tenant, texts[event]) if event in texts else None for event in seal.event_ids]
        if expected == seal.leaves:
            return None
        forged = self._take_erased(seal, texts, expected)
        sealed = set(seal.leaves)
        for at, event in enumerate(seal.event_ids):
            seq, leaf = seal.first_seq + at, expected[at]
            if leaf is None:
                return Finding("missing", f"event {seq} ({event}) is missing", seal.batch, seq, event)
            if at < len(seal.leaves) and leaf == seal.leaves[at]:
                continue
            if leaf in sealed:
                return Finding("moved", f"event {seq} ({event}) is not in its place", seal.batch, seq, event)
            if event in forged:
                text = f"event {seq} ({event}) says that it was erased, but no erasure left it so"
                return Finding("forged", text, seal.batch, seq, event)
            if at >= len(seal.leaves):
                return Finding("added", f"event {seq} ({event}) was added to the batch", seal.batch, seq, event)
            return Finding("altered", f"event {seq} ({event}) was altered", seal.batch, seq, event)
        if expected == seal.leaves:
            return None
        seq = seal.first_seq + len(seal.event_ids)
        return Finding("missing", f"the batch has lost event {seq}", seal.batch, seq)

    def _take_erased(self, seal: _Seal, texts: dict[UUID, str], expected: list[bytes | None]) -> set[UUID]:
        """Let what was erased keep its leaf in ``expected``; the events that only say they were erased."""
        pairs = zip(seal.event_ids, expected, seal.leaves, strict=False)
        odd = [event for event, leaf, sealed in pairs if leaf is not None and leaf != sealed]
        forged: set[UUID] = set()
        for event, (erasure, leaf) in self._reader.erasures(odd).items():
            if leaf == erased_leaf(self._secret_key, self._tenant, erasure, texts[event]):
                at = seal.event_ids.index(event)
                expected[at] = seal.leaves[at]
                self.erased += 1
            else:
                forged.add(event)
        return forged

    def _chain(self, seal: _Seal) -> Finding | None:
        root = root_of(self._secret_key, self._tenant, seal.batch, seal.first_seq, self._root, seal.leaves)
        if root != seal.root or seal.previous != self._root:
            text = f"the seal of batch {seal.batch} was altered: events were added, taken away or moved"
            return Finding("broken", text, seal.batch, seal.first_seq)
        anchor = self._anchor
        if anchor is not None and anchor.batch == seal.batch and bytes.fromhex(anchor.root) != seal.root:
            text = f"batch {seal.batch} is not the one that was anchored on {anchor.at:%Y-%m-%d}"
            return Finding("broken", text, seal.batch, seal.first_seq)
        return None

    def _end(self) -> Finding | None:
        anchor = self._anchor
        if anchor is not None and anchor.batch > self.batches:
            text = f"the log ends with event {self.events}; on {anchor.at:%Y-%m-%d} it had {anchor.seq}"
            return Finding("truncated", text, self.batches + 1, self.events + 1)
        if (lost := self._reader.lost_before_sealing()) is not None:
            return Finding("missing", f"event {lost}, not yet sealed, is missing", event=lost)
        if (unknown := self._reader.unknown(self.events)) is not None:
            return Finding("added", f"event {unknown} was added: no write of ours made it", event=unknown)
        return None


def audit_tenant(runtime: Runtime, tenant_id: UUID) -> Audit:
    """Check one tenant's log from its first event to its last. Raises NotFound."""
    pod = locate_tenant(runtime.databases, tenant_id)
    if pod is None:
        raise NotFound("There is no such workspace")
    try:
        anchor = read_anchor(runtime, tenant_id)
    except ForgedAnchorError as error:
        return Audit(tenant_id, 0, 0, 0, None, Finding("forged", str(error)))
    with _snapshot(runtime, pod) as connection:
        checker = _Checker(runtime.config.secret_key, tenant_id, _Reader(connection, tenant_id), anchor)
        finding = checker.run()
    anchored = anchor.seq if anchor else None
    return Audit(tenant_id, checker.batches, checker.events, checker.erased, anchored, finding)


def _uuid(text: object) -> UUID:
    """What a mark names; of what is no id the nil one, which no event has."""
    try:
        return UUID(str(text))
    except ValueError:
        return UUID(int=0)


def tenants_of(runtime: Runtime, pod: int) -> list[UUID]:
    """Every tenant of a pod that has a log to check."""
    with _snapshot(runtime, pod) as connection:
        rows = connection.execute("SELECT id FROM pod.tenant WHERE state IN ('active', 'suspended') ORDER BY id")
        return [row[0] for row in rows]


@contextmanager
def _snapshot(runtime: Runtime, pod: int) -> Generator[psycopg.Connection[tuple[Any, ...]]]:
    """One moment of the pod, as its owner, for reading only."""
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with runtime.databases.pod_owner(pod).connect().execution_options(**options) as connection, connection.begin():
        yield cast("psycopg.Connection[tuple[Any, ...]]", connection.connection.driver_connection)
