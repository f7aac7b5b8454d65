"""What the background process does for tenants as a whole, again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenants.provisioning.lifecycle import reconcile
from tenants.provisioning.spares import keep_spares

if TYPE_CHECKING:
    from app.core.ports import Runtime


def tend(runtime: Runtime, spares: int) -> int:
    """Finish what was left in the middle, then keep ``spares`` spares in each pod; returns how many were made."""
    reconcile(runtime)
    return keep_spares(runtime, spares)
