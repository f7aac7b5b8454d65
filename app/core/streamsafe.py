"""Text that can be normalised in time: the Stream-Safe Text Format of UAX #15 §13.

Normalising sorts each run of combining marks, in PostgreSQL as in Python by a sort that takes the square of the run,
and PostgreSQL does not let itself be interrupted meanwhile. 250,000 accents on one letter would keep a server busy for
minutes. Thirty in a row are more than any language needs.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import groupby
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_MARKS: Final = 30
#: Combining marks stand between these; behind them come scripts without any and private characters.
_FIRST, _BEYOND = 0x300, 0x1F000


def _ranges() -> Iterator[str]:
    marks = (code for code in range(_FIRST, _BEYOND) if unicodedata.combining(chr(code)))
    for _, run in groupby(enumerate(marks), key=lambda pair: pair[1] - pair[0]):
        codes = [code for _, code in run]
        yield f"{chr(codes[0])}-{chr(codes[-1])}"


_TOO_MANY: Final = re.compile(f"[{''.join(_ranges())}]{{{MOST_MARKS + 1}}}")


def is_stream_safe(text: str) -> bool:
    """Whether no run of combining marks in ``text`` is longer than ``MOST_MARKS``."""
    return text.isascii() or _TOO_MANY.search(text) is None
