"""What the lower packages need from the higher ones, as protocols; ``app.factory`` binds them once at start."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, LiteralString, NoReturn, Protocol

if TYPE_CHECKING:
    from uuid import UUID

    import psycopg
    import redis
    from psycopg.sql import Composable

    from app.core.config import Config
    from app.core.db import Databases
    from app.core.mail import Mailer
    from app.core.storage import Storage

#: Any: what a column holds; the caller knows.
Params = Sequence[Any] | Mapping[str, Any]


class SqlScope(Protocol):
    """As much of a tenant scope as the kernel uses: a connection inside one tenant's transaction."""

    def execute(self, query: LiteralString | Composable, params: Params = ()) -> psycopg.Cursor[tuple[Any, ...]]:
        """Run one statement with bound parameters."""
        ...


class Laying(Protocol):
    """What a release changes in one tenant's layers."""

    @property
    def conflicts(self) -> Sequence[Mapping[str, object]]:
        """Leaves both sides changed; the tenant's stays in force."""
        ...

    @property
    def notices(self) -> Sequence[str]:
        """What its admin should know."""
        ...

    @property
    def steps(self) -> Sequence[str]:
        """What is done, in short."""
        ...

    @property
    def plain(self) -> bool:
        """Whether the tenant is then like one made anew."""
        ...

    def write(self, connection: Any, version: int, *, told: bool) -> None:
        """Do it in the transaction of ``connection``."""
        ...


class Layers(Protocol):
    """Brings tenants to one platform layer. ``connection`` is an owner's with the tenant's search_path."""

    @property
    def count(self) -> int:
        """How many distinct plans were made."""
        ...

    def find(self, connection: Any, tenant: Any, version: int) -> Laying | None:
        """What was planned for tenants like this one."""
        ...

    def plan(self, connection: Any, tenant: Any, version: int) -> Laying:
        """Plan it, which takes its time."""
        ...


class UnboundPortError(RuntimeError):
    """A port was used before the factory bound it."""


def _unbound(name: str) -> Callable[..., NoReturn]:
    def fail(*_args: object, **_kwargs: object) -> NoReturn:
        raise UnboundPortError(f"the port {name} is not bound; app.factory does that")

    return fail


@dataclass(slots=True)
class Ports:
    """Each port is a plain callable; unbound ones fail loudly. Add a field here, bind it in ``app.factory``."""

    #: authorise(scope, right, object): raises Forbidden when the scope lacks the right, with that object ("" is any)
    authorise: Callable[[SqlScope, str, str], None] = field(default_factory=lambda: _unbound("authorise"))
    #: tenant_tables(): a fresh tenant's object tables and pin, run with search_path = its schema (app.metadata.fresh)
    tenant_tables: Callable[[], Sequence[str]] = field(default_factory=lambda: _unbound("tenant_tables"))
    #: platform_layer(): hash and JSON document of this program's platform layer (app.metadata.layered)
    platform_layer: Callable[[], tuple[str, str]] = field(default_factory=lambda: _unbound("platform_layer"))
    #: layers(hash): plans and lays that platform layer under tenants (app.metadata.upgrading)
    layers: Callable[[str], Layers] = field(default_factory=lambda: _unbound("layers"))
    #: seal(runtime, tenant_id): give the tenant's new events their sequence; how many (app.events)
    seal: Callable[[Runtime, UUID], int] = field(default_factory=lambda: _unbound("seal"))
    #: pending(runtime): tenants whose events wait for sealing (tenants.scope over pod.pending)
    pending: Callable[[Runtime], Sequence[UUID]] = field(default_factory=lambda: _unbound("pending"))
    #: pods(runtime): numbers of all pods (tenants.registry)
    pods: Callable[[Runtime], Sequence[int]] = field(default_factory=lambda: _unbound("pods"))
    #: locate_tenant(runtime, tenant_id): the pod it lives in, None when unknown (tenants.registry)
    locate_tenant: Callable[[Runtime, UUID], int | None] = field(default_factory=lambda: _unbound("locate_tenant"))
    #: gate: finds tenants, credentials and people for a request (tenants.identity.gate; protocol app.http.gate.Gate)
    gate: object | None = None
    #: hand_over(scope, member, "member"|"team", heir): ask for the job that gives a member's records away (app.records)
    hand_over: Callable[[SqlScope, UUID, str, UUID], UUID] = field(default_factory=lambda: _unbound("hand_over"))
    #: prepare(runtime, superuser_url): roles, databases and migrations of an embedded cluster (tenants.provisioning)
    prepare: Callable[[Runtime, str | None], None] = field(default_factory=lambda: _unbound("prepare"))
    #: keep_spares(runtime, n): make spare tenants until there are n (tenants.provisioning)
    keep_spares: Callable[[Runtime, int], int] = field(default_factory=lambda: _unbound("keep_spares"))


@dataclass(slots=True)
class Runtime:
    """Everything a request, a job or a command needs from outside; built by ``app.factory``, never global."""

    config: Config
    databases: Databases
    storage: Storage
    mailer: Mailer
    redis: redis.Redis
    ports: Ports = field(default_factory=Ports)
