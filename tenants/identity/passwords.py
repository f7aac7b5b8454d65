"""Passwords by NIST SP 800-63B-4: length instead of composition rules, known ones refused offline, argon2id."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn.frequency_lists import FREQUENCY_LISTS

SHORTEST: Final = 8
LONGEST: Final = 256

#: OWASP's least for argon2id: 19 MiB, two passes, one lane.
_hasher: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

#: Our own name and words nobody should build a password of.
_SERVICE_WORDS: Final = frozenset({"rapport", "password", "welcome", "letmein", "admin", "crm"})


def problem_with(password: str, *, about: tuple[str, ...] = ()) -> str | None:
    """What is wrong with a new password, as a sentence, or None.

    ``about``: the e-mail address, names, company: a password must not be one of them with decoration.
    """
    # Asked before anything is done with it: normalising a long run of accents takes its square.
    if len(password) > LONGEST:
        return f"Use at most {LONGEST} characters."
    text = unicodedata.normalize("NFKC", password)
    if len(text) < SHORTEST:
        return f"Use at least {SHORTEST} characters. A few words in a row work well."
    folded = text.casefold()
    core = _letters(folded)
    if folded in _common() or len(set(folded)) <= 2 or core in _SERVICE_WORDS:
        return "This password is on the lists attackers try first. Choose another one."
    if core in _words(about):
        return "This is too close to your name, e-mail or company. Choose something else."
    return None


def hash_password(password: str) -> str:
    """The encoded argon2id hash."""
    return _hasher.hash(unicodedata.normalize("NFKC", password))


def verify(encoded: str | None, password: str) -> bool:
    """Whether ``password`` is the one; takes the same time when there is no hash to compare with."""
    try:
        matches = _hasher.verify(encoded or _decoy(), unicodedata.normalize("NFKC", password[: LONGEST + 1]))
    except (VerificationError, InvalidHashError):
        return False
    return matches and encoded is not None


def outdated(encoded: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(encoded)


@lru_cache(maxsize=1)
def _decoy() -> str:
    return _hasher.hash("nobody has this password")


@lru_cache(maxsize=1)
def _common() -> frozenset[str]:
    """The list zxcvbn has of leaked passwords (about 30,000), case-folded, of the lengths we accept."""
    listed: list[str] = FREQUENCY_LISTS["passwords"]
    return frozenset(word.casefold() for word in listed if len(word) >= SHORTEST)


def _words(about: tuple[str, ...]) -> frozenset[str]:
    """The words to keep out: whole values and the parts of an e-mail address, letters only."""
    words: set[str] = set()
    for value in about:
        folded = value[:LONGEST].casefold()
        words.update((_letters(folded), _letters(folded.partition("@")[0])))
        words.update(_letters(part) for part in re.split(r"[@.\s_+-]", folded))
    return frozenset(word for word in words if len(word) >= 4)


def _letters(text: str) -> str:
    """The letters without their accents: Müller is written muller as often. ``text`` is never long."""
    return "".join(character for character in unicodedata.normalize("NFKD", text) if character.isalpha())
