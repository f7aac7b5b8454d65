"""Every module that registers a job or a consumer of events, imported for that effect."""

from __future__ import annotations

from app.events import anchor, consumers
from app.exports import tasks as exports
from app.files import tasks as files
from app.imports import tasks as imports
from app.metadata import work as metadata
from tenants.identity import invitations, support

__all__ = ["anchor", "consumers", "exports", "files", "imports", "invitations", "metadata", "support"]
