"""E-mail addresses and workspace addresses as people type them, brought to one form."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from email_validator import EmailNotValidError, validate_email

from app.core.errors import FieldError, InvalidInput

SLUG: Final = re.compile(r"^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$")
SHORTEST_SLUG: Final = 2
LONGEST_SLUG: Final = 40

#: Names that would look like ours, or that hosts and mail give a meaning.
RESERVED_SLUGS: Final = frozenset(
    "account accounts admin api app apps assets auth billing blog cdn console dashboard docs download ftp git "
    "help host hostmaster id imap internal login mail marketplace mx ns ns1 ns2 oauth "
    "pop portal postmaster public rapport root security signin signup smtp sso staging static status "
    "support webmaster webhooks workspace workspaces www".split()
)
_LEGAL_FORMS: Final = frozenset("ag bv co corp gmbh inc kg limited llc ltd nv oy plc sa sarl se spa srl".split())
_LETTERS: Final = str.maketrans({"ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "þ": "th", "&": " and "})


def normalise_email(typed: str, pointer: str = "/email") -> str:
    """The address in lower case with an IDNA domain; raises InvalidInput when it is none (no DNS is asked)."""
    try:
        # test_environment: reserved names such as example.test are addresses too; delivery shows what is real.
        found = validate_email(typed.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        message = "Enter an e-mail address such as name@company.com."
        raise InvalidInput(message, [FieldError(pointer, "email", message)]) from error
    return found.normalized.lower()


def suggest_slug(company: str) -> str:
    """A workspace address from a company name: ``Müller & Söhne GmbH`` → ``mueller-and-soehne``."""
    folded = company.casefold().replace("ä", "ae").replace("ö", "oe").replace("ü", "ue").translate(_LETTERS)
    plain = unicodedata.normalize("NFKD", folded).encode("ascii", "ignore").decode()
    words = re.findall(r"[a-z0-9]+", plain.replace("'", ""))
    while len(words) > 1 and words[-1] in _LEGAL_FORMS:
        words.pop()
    slug = "-".join(words)[:LONGEST_SLUG].strip("-")
    return slug if len(slug) >= SHORTEST_SLUG else ""


def slug_problem(slug: str) -> str | None:
    """What is wrong with a workspace address, as a sentence, or None. Says nothing about it being taken."""
    if len(slug) < SHORTEST_SLUG:
        return "Use at least 2 characters."
    if len(slug) > LONGEST_SLUG:
        return f"Use at most {LONGEST_SLUG} characters."
    if not SLUG.match(slug) or "--" in slug:
        return "Use lower-case letters, digits and single hyphens between them."
    if slug in RESERVED_SLUGS or slug.startswith("xn-"):
        return "This address is reserved. Choose another one."
    return None
