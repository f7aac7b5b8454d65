"""Bounds and words both back ends keep to."""

from __future__ import annotations

from typing import Final

#: A replacement that could give a longer text is unknown.
LONGEST_TEXT: Final = 1_000_000
#: ``round(x, places)``.
MOST_PLACES: Final = 12
#: What ``trim()`` takes off: the characters Unicode calls white space (UAX #44), NUL's neighbours left out.
BLANKS: Final = (
    "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
#: Texts that are numbers; the exponent is bounded so that calculations stay exact.
WHOLE_TEXT: Final = "-?[0-9]{1,18}"
NUMBER_TEXT: Final = r"-?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,2})?"
#: The CEL specification's texts of yes and no.
YES_WORDS: Final = ("1", "t", "true", "TRUE", "True")
NO_WORDS: Final = ("0", "f", "false", "FALSE", "False")
