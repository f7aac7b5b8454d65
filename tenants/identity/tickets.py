"""From the base host into a workspace: a ticket for one use, at most a minute old, bound to browser and host.

1. The workspace's host gives the browser a random cookie and sends it to the base host with the cookie's hash.
2. The base host, which knows the person, puts a ticket bound to that hash and host into the tenant's pod and answers
   with a form that posts the ticket (a body is not logged, and no Referer carries it) to the workspace's host.
3. The workspace's host takes the ticket together with the cookie and starts its own session.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Final, LiteralString, cast

from app.core import clock, crypto
from app.core.errors import Forbidden, NotFound
from tenants import log
from tenants.identity import repository
from tenants.scope import enter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    import psycopg
    import sqlalchemy as sa

    from app.core.ports import Runtime
    from tenants.identity.sessions import Visitor

LIFE: Final = timedelta(seconds=60)
#: A workspace's session ends after this long without a request, and in any case after ABSOLUTE.
IDLE: Final = timedelta(hours=12)
ABSOLUTE: Final = timedelta(days=30)
_BIND: Final = re.compile(r"^[0-9a-f]{64}$")


class TicketVoid(Forbidden):
    """Spent, too old, of another browser or host: the caller is not told which."""

    code = "ticket.void"
    title = "This way in has expired"


def new_binding() -> tuple[str, str]:
    """The cookie's value and its hash for the address of the base host."""
    value = crypto.token()
    return value, crypto.sha256(value).hex()


def is_binding(text: str) -> bool:
    """Whether ``text`` looks like the hash of a binding."""
    return _BIND.match(text) is not None


def mint(
    runtime: Runtime, *, pod: int, tenant: UUID, host: str, person: UUID, binding: str, origin: UUID | None = None
) -> str:
    """A ticket for ``person`` into ``tenant``; raises NotFound when they are no active member there.

    ``origin``: the base host's session it comes from; the workspace's session ends with it.
    """
    ticket = crypto.token()
    with runtime.databases.pod(pod).begin() as connection:
        made = _call(
            connection,
            "select pod.put_credential(%s, 'ticket', %s, null, %s, null, '', %s, %s, %s, null, %s)",
            (tenant, crypto.sha256(ticket), person, clock.now() + LIFE, bytes.fromhex(binding), host, origin),
        )
    if made is None:
        raise NotFound("You are not a member of this workspace.")
    return ticket


def redeem(runtime: Runtime, *, pod: int, host: str, ticket: str, binding: str, visitor: Visitor) -> str:
    """Spend the ticket; the token of the new workspace session. Raises TicketVoid."""
    session = crypto.token()
    with runtime.databases.pod(pod).begin() as connection:
        made = _call(
            connection,
            "select pod.redeem_ticket(%s, %s, %s, %s, %s, %s, %s, %s)",
            (
                host,
                crypto.sha256(ticket),
                crypto.sha256(binding),
                crypto.sha256(session),
                clock.now() + ABSOLUTE,
                IDLE,
                visitor.user_agent[:300],
                visitor.address[:64],
            ),
        )
    if made is None:
        raise TicketVoid("It works once, within a minute and in one browser. Open the workspace again.")
    with enter(runtime.databases, pod=pod, host=host, credential=crypto.sha256(session), write=True) as scope:
        if scope.member is not None:
            log.note(scope, "signed_in", "member", scope.member.id)
    return session


def end_sessions(runtime: Runtime, person: UUID) -> None:
    """End the person's sessions and open tickets in every workspace: after another password nobody stays in."""
    with runtime.databases.control.connect() as connection:
        found = repository.memberships_of(connection, person)
    for pod, tenant, member in found:
        with runtime.databases.pod(pod).begin() as connection:
            _call(connection, "select pod.drop_credential(%s, null, %s)", (tenant, member))


def end_origins(runtime: Runtime, person: UUID, origins: Sequence[UUID], *, but: UUID | None = None) -> None:
    """End what came from these sessions of the person at the base host, in every workspace; ``but`` sees to itself."""
    if not origins:
        return
    with runtime.databases.control.connect() as connection:
        found = repository.memberships_of(connection, person)
    for pod, tenant, _ in found:
        if tenant != but:
            with runtime.databases.pod(pod).begin() as connection:
                _call(connection, "select pod.drop_credential(%s, null, null, %s)", (tenant, list(origins)))


def _call(connection: sa.Connection, query: LiteralString, params: tuple[object, ...]) -> object:
    """One of the pod's definer functions; the login may do nothing else there."""
    driver = connection.connection.driver_connection
    row = cast("psycopg.Connection[tuple[object]]", driver).execute(query, params).fetchone()
    return None if row is None else row[0]
