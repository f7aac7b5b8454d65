"""Identifiers made in Python: time-ordered uuids for rows, opaque base32 names for physical things."""

from __future__ import annotations

import base64
import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from uuid_utils import compat

if TYPE_CHECKING:
    from uuid import UUID


def uuid7() -> UUID:
    """A time-ordered uuid (RFC 9562, version 7); rows made later sort later to the millisecond."""
    return compat.uuid7()


def made_at(one: UUID) -> datetime:
    """When a uuid of version 7 was made, to the millisecond."""
    return datetime.fromtimestamp((one.int >> 80) / 1_000, UTC)


def base32_id(prefix: str) -> str:
    """``prefix`` and 16 lower-case base32 characters (80 random bits): names of schemas, roles, tables, columns.

    Every database role can read the catalogs, so such a name must say nothing.
    """
    return prefix + base64.b32encode(secrets.token_bytes(10)).decode("ascii").lower()
