"""The API kit: what happens to every request before and after a view runs."""

from __future__ import annotations

from app.http.install import install, seal

__all__ = ["install", "seal"]
