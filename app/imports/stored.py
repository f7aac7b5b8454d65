"""What an import keeps in ``import.options``: the options as given and what was found out about the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping  # noqa: TC003 (msgspec reads the annotations)
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, Final, Literal
from uuid import UUID  # noqa: TC003 (likewise)

import msgspec

from app.imports.options import ImportOptions  # noqa: TC001 (likewise)
from app.imports.reading import Dialect  # noqa: TC001 (likewise)
from app.imports.survey import Survey  # noqa: TC001 (likewise)
from tenants.scope import Actor, enter_job

if TYPE_CHECKING:
    from app.core.ports import Runtime
    from tenants.scope import TenantScope

#: A batch aims at half a second; this is the most it may take before it is refused.
_BATCH_BUDGET: Final = 5.0


class Starter(msgspec.Struct, frozen=True):
    """Who asked for the import: it runs with their rights."""

    kind: Literal["member", "key", "import", "system"]
    id: UUID | None
    name: str


class Undo(msgspec.Struct, frozen=True):
    """Somebody asked to take the import back; ``job`` does it."""

    job: UUID
    by: Starter


class Stored(msgspec.Struct, kw_only=True):
    """The JSON of ``import.options``. Without ``survey`` the job makes it (large files)."""

    given: ImportOptions
    dialect: Dialect
    by: Starter
    survey: Survey | None = None
    #: Uploaded in the browser, mapping not yet confirmed: no job runs it.
    draft: bool = False
    #: While it is being taken back, and afterwards.
    undo: Undo | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return msgspec.to_builtins(self)

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> Stored:
        """The other way."""
        return msgspec.convert(document, Stored)


@contextmanager
def import_scope(
    runtime: Runtime, tenant: UUID, import_id: UUID, by: Starter, file_name: str = "", *, write: bool
) -> Iterator[TenantScope]:
    """A scope with the rights of who started the import, whose events name the import as their actor and cause."""
    with _scope_of(runtime, tenant, by, {"import": str(import_id)}, write=write) as scope:
        scope.actor = Actor("import", import_id, file_name)
        yield scope


@contextmanager
def undo_scope(runtime: Runtime, tenant: UUID, import_id: UUID, by: Starter) -> Iterator[TenantScope]:
    """A write scope of whoever takes the import back, whose events name it as their cause."""
    with _scope_of(runtime, tenant, by, {"undo": str(import_id)}, write=True) as scope:
        yield scope


def _scope_of(
    runtime: Runtime, tenant: UUID, by: Starter, cause: dict[str, Any], *, write: bool
) -> AbstractContextManager[TenantScope]:
    return enter_job(
        runtime.databases,
        tenant,
        actor=Actor(by.kind, by.id, by.name),
        member=by.id if by.kind == "member" else None,
        write=write,
        cause=cause,
        budget=_BATCH_BUDGET,
        by_key=write,
    )
