"""Bringing thousands of tenants to a release: one tenant a transaction, the ledger in pod.tenant."""

from __future__ import annotations

from tenants.upgrades.report import Report
from tenants.upgrades.run import Options, behind, upgrade

__all__ = ["Options", "Report", "behind", "upgrade"]
