"""E-mail addresses as people type them, brought to one form."""

from __future__ import annotations

from email_validator import EmailNotValidError, validate_email

from app.core.errors import FieldError, InvalidInput


def normalise_email(typed: str, pointer: str = "/email") -> str:
    """The address in lower case with an IDNA domain; raises InvalidInput when it is none (no DNS is asked)."""
    try:
        # test_environment: reserved names such as example.test are addresses too; delivery shows what is real.
        found = validate_email(typed.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        message = "Enter an e-mail address such as name@company.com."
        raise InvalidInput(message, [FieldError(pointer, "email", message)]) from error
    return found.normalized.lower()
