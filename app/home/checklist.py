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
    from collections.abc import Mapping

    from app.metadata.model import ObjectType
    from tenants.scope import TenantScope

_DISMISSED: Final = "onboarding.dismissed"
_VOWELS: Final = frozenset("aeiou")


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
    """The steps in the order that makes sense, in the workspace's own words; of what one may not see there is none."""
    objects = catalogs.for_scope(scope).objects
    company, deal = objects.get("company"), objects.get("deal")
    imported = _exists(scope, sql.SQL("SELECT EXISTS (SELECT FROM import)"))
    invited = _exists(scope, sql.SQL("SELECT count(*) > 1 FROM member WHERE status <> 'inactive'"))
    planned = _has_own(scope, "task") or _has_own(scope, "note")
    found: list[Step] = []
    if company is not None:
        title, text = f"Add your first {company.label.lower()}", "A customer, a partner, a supplier."
        own = _has_own(scope, "company")
        found.append(Step(title, text, "building-2", "/records/company/new", own, dialog=True))
    text = f"A CSV file of {_kinds(objects)}."
    found.append(Step("Bring your data", text, "upload", "/imports/new", imported, right="record.import"))
    if deal is not None:
        title, text = f"Create {_a(deal.label.lower())}", "Follow it through the stages on the board."
        found.append(Step(title, text, "handshake", "/records/deal/new", _has_own(scope, "deal"), dialog=True))
    where = "/records/company" if company is not None else "/records/task"
    found.append(Step("Write down what is next", "A note or a task on any record.", "square-check", where, planned))
    title, text = "Invite a colleague", "Everybody sees the same history."
    found.append(Step(title, text, "user-plus", "/settings/members", invited, right="members.manage"))
    return found


def _kinds(objects: Mapping[str, ObjectType]) -> str:
    """Companies, contacts or deals, as far as one may see them."""
    words = [one.plural.lower() for name in ("company", "contact", "deal") if (one := objects.get(name))]
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words or ["records"])


def _a(noun: str) -> str:
    """The noun with its article."""
    return f"{'an' if noun[:1] in _VOWELS else 'a'} {noun}"


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
