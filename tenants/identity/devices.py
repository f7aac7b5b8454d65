"""Browsers as people know them: ``Firefox on Linux`` instead of a User-Agent header."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

#: The first that occurs in the header wins: Edge says Chrome too, Chrome says Safari.
_BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrom", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS: Final = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)


class SessionLike(Protocol):
    """What base-host and workspace sessions have in common."""

    @property
    def id(self) -> UUID:
        """The session."""
        ...

    @property
    def user_agent(self) -> str:
        """The header of the sign-in."""
        ...

    @property
    def address(self) -> str:
        """Where from."""
        ...

    @property
    def seen_at(self) -> datetime:
        """Last used."""
        ...


@dataclass(frozen=True, slots=True)
class ShownSession:
    """A session in a list."""

    id: UUID
    device: str
    address: str
    seen_at: datetime


def shown(row: SessionLike) -> ShownSession:
    """The form for a list."""
    return ShownSession(row.id, device(row.user_agent), row.address or "unknown address", row.seen_at)


def device(user_agent: str) -> str:
    """Browser and system."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "Browser")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    return f"{browser} on {system}" if system else browser
