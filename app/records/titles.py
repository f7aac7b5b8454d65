"""Titles of records by id, for pages that show links."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from uuid import UUID

    from tenants.scope import TenantScope


def titles(scope: TenantScope, wanted: Mapping[str, Iterable[UUID | str]]) -> dict[tuple[str, str], str]:
    """Answer ``{(object, id): title}`` for records, members and teams; unknown ids are absent."""
    raise NotImplementedError
