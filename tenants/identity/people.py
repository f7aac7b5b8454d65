"""People: signing up and in, verified addresses, forgotten passwords.

Nobody learns from an answer, or from how long it takes, whether an address has an account: an address counts as
somebody's only once it is verified, so a second sign-up with it simply makes another person (whose claim on the
address stays unverified), and it can hijack nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from app.core import clock, crypto, ids
from app.core.errors import FieldError, InvalidInput, NotFound, Unauthenticated
from tenants.identity import outgoing, passwords, repository, tickets
from tenants.identity.addresses import normalise_email
from tenants.identity.outgoing import Message

if TYPE_CHECKING:
    from uuid import UUID

    from app.core.ports import Runtime
    from tenants.identity.repository import Candidate

RESET_LIFE: Final = timedelta(hours=1)
VERIFY_LIFE: Final = timedelta(days=7)

#: Each sign-in compares at least this many passwords: one and none take the same time as two.
_LEAST_COMPARISONS: Final = 2

LONGEST_NAME: Final = 120


@dataclass(frozen=True, slots=True)
class Known:
    """A person who proved who they are, or who was just made."""

    id: UUID
    name: str
    email: str
    new: bool = False


class WrongCredentials(Unauthenticated):
    """Unknown address or wrong password: the same words for both."""

    code = "auth.wrong"
    title = "That did not work"


def check_password(password: str, *about: str, pointer: str = "/password") -> None:
    """Raise InvalidInput when the password is not good enough for somebody with these names."""
    problem = passwords.problem_with(password, about=tuple(word for word in about if word))
    if problem is not None:
        raise InvalidInput(problem, [FieldError(pointer, "password", problem)])


def clean_name(name: str, email: str = "") -> str:
    """A person's name as typed, trimmed; from the address when left empty."""
    tidy = " ".join(name.split())[:LONGEST_NAME]
    if tidy:
        return tidy
    local = email.partition("@")[0].replace(".", " ").replace("_", " ")
    return local.title()[:LONGEST_NAME]


def register(runtime: Runtime, *, name: str, email: str, password: str) -> Known:
    """The person for a sign-up: who has this address and password already, else a new one."""
    known = _matching(runtime, email, password)
    if known is not None:
        return Known(known.person, known.name, email)
    person = ids.uuid7()
    encoded = passwords.hash_password(password)
    with runtime.databases.control.begin() as connection:
        repository.insert_person(connection, person, clean_name(name, email), email, encoded)
    return Known(person, clean_name(name, email), email, new=True)


def forget(runtime: Runtime, person: UUID) -> None:
    """Take back a registration whose workspace could not be made."""
    with runtime.databases.control.begin() as connection:
        repository.delete_person(connection, person)


def authenticate(runtime: Runtime, email: str, password: str) -> Known:
    """The person with that address and password.

    Raises:
        WrongCredentials: unknown address or wrong password, after the same time.
    """
    try:
        address = normalise_email(email)
    except InvalidInput:
        address = ""
    known = _matching(runtime, address, password)
    if known is None:
        raise WrongCredentials("E-mail or password is wrong.")
    if known.password_hash is not None and passwords.outdated(known.password_hash):
        with runtime.databases.control.begin() as connection:
            repository.set_password(connection, known.person, passwords.hash_password(password))
    return Known(known.person, known.name, address)


def _matching(runtime: Runtime, email: str, password: str) -> Candidate | None:
    with runtime.databases.control.connect() as connection:
        found = repository.candidates(connection, email)
    compared: list[str | None] = [candidate.password_hash for candidate in found]
    compared += [None] * (_LEAST_COMPARISONS - len(compared))
    matches = [passwords.verify(encoded, password) for encoded in compared]
    return next((candidate for candidate, right in zip(found, matches, strict=False) if right), None)


def send_verification(runtime: Runtime, person: Known) -> None:
    """Mail a link that proves the address."""
    token = crypto.token()
    with runtime.databases.control.begin() as connection:
        repository.insert_token(
            connection, crypto.sha256(token), person.id, "verify", person.email, clock.now() + VERIFY_LIFE
        )
    message = Message(
        subject="Confirm your e-mail address",
        greeting=f"Hello {person.name}",
        text="Please confirm that this address is yours. You need it when you forget your password.",
        action="Confirm the address",
        link=f"{runtime.config.base_url}/email/verify/{token}",
        after="The link works for 7 days. If you did not sign up, ignore this mail.",
    )
    outgoing.post(runtime.mailer, person.email, message)


def verify_address(runtime: Runtime, token: str) -> bool:
    """Spend a verification link; False when it is void or somebody else verified the address first."""
    now = clock.now()
    with runtime.databases.control.begin() as connection:
        found = repository.take_token(connection, crypto.sha256(token), "verify", now)
        return found is not None and repository.verify_email(connection, found[0], found[1], now)


def request_reset(runtime: Runtime, email: str) -> None:
    """Mail a reset link to the address if somebody has it, beside the request: the caller can't tell."""
    outgoing.later(lambda: _send_reset(runtime, email))


def _send_reset(runtime: Runtime, email: str) -> None:
    try:
        address = normalise_email(email)
    except InvalidInput:
        return
    token = crypto.token()
    with runtime.databases.control.begin() as connection:
        found = repository.candidates(connection, address, limit=1)
        if found:
            repository.insert_token(
                connection, crypto.sha256(token), found[0].person, "reset", address, clock.now() + RESET_LIFE
            )
    if found:
        message = Message(
            subject="Set a new password",
            greeting=f"Hello {found[0].name}",
            text="Somebody, probably you, asked to set a new password for your Rapport account.",
            action="Set a new password",
            link=f"{runtime.config.base_url}/password/reset/{token}",
            after="The link works once, for one hour. If it was not you, ignore this mail: nothing has changed.",
        )
        outgoing.send(runtime.mailer, address, message)


def reset_is_live(runtime: Runtime, token: str) -> bool:
    """Whether a reset link can still be used; looking does not spend it (mail scanners look)."""
    with runtime.databases.control.connect() as connection:
        return repository.peek_token(connection, crypto.sha256(token), "reset", clock.now()) is not None


def reset_password(runtime: Runtime, token: str, password: str) -> Known:
    """Set a new password by a mailed token: ends every session and verifies the address it was mailed to.

    Raises:
        NotFound: the token is void, spent or too old.
        InvalidInput: the password is not good enough; the token stays usable.
    """
    now = clock.now()
    hashed = crypto.sha256(token)
    with runtime.databases.control.begin() as connection:
        found = repository.peek_token(connection, hashed, "reset", now)
        about = repository.person_of(connection, found[0]) if found else None
    if found is None or about is None:
        raise NotFound("This link was used before or is too old. Ask for a new one.")
    check_password(password, about[0], about[1])
    encoded = passwords.hash_password(password)
    with runtime.databases.control.begin() as connection:
        taken = repository.take_token(connection, hashed, "reset", now)
        if taken is None:
            raise NotFound("This link was used before or is too old. Ask for a new one.")
        person, email = taken
        repository.set_password(connection, person, encoded)
        repository.delete_sessions(connection, person)
        repository.verify_email(connection, person, email, now)
    tickets.end_sessions(runtime, person)
    return Known(person, about[0], email)


def change_password(runtime: Runtime, person: UUID, session: UUID, current: str, new: str) -> None:
    """Replace the password after the present one was given; every other session ends, those in workspaces too."""
    with runtime.databases.control.connect() as connection:
        encoded = repository.password_of(connection, person)
        about = repository.person_of(connection, person)
    if not passwords.verify(encoded, current):
        message = "This is not your present password."
        raise InvalidInput(message, [FieldError("/current", "password", message)])
    check_password(new, *(about[:2] if about else ()), pointer="/password")
    with runtime.databases.control.begin() as connection:
        repository.set_password(connection, person, passwords.hash_password(new))
        repository.delete_sessions(connection, person, but=session)
    tickets.end_sessions(runtime, person)
