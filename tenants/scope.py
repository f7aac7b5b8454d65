"""The only place that enters a tenant: one transaction, one role, one search_path, asserted before commit.

Without a scope the application's login may read nothing. Nothing else sets role or search_path, and nothing below the
edge commits: the ``with`` block is the transaction.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime  # noqa: TC003  (msgspec reads the annotations)
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal, LiteralString, cast
from uuid import UUID

import msgspec
import psycopg
from psycopg.pq import TransactionStatus

from app.core.errors import Conflict, NotFound, SupportEnded, Unauthenticated, Unavailable
from app.core.jobs import cause_of_job
from tenants import trips
from tenants.registry.directory import locate_tenant
from tenants.textcursor import TextCursor
from tenants.trips import Kept, Prepared, Value

if TYPE_CHECKING:
    from psycopg import sql
    from psycopg.sql import Composable

    from app.core.db import Databases
    from app.core.ports import Params

log = logging.getLogger(__name__)

#: Any: what a column holds; the caller knows.
Row = tuple[Any, ...]
CredentialKind = Literal["session", "key", "job", "ticket", "support"]

#: Seconds a transaction may take, by statement_timeout and by a check between statements.
READ_BUDGET: Final = 5.0
WRITE_BUDGET: Final = 1.0
#: One atomic bulk call (DESIGN §4).
BULK_BUDGET: Final = 5.0
#: Milliseconds by which a wait for a lock (1 s) ends before its statement is cut, so that it is told as what it is.
_LOCK_FIRST: Final = 50
#: A statement cut at the budget is the rule; the transaction as a whole is refused only when it is far over.
_GRACE: Final = 4.0

_TOO_LONG: Final = "This took too long and was stopped; nothing was changed"

_SET: Final = b"""
select e.*,
       set_config('search_path', quote_ident(e.schema) || ', ext, pg_temp', true),
       set_config('statement_timeout', $1, true),
       set_config('idle_in_transaction_session_timeout', $2, true),
       set_config('transaction_read_only', $3, true),
       set_config('rapport.language', e.locale, true),
       set_config('pg_trgm.word_similarity_threshold', '0.5', true),
       set_config('plan_cache_mode', $4, true),
       set_config('enable_seqscan', $5, true),
       set_config('role', e.role, true)
"""
_TEXT, _BYTEA, _BOOL, _NAME, _UUID = 25, 17, 16, 19, 2950
_SETTINGS: Final = (_TEXT,) * 5
_ENTER: Final = Prepared(
    b"rapport_enter",
    _SET + b"  from pod.enter($6, $7, $8) e",
    (*_SETTINGS, _TEXT, _BYTEA, _BOOL),
    (0, 0, 0, 0, 0, 1, 1, 0),
)
_ENTER_JOB: Final = Prepared(
    b"rapport_enter_job",
    _SET + b"  from pod.enter_job($6, $7, $8, $9) e",
    (*_SETTINGS, _UUID, _TEXT, _UUID, _BOOL),
    (0,) * 9,
)
#: Fails, with who and where it is in its words, unless role and schema are still the tenant's.
_STILL_INSIDE: Final = Prepared(
    b"rapport_still_inside",
    b"""
select case when current_user operator(pg_catalog.=) $1 and current_schema operator(pg_catalog.=) $2 then 0
       else ('as ' operator(pg_catalog.||) current_user::pg_catalog.text operator(pg_catalog.||) ' in '
             operator(pg_catalog.||) coalesce(current_schema::pg_catalog.text, 'no schema'))::pg_catalog.int4 end
""",
    (_NAME, _NAME),
    (0, 0),
)
#: For writing: a rollback to a savepoint has what was prepared dropped; the transaction is not lost for that.
_STILL_INSIDE_UNNAMED: Final = replace(_STILL_INSIDE, name=b"")
_KEPT: Final = (_ENTER, _ENTER_JOB, _STILL_INSIDE)


@dataclass(frozen=True, slots=True)
class Tenant:
    """A company's workspace as its pod knows it. ``host`` is the primary one, without port."""

    id: UUID
    pod: int
    schema: str
    role: str
    slug: str
    name: str
    currency: str
    timezone: str
    locale: str
    host: str


@dataclass(frozen=True, slots=True)
class Member:
    """A person in a tenant, read from the tenant's own ``member`` row."""

    id: UUID
    name: str
    email: str
    role: str
    preferences: dict[str, Any]
    team: UUID | None = None


class Support(msgspec.Struct, frozen=True):
    """The workspace's grant that a session of support is in by: what of, and until when."""

    grant: UUID
    role: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is written into events."""

    kind: Literal["member", "key", "import", "support", "system"]
    id: UUID | None
    name: str


SYSTEM: Final = Actor("system", None, "Rapport")


class Busy(Conflict):
    """Somebody else holds what this needs, longer than a request waits."""

    code = "busy"
    title = "Somebody else is changing this"
    passing = True


class EscapedScopeError(RuntimeError):
    """The transaction ended under another role than it began with: never committed, always worth an alarm."""


@dataclass(slots=True)
class TenantScope:
    """A transaction inside one tenant. ``role`` is the main one, ``version`` that of metadata, roles and sharing.

    Rights are what ``role`` and ``roles`` hold together; of a key, as far as ``makers``, the roles of the member who
    made it, hold it too. In a session of ``support`` they are those of the member who let it in, bounded by the grant's
    role. ``confirmed`` names what the caller was asked and agreed to (``leaves_reach``).
    """

    connection: psycopg.Connection[Row]
    tenant: Tenant
    member: Member | None
    actor: Actor
    role: str
    version: int
    write: bool
    credential: UUID | None
    credential_kind: CredentialKind
    request_id: str = ""
    cause: dict[str, Any] | None = None
    deadline: float = 0.0
    roles: tuple[str, ...] = ()
    makers: tuple[str, ...] = ()
    support: Support | None = None
    confirmed: frozenset[str] = frozenset()
    #: What ``app.access`` worked out for this scope; ``unsettled`` when the transaction itself changed rights.
    view: object = field(default=None, init=False, repr=False, compare=False)
    unsettled: bool = False
    deferred: list[tuple[LiteralString, Mapping[str, Any]]] = field(
        default_factory=list[tuple[LiteralString, Mapping[str, Any]]]
    )
    life: trips.Life = field(default_factory=trips.Life, repr=False, compare=False)

    def execute(self, query: LiteralString | Composable, params: Params = ()) -> psycopg.Cursor[Row]:
        """Run one statement with bound parameters (``%s`` or ``%(name)s``); rows come as tuples."""
        self.check_budget()
        # psycopg names the concrete kinds of composed text; Composable is their base.
        return self.connection.execute(cast("sql.SQL | sql.Composed", query), params)

    def cursor_text(self) -> psycopg.Cursor[Row]:
        """A cursor whose uuid, numeric, date and timestamptz values load as JSON-ready text.

        timestamptz reads ``2026-11-22T11:04:56.123456Z``; a whole second has no fraction, as in ``isoformat``.
        """
        self.check_budget()
        return TextCursor(self.connection)

    def at_commit(self, function_call: LiteralString, params: Mapping[str, Any]) -> None:
        """Run a call of a ``pod`` function as the login, in this transaction, right before it commits.

        A tenant's role may execute nothing in schema ``pod``; this is how a key and its mirror become one act.
        """
        self.deferred.append((function_call, params))

    def ask_login(self, function_call: LiteralString, params: Sequence[Any]) -> Any:
        """What a ``pod`` function answers the login: with no tenant's role set, so nothing of a client's goes in."""
        self.connection.execute("reset role")
        row = self.connection.execute(function_call, params).fetchone()
        self.connection.execute("select set_config('role', %s, true)", (self.tenant.role,))
        return None if row is None else row[0]

    def check_budget(self) -> None:
        """Refuse to go on far over its time, holding a lock others wait for, or after the transaction's end."""
        if self.life.over:  # the connection may be another tenant's by now
            raise EscapedScopeError("a scope was used after its transaction had ended")
        if self.deadline and time.monotonic() > self.deadline:
            raise Unavailable(_TOO_LONG)


@contextmanager
def enter(
    databases: Databases,
    *,
    pod: int,
    host: str | None,
    credential: bytes | None,
    write: bool,
    request_id: str = "",
    budget: float | None = None,
    by_key: bool = False,
) -> Generator[TenantScope]:
    """Enter the tenant that ``host`` and ``credential`` (sha256 of the token) name, for one transaction.

    ``by_key``: its statements find rows by their keys only, so that their plans may be kept. Many rows that link to
    others are written this way only: PostgreSQL else plans the check of each link anew, which costs more than the row.

    Raises:
        Unauthenticated: no credential, or one that is unknown, expired, revoked or of an inactive member.
        NotFound: the host names no active tenant here, or another one than the credential.
    """
    if credential is None:
        raise Unauthenticated("Sign in or send an API key")
    values = (None if host is None else host.encode(), credential)
    with _transaction(databases, pod) as pooled:
        row = pooled.begin(_ENTER, values, write=write, budget=budget, by_key=by_key)
        if row is None:
            raise _refusal(pooled.connection, host, credential)
        scope = _scope(pooled.connection, pod, row, write=write, budget=budget)
        scope.request_id = request_id
        scope.life = pooled.life
        yield scope
        pooled.finish(scope)


@contextmanager
def enter_job(
    databases: Databases,
    tenant: UUID,
    *,
    actor: Actor,
    write: bool,
    cause: dict[str, Any] | None = None,
    budget: float | None = None,
    member: UUID | None = None,
    by_key: bool = False,
) -> Generator[TenantScope]:
    """Enter ``tenant`` without a request: jobs, schedules, the local command line.

    With ``member`` (or an actor that is one) the rights are that member's, with a key those of the key; else the
    owner's. ``by_key`` as in ``enter``.

    Raises:
        NotFound: there is no such active tenant.
        Unauthenticated: the member or the key is no longer active.
    """
    pod = locate_tenant(databases, tenant)
    if pod is None:
        raise NotFound("There is no such workspace")
    with _transaction(databases, pod) as pooled:
        scope = _enter_job(pooled, pod, tenant, actor, member, write=write, budget=budget, by_key=by_key)
        scope.cause = cause if cause is not None else cause_of_job()
        scope.life = pooled.life
        yield scope
        pooled.finish(scope)


@contextmanager
def enter_seal(databases: Databases, tenant: UUID) -> Generator[tuple[TenantScope, list[UUID]] | None]:
    """A write scope together with the outbox rows taken in the same transaction, as ids of events in outbox order.

    None when another sealer is at work in this tenant. Rolls the outbox back when the block raises.
    """
    pod = locate_tenant(databases, tenant)
    if pod is None:
        raise NotFound("There is no such workspace")
    with _transaction(databases, pod) as pooled:
        taken = pooled.connection.execute("select pod.take_outbox(%s)", (tenant,)).fetchone()
        if taken is None or taken[0] is None:
            yield None
            return
        scope = _enter_job(pooled, pod, tenant, SYSTEM, None, write=True, budget=BULK_BUDGET)
        scope.life = pooled.life
        yield scope, cast("list[UUID]", taken[0])
        pooled.finish(scope)


def pending(databases: Databases, pod: int) -> list[UUID]:
    """The tenants of ``pod`` whose outbox holds rows."""
    with _transaction(databases, pod) as pooled:
        return [row[0] for row in pooled.connection.execute("select * from pod.pending()")]


def _enter_job(
    pooled: _Pooled,
    pod: int,
    tenant: UUID,
    actor: Actor,
    member: UUID | None,
    *,
    write: bool,
    budget: float | None,
    by_key: bool = False,
) -> TenantScope:
    if actor.kind == "support":
        # A job would go on when the grant is over.
        raise Unauthenticated("Support starts nothing in the background")
    kind, actor_id = ("member", member) if member is not None else (actor.kind, actor.id)
    values = (str(tenant).encode(), kind.encode(), None if actor_id is None else str(actor_id).encode())
    row = pooled.begin(_ENTER_JOB, values, write=write, budget=budget, by_key=by_key)
    if row is None:
        known = pooled.connection.execute("select pod.refusal_job(%s)", (tenant,)).fetchone()
        if known is not None and known[0]:
            raise Unauthenticated("Whoever asked for this is no longer active here")
        raise NotFound("There is no such workspace")
    scope = _scope(pooled.connection, pod, row, write=write, budget=budget)
    scope.actor = actor
    return scope


@dataclass(frozen=True, slots=True)
class _Pooled:
    """A connection of the pool, with what it keeps prepared."""

    connection: psycopg.Connection[Row]
    kept: Kept
    life: trips.Life

    def begin(
        self,
        statement: Prepared,
        values: tuple[Value, ...],
        *,
        write: bool,
        budget: float | None,
        by_key: bool = False,
    ) -> tuple[Value, ...] | None:
        """Begin the transaction and enter; None when nobody is let in."""
        seconds = _budget(budget, write=write)
        settings = (
            b"%d" % (seconds * 1000 + _LOCK_FIRST),
            b"%d" % (max(10.0, seconds) * 1000),
            b"off" if write else b"on",
            # A kept plan serves whoever comes next, whatever the values and the size of the table: only by an index.
            b"force_generic_plan" if by_key else b"force_custom_plan",
            b"off" if by_key else b"on",
        )
        return trips.begin(self.connection, statement, (*settings, *values, b"t" if write else b"f"), self.kept)

    def finish(self, scope: TenantScope) -> None:
        """Commit, unless somebody left the tenant; what waits for the login comes between."""
        connection, tenant = self.connection, scope.tenant
        if connection.pgconn.transaction_status == TransactionStatus.INERROR:
            # Someone swallowed the error of a statement: a commit would silently be a rollback.
            raise psycopg.errors.InFailedSqlTransaction("a statement of this scope failed and its error was swallowed")
        if scope.deferred:
            self._finish_as_login(scope)
            return
        check = _STILL_INSIDE_UNNAMED if scope.write else _STILL_INSIDE
        try:
            trips.commit(connection, check, (tenant.role.encode(), tenant.schema.encode()))
        except trips.CheckFailedError as error:
            log.critical("scope of tenant %s ended %s", tenant.id, error)
            raise EscapedScopeError("the transaction left its tenant") from error

    def _finish_as_login(self, scope: TenantScope) -> None:
        connection = self.connection
        row = connection.execute("select current_user, current_schema").fetchone()
        if row is None or row[0] != scope.tenant.role or row[1] != scope.tenant.schema:
            log.critical("scope of tenant %s ended as %s", scope.tenant.id, row)
            raise EscapedScopeError("the transaction left its tenant")
        connection.execute("reset role")
        for call, params in scope.deferred:
            connection.execute(call, params)


@contextmanager
def _transaction(databases: Databases, pod: int) -> Generator[_Pooled]:
    """A pooled connection for one transaction; whatever happens it goes back clean, or not at all."""
    proxied = databases.pod(pod).raw_connection()
    connection, life = cast("psycopg.Connection[Row]", proxied.driver_connection), trips.Life()
    try:
        yield _Pooled(connection, proxied.info.setdefault("rapport.kept", Kept(_KEPT)), life)
        if connection.pgconn.transaction_status != TransactionStatus.IDLE:
            connection.commit()
    except psycopg.errors.QueryCanceled as error:
        trips.abandon(proxied, connection)
        raise Unavailable(_TOO_LONG) from error
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected) as error:
        trips.abandon(proxied, connection)
        raise Busy("Others are changing the same at the moment; try again") from error
    except BaseException:
        trips.abandon(proxied, connection)
        raise
    finally:
        life.over = True
    proxied.close()


def _budget(budget: float | None, *, write: bool) -> float:
    return budget if budget is not None else WRITE_BUDGET if write else READ_BUDGET


@dataclass(frozen=True, slots=True)
class _Entered:
    """Who came in where."""

    tenant: Tenant
    member: Member | None
    actor: Actor
    role: str
    version: int
    credential: UUID | None
    kind: CredentialKind
    roles: tuple[str, ...]
    makers: tuple[str, ...]
    support: Support | None


def _scope(
    connection: psycopg.Connection[Row], pod: int, row: tuple[Value, ...], *, write: bool, budget: float | None
) -> TenantScope:
    entered = _entered(pod, row[:_COLUMNS])
    return TenantScope(
        connection=connection,
        tenant=entered.tenant,
        member=entered.member,
        actor=entered.actor,
        role=entered.role,
        version=entered.version, write=write, credential=entered.credential, credential_kind=entered.kind,
        deadline=time.monotonic() + _budget(budget, write=write) + _GRACE,
        roles=entered.roles,
        makers=entered.makers,
        support=entered.support,
    )  # fmt: skip


#: How many columns ``pod.enter`` and ``pod.enter_job`` have.
_COLUMNS: Final = 23


@lru_cache(maxsize=1000)
def _entered(pod: int, row: tuple[Value, ...]) -> _Entered:
    """Columns of ``pod.enter`` and ``pod.enter_job`` in the order of ``migrations/pod``; an equal row says the same."""
    text = ["" if value is None else value.decode() for value in row]
    tenant = Tenant(UUID(text[0]), pod, *text[1:9])
    member = None
    if text[10]:
        preferences = msgspec.json.decode(text[14], type=dict[str, Any])
        team = UUID(text[21]) if text[21] else None
        member = Member(UUID(text[10]), text[11], text[12], text[13], preferences, team)
    credential = UUID(text[15]) if text[15] else None
    kind, name, role = cast("CredentialKind", text[16]), text[17], text[18]
    if kind == "key":
        actor = Actor("key", credential, name)
    elif kind == "support":
        actor = Actor("support", credential, name)
    elif member is not None:
        actor = Actor("member", member.id, member.name)
    else:
        actor = SYSTEM
    # Names of roles hold no comma.
    roles, makers = tuple(text[19].split(",")[1:]), tuple(text[20].split(",") if text[20] else ())
    support = msgspec.json.decode(text[22], type=Support) if text[22] else None
    return _Entered(tenant, member, actor, role, int(text[9]), credential, kind, roles, makers, support)


def _refusal(connection: psycopg.Connection[Row], host: str | None, credential: bytes) -> Exception:
    """Why ``pod.enter`` gave nothing; told apart only as far as a stranger may know."""
    row = connection.execute("select pod.refusal(%s, %s)", (host, credential)).fetchone()
    if row is not None and row[0] == "support":
        return SupportEnded("The workspace's grant is over or was taken back. Only its members can give another.")
    if row is not None and row[0] == "credential":
        return Unauthenticated("The session or key is not valid any more")
    return NotFound("There is no such workspace here")
