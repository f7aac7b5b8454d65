"""The onboarding checklist: each step is true or not in the workspace itself, nothing is ticked by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from psycopg import sql
from psycopg.types.json import Jsonb

from app.access import catalogs
from app.records.reach import visible
from app.records.rowform import trusted
from app.samples.service import SOURCE

if TYPE_CHECKING:
    from tenants.scope import TenantScope

_DISMISSED: Final = "onboarding.dismissed"


@dataclass(frozen=True, slots=True)
class Step:
    """One step. ``dialog`` opens a fragment, else ``href`` is gone to."""

    title: str
    text: str
    icon: str
    href: str
    done: bool
    dialog: bool = False
    right: str = "record.create"


def steps(scope: TenantScope) -> list[Step]:
    """The steps in the order that makes sense."""
    own = {name: _has_own(scope, name) for name in ("company", "deal")}
    imported = _exists(scope, sql.SQL("SELECT EXISTS (SELECT FROM import)"))
    invited = _exists(scope, sql.SQL("SELECT count(*) > 1 FROM member WHERE status <> 'inactive'"))
    planned = _has_own(scope, "task") or _has_own(scope, "note")
    return [
        Step(
            "Add your first company",
            "A customer, a partner, a supplier.",
            "building-2",
            "/records/company/new",
            own["company"],
            dialog=True,
        ),
        Step(
            "Bring your data",
            "A CSV file of companies, contacts or deals.",
            "upload",
            "/imports/new",
            imported,
            right="record.import",
        ),
        Step(
            "Create a deal",
            "Follow it through the stages on the board.",
            "handshake",
            "/records/deal/new",
            own["deal"],
            dialog=True,
        ),
        Step("Write down what is next", "A note or a task on any record.", "square-check", "/records/company", planned),
        Step(
            "Invite a colleague",
            "Everybody sees the same history.",
            "user-plus",
            "/settings/members",
            invited,
            right="members.manage",
        ),
    ]


def is_dismissed(scope: TenantScope) -> bool:
    """Whether somebody has put the checklist away."""
    row = scope.execute("SELECT value FROM setting WHERE name = %(name)s", {"name": _DISMISSED}).fetchone()
    return bool(row and row[0])


def dismiss(scope: TenantScope, *, dismissed: bool) -> None:
    """Put the checklist away, or bring it back."""
    scope.execute(
        "INSERT INTO setting (name, value) VALUES (%(name)s, %(value)s)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        {"name": _DISMISSED, "value": Jsonb(dismissed)},
    )


def _has_own(scope: TenantScope, object_name: str) -> bool:
    """Whether there is a live record that is no sample."""
    catalog = catalogs.for_scope(scope)
    obj = catalog.objects.get(object_name)
    if obj is None:
        return False
    table, guard = visible(catalog, obj)
    text = (
        f"SELECT EXISTS (SELECT FROM {table} r WHERE r.deleted_at IS NULL"
        " AND r.source_system IS DISTINCT FROM %(sample)s::text)"
    )
    row = scope.execute(trusted(text), {"sample": SOURCE, **guard.binds(scope)}).fetchone()
    return bool(row and row[0])


def _exists(scope: TenantScope, query: sql.Composable) -> bool:
    row = scope.execute(query).fetchone()
    return bool(row and row[0])
