"""``POST /records/{object}/bulk``: many rows of JSON, each with its own result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tenants.scope import TenantScope

MAX_ROWS = 10_000


def bulk(
    scope: TenantScope,
    object_name: str,
    rows: Sequence[object],
    *,
    mode: str = "create",
    match: str = "",
    atomic: bool = False,
) -> dict[str, Any]:
    """Write up to 10,000 rows and return the API body ``{"results", "created", "updated", "deleted", "failed"}``.

    Raises:
        InvalidInput: mode, match or the number of rows is wrong; with ``atomic`` also when any row fails.
    """
    raise NotImplementedError
