"""The board: one column a stage, an option or a linked record, and its cards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from flask import request

from app.access import catalogs
from app.core import clock
from app.core.errors import InvalidInput, NotFound
from app.http.guard import workspace
from app.records.board import board
from app.records.pages.answers import page
from app.records.pages.filtering import chips_of
from app.records.pages.lanes import asks, figures_of, is_movable, lane_heads, mark_of, why_closed, with_none
from app.records.pages.levels import Levels
from app.records.pages.own_views import deleted_view, is_own
from app.records.pages.values import Record, Shown, gather_titles, reader_of, show, stage_tone
from app.records.pages.viewing import check_columns, chosen_view, is_broken, keeping, view_tabs, viewed
from app.records.paths import TITLE
from app.records.query import BoardQuery
from app.records.read import find_object

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from app.metadata.arrangement import View
    from app.metadata.model import ObjectType, Stage
    from app.records.pages.asking import Asked
    from tenants.scope import TenantScope

_CARDS: Final = 20
#: An open record nobody touched for longer is shown as idle.
_IDLE: Final = 14
#: What a card shows beside title and amount, where the object has it.
_CARD_FIELDS: Final = ("company", "contact", "close_on", "due_at", "owner")


@dataclass(frozen=True, slots=True)
class Card:
    """A record on the board; ``idle`` are the days since anybody touched it, when they are too many.

    ``fixed``: its reader may see it, not move it.
    """

    id: str
    title: str
    href: str
    version: int
    amount: Shown | None
    company: Shown | None
    date: Shown | None
    owner: Shown | None
    idle: int = 0
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class Lane:
    """A column with its cards. ``weighted``: its total by probability; ``asks``: the field a move into it wants."""

    stage: Stage
    count: int
    total: dict[str, str] | None
    weighted: dict[str, str] | None
    cards: tuple[Card, ...]
    more: str
    asks: str
    tone: str
    #: What a view wants to know of each column, in words.
    figures: tuple[tuple[str, str], ...] = ()
    #: Why nothing comes to it, which stands here only while records are in it; retired or removed it is marked so.
    closed: str = ""
    mark: str = ""


@workspace("record.read")
def board_page(scope: TenantScope, object_name: str) -> Response:
    """The board, whole or only its lanes when htmx asks."""
    _, obj = find_object(scope, object_name)
    question = viewed(scope, obj)
    view = chosen_view(scope, obj, question.view)
    own_board = view is not None and is_own(view.name) and view.shape == "board"
    if group_of(obj, view) == "stage" and not obj.has_pipeline and not own_board:
        raise NotFound(f"{obj.plural} have no stages.")
    return _answer(scope, obj, question, view)


def _answer(scope: TenantScope, obj: ObjectType, question: Asked, view: View | None) -> Response:
    values: dict[str, Any] = {"object": obj, "asked": question, "error": "", "lanes": (), "status": 200}
    group = group_of(obj, view)
    values |= {"views": view_tabs(scope, obj, question, "board"), "view": view}
    values["keeping"] = keeping(scope, obj, question, "board")
    values["deleted"] = deleted_view(scope, obj, request.args.get("deleted", ""))
    values |= {"group": group, "movable": is_movable(obj, group), "chips": chips_of(scope, obj, question)}
    try:
        if view is not None:
            check_columns(catalogs.for_scope(scope), obj, view)
        values["lanes"] = lanes_of(scope, obj, question, view)
    except InvalidInput as error:
        values |= {"error": error.detail, "status": 422, "broken": is_broken(scope, obj, view)}
    return page("records/board.html", "records/_board.html", values.pop("status"), **values)


def group_of(obj: ObjectType, view: View | None) -> str:
    """The field whose values are the columns: the view's, else the stage."""
    named = view.group_by if view is not None else ""
    return named if named in obj.fields else "stage"


def lanes_of(scope: TenantScope, obj: ObjectType, question: Asked, view: View | None = None) -> list[Lane]:
    """All columns in order, each with its figures and first cards."""
    group_by = group_of(obj, view)
    money = next((f.name for f in obj.fields.values() if f.type.name == "money"), "")
    names = [name for name in _CARD_FIELDS if name in obj.fields]
    idle = [name for name in ("updated_at", "stage_status") if name in obj.fields]
    levels = Levels(scope, obj, ("edit",))
    fields = (TITLE, "version", *levels.paths, *idle, *names, *((money,) if money else ()))
    figures = ("count", *((f"sum:{money}",) if money else ()))
    if money and "probability" in obj.fields:
        figures = (*figures, f"weighted:{money}")
    if view is not None and view.metrics:
        figures = tuple(dict.fromkeys(("count", *view.metrics)))
    query = BoardQuery(
        group_by=group_by, metrics=figures, limit=_CARDS, fields=fields,
        filter=question.condition(obj), sort=question.sort or question.order or "-id",
    )  # fmt: skip
    groups = with_none(obj, group_by, board(scope, obj.name, query)["groups"])
    records = [record for group in groups for record in group["data"]]
    known = gather_titles(scope, obj, names, records)
    reader, movable = reader_of(scope), is_movable(obj, group_by)

    def shown(record: Record, name: str) -> Shown | None:
        found = show(obj.fields[name], record.get(name), reader, known, obj) if name in obj.fields else None
        return found if found is not None and not found.empty else None

    def card(record: Record) -> Card:
        return Card(
            id=str(record["id"]), title=str(record[TITLE] or "Untitled"), href=_base(obj, record["id"]),
            version=int(record["version"]), amount=shown(record, money),
            company=shown(record, "company") or shown(record, "contact"),
            date=shown(record, "close_on") or shown(record, "due_at"), owner=shown(record, "owner"),
            idle=_idle_days(record), fixed="edit" not in levels.of(record) or not movable,
        )  # fmt: skip

    heads = lane_heads(scope, obj, group_by, [group["key"] for group in groups])
    return [
        Lane(
            stage=heads[group["key"]], count=int(group["count"]), total=group.get(f"sum_{money}"),
            weighted=group.get(f"weighted_{money}"),
            cards=tuple(card(record) for record in group["data"]),
            more=_more(question, group_by, group["key"]) if group["next"] else "",
            asks=asks(obj, heads[group["key"]]) if group_by == "stage" else "",
            tone=stage_tone(obj, group["key"]) if group_by == "stage" else heads[group["key"]].color or "slate",
            figures=figures_of(obj, view, group, reader), mark=mark_of(obj, group_by, group),
            closed=why_closed(obj, group_by, group, heads[group["key"]]),
        )
        for group in groups
    ]  # fmt: skip


def _idle_days(record: Record) -> int:
    """Days an open record has not been touched, 0 while that is nothing to worry about."""
    if record.get("stage_status") != "open" or "updated_at" not in record:
        return 0
    days = (clock.now() - datetime.fromisoformat(str(record["updated_at"]))).days
    return days if days > _IDLE else 0


def _more(question: Asked, group_by: str, key: object) -> str:
    only = f'{group_by} == "{key}"' if key is not None else f"!has({group_by})"
    return question.href(filter=f"({question.filter}) && {only}" if question.filter else only)


def _base(obj: ObjectType, record_id: object) -> str:
    return f"/records/{obj.name}/{record_id}"
