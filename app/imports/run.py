"""Runs an import to its end, in any process, as often as it is killed.

Rows, their events, what became of them, the counts and the checkpoint are written in one transaction a batch, under a
lock on the import. Whoever runs it next goes on after the last batch that was committed.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import msgspec

from app.access import catalogs
from app.access.rights import RECORD_IMPORT, allows
from app.core.collector import collector_paused
from app.core.errors import Conflict, Forbidden, InvalidInput, NotFound, Unauthenticated
from app.core.jobs import checkpoint
from app.core.spreadsheets import unguarded
from app.events.append import append_summary
from app.imports import repository
from app.imports.batch import BatchWriter, Numbered, Outcome, plain_counts
from app.imports.cells import RowReader
from app.imports.links import LinkResolver, fold, own_links
from app.imports.mapping import make_plan
from app.imports.options import take_apart
from app.imports.pending import settle_pending
from app.imports.reading import Sheet, open_sheet
from app.imports.stored import Starter, Stored, import_scope
from app.imports.survey import Survey, survey
from app.metadata.options import add_options
from app.records.intake import coercion_of
from tenants.scope import SYSTEM, Actor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from app.core.ports import Runtime
    from app.imports.mapping import Plan
    from app.imports.repository import ImportRow
    from app.metadata.fieldtypes.base import Coercion
    from app.metadata.model import Catalog
    from tenants.scope import TenantScope

#: Rows of the first batch; the following ones are sized to take about ``_AIM`` seconds.
_FIRST: Final = 500
_LEAST: Final = 200
_MOST: Final = 2_000
_AIM: Final = 0.6
#: Tries of a batch that meets another writer (a unique value just taken, a lock not given).
_TRIES: Final = 6


#: Reads the import before it is known who started it.
_NOBODY: Final = Starter("system", None, "Rapport")


class _Overtaken(Exception):
    """Another process runs this import, or it was ended: nothing is left to do here."""


class _Trial(Exception):
    """Carries what a dry run found out of the scope, so that nothing of the batch stays."""

    def __init__(self, writer: BatchWriter, outcome: Outcome) -> None:
        super().__init__()
        self.writer, self.outcome = writer, outcome


def run_import(runtime: Runtime, tenant: UUID, import_id: UUID) -> None:
    """Take the import to its end. What can't be mended by trying again ends it as ``failed``.

    Raises: whatever may pass (a server that is away, a lock): the job is tried again.
    """
    run = _Run(runtime, tenant, import_id)
    if run.row is None or run.row.ended:
        return
    try:
        run.all()
    except _Overtaken:
        return
    except (InvalidInput, NotFound, Forbidden, Unauthenticated) as error:
        run.fail(error.detail)


def cancel_import(runtime: Runtime, tenant: UUID, import_id: UUID) -> None:
    """End the import where it is; what was written stays, is counted and can be undone."""
    _Run(runtime, tenant, import_id).fail("It was cancelled.")


class _Run:
    """One attempt."""

    def __init__(self, runtime: Runtime, tenant: UUID, import_id: UUID) -> None:
        self.runtime, self.tenant, self.id = runtime, tenant, import_id
        with import_scope(runtime, tenant, import_id, _NOBODY, write=False) as scope:
            self.row = repository.read_import(scope, import_id)
        if self.row is not None:
            self.stored = Stored.from_json(self.row.options)
            self.wishes = take_apart(self.stored.given)
        self._own_keys: frozenset[str] | None = None

    def all(self) -> None:
        """Survey, options, rows, what waited for later rows, end."""
        row = self._known_row()
        with self._sheet() as sheet, self._scope(write=False) as scope:
            if not allows(scope, RECORD_IMPORT, self.wishes.object):
                raise Forbidden("Whoever started the import may not import any more.")
            found = self.stored.survey or survey(self._plan(scope, sheet), sheet, coercion_of(scope))
        self.stored = msgspec.structs.replace(self.stored, survey=found)
        self._add_options(found)
        with self._scope(write=True) as scope:
            self._locked(scope, after_start=False)
            repository.start(scope, self.id, options=self.stored.to_json(), rows=found.rows)
        with self._sheet() as sheet:
            self._rows(sheet, row.next_row, found)
        if not self.stored.given.dry_run:
            self._pending()
        self._finish()

    def fail(self, reason: str) -> None:
        """End the import; what was written stays and is counted."""
        with import_scope(self.runtime, self.tenant, self.id, _NOBODY, write=True) as scope:
            row = repository.read_import(scope, self.id, lock=True)
            if row is not None and not row.ended:
                repository.finish(scope, self.id, "failed", reason)

    def _known_row(self) -> ImportRow:
        if self.row is None:
            raise _Overtaken
        return self.row

    def _scope(self, *, write: bool) -> Any:
        row = self._known_row()
        return import_scope(self.runtime, self.tenant, self.id, self.stored.by, row.file_name, write=write)

    @contextmanager
    def _sheet(self) -> Iterator[Sheet]:
        stream: BinaryIO
        with self.runtime.storage.open(self._known_row().file_key) as stream:
            yield open_sheet(stream, self.stored.dialect)

    def _plan(self, scope: TenantScope, sheet: Sheet) -> Plan:
        return make_plan(catalogs.for_scope(scope), sheet.header, self.wishes)

    def _add_options(self, found: Survey) -> None:
        if not found.new_options or self.stored.given.dry_run:
            return
        with self._scope(write=False) as scope:
            tenant = scope.tenant
        by = Actor("member", self.stored.by.id, "") if self.stored.by.kind == "member" else SYSTEM
        for field, labels in found.new_options.items():
            _patiently(lambda f=field, texts=labels: add_options(
                self.runtime.databases, tenant, self.wishes.object, f, texts, by=by
            ))  # fmt: skip

    def _rows(self, sheet: Sheet, next_row: int, found: Survey) -> None:
        rows = (one for one in sheet.rows if one[0] >= next_row)
        writer: BatchWriter | None = None
        size = _FIRST
        while chunk := list(islice(rows, size)):
            started = time.monotonic()
            with collector_paused():
                writer = _patiently(lambda c=chunk, w=writer: self._batch(sheet, c, w, found))
            checkpoint(chunk[-1][0], found.rows)
            taken = max(time.monotonic() - started, 0.001)
            size = max(_LEAST, min(_MOST, size * 2, int(size * _AIM / taken)))

    def _batch(self, sheet: Sheet, chunk: list[Numbered], writer: BatchWriter | None, found: Survey) -> BatchWriter:
        """Write one batch in one transaction; the writer serves the next one too."""
        try:
            with self._scope(write=True) as scope:
                row = self._locked(scope)
                if row.next_row > chunk[0][0]:
                    raise _Overtaken
                writer = self._writer_for(scope, writer, sheet, found, row.created_by)
                outcome = writer.write(scope, chunk)
                self._stop_trial(writer, outcome)
                self._keep(scope, outcome, chunk)
                repository.report_linked(scope, self.id, writer.made)
                return writer
        except _Trial as trial:
            reports = [replace(one, record_id=None, record_version=None) for one in trial.outcome.reports if one.errors]
            with self._scope(write=True) as scope:
                self._locked(scope)
                self._keep(scope, Outcome(trial.outcome.counts, reports), chunk)
            return trial.writer

    def _stop_trial(self, writer: BatchWriter, outcome: Outcome) -> None:
        if self.stored.given.dry_run:
            raise _Trial(writer, outcome)

    def _keep(self, scope: TenantScope, outcome: Outcome, chunk: list[Numbered]) -> None:
        """What became of the rows, the counts and the checkpoint."""
        repository.report_rows(scope, self.id, outcome.reports)
        repository.advance(scope, self.id, plain_counts(outcome.counts), chunk[-1][0] + 1)

    def _writer_for(
        self, scope: TenantScope, writer: BatchWriter | None, sheet: Sheet, found: Survey, author: UUID | None
    ) -> BatchWriter:
        """The writer of the batch before, unless the metadata changed since."""
        catalog = catalogs.for_scope(scope)
        if writer is not None and writer.catalog.version == catalog.version:
            return writer
        return self._writer(scope, catalog, sheet, found, author)

    def _writer(
        self, scope: TenantScope, catalog: Catalog, sheet: Sheet, found: Survey, author: UUID | None
    ) -> BatchWriter:
        plan = make_plan(catalog, sheet.header, self.wishes)
        ctx = replace(coercion_of(scope), decimal_comma=found.decimal_comma)
        reader = RowReader(plan, ctx, found)
        return BatchWriter(catalog, plan, reader, self._resolver(catalog, plan, ctx), author)

    def _resolver(self, catalog: Catalog, plan: Plan, ctx: Coercion) -> LinkResolver:
        return LinkResolver(catalog, plan, ctx, self._keys_of(plan), dry=self.stored.given.dry_run)

    def _keys_of(self, plan: Plan) -> frozenset[str]:
        """Texts by which rows of this file can be linked to, when rows link to each other at all."""
        if self._own_keys is None:
            self._own_keys = frozenset[str]()
            if own_links(plan):
                with self._sheet() as sheet:
                    self._own_keys = _own_keys(plan, sheet)
        return self._own_keys

    def _pending(self) -> None:
        with self._sheet() as sheet:
            header = sheet.header
        more = True
        while more:
            more = _patiently(lambda: self._settle(header))

    def _settle(self, header: tuple[str, ...]) -> bool:
        with self._scope(write=True) as scope:
            self._locked(scope)
            catalog = catalogs.for_scope(scope)
            plan = make_plan(catalog, header, self.wishes)
            resolver = LinkResolver(catalog, plan, coercion_of(scope), frozenset())
            return settle_pending(scope, self.id, plan, resolver)

    def _locked(self, scope: TenantScope, *, after_start: bool = True) -> ImportRow:
        row = repository.read_import(scope, self.id, lock=True)
        if row is None or row.ended or (after_start and row.state != "running"):
            raise _Overtaken
        return row

    def _finish(self) -> None:
        with self._scope(write=True) as scope:
            self._locked(scope)
            repository.finish(scope, self.id, "done")
            row = repository.read_import(scope, self.id)
            if row is None or self.stored.given.dry_run:
                return
            counts = {
                name: getattr(row, name) for name in ("rows", "created", "updated", "skipped", "failed", "warnings")
            }
            append_summary(scope, "imported", row.object, {"file": row.file_name, **counts}, record_id=self.id)


def _own_keys(plan: Plan, sheet: Sheet) -> frozenset[str]:
    """Folded texts of the columns that feed the object's title and unique fields."""
    names = {*plan.object_type.title} | {name for name, field in plan.object_type.fields.items() if field.unique}
    columns = [t.column for t in plan.targets if t.field.name in names and t.column is not None and not t.field.to]
    keys: set[str] = set()
    for _, cells in sheet.rows:
        keys |= {fold(unguarded(cells[column])) for column in columns if column < len(cells)}
    return frozenset(keys - {""})


def _patiently(act: Any) -> Any:
    """Run ``act`` again when another writer was in the way."""
    for attempt in range(_TRIES - 1):
        try:
            return act()
        except Conflict:
            time.sleep(0.05 * 2**attempt)
    return act()
