"""Bounds and words both back ends keep to."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, cast

from babel.core import get_global

if TYPE_CHECKING:
    from collections.abc import Mapping

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
#: What a formula may answer: whole numbers every JSON reader keeps exact, numbers below 10^18, texts of a line.
LARGEST_INTEGER: Final = 2**53 - 1
WHOLE_DIGITS: Final = 18
RESULT_LENGTH: Final = 1_000
#: Decimal places of a currency's minor unit (CLDR), where they are not two.
USUAL_DIGITS: Final = 2
_FRACTIONS: Final = cast("Mapping[str, tuple[Any, ...]]", get_global("currency_fractions"))
MINOR_DIGITS: Final[Mapping[str, int]] = MappingProxyType(
    {
        code: int(found[0])
        for code, found in sorted(_FRACTIONS.items())
        if code != "DEFAULT" and int(found[0]) != USUAL_DIGITS
    }
)
#: Seconds of the longest length of time, CEL's bound of about 10,000 years, and their places.
LONGEST_DURATION: Final = 315_576_000_000
DURATION_PLACES: Final = 6
