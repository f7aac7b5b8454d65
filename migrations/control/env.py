"""Alembic looks for this file beside the revisions; all folders share one."""

from __future__ import annotations

import runpy
from pathlib import Path

runpy.run_path(str(Path(__file__).resolve().parents[1] / "env.py"))
