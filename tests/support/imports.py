"""Importing files in tests as the worker would."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from app.imports.run import run_import
from app.imports.service import get_import, read_options, start_import, summary
from tenants.scope import enter_job
from tests.support.tenants import PATIENT, owner_of

if TYPE_CHECKING:
    from uuid import UUID

    from app.core.ports import Runtime
    from tenants.scope import Tenant

#: Beside the checkout; files of other people, so they are not part of it.
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the folder ../shared/data with test data is not there")


def begin(runtime: Runtime, tenant: Tenant, content: bytes, **options: Any) -> UUID:
    """Accept a file as the workspace's owner; its job is asked for but not run."""
    owner = owner_of(runtime.databases, tenant)
    with enter_job(runtime.databases, tenant.id, actor=owner, write=True, budget=PATIENT) as scope:
        import_id, _ = start_import(scope, runtime.storage, read_options(options), "file.csv", io.BytesIO(content))
    return import_id


def import_file(runtime: Runtime, tenant: Tenant, content: bytes | str | Path, **options: Any) -> dict[str, Any]:
    """Import to the end; the summary with ``state`` and ``error``."""
    if isinstance(content, Path):
        content = content.read_bytes()
    import_id = begin(runtime, tenant, content.encode() if isinstance(content, str) else content, **options)
    run_import(runtime, tenant.id, import_id)
    return outcome(runtime, tenant, import_id)


def outcome(runtime: Runtime, tenant: Tenant, import_id: UUID) -> dict[str, Any]:
    """The summary as it is now."""
    owner = owner_of(runtime.databases, tenant)
    with enter_job(runtime.databases, tenant.id, actor=owner, write=False) as scope:
        row = get_import(scope, import_id)
    return summary(row, "errors.csv") | {"state": row.state, "error": row.error}


def query(runtime: Runtime, tenant: Tenant, text: str, *params: object) -> list[tuple[Any, ...]]:
    """Rows of the workspace."""
    with enter_job(runtime.databases, tenant.id, actor=owner_of(runtime.databases, tenant), write=False) as scope:
        return scope.execute(text, params).fetchall()  # type: ignore[arg-type]
