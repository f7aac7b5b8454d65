"""Paging by key: each record once, in any order, however long the list (DESIGN §6).

Rows whose first key is empty are a range of their own, last in both directions; a page that runs over the border is
one statement of two branches, the second of which PostgreSQL only starts when the first ran dry.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from app.core.errors import FieldError, InvalidInput
from app.records.sorting import type_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.records.sorting import SortKey

_PREFIX: Final = "k"
_LAST_ID: Final = "last_id"


class WrongCursor(InvalidInput):
    """A cursor that is not one, or was given for another workspace, object, sort or filter."""

    code = "cursor.invalid"
    title = "The cursor is not valid here"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the page before ended: the last row's key values (None = empty) and id; ``id`` None for groups."""

    values: tuple[object, ...]
    id: UUID | None

    @property
    def form(self) -> tuple[bool, ...]:
        """Which keys are empty: part of the statement's shape."""
        return tuple(value is None for value in self.values)

    def binds(self) -> dict[str, object]:
        """Parameters of the conditions written by ``branches``."""
        binds: dict[str, object] = {f"{_PREFIX}{index}": value for index, value in enumerate(self.values)}
        binds[_LAST_ID] = self.id
        return binds


def subject_of(tenant: UUID, question: str, *narrowing: str) -> str:
    """What a cursor is good for: one workspace and question (object and sort), and what ``narrowing`` left out of it.

    Without ``narrowing`` it goes on in that order under any filter: a board's column as a list, a record's neighbours.
    """
    return "\x00".join((str(tenant), question, *narrowing))


def encode_cursor(subject: str, values: Sequence[object], record_id: str | None) -> str:
    """An opaque cursor for ``subject`` (see ``subject_of``)."""
    body = msgspec.json.encode([record_id, list(values)])
    return base64.urlsafe_b64encode(_seal(subject, body) + body).rstrip(b"=").decode()


def decode_cursor(subjects: Sequence[str], cursor: str, keys: Sequence[SortKey]) -> Place:
    """The place that a cursor for one of ``subjects`` names. Raises WrongCursor."""
    try:
        return _unsealed(subjects, cursor, keys)
    except (ValueError, msgspec.MsgspecError) as error:
        message = "Use the cursor of the page before, with the same sort and filter, or start without one."
        raise WrongCursor(message, [FieldError("?cursor", WrongCursor.code, message)]) from error


def _unsealed(subjects: Sequence[str], cursor: str, keys: Sequence[SortKey]) -> Place:
    raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    body = raw[8:]
    if not any(raw[:8] == _seal(subject, body) for subject in subjects):
        raise ValueError("made for something else")
    record_id, values = msgspec.json.decode(body, type=tuple[str | None, list[Any]])
    if len(values) != len(keys):
        raise ValueError("other keys")
    read = tuple(None if value is None else key.read(value) for key, value in zip(keys, values, strict=True))
    return Place(read, UUID(record_id) if record_id else None)


def _seal(subject: str, body: bytes) -> bytes:
    return hashlib.sha256(subject.encode() + b"\x00" + body).digest()[:8]


@dataclass(frozen=True, slots=True)
class Branch:
    """One range of the order: its condition (None = all rows) and its ORDER BY."""

    where: sa.ColumnElement[bool] | None
    order: tuple[sa.ColumnElement[Any], ...]


@dataclass(frozen=True, slots=True)
class _Tie:
    """The last key: the id, in the direction of the key before it; none where keys are unique (groups)."""

    id: sa.ColumnElement[Any] | None
    down: bool

    def after(self) -> sa.ColumnElement[bool]:
        """Rows behind the place whose other keys are equal."""
        if self.id is None:
            return sa.false()
        last = sa.bindparam(_LAST_ID, type_=pg.UUID(as_uuid=True))
        return self.id < last if self.down else self.id > last

    def order(self) -> tuple[sa.ColumnElement[Any], ...]:
        """Its part of ORDER BY."""
        if self.id is None:
            return ()
        return (self.id.desc() if self.down else self.id.asc(),)


def branches(
    keys: Sequence[SortKey], record_id: sa.ColumnElement[Any] | None, form: tuple[bool, ...] | None
) -> list[Branch]:
    """List the ranges a page after a place of ``form`` may touch, in order; ``form`` None is the first page.

    ``record_id`` is the tie-break; None where the keys are unique by themselves (groups).
    """
    tie = _Tie(record_id, bool(keys) and keys[-1].descending)
    if not keys:
        return [Branch(tie.after() if form is not None else None, tie.order())]
    first, rest = keys[0], keys[1:]
    filled = Branch(_filled(keys, tie, form), _order(keys, tie))
    if form is None and (not first.descending or not first.nullable):
        return [filled]
    in_nulls = form is not None and form[0]
    is_empty = first.sql.is_(None)
    if form is not None and in_nulls:
        is_empty = sa.and_(is_empty, _after(rest, 1, tie, form[1:]))
    empty = Branch(is_empty, _order(rest, tie, split=False))
    if in_nulls:
        return [empty]
    return [filled, empty] if first.nullable else [filled]


def whole_order(keys: Sequence[SortKey], record_id: sa.ColumnElement[Any]) -> tuple[sa.ColumnElement[Any], ...]:
    """ORDER BY of all rows in one range, empty values last; for short lists that are never paged by it."""
    return _order(keys, _Tie(record_id, bool(keys) and keys[-1].descending), split=False)


def _filled(keys: Sequence[SortKey], tie: _Tie, form: tuple[bool, ...] | None) -> sa.ColumnElement[bool] | None:
    first, value = keys[0], _bind(keys[0], 0)
    if form is None:
        return first.sql.is_not(None) if first.descending and first.nullable else None
    if form[0]:
        return None
    if len(keys) == 1 and tie.id is not None:
        mine = sa.tuple_(first.sql, tie.id)
        last = sa.tuple_(value, sa.bindparam(_LAST_ID, type_=pg.UUID(as_uuid=True)))
        return mine < last if first.descending else mine > last
    beyond = first.sql < value if first.descending else first.sql > value
    if len(keys) == 1:
        return beyond
    # The bound says nothing new, but it is what an index on the first key can be entered by.
    bound = first.sql <= value if first.descending else first.sql >= value
    return sa.and_(bound, sa.or_(beyond, sa.and_(first.sql == value, _after(keys[1:], 1, tie, form[1:]))))


def _after(keys: Sequence[SortKey], at: int, tie: _Tie, form: tuple[bool, ...]) -> sa.ColumnElement[bool]:
    """Rows behind the place by the keys from number ``at`` on."""
    if not keys:
        return tie.after()
    key, empty = keys[0], form[0]
    further = _after(keys[1:], at + 1, tie, form[1:])
    if empty:
        return sa.and_(key.sql.is_(None), further)
    value = _bind(key, at)
    beyond = key.sql < value if key.descending else key.sql > value
    if key.nullable:
        beyond = sa.or_(beyond, key.sql.is_(None))
    return sa.or_(beyond, sa.and_(key.sql == value, further))


def _order(keys: Sequence[SortKey], tie: _Tie, *, split: bool = True) -> tuple[sa.ColumnElement[Any], ...]:
    """ORDER BY of a branch; with ``split`` the first key has no empty values here (or ascends)."""
    order: list[sa.ColumnElement[Any]] = []
    for index, key in enumerate(keys):
        ordered = key.sql.desc() if key.descending else key.sql.asc()
        order.append(ordered.nulls_last() if key.descending and key.nullable and (index or not split) else ordered)
    return (*order, *tie.order())


def _bind(key: SortKey, at: int) -> sa.ColumnElement[Any]:
    return sa.bindparam(f"{_PREFIX}{at}", type_=type_of(key))
