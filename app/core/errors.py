"""Errors that know their HTTP status and stable code; the edge turns them into RFC 9457 problem+json."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with the input.

    ``pointer`` is a JSON pointer into the body (``/amount``), ``?name`` for a query parameter.
    """

    pointer: str
    code: str
    message: str


@dataclass(eq=False)
class RapportError(Exception):
    """Base of every error a caller may see. ``detail`` is a sentence for people, without internals."""

    detail: str
    errors: list[FieldError] = field(default_factory=list[FieldError])
    extra: dict[str, object] = field(default_factory=dict[str, object])

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "Something went wrong"

    def __str__(self) -> str:
        return self.detail


class InvalidInput(RapportError):
    """The request was understood but something in it is not acceptable."""

    status = 422
    code = "invalid"
    title = "The input is not valid"


class Unauthenticated(RapportError):
    """No credential, or one that is unknown, expired or revoked."""

    status = 401
    code = "auth.required"
    title = "Sign in first"


class SupportEnded(Unauthenticated):
    """A session of support whose grant by the workspace is over or was taken back."""

    code = "support.ended"
    title = "Support access has ended"


class Forbidden(RapportError):
    """The caller is known but lacks the right. Never used to reveal another tenant's things: that is 404."""

    status = 403
    code = "access.denied"
    title = "You do not have the right to do this"


class NotFound(RapportError):
    """Unknown, trashed, or another tenant's: the caller can't tell which."""

    status = 404
    code = "not_found"
    title = "Not found"


class Conflict(RapportError):
    """The state of the thing does not allow this now."""

    status = 409
    code = "conflict"
    title = "Conflict"
    #: Whether somebody was only in the way for a moment: the very same request may work when it is made again.
    passing: ClassVar[bool] = False


class TooManyRequests(RapportError):
    """A rate limit was hit; ``extra['retry_after']`` holds seconds."""

    status = 429
    code = "rate_limited"
    title = "Too many requests"


class Unavailable(RapportError):
    """A part the request needs does not answer at the moment."""

    status = 503
    code = "unavailable"
    title = "Temporarily unavailable"
