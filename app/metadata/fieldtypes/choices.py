"""What types with options share: finding the option a raw value means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.metadata.fieldtypes.base import ValueProblem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.metadata.model import Field, Option

_SHOWN = 12


def option_name(field: Field, raw: object) -> str | None:
    """The name of the option ``raw`` means: its name, or its name or label in any case. ``None`` when empty.

    Raises ValueProblem ``option.unknown`` (an import may then add it when the field is open) or ``option.retired``.
    """
    if raw is None or raw == "":
        return None
    if not isinstance(raw, str):
        raise ValueProblem("option.type", "Must be the name of an option, as text")
    option = field.options.get(raw) or _by_label(field.options, raw)
    if option is None:
        if not raw.strip():
            return None
        names = ", ".join(list(field.options)[:_SHOWN]) + (", …" if len(field.options) > _SHOWN else "")
        raise ValueProblem("option.unknown", f"{raw[:60]!r} is not an option; there are {names or 'none yet'}")
    if option.retired:
        raise ValueProblem("option.retired", f"{option.label} is no longer offered")
    return option.name


def _by_label(options: Mapping[str, Option], raw: str) -> Option | None:
    wanted = raw.strip().casefold()
    if not wanted:
        return None
    for option in options.values():
        if wanted in {option.name, option.label.casefold(), option.also.casefold()}:
            return option
    return None


def option_label(field: Field, name: object) -> str:
    """The label to show; a name without an option (a removed one) shows as it is."""
    option = field.options.get(str(name))
    return option.label if option else str(name)
