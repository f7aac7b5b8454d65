"""What objects and fields are called in the database: a name for life, whatever people call them (DESIGN §5).

Standard ones are called like themselves (``o_deal``, ``amount``) and need no row; a row of ``metadata_physical`` tells
of all that differs: what a tenant made (``o_…``, ``f_…`` + base32), renamed, converted, or hid.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, cast

from app.metadata.leaves import SEPARATOR
from app.metadata.nodes import within

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from app.metadata.changeset import Rename, Stage
    from app.metadata.leaves import Document, Leaves

OBJECT: Final = "object"
FIELDS: Final = "fields"
#: The type of a column that was purged: its name is not used again.
GONE: Final = "gone"
#: ``fields/<name>/type``
_DEPTH: Final = 2
#: A field's columns before and after: more of them on the way are more conversions than one.
_AT_ONCE: Final = 2
#: Types without a column that holds values.
COMPUTED: Final = frozenset({"formula", "rollup"})


@dataclass(frozen=True, slots=True)
class Physical:
    """A row of ``metadata_physical``: a table ("column" is ""), or what all columns of a field begin with."""

    table: str
    column: str
    component: str
    path: str
    type: str
    hidden_at: datetime | None = None
    sensitive: bool = False
    #: The first column the field had, "" for this one: it tells fields apart that were called alike.
    born: str = ""

    @property
    def first(self) -> str:
        """What a field is known by for life, whatever its type and name."""
        return self.born or self.column

    @property
    def key(self) -> tuple[str, str]:
        """Its place in the database."""
        return self.table, self.column


@dataclass(frozen=True, slots=True)
class Names:
    """What compiling one object needs to know. ``tables``: those of link targets that are not called like them."""

    table: str
    columns: Mapping[str, str] = field(default_factory=dict[str, str])
    tables: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Naming:
    """The names of a whole document."""

    tables: Mapping[str, str]
    columns: Mapping[str, Mapping[str, str]]

    def of(self, name: str, leaves: Leaves) -> Names | None:
        """What differs for one object; None when nothing does."""
        targets = {target for path, to in leaves.items() if path.endswith("/to") for target in _listed(to)}
        tables = {target: self.tables[target] for target in sorted(targets & self.tables.keys())}
        columns = self.columns.get(name, {})
        if name not in self.tables and not columns and not tables:
            return None
        return Names(self.tables.get(name, standard_table(name)), columns, tables)


def naming(rows: Iterable[Physical]) -> Naming:
    """The names that the live ones of ``rows`` give."""
    tables: dict[str, str] = {}
    columns: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for row in rows:
        if row.hidden_at is not None:
            continue
        name = row.component.partition(SEPARATOR)[2]
        if row.column:
            columns[name][row.path.rpartition(SEPARATOR)[2]] = row.column
        else:
            tables[name] = row.table
    return Naming(MappingProxyType(tables), MappingProxyType(dict(columns)))


@dataclass(frozen=True, slots=True)
class Settled:
    """The rows as they are to be, and what became of which: made anew, brought back, hidden, converted (from, to).

    ``replaced``: fields whose values are put away for those another field of that name had, nothing is converted.
    ``twice``: fields that are converted more than once on the way, so that what they hold is not told in one go.
    """

    rows: tuple[Physical, ...]
    made: tuple[Physical, ...] = ()
    restored: tuple[Physical, ...] = ()
    hidden: tuple[Physical, ...] = ()
    converted: tuple[tuple[Physical, Physical], ...] = ()
    replaced: tuple[Physical, ...] = ()
    twice: tuple[Physical, ...] = ()


def settle(
    rows: Iterable[Physical], before: Document, stages: Sequence[Stage], standard: Document, *, seed: str, now: datetime
) -> Settled:
    """The physical names of what the last of ``stages`` comes to.

    All documents without hidden parts; ``standard`` is the platform's. A name may pass from one field to another on
    the way, so each stage is gone through; what is told is what the whole of it does.
    """
    given = {row.key: row for row in rows}
    work = _Settling(given, standard, seed, now)
    for stage in stages:
        work.go(before, stage)
        before = stage.after
    return work.settled(given)


class _Settling:
    """Goes through a document and keeps account."""

    def __init__(self, rows: Mapping[tuple[str, str], Physical], standard: Document, seed: str, now: datetime) -> None:
        self._rows = dict(rows)
        self._standard, self._seed, self._now = standard, seed, now
        self._live = {(r.component, r.path): r for r in self._rows.values() if r.hidden_at is None}
        #: Standard ones that got a row on the way: there they were all along.
        self._stood: set[tuple[str, str]] = set()
        #: By table and first column of a field the columns it went through; there and back is no way.
        self._ways: dict[tuple[str, str], list[str]] = {}

    def go(self, before: Document, stage: Stage) -> None:
        """One stage further."""
        self.rename(stage.renames, before)
        gone = _Gone(before, stage.renames)
        # All tables first: what a link's column means is the table it leads to.
        tables = {name: self.table(name) for name, _ in _objects(stage.after)}
        for name, leaves in _objects(stage.after):
            for one in fields_of(leaves):
                self.column(name, tables[name], one, leaves)
        for name in gone.objects(stage.after):
            self.hide(name, self.known_table(name), "", OBJECT, sensitive=False)
        for name, item, called, leaves in gone.fields(stage.after):
            self.hide_field(name, item, called, leaves)

    def settled(self, given: Mapping[tuple[str, str], Physical]) -> Settled:
        """What became of the rows ``given``; what was made on the way and is not there at its end never was."""
        there = {key for key, row in given.items() if row.hidden_at is None} | self._stood
        rows = {k: row for k, row in self._rows.items() if row.hidden_at is None or k in given or k in self._stood}
        shown = [row for key, row in rows.items() if row.hidden_at is None and key not in there]
        put_away = [row for key, row in rows.items() if row.hidden_at is not None and key in there]
        by_field = {(row.table, row.first): row for row in put_away if row.column}
        by_place = {(row.component, row.path) for row in put_away}
        converted = [(by_field[row.table, row.first], row) for row in shown if (row.table, row.first) in by_field]
        turned = {was.key for was, _ in converted}
        return Settled(
            rows=tuple(rows[key] for key in sorted(rows)),
            made=tuple(row for row in shown if row.key not in given),
            restored=tuple(row for row in shown if row.key in given),
            hidden=tuple(row for row in put_away if row.key not in turned),
            converted=tuple(converted),
            replaced=tuple(
                row for row in shown
                if (row.component, row.path) in by_place and not any(row is to for _, to in converted)
            ),
            twice=tuple(row for was, row in converted if len(self._ways[was.table, was.first]) > _AT_ONCE),
        )  # fmt: skip

    def rename(self, renames: Sequence[Rename], before: Document) -> None:
        """Rows follow what they name, one rename after the other; standard ones get a row first."""
        # Links of the document before name their targets as they were called then.
        tables, document = self._tables(), dict(before)
        for one in renames:
            if one.before_component.partition(SEPARATOR)[0] != OBJECT:
                continue
            name = one.before_component.partition(SEPARATOR)[2]
            leaves = document.pop(one.before_component, {})
            if not one.path and leaves:
                self._keep(name, "", OBJECT)
            # What a revert brings back under another name was not there: its hidden rows alone follow.
            for item in (item for item in fields_of(leaves) if within(f"{FIELDS}{SEPARATOR}{item}", one.before_path)):
                self._keep(name, item, type_key(leaves, item, tables))
            document[one.component] = {followed([one], one.before_component, path)[1]: leaves[path] for path in leaves}
            for row in [row for row in self._rows.values() if self._follows(row, one)]:
                component, path = followed([one], row.component, row.path)
                self._rows[row.key] = replace(row, component=component, path=path)
            self._live = {(r.component, r.path): r for r in self._rows.values() if r.hidden_at is None}

    def _follows(self, row: Physical, one: Rename) -> bool:
        """Whether a row is of what is renamed: not of another object or field that was called so before."""
        known = self.known_table(one.before_component.partition(SEPARATOR)[2])
        if row.component != one.before_component or row.table != known:
            return False
        live = self._live.get((row.component, row.path))
        return not one.path or live is None or live.first == row.first

    def _keep(self, name: str, item: str, type_: str) -> None:
        """A row for what is called as the standard says."""
        component, path = f"{OBJECT}{SEPARATOR}{name}", f"{FIELDS}{SEPARATOR}{item}" if item else ""
        if (component, path) not in self._live:
            self._stand(Physical(self.known_table(name), item, component, path, type_))

    def _stand(self, row: Physical) -> Physical:
        """A row for what was there without one."""
        self._stood.add(row.key)
        self._put(row)
        return row

    def known_table(self, name: str) -> str:
        row = self._live.get((f"{OBJECT}{SEPARATOR}{name}", ""))
        return row.table if row else standard_table(name)

    def _tables(self) -> dict[str, str]:
        return {
            component.partition(SEPARATOR)[2]: row.table for (component, path), row in self._live.items() if not path
        }

    def table(self, name: str) -> str:
        component = f"{OBJECT}{SEPARATOR}{name}"
        if (component, "") in self._live:
            return self._live[component, ""].table
        hidden = _latest(self._hidden_ones(component, "", OBJECT))
        if hidden is not None:
            self._put(replace(hidden, hidden_at=None))
            return hidden.table
        if component in self._standard and (standard_table(name), "") not in self._rows:
            return standard_table(name)
        row = Physical(self._fresh("o_", component), "", component, "", OBJECT)
        self._put(row)
        return row.table

    def column(self, name: str, table: str, item: str, leaves: Leaves) -> None:
        component, path = f"{OBJECT}{SEPARATOR}{name}", f"{FIELDS}{SEPARATOR}{item}"
        wanted = type_key(leaves, item, self._tables())
        current = self._live.get((component, path))
        if current is not None and current.type == wanted:
            return
        lower = self._standard.get(component, {})
        standing = f"{path}/type" in lower and (table, item) not in self._rows
        same = standing and type_key(lower, item, self._tables()) == wanted
        if current is None and same:
            return
        if current is None and standing:
            current = self._stand(Physical(table, item, component, path, type_key(lower, item, self._tables())))
        # Of another type that it was of before, or of a field that was there: a field's own columns only.
        found = self._hidden_ones(component, path, wanted)
        target = _latest(row for row in found if current is None or row.first == current.first)
        if target is None:
            born = current.first if current is not None else ""
            target = Physical(table, self._fresh("f_", component, path, table), component, path, wanted, born=born)
        if current is not None:
            self._went(table, current, target.column)
            self._conceal(current, sensitive=leaves.get(f"{path}/sensitive") is True)
        self._put(replace(target, hidden_at=None))

    def _went(self, table: str, current: Physical, to: str) -> None:
        way = self._ways.setdefault((table, current.first), [current.column])
        if to in way:
            del way[way.index(to) + 1 :]
        else:
            way.append(to)

    def hide(self, name: str, table: str, item: str, type_: str, *, sensitive: bool) -> None:
        component, path = f"{OBJECT}{SEPARATOR}{name}", f"{FIELDS}{SEPARATOR}{item}" if item else ""
        row = self._live.get((component, path)) or self._stand(Physical(table, item, component, path, type_))
        self._conceal(row, sensitive=sensitive)

    def hide_field(self, name: str, item: str, called: str, leaves: Leaves) -> None:
        """``item`` is its name in ``leaves``; it is ``called`` so after renames of the same change."""
        type_ = type_key(leaves, item, self._tables())
        sensitive = leaves.get(f"{FIELDS}{SEPARATOR}{item}{SEPARATOR}sensitive") is True
        gone = [
            row.table for row in self._rows.values()
            if row.component == f"{OBJECT}{SEPARATOR}{name}" and not row.column and row.hidden_at == self._now
        ]  # fmt: skip
        self.hide(name, gone[0] if gone else self.known_table(name), called, type_, sensitive=sensitive)

    def _hidden_ones(self, component: str, path: str, type_: str) -> list[Physical]:
        return [
            row for row in self._rows.values()
            if row.hidden_at is not None and (row.component, row.path, row.type) == (component, path, type_)
        ]  # fmt: skip

    def _conceal(self, row: Physical, *, sensitive: bool) -> None:
        self._put(replace(row, hidden_at=self._now, sensitive=sensitive))
        self._live.pop((row.component, row.path), None)

    def _put(self, row: Physical) -> None:
        self._rows[row.key] = row
        if row.hidden_at is None:
            self._live[row.component, row.path] = row

    def _fresh(self, prefix: str, *about: str) -> str:
        """Says nothing, is not taken, and is the same when the same is planned again."""
        taken = Counter(name for row in self._rows.values() for name in row.key)
        for attempt in range(len(self._rows) + 1):
            digest = hashlib.sha256("\0".join((self._seed, *about, str(attempt))).encode()).digest()
            name = prefix + base64.b32encode(digest[:10]).decode("ascii").lower()
            if name not in taken:
                return name
        raise RuntimeError("no name is free")


def _latest(rows: Iterable[Physical]) -> Physical | None:
    """The row that was hidden last."""
    return max(rows, key=lambda row: (cast("datetime", row.hidden_at), row.column), default=None)


class _Gone:
    """What was there before and is not any more, renames apart."""

    def __init__(self, before: Document, renames: Sequence[Rename]) -> None:
        self._renames = renames
        self._before = [
            (component, followed(renames, component, "")[0], leaves) for component, leaves in before.items()
            if component.partition(SEPARATOR)[0] == OBJECT
        ]  # fmt: skip

    def objects(self, after: Document) -> list[str]:
        return [now.partition(SEPARATOR)[2] for _, now, _ in self._before if now not in after]

    def fields(self, after: Document) -> list[tuple[str, str, str, Leaves]]:
        found: list[tuple[str, str, str, Leaves]] = []
        for old, now, leaves in self._before:
            kept = set(fields_of(after.get(now, {})))
            for item in fields_of(leaves):
                _, path = followed(self._renames, old, f"{FIELDS}{SEPARATOR}{item}")
                called = path.split(SEPARATOR)[1]
                if called not in kept:
                    found.append((now.partition(SEPARATOR)[2], item, called, leaves))
        return found


def followed(renames: Iterable[Rename], component: str, path: str) -> tuple[str, str]:
    """Where a leaf or node stands after ``renames``, made one after the other."""
    for one in renames:
        if component != one.before_component:
            continue
        if not one.path:
            component = one.component
        elif path == one.before_path or path.startswith(one.before_path + SEPARATOR):
            component, path = one.component, one.path + path[len(one.before_path) :]
    return component, path


def standard_table(name: str) -> str:
    """The table of a standard object."""
    return f"o_{name}"


def fields_of(leaves: Mapping[str, object]) -> list[str]:
    """Names of the fields of an object that hold values; computed ones have no column of their own to keep."""
    return [
        path.split(SEPARATOR)[1]
        for path, value in leaves.items()
        if path.startswith("fields/") and path.endswith("/type") and path.count(SEPARATOR) == _DEPTH
        and value not in COMPUTED
    ]  # fmt: skip


def type_key(leaves: Mapping[str, object], item: str, tables: Mapping[str, str]) -> str:
    """What a column's values mean: equal ones may share a column. A link's are ids of one table."""
    kind = str(leaves.get(f"fields/{item}/type"))
    targets = _listed(leaves.get(f"fields/{item}/to"))
    return f"{kind}:{tables.get(targets[0], standard_table(targets[0]))}" if kind == "link" and targets else kind


def _objects(document: Document) -> list[tuple[str, Leaves]]:
    return [
        (component.partition(SEPARATOR)[2], leaves)
        for component, leaves in document.items()
        if component.partition(SEPARATOR)[0] == OBJECT
    ]


def _listed(to: object) -> list[str]:
    return [str(one) for one in cast("list[object]", to)] if isinstance(to, list) else [str(to)] if to else []
