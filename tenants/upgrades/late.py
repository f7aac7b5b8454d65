"""Workspaces that a program of the version before made after the release was put in force.

While both versions run, a web process of the older one makes workspaces of its own version. The run of
`rapport upgrade` may be over by then; the background process of the newer version brings them along.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import psycopg

from app.core.errors import RapportError
from tenants.provisioning import release as releases
from tenants.provisioning.spares import owner_transaction
from tenants.provisioning.tending import tend as tend_places
from tenants.registry.pods import open_pods
from tenants.upgrades.one import NotNowError, Place, upgrade_one
from tenants.upgrades.run import place_of

if TYPE_CHECKING:
    from app.core.ports import Runtime
    from tenants.provisioning.release import Release

_LOG: Final = logging.getLogger("rapport.upgrade")
#: So many at a time; the next round goes on.
_MOST: Final = 20
#: Those that were there before are for `rapport upgrade`, with its first few and its budget.
_LATE: Final = """
select t.id, t.schema, t.role, t.lock, false, true, t.slug, t.name, t.currency, t.timezone, t.locale
  from pod.tenant t, pod.release r
 where r.blueprint = %s and t.state = 'active' and t.state_at > r.at
   and (t.system_version <> %s or t.platform is distinct from %s)
 order by t.state_at limit %s
"""


def tend(runtime: Runtime, spares: int) -> int:
    """What the background process does for tenants as a whole; returns how many spares were made."""
    made = tend_places(runtime, spares)
    catch_up(runtime)
    return made


def catch_up(runtime: Runtime) -> int:
    """Upgrade workspaces that came late; how many. One that is busy, or can't be, is tried again in the next round."""
    release = releases.of(runtime.ports)
    late = [place for pod in open_pods(runtime.databases) for place in _late(runtime, pod, release)]
    return sum(_catch_up(runtime, place, release) for place in late)


def _late(runtime: Runtime, pod: int, release: Release) -> list[Place]:
    with owner_transaction(runtime.databases, pod) as connection:
        if releases.in_force(connection) != release.blueprint:
            return []
        rows = connection.execute(_LATE, (release.blueprint, release.system, release.platform, _MOST)).fetchall()
    return [place_of(pod, row) for row in rows]


def _catch_up(runtime: Runtime, place: Place, release: Release) -> bool:
    try:
        upgrade_one(runtime.databases, place, release, runtime.ports.layers(release.platform))
    except NotNowError:
        return False
    except (RapportError, psycopg.Error) as error:
        _LOG.warning("workspace %s, made by the version before, could not be upgraded: %s", place.tenant.id, error)
        return False
    return True
