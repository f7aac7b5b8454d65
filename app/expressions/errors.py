"""The one error of this package."""

from __future__ import annotations

from app.core.errors import FieldError, InvalidInput


class ConditionError(InvalidInput):
    """A condition that can't be understood. ``extra["position"]`` is the 0-based character it is about."""

    code = "condition.invalid"
    title = "The condition is not valid"

    @classmethod
    def at(cls, position: int, message: str, pointer: str = "?filter") -> ConditionError:
        """Build the error for ``position`` in the source."""
        return cls(message, [FieldError(pointer, cls.code, message)], {"position": position})
