"""Records as columns of cards, a column a stage or option."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.records.query import BoardQuery

if TYPE_CHECKING:
    from tenants.scope import TenantScope


def board(scope: TenantScope, object_name: str, query: BoardQuery) -> dict[str, object]:
    """Answer ``{"groups": [{"key", "label", "count", "sum_<field>", "data", "next"}], "unconverted"}``."""
    raise NotImplementedError
