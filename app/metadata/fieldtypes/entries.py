"""Lists of addresses to reach somebody: e-mails and phones, one of them primary.

``emails``/``phones`` hold the whole list, ``email``/``phone`` its primary entry. Both are columns; the write path keeps
them in step with ``with_primary`` and ``primary_of``.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from psycopg.types.json import Jsonb

from app.metadata.fieldtypes.base import FieldType, ValueProblem
from app.metadata.fieldtypes.many import listed, split_cell
from app.metadata.fieldtypes.single import SingleColumn, nullable
from app.metadata.fieldtypes.strings import checked_line
from app.metadata.model import Column

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from app.metadata.fieldtypes.base import Coercion
    from app.metadata.model import Field

MANY: Final = 50
LABEL_LIMIT: Final = 50
_SEPARATOR: Final = re.compile(r"[;|\n]")


@dataclass(frozen=True, slots=True)
class Entry:
    """One address. ``value`` is normalised, ``typed`` what somebody wrote, ``valid`` whether it can be reached."""

    value: str
    typed: str
    valid: bool = True
    label: str = ""
    primary: bool = False

    def as_json(self) -> dict[str, object]:
        """The JSON form inside a list."""
        return {
            "value": self.value,
            "label": self.label,
            "primary": self.primary,
            "valid": self.valid,
            "typed": self.typed,
        }


class SingleEntry(SingleColumn):
    """The primary entry of a list. Value: an ``Entry``; column and JSON: its normalised value."""

    condition = "texts"

    @abstractmethod
    def entry(self, text: str, ctx: Coercion) -> Entry:
        """``text`` normalised. Raises ValueProblem when it is none at all."""

    def coerce(self, field: Field, raw: object, ctx: Coercion) -> Any:  # noqa: ARG002
        """A text, or an entry as the list holds it."""
        found = self.read(raw, ctx)
        return None if found is None else replace(found, primary=True)

    def read(self, raw: object, ctx: Coercion) -> Entry | None:
        """One item of a list: a text or an object with ``value`` (or ``typed``) and ``label``."""
        if isinstance(raw, Entry):
            return raw
        if not isinstance(raw, dict):
            text = checked_line(raw, 320)
            return None if text is None else self.entry(text, ctx)
        given = cast("dict[str, object]", raw)
        unknown = set(given) - {"value", "label", "primary", "valid", "typed"}
        if unknown:
            raise ValueProblem("entry.part", f"Unknown part {min(unknown)!r}; there are value, label and primary")
        value = given.get("value")
        text = checked_line(given.get("typed") if value is None or value == "" else value, 320)
        if text is None:
            return None
        found = self.entry(text, ctx)
        typed = checked_line(given.get("typed"), 320)
        if typed is not None and typed != found.typed and self.entry(typed, ctx).value == found.value:
            found = replace(found, typed=typed)
        label = checked_line(given.get("label"), LABEL_LIMIT) or ""
        return replace(found, label=label, primary=given.get("primary") is True)

    def bind(self, value: Any) -> tuple[object, ...]:
        """The normalised value."""
        return (None if value is None else value.value,)

    def to_json(self, value: Any) -> object:
        """The normalised value."""
        return None if value is None else value.value


class EntryList(FieldType):
    """All entries. Value: a tuple of ``Entry`` with exactly one primary, ``None`` when empty."""

    condition = "texts"
    sortable = False
    many: ClassVar[bool] = True
    single: ClassVar[SingleEntry]

    def columns(self, field_name: str) -> tuple[Column, ...]:
        """The list, and its values alone for matching and search (GIN)."""
        return (Column(field_name, "jsonb"), Column(f"{field_name}__all", "text[]", "all"))

    def coerce(self, field: Field, raw: object, ctx: Coercion) -> Any:  # noqa: ARG002
        """A list of texts or objects; equal values are one entry."""
        found: dict[str, Entry] = {}
        for item in listed(raw):
            entry = self.single.read(item, ctx)
            if entry is not None:
                known = found.get(entry.value)
                found[entry.value] = entry if known is None else _joined(known, entry)
        if len(found) > MANY:
            raise ValueProblem("list.too_many", f"Must be at most {MANY} entries")
        return with_one_primary(found.values())

    def parse(self, field: Field, text: str, ctx: Coercion) -> Any:
        """Entries separated by ``;``, ``|`` or a line break."""
        return self.coerce(field, split_cell(text, _SEPARATOR), ctx)

    def bind(self, value: Any) -> tuple[object, ...]:
        """The list and its values."""
        if not value:
            return (None, None)
        return (Jsonb([entry.as_json() for entry in value]), [entry.value for entry in value])

    def decode(self, parts: Sequence[Any]) -> object:
        """The list as stored; null is an empty one."""
        return parts[0] or []

    def to_json(self, value: Any) -> object:
        """A list of objects."""
        return [entry.as_json() for entry in value] if value else []

    def json_sql(self, columns: Sequence[str]) -> str:
        """The list; null is an empty one."""
        return f"coalesce({columns[0]}, '[]'::jsonb)"

    def json_schema(self, field: Field) -> dict[str, object]:
        """An array of objects."""
        value = self.single.json_schema(field) | {"type": "string"}
        return {
            "type": "array",
            "maxItems": MANY,
            "items": {
                "type": "object",
                "properties": {
                    "value": value,
                    "label": {"type": "string", "maxLength": LABEL_LIMIT},
                    "primary": {"type": "boolean"},
                    "valid": {"type": "boolean"},
                    "typed": {"type": "string"},
                },
                "required": ["value"],
                "additionalProperties": False,
            },
        }

    def format(self, field: Field, value: object, locale: str, timezone: str) -> str:
        """Separated by commas, the primary first."""
        entries = cast("list[dict[str, object]]", listed(value))
        ordered = sorted(entries, key=lambda entry: not entry.get("primary"))
        return ", ".join(self.single.format(field, entry["value"], locale, timezone) for entry in ordered)


def _joined(known: Entry, again: Entry) -> Entry:
    return replace(known, primary=known.primary or again.primary, label=known.label or again.label)


def with_one_primary(entries: Iterable[Entry]) -> tuple[Entry, ...] | None:
    """The entries with exactly one primary: the first marked, else the first valid, else the first."""
    items = list(entries)
    if not items:
        return None
    marked = [at for at, entry in enumerate(items) if entry.primary]
    valid = [at for at, entry in enumerate(items) if entry.valid]
    chosen = (marked or valid or [0])[0]
    return tuple(
        entry if entry.primary is (at == chosen) else replace(entry, primary=at == chosen)
        for at, entry in enumerate(items)
    )


def primary_of(entries: Sequence[Entry] | None) -> Entry | None:
    """The primary entry: what ``email`` becomes when ``emails`` is written."""
    return next((entry for entry in entries or () if entry.primary), None)


def with_primary(entries: Sequence[Entry] | None, primary: Entry | None) -> tuple[Entry, ...] | None:
    """The list after ``email`` was written: ``primary`` takes the place of the old primary entry.

    An entry of the same value already in the list becomes the primary instead, and none is lost; ``None`` removes the
    old primary.
    """
    kept = list(entries or ())
    old = primary_of(kept)
    if primary is None:
        return with_one_primary(replace(entry, primary=False) for entry in kept if entry is not old)
    if any(entry.value == primary.value for entry in kept):
        return with_one_primary(
            replace(entry, primary=True, typed=primary.typed)
            if entry.value == primary.value
            else replace(entry, primary=False)
            for entry in kept
        )
    new = replace(primary, primary=True, label=primary.label or (old.label if old else ""))
    if old is None:
        return (new, *kept)
    return tuple(new if entry is old else entry for entry in kept)


def entries_from_json(stored: object) -> tuple[Entry, ...] | None:
    """The entries of a list in its JSON form, for a write that changes one of them."""
    found = [
        Entry(str(item["value"]), str(item.get("typed") or item["value"]), item.get("valid") is not False,
              str(item.get("label") or ""), item.get("primary") is True)
        for item in cast("list[dict[str, object]]", listed(stored))
    ]  # fmt: skip
    return with_one_primary(found)


def nullable_text(extra: dict[str, object]) -> dict[str, object]:
    """The schema of a single entry."""
    return nullable({"type": "string"} | extra)
