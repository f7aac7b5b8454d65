"""A link and its primary row in a joining object, kept in step.

``contact.company`` is the company of the contact's primary affiliation; ``deal.contact`` the contact of the deal's
primary ``deal_contact``. Writing either side moves the other; at most one row of a record is primary.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from app.core import ids
from app.records.reach import whole
from app.records.rowform import quote, trusted
from app.records.store_many import Change, change_many, insert_many, lock_records

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from app.metadata.model import Catalog, ObjectType
    from tenants.scope import TenantScope


@dataclass(frozen=True, slots=True)
class Primary:
    """``holder.link`` mirrors the ``link`` of the one row of ``join`` whose ``primary`` is set."""

    join: str
    holder: str
    link: str


PRIMARIES: Final = (Primary("affiliation", "contact", "company"), Primary("deal_contact", "deal", "contact"))


def concerns(object_type: ObjectType, names: Iterable[str]) -> bool:
    """Whether writing these fields may move a primary link."""
    written = frozenset(names)
    return any(
        (object_type.name == rule.holder and rule.link in written)
        or (object_type.name == rule.join and not {"primary", rule.holder, rule.link}.isdisjoint(written))
        for rule in PRIMARIES
    )


def keep_in_step(
    scope: TenantScope,
    catalog: Catalog,
    object_type: ObjectType,
    records: Sequence[dict[str, Any]],
    before: Mapping[str, dict[str, Any]],
) -> None:
    """Follow new states of holders or of joining rows."""
    for rule in PRIMARIES:
        if object_type.name == rule.holder:
            wanted = {UUID(record["id"]): _uuid(record[rule.link]) for record in records}
            news = {UUID(record["id"]) for record in records if record["id"] not in before}
            settle = {holder: link for holder, link in wanted.items() if link is not None or holder not in news}
            _settle_joins(scope, catalog, rule, settle, news)
        elif object_type.name == rule.join:
            _follow_joins(scope, catalog, rule, records, before)


def join_new(
    scope: TenantScope, catalog: Catalog, object_type: ObjectType, created: Iterable[tuple[UUID, Mapping[str, Any]]]
) -> None:
    """Create the primary rows of new holders with a link: nothing of theirs can be there yet."""
    for rule in PRIMARIES:
        if object_type.name == rule.holder:
            _insert_joins(scope, catalog, rule, ((holder, values.get(rule.link)) for holder, values in created))


def _insert_joins(
    scope: TenantScope, catalog: Catalog, rule: Primary, links: Iterable[tuple[UUID, UUID | None]]
) -> None:
    rows = [
        (ids.uuid7(), {rule.holder: holder, rule.link: link, "primary": True})
        for holder, link in links
        if link is not None
    ]
    insert_many(scope, catalog.objects[rule.join], rows, scope.member.id if scope.member else None)


def forget(scope: TenantScope, catalog: Catalog, object_type: ObjectType, records: Sequence[dict[str, Any]]) -> None:
    """Empty the holders' link when their primary row went away."""
    for rule in PRIMARIES:
        if object_type.name == rule.join:
            gone = {_uuid(record[rule.holder]): record[rule.link] for record in records if record["primary"]}
            holders = catalog.objects[rule.holder]
            locked = lock_records(scope, holders, [holder for holder in gone if holder])
            changes = [
                Change(holder, {rule.link: None})
                for holder, record in locked.items()
                if record[rule.link] == gone[holder]
            ]
            change_many(scope, holders, changes)


def give_way(scope: TenantScope, catalog: Catalog, object_type: ObjectType, records: Sequence[dict[str, Any]]) -> None:
    """Let restored joining rows be primary only where no other row has become it meanwhile."""
    for rule in PRIMARIES:
        if object_type.name != rule.join:
            continue
        claims = {UUID(record["id"]): record for record in records if record["primary"]}
        holders = {UUID(record[rule.holder]) for record in claims.values()}
        rows = _join_rows(scope, object_type, rule, holders)
        held = {holder for row_id, holder, _, primary in rows if primary and row_id not in claims}
        yielding = [row_id for row_id, record in claims.items() if UUID(record[rule.holder]) in held]
        change_many(scope, catalog.objects[rule.join], [Change(row_id, {"primary": False}) for row_id in yielding])
        for row_id in yielding:
            claims[row_id]["primary"] = False


def _settle_joins(
    scope: TenantScope, catalog: Catalog, rule: Primary, wanted: Mapping[UUID, UUID | None], news: set[UUID]
) -> None:
    """Make the joining row of each holder's wanted link primary, creating it where there is none."""
    if not wanted:
        return
    join = catalog.objects[rule.join]
    rows = [] if news.issuperset(wanted) else _join_rows(scope, join, rule, wanted)
    changes: list[Change] = []
    settled: set[UUID] = set()
    for row_id, holder, link, primary in rows:
        match = link == wanted[holder] and holder not in settled
        if match:
            settled.add(holder)
        if bool(primary) != match:
            changes.append(Change(row_id, {"primary": match}))
    change_many(scope, join, changes)
    _insert_joins(
        scope, catalog, rule, ((holder, wanted[holder]) for holder in sorted(wanted) if holder not in settled)
    )


def _join_rows(scope: TenantScope, join: ObjectType, rule: Primary, holders: Iterable[UUID]) -> list[tuple[Any, ...]]:
    text = (
        f'SELECT id, {quote(rule.holder)}, {quote(rule.link)}, "primary" FROM {whole(join)}'
        f" WHERE {quote(rule.holder)} = ANY(%s::uuid[]) AND deleted_at IS NULL ORDER BY id FOR NO KEY UPDATE"
    )
    return scope.execute(trusted(text), (sorted(holders),)).fetchall()


def _follow_joins(
    scope: TenantScope,
    catalog: Catalog,
    rule: Primary,
    records: Sequence[dict[str, Any]],
    before: Mapping[str, dict[str, Any]],
) -> None:
    """Joining rows changed: the last one made primary wins; a holder whose primary row is gone loses its link."""
    holders = {UUID(record[rule.holder]) for record in records}
    holders |= {UUID(record[rule.holder]) for record in before.values()}
    holder_type, join = catalog.objects[rule.holder], catalog.objects[rule.join]
    locked = lock_records(scope, holder_type, holders)
    winners = {UUID(record[rule.holder]): UUID(record["id"]) for record in records if record["primary"]}
    links: dict[UUID, UUID | None] = dict.fromkeys(locked)
    changes: list[Change] = []
    for row_id, holder, link, primary in _join_rows(scope, join, rule, locked):
        wins = row_id == winners[holder] if holder in winners else bool(primary)
        if wins:
            links[holder] = link
        if bool(primary) != wins:
            changes.append(Change(row_id, {"primary": wins}))
    change_many(scope, join, changes)
    touched = set(winners) | {UUID(row[rule.holder]) for row in before.values() if row["primary"]}
    moved = [Change(holder, {rule.link: link}) for holder, link in links.items() if holder in touched]
    change_many(scope, holder_type, moved)


def _uuid(value: object) -> UUID | None:
    return UUID(str(value)) if value else None
