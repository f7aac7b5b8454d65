"""The one place that reads the time, so that tests can travel."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo


def now() -> datetime:
    """The current instant, aware, in UTC."""
    return datetime.now(UTC)


def today(timezone: str) -> date:
    """The calendar day it is now in the IANA zone ``timezone``."""
    return now().astimezone(ZoneInfo(timezone)).date()
