"""The piece of a text that shows why a record was found, with what was found marked."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Final

from app.metadata.fieldtypes.rich_text import plain
from app.records.search.terms import fold

if TYPE_CHECKING:
    from collections.abc import Sequence

_LENGTH: Final = 160
#: How much of a word must be the same for it to be a form of what was asked for.
_STEM: Final = 4
_WORD: Final = re.compile(r"\w+(?:[@.'\u2019-]\w+)*")


def snippet(around: str, words: Sequence[str]) -> str:
    """About 160 characters of ``around`` as HTML: escaped, matches inside ``<mark>``."""
    text = " ".join(plain(around).split())
    spots = _spots(text, words)
    begin = _begin(text, spots)
    end = min(len(text), begin + _LENGTH)
    parts: list[str] = ["…"] if begin else []
    at = begin
    for first, last in spots:
        if first >= at and last <= end:
            parts += [html.escape(text[at:first]), "<mark>", html.escape(text[first:last]), "</mark>"]
            at = last
    parts.append(html.escape(text[at:end]))
    return "".join(parts).strip() + ("…" if end < len(text) else "")


def _spots(text: str, words: Sequence[str]) -> list[tuple[int, int]]:
    """Where forms of the words stand: what begins like one of them, or has it behind a hyphen, point or @."""
    stems = dict.fromkeys(word[: max(_STEM, len(word) - 2)] for word in words)
    begins = re.compile(rf"(?:^|(?<=[^\w]))(?:{'|'.join(map(re.escape, stems))})\w*(?:[@.'\u2019-]\w+)*")
    folded = fold(text)
    if len(folded) == len(text):
        return [found.span() for found in begins.finditer(folded)]
    # Folding moved the letters (ß, ligatures): word by word.
    return [found.span() for found in _WORD.finditer(text) if begins.match(fold(found[0]))]


def _begin(text: str, spots: Sequence[tuple[int, int]]) -> int:
    """Where the window with most matches begins, at the start of a word."""
    if len(text) <= _LENGTH or not spots:
        return 0
    best = max(spots, key=lambda spot: (sum(spot[0] <= s < spot[0] + _LENGTH - 40 for s, _ in spots), -spot[0]))[0]
    begin = max(0, min(best - 40, len(text) - _LENGTH))
    return text.find(" ", begin, best) + 1 or begin if begin else 0
