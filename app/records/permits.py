"""What a write needs leave for: the right, the records as they are, the records as they become, fields, links.

``leave_for`` is taken once at the beginning of a verb. For whoever reaches every record and field of an object it asks
nothing of the database. Reading is narrowed by statements (``reach``); a write also tells apart what is not there for
somebody (404) from what they may see but not change (403), and asks before a record leaves their reach (409).
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from app.access import catalogs
from app.access.rights import for_scope, require
from app.core.errors import FieldError, Forbidden, InvalidInput
from app.records.drafts import missing, object_of
from app.records.errors import InvalidRecord, LeavesReach, UniqueTaken
from app.records.links import Target, targets_of, unseen
from app.records.reach import guard_of, permitted, whole
from app.records.read import filled
from app.records.rowform import trusted

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterable, Mapping
    from uuid import UUID

    from app.metadata.model import Catalog, Field, ObjectType
    from app.metadata.reach import Action
    from tenants.scope import TenantScope

#: What the caller confirms when a record may leave their reach.
LEAVES_REACH = "leaves_reach"


@dataclass(frozen=True, slots=True)
class Leave:
    """An object as whoever writes may see it (``shown``, of ``catalog``) and as it is (``object``, of ``complete``)."""

    scope: TenantScope
    catalog: Catalog
    shown: ObjectType
    complete: Catalog
    object: ObjectType

    @property
    def narrowed(self) -> bool:
        """Whether some records are out of reach."""
        return bool(self.shown.reach)

    def check(self, record_ids: Iterable[UUID], action: Action) -> None:
        """Raise RecordNotFound for a record out of sight, Forbidden for one that may be seen but not this.

        An id of nothing ends here as well: what comes after would take longer and so tell the two apart.
        """
        if not self.narrowed:
            return
        wanted = sorted(set(record_ids))
        verdicts = self.judge(wanted, action)
        for record_id in wanted:
            seen, allowed = verdicts.get(record_id, (False, False))
            if not seen:
                raise missing(self.object)
            if not allowed:
                raise refused(self.object, action, record_id)

    def judge(self, record_ids: Iterable[UUID], action: Action) -> dict[UUID, tuple[bool, bool]]:
        """Of the records there are, live or in the trash: may it be seen, and may this be done with it.

        They are locked, so that nobody moves them out of reach before they are written. Empty when nothing is narrowed.
        """
        wanted = sorted(set(record_ids))
        if not self.narrowed or not wanted:
            return {}
        read = guard_of(self.catalog, self.shown, "g", "read")
        mine = guard_of(self.catalog, self.shown, "g", action)
        text = (
            f"SELECT g.id, coalesce({read.text or 'true'}, false), coalesce({mine.text or 'true'}, false)"
            f" FROM {whole(self.object)} g WHERE g.id = ANY(%(ids)s::uuid[]) ORDER BY g.id FOR NO KEY UPDATE OF g"
        )
        params = {**read.binds(self.scope), **mine.binds(self.scope), "ids": wanted}
        rows = self.scope.execute(trusted(text), params).fetchall()
        return {row[0]: (row[1], row[1] and row[2]) for row in rows}

    def leaving(self, record_ids: Collection[UUID]) -> set[UUID]:
        """Which of the records just written are no longer in reach for editing, unless that was confirmed."""
        if not self.narrowed or LEAVES_REACH in self.scope.confirmed:
            return set()
        action: Action = "edit" if for_scope(self.scope).grant(self.object.name).level("edit") != "none" else "read"
        kept = permitted(self.scope, self.catalog, self.shown, record_ids, action)
        return set(record_ids) - kept

    def out_of_sight(self, record_ids: Collection[UUID]) -> set[UUID]:
        """Which of the records that leave one's reach could not even be seen any more."""
        return set(record_ids) - permitted(self.scope, self.catalog, self.shown, record_ids, "read")

    def check_kept(self, record_id: UUID) -> None:
        """Raise LeavesReach when the record just written is out of one's own reach."""
        leaving = self.leaving({record_id})
        if leaving:
            message = leaves_message(self.object, seen=not self.out_of_sight(leaving))
            raise LeavesReach(message, extra={"confirm": LEAVES_REACH})

    def unseen_links(self, values: Mapping[str, Any], current: Mapping[str, Any] | None = None) -> list[FieldError]:
        """A problem for each link among ``values`` to a record out of sight; what it was before may stay."""
        return unseen(self.scope, self.catalog, self.object, self.new_links(values, current))

    def new_links(self, values: Mapping[str, Any], current: Mapping[str, Any] | None = None) -> list[Target]:
        """The links among ``values`` that may lead out of sight, those that stay as they are apart."""
        if self.complete is self.catalog:
            return []
        targets = targets_of(self.complete, self.object, values)
        if current is None:
            return targets
        fields = self.object.fields
        return [t for t in targets if fields[t.field].type.to_json(values[t.field]) != current[t.field]]

    def form(self, record: dict[str, Any], *, fresh: bool = False) -> dict[str, Any]:
        """The record without the fields they may not read, and with those that are calculated by asking."""
        if self.shown is not self.object:
            record = {name: _leading(field, record[name]) for name, field in self.shown.fields.items()}
        return filled(self.scope, self.catalog, self.shown, record, fresh=fresh)

    @contextmanager
    def told(self) -> Generator[None]:
        """Problems with fields they may not read are told without naming them."""
        try:
            yield
        except (InvalidRecord, UniqueTaken) as error:
            errors = self.tell(error.errors)
            if errors is error.errors:
                raise
            raise type(error)(errors[0].message, errors) from None

    def tell(self, errors: list[FieldError]) -> list[FieldError]:
        """The problems, those with hidden fields in one that names none."""
        if self.shown is self.object:
            return errors
        open_ = [error for error in errors if not self._hides(error.pointer)]
        if len(open_) == len(errors):
            return errors
        message = f"{self.object.label}: a value your role can't see is missing or not acceptable."
        return [*open_, FieldError("", "record.hidden", message)]

    def _hides(self, pointer: str) -> bool:
        name = pointer.strip("/").partition("/")[0]
        return name in self.object.fields and name not in self.shown.fields


def _leading(field: Field, value: Any) -> Any:
    """A value, empty where it points to an object that may not be read."""
    if field.type.name != "reference" or value is None:
        return value
    return value if cast("dict[str, object]", value)["object"] in field.to else None


def leave_for(scope: TenantScope, object_name: str, *rights: str) -> Leave:
    """Leave to act on an object. Raises UnknownObject, Forbidden when one of the rights is not held."""
    for right in rights:
        require(scope, right, object_name)
    catalog = catalogs.for_scope(scope)
    shown = object_of(catalog, object_name)
    complete = catalog.whole or catalog
    return Leave(scope, catalog, shown, complete, complete.objects[object_name])


def refused(object_type: ObjectType, action: Action, record_id: UUID | None = None) -> Forbidden:
    """The 403 of a record one may see, but not do this with."""
    words = {"edit": "change", "delete": "delete", "destroy": "delete for good"}
    message = f"You may see this {object_type.label.lower()}, but not {words.get(action, action)} it."
    extra: dict[str, object] = {"record": str(record_id)} if record_id else {}
    return Forbidden(message, extra=extra)


def leaves_message(object_type: ObjectType, *, seen: bool) -> str:
    """What is asked before a record leaves one's reach; ``seen`` when only changing it is over."""
    what = f"this {object_type.label.lower()}"
    if seen:
        return f"After this you will still see {what}, but no longer be able to change it."
    return f"After this you will no longer see {what}."


def confirmed(given: str) -> frozenset[str]:
    """What the parameter ``confirm`` agrees to. Raises InvalidInput."""
    names = frozenset(name for name in given.split(",") if name)
    if not names <= {LEAVES_REACH}:
        message = f"Only {LEAVES_REACH} can be confirmed."
        raise InvalidInput(message, [FieldError("?confirm", "confirm.unknown", message)])
    return names
