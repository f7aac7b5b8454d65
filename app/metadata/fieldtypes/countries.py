"""Countries by code or by name in many languages (CLDR), with the names people really type."""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import TYPE_CHECKING, Final, cast

from babel import Locale
from babel.core import get_global

from app.metadata.fieldtypes.base import ValueProblem

if TYPE_CHECKING:
    from collections.abc import Mapping

_LANGUAGES: Final = ("en", "de", "fr", "es", "it", "pt", "nl", "pl", "sv", "da", "nb", "fi", "cs", "tr", "ja", "zh")
#: Not in CLDR's names: short, old and often misspelt forms.
_ALIASES: Final = {
    "usa": "US", "u s a": "US", "us of a": "US", "united states of america": "US", "the united states": "US",
    "america": "US", "uk": "GB", "u k": "GB", "great britain": "GB", "britain": "GB", "england": "GB",
    "scotland": "GB", "wales": "GB", "northern ireland": "GB", "korea": "KR", "republic of korea": "KR",
    "korea south": "KR", "korea republic of": "KR", "south korea": "KR", "korea north": "KP",
    "russian federation": "RU", "holland": "NL", "the netherlands": "NL", "czech republic": "CZ", "uae": "AE",
    "emirates": "AE", "viet nam": "VN", "iran islamic republic of": "IR", "ivory coast": "CI", "burma": "MM",
    "macedonia": "MK", "republic of ireland": "IE", "eire": "IE", "peoples republic of china": "CN", "prc": "CN",
    "pr china": "CN", "mainland china": "CN", "hong kong": "HK", "macau": "MO", "macao": "MO", "taiwan roc": "TW",
    "philipines": "PH", "phillipines": "PH", "phillippines": "PH", "the philippines": "PH", "swaziland": "SZ",
    "cape verde": "CV", "east timor": "TL", "palestine": "PS", "vatican": "VA", "brasil": "BR", "deutschland": "DE",
    "turkiye": "TR", "congo kinshasa": "CD", "drc": "CD", "congo brazzaville": "CG", "republic of the congo": "CG",
    "bolivia plurinational state of": "BO", "venezuela bolivarian republic of": "VE", "brunei darussalam": "BN",
    "moldova republic of": "MD", "tanzania united republic of": "TZ", "syrian arab republic": "SY",
    "lao peoples democratic republic": "LA", "the gambia": "GM", "the bahamas": "BS",
}  # fmt: skip
#: Groupings, pseudo-locales and codes ISO 3166 only reserves.
_NO_COUNTRIES: Final = {"EU", "EZ", "UN", "ZZ", "QO", "XA", "XB", "AC", "CP", "CQ", "DG", "EA", "IC", "TA"}
_NOT_WORDS: Final = re.compile(r"[^\w]+")
_CODE_LENGTH: Final = 2
#: No country's name is longer; normalising may take the square of a text.
_LONGEST_NAME: Final = 200


def country_code(text: str) -> str | None:
    """The ISO 3166 alpha-2 code of a code or name, ``None`` for white space. Raises ValueProblem when unknown."""
    word = text.strip()
    if not word:
        return None
    upper = word.upper()
    if len(word) == _CODE_LENGTH and upper in _codes():
        return upper
    found = _names().get(_key(word))
    if found is None:
        raise ValueProblem("address.country", f"{word[:60]!r} is not a country; write its name or ISO code, like DE")
    return found


def countries(locale: str) -> dict[str, str]:
    """Code → name in the reader's language, sorted by name: the choices of a form."""
    names = territories(locale)
    return dict(sorted(((code, names.get(code, code)) for code in _codes()), key=lambda item: _key(item[1])))


def territories(locale: str) -> Mapping[str, str]:
    """CLDR's names of territories by code, in the language of ``locale``."""
    return cast("Mapping[str, str]", Locale.parse(locale.replace("-", "_")).territories)


@functools.cache
def _codes() -> frozenset[str]:
    """Real countries and territories: two letters, none of CLDR's groupings or reserved codes."""
    left_out = _NO_COUNTRIES | set(get_global("territory_aliases"))
    known = territories("en")
    return frozenset(code for code in known if len(code) == _CODE_LENGTH and code.isalpha() and code not in left_out)


@functools.cache
def _names() -> dict[str, str]:
    """Folded name → code, English winning where languages differ; alpha-3 codes too."""
    found: dict[str, str] = {}
    for language in reversed(_LANGUAGES):
        names = territories(language)
        for code in _codes():
            if code in names:
                found[_key(names[code])] = code
    for code in _codes():
        english = _key(territories("en")[code])
        found[english] = code
        found.setdefault(english.replace(" ", ""), code)
        for word, plain in (("&", "and"), ("st ", "saint ")):
            found.setdefault(_key(territories("en")[code].lower().replace(word, plain)), code)
    alpha3 = {alias: code for alias, codes in get_global("territory_aliases").items() for code in codes[:1]}
    alpha3 = {alias: code for alias, code in alpha3.items() if len(alias) == _CODE_LENGTH + 1 and code in _codes()}
    return found | {_key(alias): code for alias, code in alpha3.items()} | _ALIASES


def _key(name: str) -> str:
    if len(name) > _LONGEST_NAME:
        return ""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c))
    return _NOT_WORDS.sub(" ", plain.replace("'", "").replace("\u2019", "")).strip()
