"""What a condition may talk about: the kinds of values, the variables and who knows them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

#: Kinds a variable can have. ``texts`` (all e-mails of a contact) and ``options`` (multi_select, tags) hold many
#: values; ``money`` is the amount in the tenant's currency; ``none`` can only be asked with ``has()``; ``duration``
#: is exact seconds, ``time`` a time of day.
Kind: TypeAlias = Literal[
    "text", "number", "money", "boolean", "date", "datetime", "time", "duration", "option", "options", "link", "texts",
    "none",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Variable:
    """A field as a condition sees it. ``path`` is what people write: ``amount``, ``company.industry``.

    ``options`` are the known values of a select (empty: not checked); ``normalise`` brings a literal into the form
    the column holds (e-mails in lower case, phones E.164).
    """

    path: str
    kind: Kind
    options: frozenset[str] = frozenset()
    normalise: Callable[[str], str] | None = field(default=None, compare=False)


class Environment(Protocol):
    """The names a condition may use. Answers must depend on ``key`` only: checked conditions are cached by it."""

    @property
    def key(self) -> Hashable:
        """Equal keys promise equal answers (object spec hash, currency, time zone …)."""
        ...

    @property
    def currency(self) -> str:
        """ISO 4217 code of the tenant: what a bare number compared with money means."""
        ...

    @property
    def timezone(self) -> str:
        """IANA name of the tenant's zone: the day of a point in time; "" where it is the parameter ``zone``."""
        ...

    def variable(self, path: str) -> Variable | None:
        """Return the variable called ``path``, dots included, or ``None``."""
        ...

    def names(self, near: str = "") -> Iterable[str]:
        """Give names worth suggesting instead of ``near``, which is unknown."""
        ...

    def related(self, path: str) -> Environment | None:
        """Names of the records a to-many link leads to (``deals``, ``company.deals``), or ``None``."""
        ...
