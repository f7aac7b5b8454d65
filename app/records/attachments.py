"""Uploaded files as values of fields: who may read one, and what a file's id in a write stands for.

A file has no rights of its own. Whoever may read a record and a field that points to it may read the file; one that
nothing points to yet is its uploader's. A write may name no other file than that: an id alone opens nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from app.access import catalogs
from app.core.errors import FieldError
from app.metadata.fieldtypes.file import FileType, StoredFile, of_json
from app.records.plan import plan_of
from app.records.reach import visible, whole
from app.records.rowform import quote, trusted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from uuid import UUID

    from app.metadata.model import Catalog, Field, ObjectType
    from app.records.rules import Draft
    from tenants.scope import TenantScope


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file as the database has it."""

    id: UUID
    name: str
    type: str
    size: int
    sha256: bytes
    storage_key: str
    by: tuple[str, UUID | None]

    @property
    def value(self) -> StoredFile:
        """As fields hold it."""
        return StoredFile(self.id, self.name, self.type, self.size)


def uploader(scope: TenantScope) -> tuple[str, UUID | None]:
    """Whose a file uploaded in this scope is: the key's, the member's."""
    if scope.credential_kind == "key" and scope.credential is not None:
        return "key", scope.credential
    if scope.member is not None:
        return "member", scope.member.id
    return scope.actor.kind, scope.actor.id


def file_fields(catalog: Catalog) -> Iterator[tuple[ObjectType, list[Field]]]:
    """The objects with fields that hold files, and these."""
    for obj in catalog.objects.values():
        fields = [field for field in plan_of(obj).files if field.stored]
        if fields:
            yield obj, fields


def readable(scope: TenantScope, ids: Iterable[UUID], *, lock: bool = False) -> dict[UUID, FileRow]:
    """Those of the files that whoever asks may read; with ``lock`` nobody throws them away meanwhile."""
    rows = _rows(scope, sorted(set(ids)), lock=lock)
    catalog = catalogs.for_scope(scope)
    own = {one.id for one in rows.values() if one.by == uploader(scope)}
    found = own - _attached(scope, catalog.whole or catalog, own)
    for obj, fields in file_fields(catalog):
        if len(found) == len(rows):
            break
        found |= _in_reach(scope, catalog, obj, fields, rows.keys() - found)
    return {identity: row for identity, row in rows.items() if identity in found}


def attach(scope: TenantScope, object_type: ObjectType, drafts: Sequence[Draft]) -> None:
    """Let each file that a draft names by its id be what the id stands for; refuse what is not there for them."""
    fields = plan_of(object_type).files
    if not fields:
        return
    wanted = [
        (draft, field, cast("StoredFile", draft.values[field.name]))
        for draft in drafts
        for field in fields
        if _unknown(draft, field)
    ]
    found = readable(scope, [value.id for _, _, value in wanted], lock=True) if wanted else {}
    for draft, field, value in wanted:
        row = found.get(value.id)
        if row is None:
            del draft.values[field.name]
            message = f"{field.label}: there is no file with this id. Upload it first, then give its id."
            draft.intake.errors.append(FieldError(f"/{field.name}", "file.unknown", message))
        elif not cast("FileType", field.type).takes(row.type):
            del draft.values[field.name]
            message = f"{field.label}: {row.name} is no image. PNG, JPEG, GIF and WebP are taken."
            draft.intake.errors.append(FieldError(f"/{field.name}", "file.not_image", message))
        else:
            draft.values[field.name] = row.value


def _unknown(draft: Draft, field: Field) -> bool:
    """Whether a file has to be looked for; one that stays as it is need not."""
    value = draft.values.get(field.name)
    if value is None or value.known:
        return False
    present = (draft.current or {}).get(field.name)
    if present is not None and present["id"] == str(value.id):
        draft.values[field.name] = of_json(present)
        return False
    return True


def _rows(scope: TenantScope, ids: Sequence[UUID], *, lock: bool) -> dict[UUID, FileRow]:
    text = "SELECT id, name, type, size, sha256, storage_key, by_kind, by_id FROM file WHERE id = ANY(%s::uuid[])"
    text += " ORDER BY id FOR KEY SHARE" if lock else ""
    rows = scope.execute(trusted(text), (ids,)).fetchall()
    return {
        file: FileRow(file, name, kind, size, bytes(digest), key, (by_kind, by_id))
        for file, name, kind, size, digest, key, by_kind, by_id in rows
    }


def _attached(scope: TenantScope, complete: Catalog, ids: Iterable[UUID]) -> set[UUID]:
    """Which of the files some record points to, whoever may read that."""
    wanted = sorted(ids)
    text = pointing(complete, "= ANY(%(ids)s::uuid[])") if wanted else ""
    return {row[0] for row in scope.execute(trusted(text), {"ids": wanted}).fetchall()} if text else set()


def pointing(complete: Catalog, which: str) -> str:
    """A statement for the ids of files in the fields of all records, live or in the trash; "" without such fields."""
    return " UNION ALL ".join(
        f"SELECT {quote(field.columns[0].name)} FROM {whole(obj)} WHERE {quote(field.columns[0].name)} {which}"
        for obj, fields in file_fields(complete)
        for field in fields
    )


def _in_reach(
    scope: TenantScope, catalog: Catalog, obj: ObjectType, fields: Sequence[Field], ids: Iterable[UUID]
) -> set[UUID]:
    """Which of the files records in reach point to, live or in the trash."""
    table, guard = visible(catalog, obj)
    columns = [quote(field.columns[0].name) for field in fields]
    text = " UNION ALL ".join(
        f"SELECT x.{column} FROM {table} x WHERE x.{column} = ANY(%(ids)s::uuid[])" for column in columns
    )
    binds: Mapping[str, Any] = {**guard.binds(scope), "ids": sorted(ids)}
    return {row[0] for row in scope.execute(trusted(text), binds).fetchall()}
