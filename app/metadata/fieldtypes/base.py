"""What a field type is. One stateless instance a type, one file a type, collected by ``fieldtypes/__init__``.

Three forms of a value:

- *raw*: what a client sent as JSON, or a text cell of an imported file;
- *value*: the Python value after coercion (``Decimal``, ``date``, ``UUID``, ``Money`` …), ``None`` when empty;
- *JSON*: what the API answers with (decimals as strings, dates ISO 8601, links as id strings).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from app.metadata.model import Column, Field

#: The kinds of the condition language (app.expressions) a field type can appear as.
ConditionKind = Literal[
    "text", "number", "money", "boolean", "date", "datetime", "time", "duration", "option", "options", "link", "texts",
    "none",
]  # fmt: skip


class ValueProblem(Exception):
    """A raw value that can't become a value. ``part`` names a part of a composite (``currency``)."""

    def __init__(self, code: str, message: str, part: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.part = part


@dataclass(frozen=True, slots=True, kw_only=True)
class Coercion:
    """The tenant's settings a coercion may need, plus how text cells are written in the column at hand.

    ``heading``: what the column is called; ``hundredths``: its bare numbers are percents, 25 is 25 %.
    """

    currency: str
    timezone: str
    region: str
    now: datetime
    today: date
    date_format: str = ""
    decimal_comma: bool = False
    hundredths: bool = False
    heading: str = ""


class FieldType(ABC):
    """Behaviour shared by all fields of one type."""

    name: ClassVar[str]
    condition: ClassVar[ConditionKind]
    sortable: ClassVar[bool] = True
    #: Parts of a composite value and how the condition language sees each: ``billing_address.city`` is a text.
    parts: ClassVar[Mapping[str, ConditionKind]] = MappingProxyType({})
    #: Whether the JSON form is an array; an empty one is ``[]``, never null.
    many: ClassVar[bool] = False
    #: Whether a value is its own and only parameter: many rows are bound without a call for each.
    binds_itself: ClassVar[bool] = False

    def specialise(self, targets: tuple[str, ...]) -> FieldType:  # noqa: ARG002
        """The type as a field with these link targets uses it. Only a reference differs: its columns follow them."""
        return self

    @abstractmethod
    def columns(self, field_name: str) -> tuple[Column, ...]:
        """Physical columns, in the order ``bind`` and ``decode`` use."""

    @abstractmethod
    def coerce(self, field: Field, raw: object, ctx: Coercion) -> Any:
        """Turn a JSON value into a value; ``None`` and ``""`` mean empty. Raises ValueProblem."""

    def parse(self, field: Field, text: str, ctx: Coercion) -> Any:
        """Turn a text cell of a file into a value. Raises ValueProblem. Default: as a JSON string."""
        return self.coerce(field, text, ctx)

    def parse_part(self, field: Field, part: str, text: str, ctx: Coercion) -> object:  # noqa: ARG002
        """Turn a text cell meant for one part (``billing_address.city``) into what ``coerce`` takes under that key.

        An import gathers the parts of one field into a dict and coerces that. Raises ValueProblem.
        """
        return text

    def initial(self, field: Field, ctx: Coercion) -> Any:
        """The value a new record gets when the field is not given; ``None`` without a default."""
        return None if field.default is None else self.coerce(field, field.default, ctx)

    @abstractmethod
    def bind(self, value: Any) -> tuple[object, ...]:
        """Parameters for psycopg, one per column."""

    @abstractmethod
    def decode(self, parts: Sequence[Any]) -> object:
        """JSON form from the positional columns as the read connection loads them.

        uuid, numeric, date and timestamptz arrive as text, timestamptz already in ISO 8601 (tenants.textcursor).
        """

    def decode_part(self, part: str, loaded: Any) -> object:  # noqa: ARG002
        """JSON form of one part asked for by itself. Default: as loaded."""
        return loaded

    @abstractmethod
    def to_json(self, value: Any) -> object:
        """JSON form of a value; equal to what ``decode`` answers after a round trip."""

    @abstractmethod
    def json_sql(self, columns: Sequence[str]) -> str:
        """SQL (type jsonb, SQL null when empty) giving the JSON form from qualified, quoted column expressions.

        For the event log: ``jsonb_build_object('name', <this>)`` holds exactly what ``decode`` answers.
        """

    @abstractmethod
    def json_schema(self, field: Field) -> dict[str, object]:
        """OpenAPI 3.1 schema of the JSON form."""

    @abstractmethod
    def format(self, field: Field, value: object, locale: str, timezone: str) -> str:
        """Text for people from the JSON form, by CLDR (Babel)."""
