"""What links to a record, and what becomes of it when the record goes (``on_delete``)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from psycopg.types.json import Jsonb

from app.records.links import SYSTEM_TARGETS
from app.records.reach import permitted, whole
from app.records.rowform import quote, trusted
from app.records.store_many import Change, change_many, lock_records

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from app.metadata.model import Catalog, ObjectType
    from tenants.scope import TenantScope


@dataclass(frozen=True, slots=True)
class IncomingLink:
    """The column of ``object.field`` that points at ``target``; ``composite`` when the field has one a target."""

    object: str
    field: str
    column: str
    target: str
    on_delete: str
    composite: bool


@dataclass(frozen=True, slots=True)
class Blocking:
    """Records that keep another from going: ``count`` of them whoever asks may see, ``hidden`` more they may not."""

    object: str
    field: str
    count: int
    hidden: int = 0


@dataclass(slots=True)
class Closure:
    """What goes along with the roots. ``rows``: object → row → the root it goes with."""

    rows: dict[str, dict[UUID, UUID]] = field(default_factory=dict[str, dict[UUID, UUID]])
    blocked: dict[UUID, list[Blocking]] = field(default_factory=dict[UUID, list[Blocking]])
    clears: list[tuple[IncomingLink, UUID, UUID]] = field(default_factory=list[tuple[IncomingLink, UUID, UUID]])
    restricts: list[tuple[IncomingLink, UUID, UUID]] = field(default_factory=list[tuple[IncomingLink, UUID, UUID]])

    def to_clear(self, roots: Collection[UUID]) -> list[tuple[IncomingLink, list[UUID]]]:
        """Rows whose link is emptied, by link; rows that go themselves are left as they are."""
        found: defaultdict[IncomingLink, set[UUID]] = defaultdict(set)
        for link, row, root in self.clears:
            if root in roots and self.rows.get(link.object, {}).get(row) not in roots:
                found[link].add(row)
        return [
            (link, sorted(rows))
            for link, rows in sorted(found.items(), key=lambda item: (item[0].object, item[0].field))
        ]

    def cleared_by(self, roots: Collection[UUID]) -> dict[UUID, dict[str, list[str]]]:
        """What each root's going empties on links to the root itself: ``{"contact.company": [ids]}``."""
        found: defaultdict[UUID, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for link, row, root in self.clears:
            direct = root in self.rows.get(link.target, {}) and self.rows[link.target][root] == root
            if root in roots and direct:
                found[root][f"{link.object}.{link.field}"].append(str(row))
        return {root: dict(fields) for root, fields in found.items()}


def incoming(catalog: Catalog, target: str) -> list[IncomingLink]:
    """Every link of the workspace that can point at ``target``, in a steady order."""
    found: list[IncomingLink] = []
    for name in sorted(catalog.objects):
        for item in catalog.objects[name].fields.values():
            if target not in item.to or not item.stored:
                continue
            column = next((c.name for c in item.columns if c.part == target), item.columns[0].name)
            found.append(IncomingLink(name, item.name, column, target, item.on_delete, len(item.columns) > 1))
    return found


def close_over(
    scope: TenantScope,
    catalog: Catalog,
    object_type: ObjectType,
    roots: Sequence[UUID],
    *,
    seen_in: Catalog,
    trashed: bool = False,
) -> Closure:
    """Follow the links to ``roots`` as far as they cascade, locking what is found; live only unless ``trashed``.

    Links are followed in the whole ``catalog``; of what blocks, only records in reach in ``seen_in`` are told.
    """
    closure = Closure({object_type.name: {root: root for root in roots}})
    front = [(object_type.name, dict(closure.rows[object_type.name]))]
    while front:
        name, parents = front.pop()
        for link in incoming(catalog, name):
            children = _children(scope, catalog, link, parents, trashed=trashed)
            if link.on_delete == "cascade" or (link.composite and link.on_delete != "restrict"):
                known = closure.rows.setdefault(link.object, {})
                new = {row: root for row, root in children if row not in known}
                known.update(new)
                if new:
                    front.append((link.object, new))
            else:
                kept = closure.restricts if link.on_delete == "restrict" else closure.clears
                kept += [(link, row, root) for row, root in children]
    _find_blocked(closure, _seen(scope, seen_in, closure))
    return closure


def _seen(scope: TenantScope, seen_in: Catalog, closure: Closure) -> dict[str, set[UUID]]:
    """Which restricting records may be told of, by object."""
    rows: defaultdict[str, set[UUID]] = defaultdict(set)
    for link, row, _ in closure.restricts:
        rows[link.object].add(row)
    return {
        name: permitted(scope, seen_in, seen_in.objects[name], found, "read") if name in seen_in.objects else set()
        for name, found in sorted(rows.items())
    }


def _children(
    scope: TenantScope, catalog: Catalog, link: IncomingLink, parents: Mapping[UUID, UUID], *, trashed: bool
) -> list[tuple[UUID, UUID]]:
    text = (
        f"SELECT id, {quote(link.column)} FROM {whole(catalog.objects[link.object])}"
        f" WHERE {quote(link.column)} = ANY(%s::uuid[]){'' if trashed else ' AND deleted_at IS NULL'}"
        " ORDER BY id FOR UPDATE"
    )
    return [(row[0], parents[row[1]]) for row in scope.execute(trusted(text), (sorted(parents),)).fetchall()]


def _find_blocked(closure: Closure, seen: Mapping[str, set[UUID]]) -> None:
    counts: defaultdict[UUID, defaultdict[tuple[str, str], list[bool]]] = defaultdict(lambda: defaultdict(list))
    for link, row, root in closure.restricts:
        if row not in closure.rows.get(link.object, {}):
            counts[root][link.object, link.field].append(row in seen[link.object])
    for root, blocks in counts.items():
        closure.blocked[root] = [
            Blocking(name, item, sum(told), len(told) - sum(told)) for (name, item), told in sorted(blocks.items())
        ]


def as_causes(cleared: Mapping[UUID, Any]) -> Jsonb:
    """Per record what its event's cause says besides, for a restore to read."""
    return Jsonb({str(root): {"cleared": fields} for root, fields in cleared.items()})


def set_again(scope: TenantScope, catalog: Catalog, record_ids: Sequence[UUID]) -> None:
    """Set links that the trash emptied, where the linking record is live and the link still empty."""
    rows: list[tuple[UUID, dict[str, list[str]] | None]] = scope.execute(
        "SELECT DISTINCT ON (record_id) record_id, cause -> 'cleared' FROM event"
        " WHERE record_id = ANY(%s::uuid[]) AND kind = 'trashed' ORDER BY record_id, id DESC",
        (list(record_ids),),
    ).fetchall()
    targets: defaultdict[str, dict[UUID, UUID]] = defaultdict(dict)
    for record_id, cleared in rows:
        for path, linking in (cleared or {}).items():
            for one in linking:
                targets[path].setdefault(UUID(one), record_id)
    for path, linking in sorted(targets.items()):
        name, _, item = path.partition(".")
        linking_type = catalog.objects.get(name)
        if linking_type is None or item not in linking_type.fields:
            continue
        found = lock_records(scope, linking_type, sorted(linking))
        empty = [one for one, record in found.items() if record[item] is None]
        change_many(scope, linking_type, [Change(one, {item: linking[one]}) for one in empty])


def clear_for_good(scope: TenantScope, catalog: Catalog, link: IncomingLink, records: Sequence[UUID]) -> None:
    """Empty a link to a record that is being destroyed: with an event where live, without where trashed."""
    linking = catalog.objects[link.object]
    change_many(scope, linking, [Change(record_id, {link.field: None}) for record_id in records])
    text = (
        f"UPDATE {whole(linking)} SET {quote(link.column)} = NULL WHERE id = ANY(%s::uuid[]) AND deleted_at IS NOT NULL"
    )
    scope.execute(trusted(text), (list(records),))


def cascade_parents(object_type: ObjectType) -> list[IncomingLink]:
    """The object's own links whose target takes the record along."""
    found: list[IncomingLink] = []
    for item in object_type.fields.values():
        for target in item.to:
            if target in SYSTEM_TARGETS:
                continue
            column = next((c.name for c in item.columns if c.part == target), item.columns[0].name)
            if item.on_delete == "cascade":
                found.append(
                    IncomingLink(object_type.name, item.name, column, target, "cascade", len(item.columns) > 1)
                )
    return found


def cascade_objects(catalog: Catalog, object_type: ObjectType) -> set[str]:
    """The object and every object whose records may have gone to the trash with one of its."""
    found, front = {object_type.name}, [object_type.name]
    while front:
        for link in incoming(catalog, front.pop()):
            if (link.on_delete == "cascade" or link.composite) and link.object not in found:
                found.add(link.object)
                front.append(link.object)
    return found


def children_first(catalog: Catalog, names: Iterable[str]) -> list[str]:
    """Object names so that linking objects come before those they link to (a cycle is cut where it is met)."""
    wanted, done = set(names), list[str]()

    def visit(name: str, path: frozenset[str]) -> None:
        if name in done or name in path:
            return
        for link in incoming(catalog, name):
            if link.object in wanted and link.object != name:
                visit(link.object, path | {name})
        done.append(name)

    for name in sorted(wanted):
        visit(name, frozenset())
    return done
