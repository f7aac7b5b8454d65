"""How far a reader may go with each record of a page: read along with it, as columns, only where that differs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.access import catalogs
from app.access.rights import allows
from app.records.paths import MAY
from app.records.reach import NO_GUARD, guard_of

if TYPE_CHECKING:
    from app.metadata.model import ObjectType
    from app.metadata.reach import Action
    from app.records.pages.values import Record
    from tenants.scope import TenantScope


class Levels:
    """What somebody may do with the records of an object they see.

    ``paths`` are the columns to read along: one for each action that some records one sees are out of reach for.
    """

    def __init__(self, scope: TenantScope, obj: ObjectType, actions: tuple[Action, ...]) -> None:
        """Look at the rights; nothing is asked of the database."""
        catalog = catalogs.for_scope(scope)
        self._held: list[Action] = [action for action in actions if allows(scope, f"record.{action}", obj.name)]
        seen = guard_of(catalog, obj, "g", "read")
        narrower = (action for action in self._held if guard_of(catalog, obj, "g", action) not in (seen, NO_GUARD))
        self.paths = tuple(f"{MAY}{action}" for action in narrower)

    def of(self, record: Record) -> frozenset[str]:
        """The actions that are open with a record read with ``paths``."""
        return frozenset(action for action in self._held if record.get(f"{MAY}{action}", True))
