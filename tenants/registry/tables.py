"""The tables of the control database that the registry and provisioning read; migrations/control makes them."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

metadata: Final = sa.MetaData()

pod: Final = sa.Table(
    "pod",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("app_url", sa.Text, nullable=False),
    sa.Column("owner_url", sa.Text, nullable=False),
    sa.Column("hardening", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="open"),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
)

tenant: Final = sa.Table(
    "tenant",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("pod", sa.Integer, sa.ForeignKey("pod.number"), nullable=False),
    sa.Column("slug", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("timezone", sa.Text, nullable=False),
    sa.Column("locale", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("status_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
)

slug: Final = sa.Table(
    "slug",
    metadata,
    sa.Column("slug", sa.Text, primary_key=True),
    sa.Column("tenant", sa.Uuid),
    sa.Column("ledger", sa.Uuid),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
)

domain: Final = sa.Table(
    "domain",
    metadata,
    sa.Column("host", sa.Text, primary_key=True),
    sa.Column("tenant", sa.Uuid, sa.ForeignKey("tenant.id", ondelete="cascade"), nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("verified_at", sa.DateTime(timezone=True)),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
)

person: Final = sa.Table(
    "person",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
)

membership: Final = sa.Table(
    "membership",
    metadata,
    sa.Column("person", sa.Uuid, primary_key=True),
    sa.Column("tenant", sa.Uuid, primary_key=True),
    sa.Column("member", sa.Uuid, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
)

ledger: Final = sa.Table(
    "ledger",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("tenant", sa.Uuid),
    sa.Column("args", pg.JSONB, nullable=False, server_default="{}"),
    sa.Column("state", sa.Text, nullable=False, server_default="running"),
    sa.Column("error", sa.Text),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
)
