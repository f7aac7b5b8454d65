"""The only writer of DDL for objects: what tables are to be, the difference, what they are."""

from __future__ import annotations

from app.metadata.ddl.tables import tenant_tables

__all__ = ["tenant_tables"]
