"""Making, suspending and deleting tenants; setting up the databases they live in."""

from __future__ import annotations

from tenants.provisioning.bootstrap import prepare
from tenants.provisioning.hardening import check_hardening
from tenants.provisioning.lifecycle import (
    Created,
    PersonRef,
    SlugTaken,
    create_tenant,
    delete_tenant,
    reconcile,
    resume_tenant,
    suspend_tenant,
)
from tenants.provisioning.spares import get_ready, keep_spares

__all__ = [
    "Created",
    "PersonRef",
    "SlugTaken",
    "check_hardening",
    "create_tenant",
    "delete_tenant",
    "get_ready",
    "keep_spares",
    "prepare",
    "reconcile",
    "resume_tenant",
    "suspend_tenant",
]
