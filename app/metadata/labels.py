"""Labels of what was given none, and of types of fields."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_TYPES: Final[Mapping[str, str]] = MappingProxyType({
    "text": "Text", "long_text": "Long text", "rich_text": "Formatted text", "email": "E-mail", "phone": "Phone",
    "url": "Web address", "integer": "Whole number", "decimal": "Decimal number", "percent": "Percent",
    "money": "Money", "rating": "Rating", "date": "Date", "datetime": "Date and time", "time": "Time of day",
    "duration": "Duration", "select": "One choice", "multi_select": "Several choices", "boolean": "Yes or no",
    "tags": "Tags", "link": "Link", "reference": "Link to any of several", "file": "File", "image": "Image",
    "geo": "Place", "json": "JSON", "formula": "Formula", "rollup": "Roll-up",
})  # fmt: skip


def type_label(name: str) -> str:
    """What people call a type of field; one without words of its own by its name."""
    return _TYPES.get(name, humanised(name))


def humanised(name: str) -> str:
    """A name as a label: ``vat_id`` → Vat id."""
    text = name.replace("__", " ").replace("_", " ")
    return text[:1].upper() + text[1:]
