"""Finding records of any object by what a person remembers of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tenants.scope import TenantScope


def search(scope: TenantScope, q: str, objects: tuple[str, ...] = (), limit: int = 10) -> list[dict[str, object]]:
    """Answer ``[{"object", "id", "title", "snippet", "score"}]``, best first; empty ``objects`` means all."""
    raise NotImplementedError
