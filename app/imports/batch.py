"""One batch of rows inside one scope: read, link, match, write; what became of each row."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import msgspec

from app.imports.cells import Problem, ReadRow
from app.imports.repository import RowReport
from app.records.batch import PreparedRow, RowResult, foresee_batch, write_batch
from app.records.links import live_ids
from app.records.matching import matches
from app.records.primaries import PRIMARIES
from app.records.reach import permitted
from app.records.store_many import lock_records, present_records

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from app.core.errors import FieldError
    from app.imports.cells import RowReader
    from app.imports.links import LinkResolver
    from app.imports.mapping import Plan, Target
    from app.metadata.model import Catalog
    from tenants.scope import TenantScope

_SHOWN: Final = 200
#: Result of a written row → the summary's word.
_STATUS: Final = {"created": "created", "updated": "updated", "unchanged": "skipped", "failed": "failed"}

Numbered = tuple[int, list[str]]


@dataclass(slots=True)
class Outcome:
    """What became of a batch."""

    counts: Counter[str] = field(default_factory=Counter[str])
    reports: list[RowReport] = field(default_factory=list[RowReport])


class BatchWriter:
    """Writes batches by one plan; one a run and catalog version."""

    def __init__(
        self, catalog: Catalog, plan: Plan, reader: RowReader, resolver: LinkResolver, author: UUID | None
    ) -> None:
        """``author`` becomes ``created_by``."""
        self.catalog, self.plan = catalog, plan
        self._reader, self._resolver, self._author = reader, resolver, author
        self._targets = {target.path: target for target in plan.targets}
        for target in plan.targets:
            self._targets.setdefault(target.field.name, target)
        fields = plan.object_type.fields
        given = {default.field for rule in plan.object_type.rules for default in rule.defaults}
        #: Of an object that joins: who its rows belong to, and the row that last made one primary.
        self._holder = next((one.holder for one in PRIMARIES if one.join == plan.object_type.name), "")
        self._primary: dict[object, int] = {}
        #: An empty cell is an empty value also where a new record would have had a default, unless it is required.
        self._emptied = {
            name
            for name, f in fields.items()
            if (f.default is not None or f.default_formula or name in given) and not f.required and not f.system
        }

    @property
    def made(self) -> list[tuple[UUID, int]]:
        """Records the last batch made only because rows link to them."""
        return self._resolver.made

    def write(self, scope: TenantScope, chunk: Sequence[Numbered]) -> Outcome:
        """Write the rows; problems stay with their rows."""
        rows = [self._reader.read(number, cells) for number, cells in chunk]
        self._resolver.resolve(scope, rows)
        results: dict[int, tuple[str, RowResult | None]] = {}
        good = [row for row in rows if not row.problems]
        while good:
            good = self._write_wave(scope, good, results)
        texts = dict(chunk)
        self._tell_rivals(rows, texts, results)
        outcome = Outcome()
        for row in rows:
            self._report(row, texts[row.number], results.get(row.number), outcome)
        return outcome

    def _tell_rivals(
        self,
        rows: Sequence[ReadRow],
        texts: Mapping[int, list[str]],
        results: Mapping[int, tuple[str, RowResult | None]],
    ) -> None:
        """Warn where a file has two primary rows of one record: the later one stays primary."""
        target = self._targets.get("primary")
        if not self._holder or target is None:
            return
        for row in rows:
            holder = row.values.get(self._holder)
            status = results[row.number][0] if row.number in results else ""
            if row.problems or holder is None or row.values.get("primary") is not True or status == "failed":
                continue
            earlier = self._primary.get(holder, row.number)
            if earlier < row.number:
                whose = self.plan.object_type.fields[self._holder].label.lower()
                message = f"Row {earlier} is primary for the same {whose}: only this one stays primary."
                given = self._given(target, texts[row.number])
                row.warnings.append(Problem(target.header, given, "primary.twice", message, warning=True))
            self._primary[holder] = row.number

    def foresee(self, scope: TenantScope, rows: Sequence[ReadRow], texts: Mapping[int, list[str]]) -> None:
        """Add what writing the rows would refuse to their problems; nothing is written.

        Rows of a record that an earlier row makes are left out: nobody knows yet what they find.
        """
        found, later = self._match(scope, list(rows))
        if found and self._reader.composites:
            present = present_records(scope, self.plan.object_type, found.values())
            for row in rows:
                if row.number in found:
                    self._reader.merge(row, present.get(found[row.number], {}))
        waiting = {row.number for row in later}
        prepared: list[PreparedRow] = []
        for row in rows:
            record_id = found.get(row.number)
            unmatched = self.plan.wishes.mode == "update" and record_id is None
            if not (row.number in waiting or row.problems or unmatched):
                prepared.append(PreparedRow(row.number, self._values(row, creating=record_id is None), id=record_id))
        refused = foresee_batch(scope, self.plan.object_type.name, prepared) if prepared else {}
        for row in rows:
            row.problems += [self._problem(error, texts[row.number]) for error in refused.get(row.number, ())]

    def _write_wave(
        self, scope: TenantScope, rows: list[ReadRow], results: dict[int, tuple[str, RowResult | None]]
    ) -> list[ReadRow]:
        """Write what can be written at once; the rows that follow an earlier one of the same new record come back."""
        found, later = self._match(scope, rows)
        if found and self._reader.composites:
            present = lock_records(scope, self.plan.object_type, found.values())
            for row in rows:
                if row.number in found:
                    self._reader.merge(row, present.get(found[row.number], {}))
        mode, prepared = self.plan.wishes.mode, list[PreparedRow]()
        waiting = {row.number for row in later}
        for row in rows:
            if row.number in waiting or row.problems:
                continue
            record_id = found.get(row.number)
            if mode == "update" and record_id is None:
                results[row.number] = ("skipped", None)
                continue
            prepared.append(PreparedRow(row.number, self._values(row, creating=record_id is None), id=record_id))
        for result in write_batch(scope, self.plan.object_type.name, prepared, created_by=self._author):
            results[result.index] = (_STATUS[result.status], result)
        return later

    def _values(self, row: ReadRow, *, creating: bool) -> dict[str, Any]:
        """On update an empty cell changes nothing, the text that stands for null empties the field."""
        values = row.values
        empty = [*row.blank, *row.cleared] if creating else row.cleared
        for name in empty:
            if "." not in name and (not creating or name in self._emptied):
                values[name] = None
        values.pop("id", None)
        return values

    def _match(self, scope: TenantScope, rows: list[ReadRow]) -> tuple[dict[int, UUID], list[ReadRow]]:
        """The record each row means, by row number, and the rows that must wait for one an earlier row creates."""
        target = self.plan.match
        if target is None:
            return {}, []
        name = target.field.name
        holders = [row for row in rows if row.values.get(name) is not None]
        if name == "id":
            return self._match_ids(scope, holders), []
        object_type = self.plan.object_type
        answers = matches(scope, object_type, target.field, [row.values[name] for row in holders], seen_in=self.catalog)
        found: dict[int, UUID] = {}
        later: list[ReadRow] = []
        unseen: set[str] = set()
        for row, (key, ids_) in zip(holders, answers, strict=True):
            if len(ids_) > 1:
                message = f"{len(ids_)} {object_type.plural.lower()} have this {target.field.label}."
                row.problems.append(Problem(target.header, str(key)[:_SHOWN], "match.ambiguous", message))
            elif ids_:
                found[row.number] = ids_[0]
            elif key in unseen:
                later.append(row)
            else:
                unseen.add(key)
        return found, later if self.plan.wishes.mode == "upsert" else []

    def _match_ids(self, scope: TenantScope, rows: list[ReadRow]) -> dict[int, UUID]:
        object_type = self.plan.object_type
        live = live_ids(scope, self.catalog, {object_type.name: [row.values["id"] for row in rows]})
        live_here = live.get(object_type.name, set())
        live_here = permitted(scope, self.catalog, object_type, live_here, "read")
        return {row.number: row.values["id"] for row in rows if row.values["id"] in live_here}

    def _report(
        self, row: ReadRow, cells: list[str], answer: tuple[str, RowResult | None] | None, outcome: Outcome
    ) -> None:
        status, result = ("failed", None) if answer is None or row.problems else answer
        problems = row.problems
        if result is not None and result.errors:
            problems = [self._problem(error, cells) for error in result.errors]
        if status in {"created", "updated"}:
            problems = row.warnings
            outcome.counts["warnings"] += bool(row.warnings)
        outcome.counts[status] += 1
        if status == "skipped" and not problems:
            return
        written = result if status in {"created", "updated"} else None
        outcome.reports.append(
            RowReport(
                row.number,
                status,
                written.id if written else None,
                written.version if written else None,
                tuple(msgspec.to_builtins(problem) for problem in problems),
            )
        )

    def _problem(self, error: FieldError, cells: Sequence[str]) -> Problem:
        """A problem of the write path, told of the column it came from."""
        path = error.pointer.strip("/").replace("/", ".")
        target = self._targets.get(path) or self._targets.get(path.partition(".")[0])
        if target is None:
            return Problem(path, "", error.code, error.message)
        return Problem(target.header, self._given(target, cells), error.code, error.message)

    @staticmethod
    def _given(target: Target, cells: Sequence[str]) -> str:
        """What the row says for a target, as much as is shown."""
        column = target.column
        text = target.constant if column is None else cells[column] if column < len(cells) else ""
        return text[:_SHOWN]


def plain_counts(counts: Mapping[str, int]) -> dict[str, int]:
    """Only what table ``import`` counts."""
    return {name: counts.get(name, 0) for name in ("created", "updated", "skipped", "failed", "warnings")}
