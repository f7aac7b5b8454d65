"""From parsed CEL to the checked tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.expressions.kinds import Environment
    from app.expressions.tree import Checked


def check(source: str, environment: Environment) -> Checked:
    """Parse and check a condition. Raises ConditionError with position and hint."""
    raise NotImplementedError
