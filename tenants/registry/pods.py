"""The pods of an installation."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import sqlalchemy as sa

from app.core import crypto
from app.core.db import PodAddress
from tenants.registry.tables import pod

if TYPE_CHECKING:
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
