"""A small demo set: loaded into an empty workspace and removed in one click."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tenants.scope import TenantScope

SOURCE = "sample"


def load_samples(scope: TenantScope) -> int:
    """Create the sample records (``source_system`` is ``sample``); returns how many. Twice does nothing."""
    raise NotImplementedError


def remove_samples(scope: TenantScope) -> int:
    """Destroy every sample record, changed ones included; returns how many."""
    raise NotImplementedError


def has_samples(scope: TenantScope) -> bool:
    """Whether sample records are in the workspace."""
    raise NotImplementedError
