"""Fields written or pasted, a line each, as rows: ``Condition: One choice (New, Used)``, or cells of a sheet."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from flask import request

from app.metadata.kinds.field import SELECTS
from app.metadata.labels import humanised
from app.shaping.pages import rows, typed
from app.shaping.pages.cards import groups
from app.shaping.pages.rows import ELSEWHERE, Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from app.shaping.pages.cards import Card
    from app.shaping.pages.reading import Reading

#: How many fields are read at once; how long a label is; how much of a line a message repeats.
MOST: Final = 100
_LABEL: Final = 100
_QUOTED: Final = 60
#: How many objects or types a message names; from how many letters on a word may be a part of a type's label.
_NAMED: Final = 12
_PART: Final = 3
_WHAT: Final = re.compile(r"(?P<type>[^(]*)(?:\((?P<more>.*?)\)?)?$")
_BULLET: Final = re.compile(r"^[-*•]\s+")
#: How what a type needs stands in brackets.
_EXAMPLES: Final = {
    "link": "Link (Company)", "select": "One choice (New, Used)", "multi_select": "Several choices (Red, Green)",
    "formula": "Formula (price * 0.8)",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pasted:
    """The rows read; ``left`` are the lines that were not, ``messages`` say why."""

    rows: tuple[Row, ...]
    left: tuple[str, ...]
    messages: tuple[str, ...]


class _Unread(Exception):
    """Why a line is no field."""


def read(text: str, objects: Mapping[str, Iterable[str]]) -> Pasted:
    """Lines as rows. ``objects``: what links may lead to, by name what people call it, what is shown first."""
    called = {_plain(word): name for name, words in objects.items() for word in (*words, name)}
    shown = [next(iter(words), name) for name, words in objects.items()]
    found: list[Row] = []
    left: list[str] = []
    messages: list[str] = []
    lines = [line for line in text.replace("\0", "").splitlines() if line.strip()]
    for line in lines[:MOST]:
        try:
            found.append(_row(*_parts(line), called, shown))
        except _Unread as error:
            left.append(line)
            messages.append(f"“{_short(line)}”: {error}")
    if len(lines) > MOST:
        left += lines[MOST:]
        messages.append(f"{MOST} fields are read at once: add the others afterwards.")
    return Pasted(tuple(found), tuple(left), tuple(messages))


def objects_of(reading: Reading) -> dict[str, list[str]]:
    """What links may lead to: by name its labels, one and several, in the workspace's words and every translation."""
    found = {name: [label] for name, label in reading.targets()}
    for component, leaves in reading.live.items():
        for path, value in leaves.items():
            steps = [component.partition("/")[2], *path.split("/")]
            if component.startswith("translation/"):
                steps = steps[2:] if steps[1] == "objects" else []
            elif not component.startswith("object/"):
                continue
            if steps[1:] in (["label", "one"], ["label", "other"]) and steps[0] in found:
                found[steps[0]].append(str(value))
    return found


def written(reading: Reading) -> Pasted:
    """What stands in the form's box."""
    return read(request.form.get("written", ""), objects_of(reading))


def sent(reading: Reading) -> list[Row]:
    """All fields of a form: its rows, and what stands in the box still. Raises Wrong."""
    found = written(reading)
    if found.messages:
        raise typed.Wrong(*found.messages)
    return [*rows.sent(), *found.rows]


def _parts(line: str) -> tuple[str, str, str]:
    """A line's label, type and what it says besides; without a type it is a text. Raises _Unread."""
    label, *cells = (one.strip() for one in _BULLET.sub("", line.strip()).split("\t"))
    if cells:
        kind, more = _what(cells[0])
        return label, kind, ", ".join(one for one in (more, *cells[1:]) if one)
    pieces = label.split(":")
    for at in range(1, len(pieces)):
        kind, more = _what(":".join(pieces[at:]))
        if not kind or _plain(kind) in _TYPES:
            return ":".join(pieces[:at]).strip(), kind, more
    return (pieces[0].strip(), *_what(":".join(pieces[1:])))


def _what(text: str) -> tuple[str, str]:
    """A type and what stands in brackets behind it."""
    found = _WHAT.match(text.strip())
    return (found["type"].strip(), (found["more"] or "").strip()) if found else (text.strip(), "")


def _row(label: str, kind: str, more: str, called: Mapping[str, str], shown: list[str]) -> Row:
    if not label:
        raise _Unread("it has no label.")
    if len(label) > _LABEL:
        raise _Unread(f"a label has at most {_LABEL} characters.")
    card = _TYPES.get(_plain(kind or "text"))
    if card is None:
        raise _Unread(f"there is no type “{_short(kind)}”. {_instead(kind)}")
    if card.type in ELSEWHERE:
        raise _Unread(f"{card.label} is added by itself, by “Add field” on the object's page.")
    if card.type == "link":
        return Row(label, card.type, to=_target(label, more, called, shown))
    if card.type in _EXAMPLES:
        return _detailed(label, card, more)
    if more:
        raise _Unread(f"{card.label} takes nothing besides: leave “{_short(more)}” out.")
    return Row(label, card.type)


def _detailed(label: str, card: Card, more: str) -> Row:
    """A field of choices, or a formula."""
    if card.type in SELECTS:
        more = ", ".join(one for piece in re.split("[,;]", more) if (one := piece.strip()))
    if not more:
        needed = "the options" if card.type in SELECTS else "the formula"
        raise _Unread(f"say {needed} in brackets: {_EXAMPLES[card.type]}.")
    if card.type in SELECTS:
        return Row(label, card.type, options=more)
    return Row(label, card.type, value=more.removeprefix("=").strip())


def _target(label: str, more: str, called: Mapping[str, str], shown: list[str]) -> str:
    """The object a link leads to: what stands in brackets, else the one called like the field."""
    found = called.get(_plain(more or label))
    if found is None and not more:
        raise _Unread(f"say in brackets which object it leads to: {_EXAMPLES['link']}.")
    if found is None:
        raise _Unread(f"there is no object “{_short(more)}”. The objects are {_listed(shown)}.")
    return found


def _instead(kind: str) -> str:
    """Types that are nearly called so, else all there are."""
    plain = _plain(kind)
    near = [_TYPES[one].label for one in get_close_matches(plain, _TYPES, n=_PART, cutoff=0.7)]
    if len(plain) >= _PART:
        near += [card.label for card in _offered() if plain in _plain(card.label)]
    if near:
        return f"Did you mean {' or '.join(dict.fromkeys(near))}?"
    return f"The types are {', '.join(card.label for card in _offered())}."


def _listed(words: list[str]) -> str:
    return ", ".join(words[:_NAMED]) + (" and more" if len(words) > _NAMED else "")


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _QUOTED else f"{text[:_QUOTED]}…"


def _plain(text: str) -> str:
    """A word as it is compared: E-mail, e_mail and EMAIL are one."""
    return "".join(one for one in text.casefold() if one.isalnum())


def _offered() -> list[Card]:
    return [card for _, cards in groups() for card in cards if card.type not in ELSEWHERE]


def _types() -> dict[str, Card]:
    """Types by what people call them and by their names."""
    cards = [card for _, found in groups() for card in found]
    return {_plain(word): card for card in cards for word in (card.type, humanised(card.type), card.label)}


_TYPES: Final = _types()
