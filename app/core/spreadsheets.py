"""Cells that no spreadsheet runs as a formula, and the way back.

What a spreadsheet would run gets an apostrophe in front (OWASP, CSV injection), and so does a text that would look like
such a one; so taking one apostrophe off gives every text back as it was. Plain numbers stay numbers.
"""

from __future__ import annotations

import re
from typing import Final

_RUN: Final = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
_LIKE_A_FORMULA: Final = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_NUMBER: Final = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


def guarded(text: str) -> str:
    """``text`` as a cell that is only ever shown."""
    if not text or (text[0] != "'" and text[0] not in _RUN) or not _LIKE_A_FORMULA.match(text):
        return text
    return text if _NUMBER.fullmatch(text) else f"'{text}"


def unguarded(cell: str) -> str:
    """What ``guarded`` was given."""
    return cell[1:] if cell[:1] == "'" and _LIKE_A_FORMULA.match(cell, 1) else cell
