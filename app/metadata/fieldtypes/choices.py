"""What types with options share: finding the option a raw value means."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from app.metadata.fieldtypes.base import ValueProblem

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from app.metadata.model import Field, Option

_SHOWN = 12


def option_name(field: Field, raw: object) -> str | None:
    """The name of the option ``raw`` means: its name, or its name or label in any case. ``None`` when empty.

    A retired one is an option, too: whether a record may come to it is the write path's question.
    Raises ValueProblem ``option.unknown`` (an import may then add it when the field is open).
    """
    if raw is None or raw == "":
        return None
    if not isinstance(raw, str):
        raise ValueProblem("option.type", "Must be the name of an option, as text")
    option = field.options.get(raw) or _by_label(field.options, raw)
    if option is None:
        if not raw.strip():
            return None
        known = [_both(one) for one in offered(field)]
        names = ", ".join(known[:_SHOWN]) + (", …" if len(known) > _SHOWN else "")
        raise ValueProblem("option.unknown", f"{raw[:60]!r} is not an option; there are {names or 'none yet'}")
    return option.name


def _by_label(options: Mapping[str, Option], raw: str) -> Option | None:
    wanted = raw.strip().casefold()
    if not wanted:
        return None
    for option in sorted(options.values(), key=lambda one: one.retired):
        if wanted in {option.name, option.label.casefold(), option.also.casefold()}:
            return option
    return None


def _both(option: Option) -> str:
    """What people see, and the name programs write where it is another; both are taken."""
    return option.label if option.label.casefold() == option.name else f"{option.label} ({option.name})"


def option_label(field: Field, name: object) -> str:
    """The label to show; a name without an option (a removed one) shows as it is."""
    option = field.options.get(str(name))
    return option.label if option else str(name)


def offered(field: Field, held: Collection[object] = ()) -> tuple[Option, ...]:
    """The options to choose from: of the retired ones only what is ``held`` already."""
    return tuple(one for one in field.options.values() if not one.retired or one.name in held)


def retired_in(field: Field, value: object) -> bool:
    """Whether a value, one option or several, names one that is retired."""
    names = cast("tuple[object, ...]", value) if isinstance(value, tuple) else (value,)
    return any(one.retired for one in field.options.values() if one.name in names)


def listed_options(labels: Sequence[str]) -> str:
    """Labels as a sentence lists them: the first of many."""
    if len(labels) > _SHOWN:
        return ", ".join(labels[:_SHOWN]) + ", …"
    return " or ".join([", ".join(labels[:-1]), labels[-1]] if len(labels) > 1 else labels)
