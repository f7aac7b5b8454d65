"""Support's way into a workspace: by a grant of its own members, for a time, and every step is in its log.

1. A member lets support in (``app.rights.support``): a role, an end, a reason. There is no other maker of grants.
2. An operator asks for a way in (``rapport support enter``): without an open grant there is none. The link carries a
   ticket for one use in its fragment, which no server and no log ever sees; a form of the base host posts it.
3. The workspace's host takes the ticket and starts a session bound to the grant. ``pod.enter`` reads the grant itself
   at each request: over or taken back, the next request is refused.

A visit is one way in; its id is that of the ticket, of the session and of the actor in events.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit
from uuid import UUID

from app.core import clock, crypto, ids
from app.core.errors import FieldError, InvalidInput, NotFound
from app.core.jobs import register, request_job
from app.ui import formats
from tenants import log
from tenants.identity import outgoing
from tenants.identity.addresses import normalise_email
from tenants.identity.outgoing import Message
from tenants.identity.tickets import TicketVoid
from tenants.scope import SYSTEM, TenantScope, enter, enter_job

if TYPE_CHECKING:
    import psycopg

    from app.core.config import Config
    from app.core.ports import Runtime
    from tenants.identity.sessions import Visitor
    from tenants.registry.directory import TenantRow

#: Long enough to carry a link from a terminal to a browser; no browser is known yet that it could be bound to.
TICKET_LIFE: Final = timedelta(minutes=2)
#: A session of support ends after this long without a request, and in any case with its grant.
IDLE: Final = timedelta(hours=1)
#: Hours a grant lasts at most.
LONGEST: Final = 7 * 24
LONGEST_REASON: Final = 500
_LONGEST_NAME: Final = 120
#: So many grants are listed, the newest.
_LISTED: Final = 100
_GRANTS: Final = (
    "select g.id, g.role, g.reason, g.by, m.name, m.status = 'active', g.at, g.expires_at, g.revoked_at, r.name"
    " from support_grant g join member m on m.id = g.by left join member r on r.id = g.revoked_by"
)
_OPEN: Final = "g.revoked_at is null and g.expires_at > clock_timestamp() and m.status = 'active'"
_VISITS: Final = (
    "select support_grant, id, name, email, reason, asked_at, entered_at, ended_at from support_visit"
    " where support_grant = any(%s) order by asked_at desc, id desc limit 1000"
)


class NoGrant(NotFound):
    """The workspace has not let support in; only its own members can."""

    code = "support.no_grant"
    title = "Support has not been let in"


@dataclass(frozen=True, slots=True)
class Visit:
    """One way in. ``entered_at`` is None while its link was not used; ``inside``: its session is open now."""

    id: UUID
    name: str
    email: str
    reason: str
    asked_at: datetime
    entered_at: datetime | None
    ended_at: datetime | None
    inside: bool = False

    def public(self) -> dict[str, Any]:
        """The API's form."""
        return {
            "id": str(self.id),
            "name": self.name,
            "email": self.email,
            "reason": self.reason,
            "asked_at": self.asked_at,
            "entered_at": self.entered_at,
            "ended_at": self.ended_at,
            "inside": self.inside,
        }


@dataclass(frozen=True, slots=True)
class Grant:
    """What a member gave support. It is void while that member is not an active one."""

    id: UUID
    role: str
    reason: str
    by: UUID
    by_name: str
    by_active: bool
    at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    revoked_by: str | None
    visits: tuple[Visit, ...] = field(default=())

    @property
    def status(self) -> str:
        """``open``, ``revoked``, ``expired`` or ``void``."""
        if self.revoked_at is not None:
            return "revoked"
        if self.expires_at <= clock.now():
            return "expired"
        return "open" if self.by_active else "void"

    def public(self) -> dict[str, Any]:
        """The API's form."""
        return {
            "id": str(self.id),
            "role": self.role,
            "reason": self.reason,
            "by": {"id": str(self.by), "name": self.by_name},
            "at": self.at,
            "expires_at": self.expires_at,
            "revoked_at": self.revoked_at,
            "revoked_by": self.revoked_by,
            "status": self.status,
            "visits": [visit.public() for visit in self.visits],
        }


@dataclass(frozen=True, slots=True)
class WayIn:
    """A link for one use. The ticket is in it: printed once, kept nowhere."""

    visit: UUID
    grant: Grant
    link: str = field(repr=False)
    expires_at: datetime


def put_grant(scope: TenantScope, role: str, hours: int, reason: str) -> Grant:
    """Let support in for some hours; whether the role may be given is asked above (``app.rights.support``).

    Raises:
        InvalidInput: no reason or a long one, a time of nothing or beyond a week, nobody who answers for it.
    """
    why = _reason(reason)
    if not 1 <= hours <= LONGEST:
        message = f"Support is let in for 1 to {LONGEST} hours."
        raise InvalidInput(message, [FieldError("/hours", "range", message)])
    if scope.member is None:
        raise InvalidInput("A member answers for a grant: sign in, or use a key that a member made.")
    now = clock.now()
    found = Grant(
        ids.uuid7(), role, why, scope.member.id, scope.member.name, by_active=True, at=now,
        expires_at=now + timedelta(hours=hours),
        revoked_at=None, revoked_by=None,
    )  # fmt: skip
    scope.execute(
        "insert into support_grant (id, role, reason, by, at, expires_at) values (%s, %s, %s, %s, %s, %s)",
        (found.id, role, why, found.by, now, found.expires_at),
    )
    told = {
        "role": [None, role],
        "until": [None, found.expires_at.isoformat(timespec="seconds")],
        "reason": [None, why],
    }
    log.note(scope, "support_granted", "support", found.id, told)
    request_job(scope, "support.expire", {"grant": str(found.id)}, run_at=found.expires_at)
    return found


def revoke(scope: TenantScope, grant: UUID) -> None:
    """Take a grant back: who is inside by it is out with their next request. Raises NotFound; twice is fine."""
    now = clock.now()
    row = scope.execute(
        "select revoked_at, expires_at from support_grant where id = %s for update", (grant,)
    ).fetchone()
    if row is None:
        raise NotFound("There is no such grant.")
    if row[0] is not None or row[1] <= now:
        return
    by = scope.member.id if scope.member else None
    scope.execute("update support_grant set revoked_at = %s, revoked_by = %s where id = %s", (now, by, grant))
    _end_visits(scope, grant, now)
    log.note(scope, "support_revoked", "support", grant)


def list_grants(scope: TenantScope) -> list[Grant]:
    """The grants, ended ones too, the newest first, with their visits."""
    return _with_visits(scope, f"{_GRANTS} order by g.at desc, g.id desc limit {_LISTED}")


def open_grants(scope: TenantScope) -> list[Grant]:
    """Those that let somebody in now, the longest first."""
    return _with_visits(scope, f"{_GRANTS} where {_OPEN} order by g.expires_at desc, g.id desc")


def inside(runtime: Runtime, scope: TenantScope) -> frozenset[UUID]:
    """The visits whose sessions are open now. A tenant's role may not read sessions, so the login asks."""
    with runtime.databases.pod(scope.tenant.pod).begin() as connection:
        driver = cast("psycopg.Connection[tuple[Any, ...]]", connection.connection.driver_connection)
        rows = driver.execute("select id from pod.list_support(%s)", (scope.tenant.id,)).fetchall()
    return frozenset(row[0] for row in rows)


def ask(runtime: Runtime, tenant: TenantRow, *, name: str, email: str, reason: str, grant: UUID | None = None) -> WayIn:
    """A link into ``tenant`` for one use by the operator named, by the open ``grant`` or the one that lasts longest.

    Raises:
        InvalidInput: no name, address or reason.
        NoGrant: the workspace has not let support in.
    """
    who, address, why = _name(name), normalise_email(email), _reason(reason)
    ticket, visit = crypto.token(), ids.uuid7()
    with enter_job(runtime.databases, tenant.id, actor=SYSTEM, write=True) as scope:
        found = next((one for one in open_grants(scope) if grant in (None, one.id)), None)
        if found is None:
            place = workspace_address(runtime.config, scope.tenant.host, "/settings/support")
            raise NoGrant(
                f"{scope.tenant.name} has not let support in. There is no other way: ask a member who holds the right"
                f" “Support access” (owners and admins do) to let support in under Settings > Support access, {place}"
            )
        scope.execute(
            "insert into support_visit (id, support_grant, name, email, reason) values (%s, %s, %s, %s, %s)",
            (visit, found.id, who, address, why),
        )
        scope.at_commit(
            "select pod.put_support_ticket(%(tenant)s, %(visit)s, %(grant)s, %(hash)s, %(name)s, %(life)s)",
            {
                "tenant": tenant.id,
                "visit": visit,
                "grant": found.id,
                "hash": crypto.sha256(ticket),
                "name": who,
                "life": TICKET_LIFE,
            },
        )
    link = f"{runtime.config.base_url}/support?workspace={tenant.slug}#{ticket}"
    return WayIn(visit, found, link, clock.now() + TICKET_LIFE)


def redeem(runtime: Runtime, *, pod: int, host: str, ticket: str, visitor: Visitor) -> str:
    """Spend the ticket; the token of the session. The workspace's log has it before anybody gets the token.

    Raises:
        TicketVoid: unknown, spent, too old, of another workspace, or its grant is over.
    """
    token = crypto.token()
    values = (host, crypto.sha256(ticket), crypto.sha256(token), IDLE, visitor.user_agent[:300], visitor.address[:64])
    with runtime.databases.pod(pod).begin() as connection:
        driver = cast("psycopg.Connection[tuple[Any, ...]]", connection.connection.driver_connection)
        made = driver.execute("select pod.redeem_support_ticket(%s, %s, %s, %s, %s, %s)", values).fetchone()
    if made is None or made[0] is None:
        raise TicketVoid("The link works once and for two minutes. Make another with `rapport support enter`.")
    with enter(runtime.databases, pod=pod, host=host, credential=crypto.sha256(token), write=True) as scope:
        _note_entry(scope)
    return token


def leave(scope: TenantScope) -> None:
    """End the session of support that acts."""
    if scope.support is None:
        raise NotFound("This is no session of support.")
    scope.execute("update support_visit set ended_at = %s where id = %s", (clock.now(), scope.credential))
    log.note(scope, "support_left", "support", scope.support.grant)
    scope.at_commit(
        "select pod.drop_credential(%(tenant)s, %(session)s, null)",
        {"tenant": scope.tenant.id, "session": scope.credential},
    )


@register("support.tell_entered", timeout=60)
def tell_entered(runtime: Runtime, tenant: UUID, args: dict[str, Any]) -> None:
    """Job: tell by mail whoever let support in that somebody came."""
    with enter_job(runtime.databases, tenant, actor=SYSTEM, write=False) as scope:
        row = scope.execute(
            "select v.name, v.email, v.reason, v.entered_at, g.expires_at, m.name, m.email, m.preferences"
            " from support_visit v join support_grant g on g.id = v.support_grant join member m on m.id = g.by"
            " where v.id = %s and m.status = 'active'",
            (UUID(str(args["visit"])),),
        ).fetchone()
        workspace = scope.tenant
    if row is None or not row[6]:
        return
    name, email, reason, entered, until, granter, to, preferences = row
    locale = str(preferences.get("locale") or workspace.locale)
    zone = str(preferences.get("timezone") or workspace.timezone)
    moments = [f"{formats.stamp(moment, locale, zone)} ({zone})" for moment in (entered, until)]
    message = Message(
        subject=f"Support has entered {workspace.name}",
        greeting=f"Hello {granter}",
        text=f"{name} ({email}) of support entered {workspace.name} on {moments[0]}, by the access you gave.\n"
        f"Why: {reason}\nIt ends by itself on {moments[1]}.",
        action="See what was done, or take the access back",
        link=workspace_address(runtime.config, workspace.host, "/settings/support"),
        after="Everything support does is in the audit log, marked “Support”.",
    )
    outgoing.send(runtime.mailer, to, message)


@register("support.expire", timeout=60)
def expire(runtime: Runtime, tenant: UUID, args: dict[str, Any]) -> None:
    """Job: note once in the log that a grant's time is over. That it is over needs no job."""
    with enter_job(runtime.databases, tenant, actor=SYSTEM, write=True) as scope:
        row = scope.execute(
            "update support_grant set end_noted_at = %s where id = %s and revoked_at is null and end_noted_at is null"
            " and expires_at <= clock_timestamp() returning id, expires_at",
            (clock.now(), UUID(str(args["grant"]))),
        ).fetchone()
        if row is None:
            return
        _end_visits(scope, row[0], row[1])
        log.note(scope, "support_expired", "support", row[0])


def workspace_address(config: Config, host: str, path: str) -> str:
    """The address of a workspace's page, also where there is no request."""
    port = urlsplit(config.base_url).port
    return f"{config.scheme}://{host}{f':{port}' if port else ''}{path}"


def _note_entry(scope: TenantScope) -> None:
    """Write down that the visit began."""
    row = scope.execute(
        "update support_visit set entered_at = %s where id = %s returning name, email, reason",
        (clock.now(), scope.credential),
    ).fetchone()
    if row is None or scope.support is None:
        raise TicketVoid("This way in is not known to the workspace.")
    told = {
        "operator": [None, f"{row[0]} <{row[1]}>"],
        "reason": [None, row[2]],
        "role": [None, scope.support.role],
    }
    log.note(scope, "support_entered", "support", scope.support.grant, told)
    request_job(scope, "support.tell_entered", {"visit": str(scope.credential)})


def _end_visits(scope: TenantScope, grant: UUID, at: datetime) -> None:
    scope.execute(
        "update support_visit set ended_at = %s where support_grant = %s and entered_at is not null"
        " and ended_at is null",
        (at, grant),
    )


def _with_visits(scope: TenantScope, query: str) -> list[Grant]:
    rows = scope.execute(cast("Any", query)).fetchall()
    visits: dict[UUID, list[Visit]] = {}
    for grant, *values in scope.execute(_VISITS, ([row[0] for row in rows],)).fetchall():
        visits.setdefault(grant, []).append(Visit(*values))
    return [Grant(*row, visits=tuple(visits.get(row[0], ()))) for row in rows]


def _name(name: str) -> str:
    tidy = " ".join(name.split())
    if not tidy or len(tidy) > _LONGEST_NAME:
        message = f"Enter a name of 1 to {_LONGEST_NAME} characters."
        raise InvalidInput(message, [FieldError("/name", "required", message)])
    return tidy


def _reason(reason: str) -> str:
    tidy = " ".join(reason.split())
    if not tidy or len(tidy) > LONGEST_REASON:
        message = f"Say why, in 1 to {LONGEST_REASON} characters."
        raise InvalidInput(message, [FieldError("/reason", "required", message)])
    return tidy
