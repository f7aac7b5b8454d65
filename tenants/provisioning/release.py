"""A version of the program as a pod knows it: its platform layer, its system tables, what fresh schemas come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg

from tenants.provisioning.migrating import newest
from tenants.provisioning.spares import blueprint

if TYPE_CHECKING:
    from app.core.ports import Ports

#: Any: what a column holds.
Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Release:
    """``platform`` is the hash of the layer, ``document`` its JSON, ``system`` the revision of the system tables."""

    blueprint: str
    platform: str
    document: str
    system: str


def of(ports: Ports) -> Release:
    """This program's."""
    hash_, document = ports.platform_layer()
    return Release(blueprint(ports), hash_, document, newest("tenant"))


def put_in_force(connection: Connection, release: Release) -> None:
    """Make it the pod's newest, also when it was that once before (a deployment was taken back); the caller commits."""
    connection.execute(
        "insert into pod.layer (hash, layer, document) values (%s, 'platform', %s) on conflict do nothing",
        (release.platform, release.document),
    )
    connection.execute(
        "insert into pod.release (blueprint, platform, system_version) values (%s, %s, %s)"
        " on conflict (blueprint) do update set at = clock_timestamp()"
        " where exists (select from pod.release r where r.at > release.at)",
        (release.blueprint, release.platform, release.system),
    )


def in_force(connection: Connection) -> str | None:
    """The blueprint of the pod's newest release; None before the first."""
    row = connection.execute("select blueprint from pod.release order by at desc limit 1").fetchone()
    return None if row is None else str(row[0])
