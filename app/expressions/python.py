"""Checked tree to a Python function."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from app.expressions.tree import Checked


def to_python(checked: Checked) -> Callable[[Mapping[str, object]], bool]:
    """A function from variable path → value (``me``, ``now``, ``today`` too) to whether the condition is met."""
    raise NotImplementedError
