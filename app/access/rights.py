"""The rights there are and which fixed role holds them."""

from __future__ import annotations

from typing import Final, Protocol

from app.core.errors import Forbidden

RECORD_READ: Final = "record.read"
RECORD_CREATE: Final = "record.create"
RECORD_EDIT: Final = "record.edit"
RECORD_DELETE: Final = "record.delete"
RECORD_DESTROY: Final = "record.destroy"
RECORD_EXPORT: Final = "record.export"
RECORD_IMPORT: Final = "record.import"
RECORD_BULK: Final = "record.bulk"
METADATA_EDIT: Final = "metadata.edit"
MEMBERS_MANAGE: Final = "members.manage"
KEYS_MANAGE: Final = "keys.manage"
WORKSPACE_MANAGE: Final = "workspace.manage"

_READ: Final = frozenset({RECORD_READ, RECORD_EXPORT})
_WORK: Final = _READ | {RECORD_CREATE, RECORD_EDIT, RECORD_DELETE, RECORD_IMPORT, RECORD_BULK}
_ADMIN: Final = _WORK | {RECORD_DESTROY, METADATA_EDIT, MEMBERS_MANAGE, KEYS_MANAGE}

#: Role name → rights. Owner differs from admin by what concerns the workspace itself.
ROLES: Final[dict[str, frozenset[str]]] = {
    "owner": _ADMIN | {WORKSPACE_MANAGE},
    "admin": _ADMIN,
    "member": _WORK,
    "read_only": frozenset({RECORD_READ}),
}


def allows(role: str, right: str) -> bool:
    """Whether ``role`` holds ``right``; an unknown role holds none."""
    return right in ROLES.get(role, frozenset())


class HasRole(Protocol):
    """A scope, as far as rights go."""

    role: str


def require(scope: HasRole, right: str) -> None:
    """Raise Forbidden unless the scope's role holds ``right``."""
    if not allows(scope.role, right):
        raise Forbidden(f"Your role here ({scope.role.replace('_', ' ')}) does not include this: {right}")
