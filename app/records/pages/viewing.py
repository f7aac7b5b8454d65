"""The views above an object's list and board: those the workspace offers its reader, and the reader's own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from app.access import catalogs
from app.core.errors import InvalidInput
from app.expressions import ConditionError, check
from app.metadata.arrangement import View
from app.metadata.environment import find
from app.records import reach
from app.records.environment import RecordEnvironment
from app.records.metrics import parse_metrics
from app.records.pages.asking import asked
from app.records.pages.columns import chosen_columns
from app.records.pages.own_views import is_own, may_keep, own_views
from app.records.sorting import parse_sort
from app.records.statements import ShapeCache

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.metadata.model import Catalog, ObjectType
    from app.records.pages.asking import Asked
    from tenants.scope import TenantScope

_OFFERED: Final = ShapeCache(512)
#: What a board's columns can be made of: field types beside links.
_GROUPING: Final = frozenset({"select", "stage"})


@dataclass(frozen=True, slots=True)
class ViewTab:
    """A view in the line above a list."""

    label: str
    href: str
    current: bool
    help: str = ""
    #: Whether it is its reader's own.
    own: bool = False


@dataclass(frozen=True, slots=True)
class Keeping:
    """What can be kept of a list as it stands: ``name`` and ``label`` of the own view it looks through, if any.

    ``differs``: whether the address asks for more than its view. ``query`` says what is shown, for ``state_sent``.
    """

    name: str
    label: str
    differs: bool
    query: str
    #: Whether it is a list or a board.
    shape: str


def offered_views(scope: TenantScope, obj: ObjectType) -> list[View]:
    """The views meant for whoever asks that name nothing they may not read."""
    if not obj.views:
        return []
    catalog = catalogs.for_scope(scope)
    key = ("views", obj.views, RecordEnvironment(catalog, obj, scope.tenant).key)
    sound = _OFFERED.get(key, lambda: tuple(one for one in obj.views if _is_sound(scope, obj, one)))
    roles = {scope.role, *scope.roles}
    return [one for one in sound if not one.roles or not roles.isdisjoint(one.roles)]


def chosen_view(scope: TenantScope, obj: ObjectType, name: str) -> View | None:
    """The view called ``name``; None for one that is neither offered nor their own."""
    if not name:
        return None
    among = own_views(scope, obj) if is_own(name) else offered_views(scope, obj)
    return next((one for one in among if one.name == name), None)


def viewed(scope: TenantScope, obj: ObjectType, question: Asked | None = None) -> Asked:
    """What the address asks for, within its view."""
    question = question or asked(obj.name)
    view = chosen_view(scope, obj, question.view)
    if view is None:
        return replace(question, view="")
    return replace(question, within=view.filter, order=",".join(view.sort))


def view_tabs(scope: TenantScope, obj: ObjectType, question: Asked, page: str) -> list[ViewTab]:
    """All records, then the workspace's views, then one's own, each with its list or board; none without views."""
    views = [*offered_views(scope, obj), *own_views(scope, obj)]
    if not views:
        return []
    base = f"/records/{obj.name}"
    plain = f"{base}/board" if page == "board" and obj.has_pipeline else base
    everything = ViewTab(f"All {obj.plural.lower()}", plain, not question.view)
    return [everything, *(_tab(obj, one, question) for one in views)]


def _tab(obj: ObjectType, view: View, question: Asked) -> ViewTab:
    return ViewTab(view.label, address_of(obj, view), question.view == view.name, view.help, is_own(view.name))


def address_of(obj: ObjectType, view: View) -> str:
    """Where a view is looked at."""
    return f"/records/{obj.name}" + ("/board" if view.shape == "board" else "") + f"?view={view.name}"


def keeping(scope: TenantScope, obj: ObjectType, question: Asked, page: str) -> Keeping | None:
    """What can be kept of what is shown; None for who keeps nothing."""
    if not may_keep(scope):
        return None
    view = chosen_view(scope, obj, question.view)
    own = view if view is not None and is_own(view.name) else None
    asks = bool(question.filter or question.words) or question.sort not in ("", question.order)
    differs = asks or (own is not None and own.shape != page)
    query = "&".join(one for one in (question.query(cursor=""), f"shape={page}") if one)
    return Keeping(own.name if own else "", own.label if own else "", differs, query, page)


def shown_now(scope: TenantScope, obj: ObjectType, question: Asked, page: str) -> View:
    """What a list or board shows as a view without a name: all its conditions as one."""
    view = chosen_view(scope, obj, question.view)
    sort = question.sort or question.order
    return View(
        name="", label="", shape="board" if page == "board" else "list", filter=question.condition(obj),
        sort=tuple(sort.split(",")) if sort else (),
        columns=(view.columns if view else ()) or tuple(chosen_columns(scope, obj)),
        group_by=(view.group_by if view else "") or ("stage" if page == "board" else ""),
        metrics=view.metrics if view else (),
    )  # fmt: skip


def check_view(scope: TenantScope, obj: ObjectType, view: View) -> None:
    """Refuse a view that names what its reader may not ask for. Raises InvalidInput."""
    catalog = catalogs.for_scope(scope)
    source = reach.source(catalog, obj)
    if view.filter:
        check(view.filter, RecordEnvironment(catalog, obj, scope.tenant))
    if view.sort:
        parse_sort(source, ",".join(view.sort))
    parse_metrics(source, view.metrics)
    check_columns(catalog, obj, view)


def check_columns(catalog: Catalog, obj: ObjectType, view: View) -> None:
    """Refuse a board whose columns no field makes any more. Raises InvalidInput."""
    named = find(catalog.objects, obj, view.group_by) if view.group_by else None
    field = named.field if named is not None and not named.via and not named.part else None
    if view.shape == "board" and (field is None or not (field.type.name in _GROUPING or field.to)):
        raise InvalidInput(f"There is no field `{view.group_by}` to make the columns of the board.")


def mended(scope: TenantScope, obj: ObjectType, view: View) -> View:
    """``view`` without the order, figures and board that can't be asked for any more; its condition stays."""
    catalog = catalogs.for_scope(scope)
    source = reach.source(catalog, obj)
    sort = tuple(one for one in view.sort if _holds(lambda one=one: parse_sort(source, one)))
    metrics = tuple(one for one in view.metrics if _holds(lambda one=one: parse_metrics(source, (one,))))
    whole = _holds(lambda: check_columns(catalog, obj, view))
    return replace(view, sort=sort, metrics=metrics, shape=view.shape if whole else "list")


def is_broken(scope: TenantScope, obj: ObjectType, view: View | None) -> bool:
    """Whether it is its reader's own and names what they may not ask for, or what is not there any more."""
    return view is not None and is_own(view.name) and not _is_sound(scope, obj, view)


def _is_sound(scope: TenantScope, obj: ObjectType, view: View) -> bool:
    """Whether its reader may ask for what it names; columns out of their sight are only left out."""
    return _holds(lambda: check_view(scope, obj, view))


def _holds(asking: Callable[[], object]) -> bool:
    try:
        asking()
    except (ConditionError, InvalidInput):
        return False
    return True
