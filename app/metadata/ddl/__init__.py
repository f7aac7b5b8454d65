"""The only writer of DDL for objects. Step 1: the tables of a new tenant."""

from __future__ import annotations

from app.metadata.ddl.tables import tenant_tables

__all__ = ["tenant_tables"]
