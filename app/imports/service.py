"""The verbs of imports: start, read, preview, undo."""

from __future__ import annotations

import difflib
import os
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import msgspec

from app.access import catalogs
from app.access.rights import MEMBERS_MANAGE, RECORD_IMPORT, allows, require
from app.core import ids
from app.core.errors import Forbidden, InvalidInput
from app.core.jobs import request_job
from app.imports import repository
from app.imports.errors import ImportBusy, ImportNotFound, InvalidImport
from app.imports.links import check_link_by
from app.imports.mapping import guess_mapping, make_plan, second_fields, shown
from app.imports.options import ImportOptions, delimiter_of, take_apart
from app.imports.reading import detect, open_sheet
from app.imports.stored import Starter, Stored, Undo
from app.imports.survey import survey
from app.records.intake import coercion_of
from app.records.matching import match_field

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from app.core.storage import Storage
    from app.imports.mapping import Plan
    from app.imports.repository import ImportRow
    from app.imports.survey import Survey
    from tenants.scope import TenantScope

#: Files up to this size are surveyed before the import is accepted, larger ones by its job.
_SURVEYED: Final = 20_000_000
#: Larger files are refused: they belong in several imports.
MAX_BYTES: Final = 500_000_000
RUN_JOB: Final = "imports.run"
UNDO_JOB: Final = "imports.undo"


def read_options(document: Mapping[str, Any]) -> ImportOptions:
    """Options from JSON. Raises InvalidImport naming the one that does not fit."""
    known = ImportOptions.__struct_fields__
    if b"\\u0000" in msgspec.json.encode(document):
        raise InvalidImport("The options hold the character NUL.")
    for name in document:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            raise InvalidImport.of(name, f"There is no option {name}." + (f" Did you mean {near[0]}?" if near else ""))
    given = {name: [value] if name in _LISTS and isinstance(value, str) else value for name, value in document.items()}
    try:
        return msgspec.convert(given, ImportOptions)
    except msgspec.ValidationError as error:
        raise InvalidImport(f"The options can't be read: {error}.") from None


_LISTS: Final = frozenset({"map", "map_value", "set", "links", "link_by", "options", "null"})


def start_import(
    scope: TenantScope, storage: Storage, options: ImportOptions, file_name: str, stream: BinaryIO
) -> tuple[UUID, UUID]:
    """Accept a file and ask for its job, in the scope's transaction; ids of import and job.

    Everything that can be known without writing is checked first.

    Raises: InvalidImport: options or file don't fit; a column of dates reads two ways.
    """
    require(scope, RECORD_IMPORT, options.object)
    size = stream.seek(0, os.SEEK_END)
    if size > MAX_BYTES:
        raise InvalidImport(f"The file has {size:,} bytes; at most {MAX_BYTES:,} are taken.")
    wishes = take_apart(options)
    dialect = detect(stream, encoding=options.encoding, delimiter=delimiter_of(options))
    sheet = open_sheet(stream, dialect)
    plan = make_plan(catalogs.for_scope(scope), sheet.header, wishes)
    _check_plan(scope, plan)
    found = survey(plan, sheet, coercion_of(scope)) if size <= _SURVEYED else None
    stored = Stored(given=options, dialect=dialect, by=_starter(scope), survey=found)
    import_id = ids.uuid7()
    key = f"{scope.tenant.id}/imports/{import_id}"
    stream.seek(0)
    storage.put(key, stream)
    repository.insert_import(
        scope,
        import_id,
        object_name=options.object,
        file_name=_file_name(file_name),
        file_key=key,
        options=stored.to_json(),
        rows=found.rows if found else 0,
        unmapped=plan.unmapped,
    )
    return import_id, request_job(scope, RUN_JOB, {"import": str(import_id)}, job_id=import_id)


def start_draft(scope: TenantScope, storage: Storage, object_name: str, file_name: str, stream: BinaryIO) -> UUID:
    """Keep a file whose mapping a person will confirm; every column guessed. Its id.

    Raises: InvalidImport: no such object, or a file that can't be read.
    """
    if stream.seek(0, os.SEEK_END) > MAX_BYTES:
        raise InvalidImport(f"The file is too large; at most {MAX_BYTES // 1_000_000} MB are taken.")
    object_type = catalogs.for_scope(scope).objects.get(object_name)
    if object_type is None:
        raise InvalidImport.of("object", "Choose what the rows are.")
    require(scope, RECORD_IMPORT, object_name)
    dialect = detect(stream)
    header = open_sheet(stream, dialect).header
    guessed = guess_mapping(object_type, header)
    pairs = [(name, guessed.get(name, "")) for name in header] + second_fields(object_type, guessed)
    options = ImportOptions(object=object_name, map=[f"{name}={path}" for name, path in pairs])
    stored = Stored(given=options, dialect=dialect, by=_starter(scope), draft=True)
    import_id = ids.uuid7()
    key = f"{scope.tenant.id}/imports/{import_id}"
    stream.seek(0)
    storage.put(key, stream)
    repository.insert_import(
        scope, import_id, object_name=object_name, file_name=_file_name(file_name), file_key=key,
        options=stored.to_json(), rows=0, unmapped=[name for name in header if name not in guessed],
    )  # fmt: skip
    return import_id


def change_draft(scope: TenantScope, import_id: UUID, options: ImportOptions) -> Stored:
    """Keep the mapping as the person has it now. Raises ImportNotFound, ImportBusy."""
    row = repository.read_import(scope, import_id, lock=True)
    if row is None or not may_see(scope, row):
        raise ImportNotFound("There is no such import.")
    stored = Stored.from_json(row.options)
    if not stored.draft:
        raise ImportBusy("The import has been started already.")
    stored = msgspec.structs.replace(stored, given=options)
    repository.change_options(scope, import_id, stored.to_json())
    return stored


def confirm_draft(scope: TenantScope, storage: Storage, import_id: UUID) -> UUID:
    """Check a draft as ``start_import`` would and ask for its job; the job's id. Raises InvalidImport."""
    row = repository.read_import(scope, import_id, lock=True)
    if row is None or not may_see(scope, row):
        raise ImportNotFound("There is no such import.")
    stored = Stored.from_json(row.options)
    if not stored.draft:
        raise ImportBusy("The import has been started already.")
    with storage.open(row.file_key) as stream:
        sheet = open_sheet(stream, stored.dialect)
        plan = make_plan(catalogs.for_scope(scope), sheet.header, take_apart(stored.given))
        _check_plan(scope, plan)
        size = stream.seek(0, os.SEEK_END)
        found = survey(plan, open_sheet(stream, stored.dialect), coercion_of(scope)) if size <= _SURVEYED else None
    stored = msgspec.structs.replace(stored, draft=False, survey=found, by=_starter(scope))
    repository.change_options(
        scope, import_id, stored.to_json(), rows=found.rows if found else 0, unmapped=plan.unmapped
    )
    return request_job(scope, RUN_JOB, {"import": str(import_id)}, job_id=import_id)


def discard_draft(scope: TenantScope, storage: Storage, import_id: UUID) -> None:
    """Throw a draft and its file away."""
    row = repository.read_import(scope, import_id, lock=True)
    if row is None or not may_see(scope, row) or not Stored.from_json(row.options).draft:
        raise ImportNotFound("There is no such draft.")
    repository.delete_import(scope, import_id)
    storage.delete(row.file_key)


def _file_name(given: str) -> str:
    """The name to show: the end of what was given, without line ends and control characters."""
    return "".join(character for character in given if character.isprintable())[-200:] or "file.csv"


def _check_plan(scope: TenantScope, plan: Plan) -> None:
    if not plan.targets:
        raise InvalidImport.of(
            "map", f"No column is mapped. The file has: {shown(plan.header)}. Use --map COLUMN=FIELD."
        )
    check_link_by(catalogs.for_scope(scope), plan)
    if plan.match is not None and plan.match.path != "id":
        try:
            match_field(plan.object_type, plan.match.path)
        except InvalidInput as error:
            raise InvalidImport.of("match", error.detail) from None
    people = [t.field.name for t in plan.targets if set(t.field.to) & {"member", "team"}]
    if any(plan.wishes.policy_of_link(name) == "create" for name in people) and not allows(scope, MEMBERS_MANAGE):
        raise Forbidden("Only an owner or admin can let an import add members or teams.")


def _starter(scope: TenantScope) -> Starter:
    """Who it runs for: the key (never with more rights than it has), the member, or the operator."""
    if scope.credential_kind == "key" and scope.credential is not None:
        return Starter("key", scope.credential, scope.actor.name)
    if scope.member is not None:
        return Starter("member", scope.member.id, scope.member.name)
    if scope.actor.kind == "support":
        raise Forbidden("Support may not import.")
    return Starter(scope.actor.kind, scope.actor.id, scope.actor.name)


def get_import(scope: TenantScope, import_id: UUID) -> ImportRow:
    """One import. Raises ImportNotFound, also for one of another that tells more than the scope may see."""
    found = repository.read_import(scope, import_id)
    if found is None or not may_see(scope, found):
        raise ImportNotFound("There is no such import.")
    return found


def latest_imports(scope: TenantScope) -> list[ImportRow]:
    """The newest imports the scope may see."""
    return [row for row in repository.latest_imports(scope) if may_see(scope, row)]


def may_see(scope: TenantScope, row: ImportRow) -> bool:
    """One's own imports; of others those of objects one sees whole: a file tells of every record and field in it."""
    catalog = catalogs.for_scope(scope)
    if row.object not in catalog.objects:
        return False
    starter = Stored.from_json(row.options).by.id
    mine = starter is not None and starter in {scope.member.id if scope.member else None, scope.credential}
    return mine or catalog.whole is None or catalog.objects[row.object] is catalog.whole.objects[row.object]


def summary(row: ImportRow, errors_file: str | None) -> dict[str, Any]:
    """The summary of DESIGN §11; while it runs ``rows`` counts what is done so that the sum holds."""
    done = row.created + row.updated + row.skipped + row.failed
    return {
        "import": str(row.id),
        "rows": done,
        "created": row.created,
        "updated": row.updated,
        "skipped": row.skipped,
        "failed": row.failed,
        "warnings": row.warnings,
        "errors_file": errors_file if row.failed or row.warnings else None,
        "unmapped": row.unmapped,
    }


def progress(row: ImportRow) -> float:
    """How much of the file is done, 0 to 1."""
    done = row.created + row.updated + row.skipped + row.failed
    if row.state in {"done", "undone"}:
        return 1.0
    return round(min(done / row.rows, 1.0), 3) if row.rows else 0.0


def api_form(row: ImportRow) -> dict[str, Any]:
    """What the API answers with: the summary, its status and progress."""
    form = summary(row, f"/api/v1/imports/{row.id}/errors.csv")
    form |= {"status": row.state, "progress": progress(row), "object": row.object, "file": row.file_name}
    if row.error:
        form["error"] = row.error
    return form


def undo_import(scope: TenantScope, import_id: UUID) -> UUID:
    """Ask for the job that takes an ended import back; its id.

    Asked again while that job is on its way, nothing more happens.

    Raises: ImportNotFound, ImportBusy: it still runs, was undone before or was a trial.
    """
    row = repository.read_import(scope, import_id, lock=True)
    if row is None or not may_see(scope, row):
        raise ImportNotFound("There is no such import.")
    if row.state not in {"done", "failed"}:
        raise ImportBusy("It was undone before." if row.state == "undone" else "The import is still running.")
    stored = Stored.from_json(row.options)
    if stored.given.dry_run:
        raise ImportBusy("It was a trial: it wrote nothing that could be taken back.")
    if stored.undo is not None:
        return stored.undo.job
    asked = Undo(job=ids.uuid7(), by=_starter(scope))
    repository.begin_undo(scope, import_id, msgspec.to_builtins(asked))
    return request_job(scope, UNDO_JOB, {"import": str(import_id)}, job_id=asked.job)


def cancel_import(scope: TenantScope, import_id: UUID, *, undo: bool = False) -> None:
    """End an import, or its being taken back, after the rows it is at; what was written stays.

    With ``undo`` that is taken back as soon as the import has ended. Waits for no lock: the job holds the import's.

    Raises: ImportNotFound, ImportBusy: it has not begun or has ended.
    """
    row = get_import(scope, import_id)
    stored = Stored.from_json(row.options)
    if stored.draft:
        raise ImportBusy("The import has not been started; discard it instead.")
    going_back = stored.undo if row.state in {"done", "failed"} else None
    if row.ended and going_back is None:
        raise ImportBusy("The import has ended already.")
    if going_back is not None and undo:
        raise ImportBusy("The import is being taken back already.")
    job = row.id if going_back is None else going_back.job
    # As the login: a tenant's role may not touch a job.
    scope.at_commit("select pod.cancel_job_of(%(tenant)s, %(job)s)", {"tenant": scope.tenant.id, "job": job})
    if undo:
        by = _starter(scope)
        request_job(
            scope, UNDO_JOB, {"import": str(row.id), "by": {"kind": by.kind, "id": str(by.id) if by.id else ""}}
        )


def known_survey(row: ImportRow) -> Survey | None:
    """What was found out about the file."""
    return Stored.from_json(row.options).survey
