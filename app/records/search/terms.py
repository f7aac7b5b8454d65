"""What was typed, in the forms the index holds: words, whole identifiers, phrases."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final

import phonenumbers

from app.core.errors import FieldError, InvalidInput
from app.metadata.fieldtypes.domain import ascii_host, registrable_domain
from app.metadata.fieldtypes.phone import e164
from app.metadata.searchtext import BACKWARDS

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST: Final = 500
_MOST_TERMS: Final = 32
_MIN_DIGITS: Final = 5
#: Shorter beginnings stand for too much of an index.
_MIN_PREFIX: Final = 2
_WORD: Final = re.compile(r"[^\W_]+")
_HYPHENED: Final = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)+")
_PHRASE: Final = re.compile(r'["“„«]([^"“”„»]+)["”“»]')
_NUMBER: Final = re.compile(r"(?:[A-Z]{3}|[€$£¥])?\s*(\d[\d.,'\s]*)\s*(?:[A-Z]{3}|[€$£¥])?")
_PHONE: Final = re.compile(r"(?:tel:)?[\d\s()+./-]+")
_SCHEME: Final = re.compile(r"^[a-z][a-z0-9+.-]*://")
_EDGES: Final = "\"'“”„«».,;:!?()[]{}<>"


@dataclass(frozen=True, slots=True)
class Term:
    """One thing to find. ``stem`` is for to_tsquery in the workspace's language, ``raw`` for a cast to tsquery."""

    words: tuple[str, ...]
    raw: str

    @property
    def stem(self) -> str:
        """Its words, all of them."""
        return " & ".join(map(_lexeme, self.words))


@dataclass(frozen=True, slots=True)
class Asked:
    """A search as typed, understood."""

    folded: str
    terms: tuple[Term, ...]
    phrases: tuple[str, ...]
    #: Whether the whole of it is one address, number or code.
    identifier: bool

    @property
    def words(self) -> tuple[str, ...]:
        """Every word once."""
        return tuple(dict.fromkeys(word for term in self.terms for word in term.words))


def fold(text: str) -> str:
    """Text without case and accents, as ``app.metadata.sortkeys.fold_sql`` folds columns."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text)
    return "".join(c for c in plain if not "\u0300" <= c <= "\u036f").casefold()


def understand(q: str, region: str) -> Asked:
    """Read ``q``; numbers without a country are of ``region``. Raises InvalidInput."""
    text = " ".join(q.split())
    phrases = tuple(fold(phrase) for phrase in _PHRASE.findall(text) if _WORD.search(phrase))
    text = text if phrases else text.strip('"')
    folded = fold(" ".join(_PHRASE.sub(r" \1 ", text).split()))
    if not _WORD.search(folded) or len(text) > LONGEST or "\x00" in text:
        message = f"q holds 1 to {LONGEST} characters, letters or digits among them."
        raise InvalidInput(message, [FieldError("?q", "q.invalid", message)])
    numbers = (*_phone(text, region), *_amounts(text))
    if numbers:
        return Asked(folded, (Term(tuple(_WORD.findall(folded)), " | ".join(numbers)),), phrases, identifier=True)
    tokens = [token for part in folded.split() for token in _split(part.strip(_EDGES))]
    terms = dict.fromkeys(_term(token, last=token is tokens[-1]) for token in tokens)
    kept = [term for term in terms if len(terms) == 1 or len("".join(term.words)) > 1][:_MOST_TERMS]
    identifier = len(tokens) == 1 and not _WORD.fullmatch(tokens[0])
    return Asked(folded, tuple(kept) or tuple(terms), phrases, identifier)


def _split(token: str) -> list[str]:
    """What stands between blanks is one thing, only words with hyphens are several: ``high-speed``."""
    return _WORD.findall(token) if _HYPHENED.fullmatch(token) or not _WORD.search(token) else [token]


def _term(token: str, *, last: bool) -> Term:
    """A word, or a token with signs inside: its words, or the whole as an identifier."""
    words = tuple(_WORD.findall(token))
    forms = {token: last and len(token) >= _MIN_PREFIX}
    if words != (token,):
        forms |= dict.fromkeys(_addresses(token), False)
        stripped = _SCHEME.sub("", token).removeprefix("www.").rstrip("/")
        forms[stripped or token] = last
    return Term(words, " | ".join(_lexeme(form, prefix=prefix) for form, prefix in forms.items()))


def _addresses(token: str) -> Iterable[str]:
    """The hosts a web address stands for; ``www.example.com/a`` is found as ``example.com`` too."""
    host = ascii_host(re.split(r"[/?#:]", _SCHEME.sub("", token), maxsplit=1)[0])
    if "@" in token or host is None or "." not in host:
        return ()
    domain = registrable_domain(host)
    bare = host.removeprefix("www.")
    return tuple(dict.fromkeys(form for form in (bare, f"www.{bare}", domain) if form))


def _phone(text: str, region: str) -> list[str]:
    """A phone number in every form: whole, its beginning, its last digits."""
    if not _PHONE.fullmatch(text):
        return []
    digits = re.sub(r"\D", "", text)
    if len(digits) < _MIN_DIGITS:
        return []
    whole = e164(text.removeprefix("tel:"), region)
    forms = [_lexeme(whole, prefix=True)] if whole else []
    if not whole:
        code = phonenumbers.country_code_for_region(region)
        start = f"+{digits}" if text.startswith("+") else f"+{digits[2:]}"
        if not text.startswith(("+", "00")):
            start = f"+{code}{digits.removeprefix('0')}"
        forms.append(_lexeme(start, prefix=True))
        forms.append(_lexeme(BACKWARDS + digits.lstrip("0")[::-1], prefix=True))
        forms.append(_lexeme(text))
    return [*forms, _lexeme(digits, prefix=True)]


def _amounts(text: str) -> list[str]:
    """A number as the index writes it, in both readings of points and commas."""
    found = _NUMBER.fullmatch(text)
    if found is None:
        return []
    typed = re.sub(r"['\s]", "", found[1])
    readings = [typed.replace(",", ""), typed.replace(".", "").replace(",", ".")]
    plain: list[str] = [typed]
    for reading in readings:
        try:
            value = Decimal(reading)
        except InvalidOperation:
            continue
        plain.append(format(value.normalize(), "f"))
    forms = dict.fromkeys(plain)
    return [_lexeme(form, prefix=form.isdigit() and form == typed) for form in forms]


def _lexeme(text: str, *, prefix: bool = False) -> str:
    """A quoted lexeme of a tsquery."""
    quoted = text.replace("\\", "\\\\").replace("'", "''")
    return f"'{quoted}'{':*' if prefix else ''}"
