"""The views a member made for themselves: kept with their preferences, one list for each object."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from app.core.errors import Conflict, FieldError, Forbidden, InvalidInput, NotFound
from app.metadata.arrangement import View
from tenants.identity.members import locked_preferences, set_preferences

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from app.metadata.model import ObjectType
    from tenants.scope import TenantScope

#: How their ids begin. A name of a component has no hyphen, so no view of the workspace is called like one.
PREFIX: Final = "own-"
#: More than this are no tabs any more.
MOST: Final = 20
LONGEST_LABEL: Final = 80
#: Characters of a condition: preferences are read with every request.
LONGEST: Final = 4_000


class _Kept(msgspec.Struct, frozen=True, omit_defaults=True):
    """A view as the preferences hold it. ``deleted``: the last one deleted, which can be brought back."""

    id: str
    label: str
    filter: str = ""
    sort: tuple[str, ...] = ()
    shape: Literal["list", "board"] = "list"
    columns: tuple[str, ...] = ()
    group_by: str = ""
    metrics: tuple[str, ...] = ()
    deleted: bool = False

    @property
    def view(self) -> View:
        """As lists and boards take it."""
        return View(
            name=self.id, label=self.label, shape=self.shape, filter=self.filter, sort=self.sort, columns=self.columns,
            group_by=self.group_by, metrics=self.metrics,
        )  # fmt: skip


def is_own(name: str) -> bool:
    """Whether ``name`` can be that of a view of somebody's own."""
    return name.startswith(PREFIX)


def may_keep(scope: TenantScope) -> bool:
    """Whether there is somebody to keep a view for: a member, not a key and not a session of support."""
    return scope.member is not None and scope.support is None


def own_views(scope: TenantScope, obj: ObjectType) -> list[View]:
    """The views whoever asks made of this object, in the order they made them."""
    return [one.view for one in _of(scope, obj) if not one.deleted]


def own_view(scope: TenantScope, obj: ObjectType, name: str) -> View:
    """One of them. Raises NotFound."""
    found = next((one for one in own_views(scope, obj) if one.name == name), None)
    if found is None:
        raise NotFound("You have no such view.")
    return found


def deleted_view(scope: TenantScope, obj: ObjectType, name: str) -> View | None:
    """The one deleted last, while it can be brought back."""
    return next((one.view for one in _of(scope, obj) if one.deleted and one.id == name), None)


def add_view(scope: TenantScope, obj: ObjectType, view: View) -> View:
    """Keep a view for whoever asks, under an id of its own. Raises InvalidInput, Conflict."""
    made = replace(view, name=PREFIX + secrets.token_hex(4))

    def adding(kept: list[_Kept]) -> list[_Kept]:
        _check_room(kept, obj)
        return [*kept, _plain(made, _label(kept, made))]

    _change(scope, obj, adding)
    return made


def put_view(scope: TenantScope, obj: ObjectType, view: View) -> None:
    """Let one of them be as ``view`` says. Raises InvalidInput, NotFound."""

    def putting(kept: list[_Kept]) -> list[_Kept]:
        _place(kept, view.name)
        label = _label(kept, view)
        return [_plain(view, label) if one.id == view.name else one for one in kept]

    _change(scope, obj, putting)


def delete_view(scope: TenantScope, obj: ObjectType, name: str) -> None:
    """Take one of them away; it can be brought back until another one is deleted. Raises NotFound."""

    def deleting(kept: list[_Kept]) -> list[_Kept]:
        gone = _place(kept, name)
        return [
            msgspec.structs.replace(one, deleted=True) if one is gone else one
            for one in kept if not one.deleted
        ]  # fmt: skip

    _change(scope, obj, deleting)


def restore_view(scope: TenantScope, obj: ObjectType, name: str) -> View:
    """Bring back the one deleted last, in its place. Raises NotFound, Conflict, InvalidInput."""
    view = deleted_view(scope, obj, name)
    if view is None:
        raise NotFound("There is no such view to bring back any more.")

    def restoring(kept: list[_Kept]) -> list[_Kept]:
        _check_room(kept, obj)
        label = _label(kept, view)
        return [_plain(view, label) if one.id == name else one for one in kept]

    _change(scope, obj, restoring)
    return view


def _key(obj: ObjectType) -> str:
    return f"views.{obj.name}"


def _of(scope: TenantScope, obj: ObjectType) -> list[_Kept]:
    return _read(scope.member.preferences, obj) if scope.member is not None and may_keep(scope) else []


def _read(preferences: Mapping[str, object], obj: ObjectType) -> list[_Kept]:
    """What is kept of an object; none where that says something else."""
    try:
        return list(msgspec.convert(preferences.get(_key(obj)) or [], tuple[_Kept, ...]))
    except msgspec.ValidationError:
        return []


def _change(scope: TenantScope, obj: ObjectType, change: Callable[[list[_Kept]], list[_Kept]]) -> None:
    """Write what ``change`` makes of the views as they are now: two windows may keep one at a time."""
    if scope.member is None or not may_keep(scope):
        raise Forbidden("This needs a person who is signed in.")
    kept = change(_read(locked_preferences(scope, scope.member.id), obj))
    set_preferences(scope, scope.member.id, {_key(obj): msgspec.to_builtins(kept)})


def _place(kept: list[_Kept], name: str) -> _Kept:
    found = next((one for one in kept if one.id == name and not one.deleted), None)
    if found is None:
        raise NotFound("You have no such view.")
    return found


def _check_room(kept: list[_Kept], obj: ObjectType) -> None:
    if sum(not one.deleted for one in kept) >= MOST:
        raise Conflict(f"You have {MOST} views of {obj.plural.lower()}, and that is the most. Delete one first.")


def _label(kept: list[_Kept], view: View) -> str:
    """What the view is to be called, spaces tidied; unlike the others whatever their case. Raises InvalidInput."""
    label = " ".join(view.label.replace("\0", "").split())
    if not label:
        raise _wrong("required", "Give the view a name.")
    if len(label) > LONGEST_LABEL:
        raise _wrong("length", f"A name has at most {LONGEST_LABEL} characters.")
    if any(one.label.casefold() == label.casefold() for one in kept if one.id != view.name and not one.deleted):
        raise _wrong("unique", f"You have a view called {label} already.")
    return label


def _wrong(code: str, message: str) -> InvalidInput:
    return InvalidInput(message, [FieldError("/label", code, message)])


def _plain(view: View, label: str) -> _Kept:
    if len(view.filter) > LONGEST:
        message = f"The condition is longer than the {LONGEST:,} characters a view of your own can have."
        raise InvalidInput(message, [FieldError("/filter", "length", message)])
    return _Kept(
        id=view.name, label=label, filter=view.filter.replace("\0", ""), sort=view.sort, shape=view.shape,
        columns=view.columns, group_by=view.group_by, metrics=view.metrics,
    )  # fmt: skip
