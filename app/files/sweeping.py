"""Files nothing points to any more go after a day: never attached, taken out of a field, or of destroyed records."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from app.access import catalogs
from app.core.ids import made_at
from app.files import repository
from app.files.service import folder_of
from app.records.parts import batched
from tenants.scope import SYSTEM, enter_job

if TYPE_CHECKING:
    from datetime import datetime

    from app.core.ports import Runtime
    from app.metadata.model import Catalog
    from tenants.scope import TenantScope

#: So long a file stays that nothing points to: who took it out of a field may put it back.
KEPT: Final = timedelta(days=1)
#: Each is one call of the storage, within a transaction that should be short.
_AT_ONCE: Final = 20


def sweep_files(runtime: Runtime, tenant: UUID, now: datetime) -> int:
    """Throw away what nothing has pointed to since a day before ``now``; how many files."""
    with enter_job(runtime.databases, tenant, actor=SYSTEM, write=True) as scope:
        if not repository.any_files(scope):
            return 0
        repository.note_use(scope, _complete(scope), now)
    swept = 0
    while True:
        with enter_job(runtime.databases, tenant, actor=SYSTEM, write=True) as scope:
            taken, gone = _sweep_some(runtime, scope, now - KEPT)
        swept += gone
        if taken < _AT_ONCE:
            return swept


def _sweep_some(runtime: Runtime, scope: TenantScope, before: datetime) -> tuple[int, int]:
    """How many files were looked at, and how many went.

    Their rows are locked before it is asked once more what points to them, so that nothing can meanwhile. A file goes
    before its row: killed in between, the row is swept again.
    """
    found = dict(repository.unused(scope, before, _AT_ONCE))
    if not found:
        return 0, 0
    used = repository.used_among(scope, _complete(scope), list(found))
    repository.keep_using(scope, sorted(used))
    gone = [one for one in found if one not in used]
    for one in gone:
        runtime.storage.delete(found[one])
    repository.delete_files(scope, gone)
    return len(found), len(gone)


def sweep_strays(runtime: Runtime, tenant: UUID, now: datetime) -> int:
    """Throw away what lies in storage since a day before ``now`` and is no file: its upload was cut off; how many."""
    folder = folder_of(tenant)
    swept = 0
    for keys in batched(runtime.storage.keys(folder)):
        old = {UUID(key.removeprefix(f"{folder}/")): key for key in keys}
        old = {one: key for one, key in old.items() if made_at(one) < now - KEPT}
        with enter_job(runtime.databases, tenant, actor=SYSTEM, write=False) as scope:
            strays = old.keys() - repository.known_among(scope, list(old))
        for one in strays:
            runtime.storage.delete(old[one])
        swept += len(strays)
    return swept


def _complete(scope: TenantScope) -> Catalog:
    catalog = catalogs.for_scope(scope)
    return catalog.whole or catalog
