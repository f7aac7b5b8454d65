"""The one engine factory and the lazily built engines of a process."""

from __future__ import annotations

import select
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa
from psycopg.pq import TransactionStatus
from sqlalchemy import event, exc

from app.core.errors import Unavailable

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.rows import TupleRow
    from sqlalchemy.pool import PoolResetState

    from app.core.config import Config

#: Backends keep the relation cache of every tenant they touched; a connection that ends gives it back.
_RECYCLE_SECONDS = 300


@dataclass(frozen=True, slots=True)
class PodAddress:
    """How to reach one pod: as the application's login and as the owner of schemas and tables."""

    app_url: str
    owner_url: str


PodLoader = Callable[[int], PodAddress | None]


def make_engine(url: str, *, pool_size: int = 5, max_overflow: int = 5, application_name: str = "rapport") -> sa.Engine:
    """An engine on ``url`` (``postgresql://…``) by psycopg 3.

    ``prepare_threshold=0`` makes psycopg use the extended protocol even for statements without parameters: there a
    second, stacked statement is refused by the server. It is a wall against injection, not an optimisation.
    """
    parsed = sa.make_url(url).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(
        parsed,
        pool_size=pool_size,
        max_overflow=max_overflow,
        pool_recycle=_RECYCLE_SECONDS,
        pool_timeout=10,
        pool_reset_on_return=None,
        # The connection used last has plans and caches warm, and the others end when they are not needed.
        pool_use_lifo=True,
        connect_args={"prepare_threshold": 0, "application_name": application_name, "connect_timeout": 10},
    )
    event.listen(engine, "checkout", _refuse_dead_connection)
    event.listen(engine, "reset", _roll_back)
    return engine


def _roll_back(connection: Connection[TupleRow], _record: object, state: PoolResetState) -> None:
    """End what a returned connection may have left open; the driver's rollback of nothing costs ten times the look."""
    if not state.terminate_only and connection.pgconn.transaction_status != TransactionStatus.IDLE:
        connection.rollback()


def _refuse_dead_connection(connection: Connection[TupleRow], _record: object, _proxy: object) -> None:
    """Replace a pooled connection whose server went away; an idle one has nothing to read but its end.

    Costs a poll of the socket (microseconds) instead of the round trip of a pre-ping.
    """
    if connection.closed:
        raise exc.DisconnectionError("the connection is closed")
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    if poll.poll(0):
        raise exc.DisconnectionError("the server ended the connection")


class Databases:
    """Engines of the control database and of the pods, built on first use and shared by the threads of a process."""

    def __init__(self, control_url: str, control_owner_url: str, *, pool_size: int = 5, max_overflow: int = 5) -> None:
        """Nothing connects yet. ``pool_size`` is that of the application login's pools."""
        self._urls = PodAddress(control_url, control_owner_url)
        self._pool = (pool_size, max_overflow)
        self._addresses: dict[int, PodAddress] = {}
        self._engines: dict[tuple[int | None, bool], sa.Engine] = {}
        self._lock = threading.RLock()
        self._loader: PodLoader | None = None

    @classmethod
    def from_config(cls, config: Config, *, pool_size: int = 5, max_overflow: int = 5) -> Databases:
        """The databases of the installation ``config`` describes."""
        return cls(config.database_url, config.owner_url, pool_size=pool_size, max_overflow=max_overflow)

    @property
    def control(self) -> sa.Engine:
        """The control database as ``rapport_app``."""
        return self._engine(None, owner=False)

    def control_owner(self) -> sa.Engine:
        """The control database as ``rapport_owner``."""
        return self._engine(None, owner=True)

    def pod(self, pod: int) -> sa.Engine:
        """The pod's database as ``rapport_app``: without a scope it may read nothing."""
        return self._engine(pod, owner=False)

    def pod_owner(self, pod: int) -> sa.Engine:
        """The pod's database as ``rapport_owner``; for DDL, provisioning, upgrades and erasure only."""
        return self._engine(pod, owner=True)

    def use_loader(self, loader: PodLoader) -> None:
        """Ask ``loader`` for the address of a pod that nobody added (it reads the registry)."""
        self._loader = loader

    def add_pod(self, pod: int, app_url: str, owner_url: str) -> None:
        """State the address of a pod."""
        with self._lock:
            self._addresses[pod] = PodAddress(app_url, owner_url)

    def dispose(self) -> None:
        """Close every pooled connection (before a fork, at the end)."""
        with self._lock:
            engines, self._engines = self._engines, {}
        for engine in engines.values():
            engine.dispose()

    def forget(self) -> None:
        """After a fork, in the child: drop the parent's connections without closing them under its feet."""
        with self._lock:
            engines, self._engines = self._engines, {}
        for engine in engines.values():
            engine.dispose(close=False)

    def _engine(self, pod: int | None, *, owner: bool) -> sa.Engine:
        engine = self._engines.get((pod, owner))
        if engine is not None:
            return engine
        address = self._urls if pod is None else self._address(pod)
        with self._lock:
            if (pod, owner) not in self._engines:
                self._engines[pod, owner] = self._build(address, owner=owner)
            return self._engines[pod, owner]

    def _build(self, address: PodAddress, *, owner: bool) -> sa.Engine:
        if owner:
            return make_engine(address.owner_url, pool_size=1, max_overflow=4, application_name="rapport-owner")
        pool_size, max_overflow = self._pool
        return make_engine(address.app_url, pool_size=pool_size, max_overflow=max_overflow)

    def _address(self, pod: int) -> PodAddress:
        known = self._addresses.get(pod)
        if known is not None:
            return known
        # Outside the lock: the loader itself asks for the control engine.
        loaded = self._loader(pod) if self._loader else None
        if loaded is None:
            raise Unavailable(f"Pod {pod} is not known here")
        with self._lock:
            return self._addresses.setdefault(pod, loaded)
