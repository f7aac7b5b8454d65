"""``email`` and ``emails``, ``phone`` and ``phones``: the single is the primary entry of the list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.metadata.fieldtypes.entries import entries_from_json, primary_of, with_primary
from app.records.plan import plan_of

if TYPE_CHECKING:
    from app.metadata.model import ObjectType
    from app.records.rules import Draft


def is_single(object_type: ObjectType, name: str) -> bool:
    """Whether writing the field moves an entry of a list, which must be known for that."""
    return bool(object_type.fields[name].primary_of)


def couple(draft: Draft) -> None:
    """Bring list and single in step: the list gives the single, a single written takes the primary's place."""
    for name, many in plan_of(draft.object_type).pairs:
        if not draft.touches(name, many):
            continue
        single, entries = draft.values.get(name), draft.values.get(many)
        if many not in draft.values:
            entries = with_primary(entries_from_json(draft.current[many] if draft.current else None), single)
        elif single is not None:
            entries = with_primary(entries, single)
        draft.values[many], draft.values[name] = entries, primary_of(entries)
