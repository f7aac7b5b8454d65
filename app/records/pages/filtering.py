"""What narrows a list or a board: the conditions of its address as chips, and the rows they are chosen in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.expressions import ConditionError
from app.expressions.rows import Group
from app.expressions.rows_reading import read
from app.expressions.rows_writing import write
from app.http.guard import workspace
from app.records.pages.conditions import LONGEST, Desk, rows_answer
from app.records.read import find_object

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from app.metadata.model import ObjectType
    from app.records.pages.asking import Asked
    from tenants.scope import TenantScope


@dataclass(frozen=True, slots=True)
class Chip:
    """One of the conditions that must all hold, in words; ``rest`` is the condition without it."""

    words: str
    rest: str


@workspace("record.read", write=False)
def filter_rows(scope: TenantScope, object_name: str) -> Response:
    """A list's condition as rows of what its reader may read, and what there is to say of them."""
    return rows_answer(_desk(scope, object_name))


def chips_of(scope: TenantScope, obj: ObjectType, question: Asked) -> list[Chip]:
    """The condition of the address piece by piece; as one piece of text where it can't be read."""
    source = question.filter[:LONGEST]
    if not source:
        return []
    desk = _desk(scope, obj.name)
    try:
        model = read(source, desk.environment)
    except ConditionError:
        return [Chip(f"`{source}`", "")]
    if model.join != "all":
        return [Chip(desk.shown(model).words(model), "")]
    shown, items = desk.shown(model), model.items
    rests = (Group("all", items[:at] + items[at + 1 :]) for at in range(len(items)))
    said = (shown.words(one) if isinstance(one, Group) else shown.words(Group("all", (one,))) for one in items)
    return [Chip(words, write(rest, desk.environment)) for words, rest in zip(said, rests, strict=True)]


def _desk(scope: TenantScope, object_name: str) -> Desk:
    catalog, obj = find_object(scope, object_name)
    return Desk(scope, catalog, obj, me="me")
