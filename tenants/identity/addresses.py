"""E-mail addresses as people type them, brought to one form."""

from __future__ import annotations

from typing import Final

from email_validator import EmailNotValidError, validate_email

from app.core.errors import FieldError, InvalidInput

#: RFC 5321 §4.5.3.1: 64 before the @, 255 after it. Longer text is not looked at: normalising takes its square.
LONGEST: Final = 320


def normalise_email(typed: str, pointer: str = "/email") -> str:
    """The address in lower case with an IDNA domain; raises InvalidInput when it is none (no DNS is asked)."""
    message = "Enter an e-mail address such as name@company.com."
    if len(typed) > LONGEST:
        raise InvalidInput(message, [FieldError(pointer, "email", message)])
    try:
        # test_environment: reserved names such as example.test are addresses too; delivery shows what is real.
        found = validate_email(typed.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise InvalidInput(message, [FieldError(pointer, "email", message)]) from error
    return found.normalized.lower()


def counted_as(typed: str) -> str:
    """What a limit counts an address as: however it is written, it is one; what is none counts as typed."""
    try:
        return normalise_email(typed)
    except InvalidInput:
        return typed[:LONGEST].strip().lower()
