"""Every module that registers a job or a consumer of events, imported for that effect."""

from __future__ import annotations

from app.events import consumers

__all__ = ["consumers"]
