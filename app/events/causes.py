"""Why an event happened, beyond who did it: the chain from a person over an import or a bulk act to the record.

A write notes its cause as small JSON (``TenantScope.cause``); here it becomes what API and pages show. Whoever reacts
to events asks ``is_mass`` first: what an import or a bulk act did to many records is told once more by its summary.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping
    from uuid import UUID

    from tenants.scope import TenantScope

#: Kinds as shown.
KINDS: Final = ("import", "import_undo", "bulk", "batch", "conversion", "handover", "trash", "schedule", "job")
#: Key of the stored cause → kind shown; the first that is there names the cause.
_KINDS: Final = {
    "import": "import",
    "undo": "import_undo",
    "bulk": "bulk",
    "batch": "batch",
    "conversion": "conversion",
    "handed_over_from": "handover",
    "trashed": "trash",
    "schedule": "schedule",
    "job": "job",
}
#: Kinds by which one act changes many records; each ends with one summary event.
MASS: Final = frozenset({"import", "import_undo", "bulk"})
#: Their keys in the stored cause.
MASS_KEYS: Final = [key for key, kind in _KINDS.items() if kind in MASS]
#: Kinds whose id is that of an import.
OF_IMPORTS: Final = frozenset({"import", "import_undo"})
#: Key of the mark that an erasure leaves (``app.events.erase``).
ERASED: Final = "erased"

_STARTERS: Final = (
    "SELECT i.id::text, i.file_name, i.options -> 'by' ->> 'kind', i.options -> 'by' ->> 'id',"
    " coalesce(m.name, k.name, i.options -> 'by' ->> 'name') FROM import i"
    " LEFT JOIN member m ON i.options -> 'by' ->> 'kind' = 'member' AND m.id = (i.options -> 'by' ->> 'id')::uuid"
    " LEFT JOIN api_key k ON i.options -> 'by' ->> 'kind' = 'key' AND k.id = (i.options -> 'by' ->> 'id')::uuid"
    " WHERE i.id = ANY(%s::uuid[])"
)


@contextmanager
def caused_by(scope: TenantScope, **cause: UUID | str) -> Generator[None]:
    """Events of the block carry ``cause``, such as ``bulk=<id of the act>``, besides what the scope says already."""
    before = scope.cause
    scope.cause = {**(before or {}), **{key: str(value) for key, value in cause.items()}}
    try:
        yield
    finally:
        scope.cause = before


def kind_of(cause: Mapping[str, Any] | None) -> str | None:
    """The kind of a stored cause; None when there is nothing to tell."""
    return next((_KINDS[key] for key in _KINDS if key in cause), None) if cause else None


def is_mass(event: Mapping[str, Any]) -> bool:
    """Whether an import or a bulk act made this event of one record (``event`` as consumers get it)."""
    return event["record_version"] is not None and kind_of(event["cause"]) in MASS


def explain(scope: TenantScope, events: Iterable[dict[str, Any]]) -> None:
    """Put the cause as shown in the place of the stored one: ``{"kind", "id", "by"}`` or None.

    ``by`` is who began it: for an import whoever started it, else the event's actor. ``file`` and ``erased`` are added
    for pages. At most one statement, and none when no import is among the causes.
    """
    listed = list(events)
    imports = {
        str(event["cause"][key]) for event in listed for key in ("import", "undo") if key in (event["cause"] or {})
    }
    starters = _starters(scope, imports) if imports else {}
    for event in listed:
        stored: dict[str, Any] = event["cause"] or {}
        event["erased"] = ERASED in stored
        event["file"] = None
        event["cause"] = None
        key = next((key for key in _KINDS if key in stored), None)
        if key is None:
            continue
        kind, by = _KINDS[key], event["actor"]
        cause_id = stored["job"] if key == "schedule" and "job" in stored else stored[key]
        if kind in OF_IMPORTS:
            event["file"], starter = starters.get(str(cause_id), (None, None))
            by = starter if kind == "import" else by
        event["cause"] = {"kind": kind, "id": str(cause_id), "by": by}


def _starters(scope: TenantScope, imports: Iterable[str]) -> dict[str, tuple[str, dict[str, Any]]]:
    """File and starter of each import."""
    rows = scope.execute(_STARTERS, (sorted(imports),)).fetchall()
    return {row[0]: (row[1], {"kind": row[2], "id": row[3], "name": row[4] or ""}) for row in rows}
