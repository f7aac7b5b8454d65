"""API keys: ``rap_<tenant>_<secret><checksum>``, shown once, stored hashed, found without a host.

The tenant's part lets a key find its pod; the checksum lets secret scanners, and us, tell a real key from noise
without a look-up.
"""

from __future__ import annotations

import base64
import secrets
import string
import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from app.core import clock, crypto, ids
from app.core.errors import FieldError, InvalidInput, NotFound
from tenants import log
from tenants.identity import members

if TYPE_CHECKING:
    from datetime import datetime

    from tenants.scope import TenantScope

PREFIX: Final = "rap"
LONGEST_NAME: Final = 120
_ALPHABET: Final = string.ascii_letters + string.digits
_SECRET_LENGTH: Final = 36
_CHECK_LENGTH: Final = 6


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key as lists show it: never the secret."""

    id: UUID
    name: str
    role: str
    prefix: str
    created_by: str | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    def public(self) -> dict[str, Any]:
        """The API's form."""
        return {
            "id": str(self.id),
            "name": self.name,
            "role": self.role,
            "prefix": self.prefix,
            "created_at": self.created_at,
            "expires_at": self.expires_at,
            "revoked_at": self.revoked_at,
        }


def mint(tenant: UUID) -> str:
    """A new key's text."""
    secret = "".join(secrets.choice(_ALPHABET) for _ in range(_SECRET_LENGTH))
    body = f"{PREFIX}_{_tenant_text(tenant)}_{secret}"
    return body + _checksum(body)


def tenant_of(key: str) -> UUID | None:
    """The tenant a well-formed key names; None for anything else."""
    parts = key.split("_")
    if len(parts) != 3 or parts[0] != PREFIX or len(parts[2]) != _SECRET_LENGTH + _CHECK_LENGTH or not key.isascii():
        return None
    if _checksum(key[:-_CHECK_LENGTH]) != key[-_CHECK_LENGTH:]:
        return None
    return _tenant_named(parts[1])


def create_key(
    scope: TenantScope, name: str, role: str = "member", expires_at: datetime | None = None
) -> tuple[KeyRow, str]:
    """A new key of the tenant and its text, which nobody can see again.

    Raises:
        InvalidInput: no name, an unknown role, an expiry in the past.
        Forbidden: a role above the actor's own.
    """
    tidy = " ".join(name.split())
    if not tidy or len(tidy) > LONGEST_NAME:
        message = f"Enter a name of 1 to {LONGEST_NAME} characters."
        raise InvalidInput(message, [FieldError("/name", "required", message)])
    members.check_role(scope, role)
    if expires_at is not None and expires_at <= clock.now():
        message = "Choose a moment in the future."
        raise InvalidInput(message, [FieldError("/expires_at", "past", message)])
    key = mint(scope.tenant.id)
    row = KeyRow(
        id=ids.uuid7(),
        name=tidy,
        role=role,
        prefix=key[: len(PREFIX) + 1 + 26 + 5],
        created_by=scope.member.name if scope.member else None,
        created_at=clock.now(),
        expires_at=expires_at,
        revoked_at=None,
    )
    scope.execute(
        "insert into api_key (id, name, role, prefix, created_by, created_at, expires_at) "
        "values (%s, %s, %s, %s, %s, %s, %s)",
        (row.id, tidy, role, row.prefix, scope.member.id if scope.member else None, row.created_at, expires_at),
    )
    log.note(scope, "key_created", "key", row.id, {"role": [None, role]})
    scope.at_commit(
        "select pod.put_credential(%(tenant)s, 'key', %(hash)s, %(member)s, null, %(role)s, %(name)s, %(expires)s, "
        "null, null, %(id)s)",
        {
            "tenant": scope.tenant.id,
            "hash": crypto.sha256(key),
            "role": role,
            "name": tidy,
            "expires": expires_at,
            "id": row.id,
            "member": scope.member.id if scope.member else None,
        },
    )
    return row, key


def list_keys(scope: TenantScope) -> list[KeyRow]:
    """All keys, live ones first, the newest first."""
    rows = scope.execute(
        "select k.id, k.name, k.role, k.prefix, m.name, k.created_at, k.expires_at, k.revoked_at "
        "from api_key k left join member m on m.id = k.created_by order by k.revoked_at is not null, k.id desc"
    )
    return [KeyRow(*row) for row in rows]


def revoke_key(scope: TenantScope, key: UUID) -> None:
    """End a key at once; raises NotFound. Doing it twice is fine."""
    row = scope.execute(
        "update api_key set revoked_at = coalesce(revoked_at, %s) where id = %s returning old.revoked_at",
        (clock.now(), key),
    ).fetchone()
    if row is None:
        raise NotFound("There is no such key.")
    if row[0] is None:
        log.note(scope, "key_revoked", "key", key)
    scope.at_commit("select pod.drop_credential(%(tenant)s, %(key)s, null)", {"tenant": scope.tenant.id, "key": key})


@lru_cache(maxsize=1000)
def _tenant_named(text: str) -> UUID | None:
    try:
        return UUID(bytes=base64.b32decode(text.upper() + "======"))
    except ValueError:
        return None


def _tenant_text(tenant: UUID) -> str:
    return base64.b32encode(tenant.bytes).decode("ascii").lower().rstrip("=")


def _checksum(body: str) -> str:
    """CRC-32 in base 62: catches typing mistakes, protects nothing."""
    value = zlib.crc32(body.encode())
    digits = ""
    for _ in range(_CHECK_LENGTH):
        value, digit = divmod(value, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits
