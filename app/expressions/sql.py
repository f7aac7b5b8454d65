"""Checked tree to SQLAlchemy Core."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import sqlalchemy as sa

    from app.expressions.kinds import Variable
    from app.expressions.tree import Checked


def to_sql(checked: Checked, column: Callable[[Variable], sa.ColumnElement[Any]]) -> sa.ColumnElement[bool]:
    """SQL that is true exactly for the rows the condition is met by; it never raises.

    ``column`` gives the SQL of a variable (the caller adds the join of a link hop). Literals are parameters
    ``c0`` … (``Checked.binds()``), ``me``, ``now``, ``today`` are parameters of those names.
    """
    raise NotImplementedError
