"""Counts, sums and extremes of records by groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.records.query import AggregateQuery

if TYPE_CHECKING:
    from tenants.scope import TenantScope


def aggregate(scope: TenantScope, object_name: str, query: AggregateQuery) -> dict[str, object]:
    """Answer ``{"data": [{"group", "count", "sum_<field>"}], "next", "unconverted"}``."""
    raise NotImplementedError
