"""What a fresh workspace begins with: the tables of the platform layer and the pin that says so."""

from __future__ import annotations

import msgspec

from app.metadata import layered
from app.metadata.catalog import platform
from app.metadata.ddl import tenant_tables


def fresh_tenant() -> list[str]:
    """Statements after those of the system tables, one statement an element."""
    pin = (
        f"insert into metadata_layer (layer, place, hash) values ('{layered.PLATFORM}', 0, '{layered.platform_hash()}')"
    )
    return [*tenant_tables(platform()), pin]


def platform_layer() -> tuple[str, str]:
    """Hash and JSON of this program's platform layer, as pods keep it."""
    document = msgspec.json.encode(layered.platform_document(), order="sorted")
    return layered.platform_hash(), document.decode()
