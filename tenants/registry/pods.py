"""The pods of an installation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from app.core import crypto
from app.core.db import PodAddress
from tenants.registry.tables import pod

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.core.db import Databases


def pod_numbers(databases: Databases) -> list[int]:
    """All pods, in order."""
    with databases.control.connect() as connection:
        return list(connection.scalars(sa.select(pod.c.number).order_by(pod.c.number)))


def open_pods(databases: Databases) -> list[int]:
    """Pods that take new tenants."""
    with databases.control.connect() as connection:
        return list(connection.scalars(sa.select(pod.c.number).where(pod.c.state == "open").order_by(pod.c.number)))


def pod_loader(databases: Databases, secret_key: str) -> Callable[[int], PodAddress | None]:
    """What ``Databases`` asks for the address of a pod it does not know yet."""

    def load(number: int) -> PodAddress | None:
        with databases.control.connect() as connection:
            row = connection.execute(sa.select(pod.c.app_url, pod.c.owner_url).where(pod.c.number == number)).first()
        if row is None:
            return None
        return PodAddress(crypto.decrypt(secret_key, row[0]), crypto.decrypt(secret_key, row[1]))

    return load


@dataclass(frozen=True, slots=True)
class PodRow:
    """A pod and how full it is."""

    number: int
    state: str
    hardening: str
    tenants: int
    spares: int


def list_pods(databases: Databases) -> list[PodRow]:
    """All pods with the workspaces and spares they hold; asks each one."""
    with databases.control.connect() as connection:
        rows = connection.execute(sa.select(pod.c.number, pod.c.state, pod.c.hardening).order_by(pod.c.number)).all()
    return [PodRow(number, state, hardening, *_count(databases, number)) for number, state, hardening in rows]


def _count(databases: Databases, number: int) -> tuple[int, int]:
    question = sa.text(
        "select count(*) filter (where state <> 'spare'), count(*) filter (where state = 'spare') from pod.tenant"
    )
    with databases.pod_owner(number).connect() as connection:
        tenants, spares = connection.execute(question).one()
    return int(tenants), int(spares)
