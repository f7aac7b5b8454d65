"""The field types as people choose them: what each is for, and which attributes fit it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from app.metadata.kinds.field import COMPUTED, LINKS, SELECTS, TYPES
from app.metadata.kinds.object_checks import NEVER_INDEXED, NEVER_UNIQUE, is_text
from app.metadata.labels import type_label

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Card:
    """A field type to choose."""

    type: str
    icon: str
    text: str

    @property
    def label(self) -> str:
        """What people call the type."""
        return type_label(self.type)

    @property
    def attributes(self) -> frozenset[str]:
        """The switches and boxes that fit the type."""
        found = {"help"}
        if self.type not in COMPUTED:
            found |= {"required", "default"}
        if self.type in (*LINKS, *_NO_DEFAULT):
            found -= {"default"}
        if self.type not in NEVER_UNIQUE and self.type not in (*LINKS, *SELECTS):
            found |= {"unique"}
        if self.type not in NEVER_INDEXED and self.type not in LINKS:
            found |= {"indexed"}
        if is_text(self.type) and self.type not in (*COMPUTED, *SELECTS, "tags"):
            found |= {"searchable"}
        return frozenset(found)


_NO_DEFAULT: Final = (
    "file", "image", "address", "emails", "phones", "money", "rich_text", "tags", "multi_select", "json", "geo",
)  # fmt: skip
_GROUPS: Final = (
    ("Text", (
        Card("text", "type", "A name, a number of an order, anything on one line."),
        Card("long_text", "align-left", "Several lines without formatting."),
        Card("rich_text", "text-quote", "Several lines with bold, lists and links."),
        Card("email", "mail", "One address, checked, opened by a click."),
        Card("phone", "phone", "One number, kept in its international form."),
        Card("url", "link", "A link to a page."),
    )),
    ("Numbers", (
        Card("integer", "hash", "Pieces, seats, employees."),
        Card("decimal", "hash", "Weights, hours, measures; exact."),
        Card("percent", "percent", "A share or a discount."),
        Card("money", "banknote", "An amount with its currency."),
        Card("rating", "star", "Stars: three to ten of them, averaged in reports."),
    )),
    ("Dates", (
        Card("date", "calendar", "A day, the same in every time zone."),
        Card("datetime", "clock", "A moment, shown in each reader's time zone."),
        Card("time", "clock", "When a shop opens: the same in every time zone."),
        Card("duration", "hourglass", "How long something takes: 1:30, 90 min; added up."),
    )),
    ("Choices", (
        Card("select", "tag", "One of a list of options with colours."),
        Card("multi_select", "list-checks", "Any number of a list of options."),
        Card("boolean", "toggle-left", "A switch."),
        Card("tags", "tag", "Words people make up as they go."),
    )),
    ("Links", (
        Card("link", "link-2", "Leads to one record of another object, which then lists these records."),
        Card("reference", "link-2", "Leads to one record of one of several objects."),
    )),
    ("Files", (
        Card("file", "paperclip", "A contract, a manual: uploaded, downloaded by whoever may read the record."),
        Card("image", "image", "A photo or a logo, shown in lists: PNG, JPEG, GIF or WebP."),
    )),
    ("Places and data", (
        Card("geo", "map-pin", "A latitude and a longitude."),
        Card("json", "code", "Data for programs: lists and objects, shown as they are."),
    )),
    ("Calculated", (
        Card("formula", "sparkles", "Worked out from other fields, of linked records too."),
        Card("rollup", "coins", "A count, sum, average or the latest over records that link here."),
    )),
)  # fmt: skip
_ICONS: Final[Mapping[str, str]] = {
    "address": "map-pin", "domain": "globe", "emails": "mail", "phones": "phone", "stage": "circle-dot",
    "pipeline": "git-branch", "uuid": "hash",
}  # fmt: skip
_KNOWN: Final = {card.type: card for _, cards in _GROUPS for card in cards}


def groups() -> list[tuple[str, list[Card]]]:
    """Every type there is, in groups."""
    found = [(name, [card for card in cards if card.type in TYPES]) for name, cards in _GROUPS]
    others = [card_of(one) for one in TYPES if one not in _KNOWN]
    return [*found, ("More", others)] if others else found


def card_of(type_: str) -> Card:
    """The card of a type; of one without words of its own, by its name."""
    known = _KNOWN.get(type_)
    return known or Card(type_, _ICONS.get(type_, "circle"), "")


def texts_of(types: Iterable[tuple[str, str]]) -> list[str]:
    """Of (field, type) the fields a title can be made of."""
    return [name for name, type_ in types if type_ not in COMPUTED and is_text(type_)]
