"""The UI kit: layouts, macros, assets and the formatting every page uses."""

from __future__ import annotations

from app.ui.install import install

__all__ = ["install"]
