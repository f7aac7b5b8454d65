"""Where the built script, stylesheet and icon sprite are: read once from Vite's manifest."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

DIST: Final = Path(__file__).parent / "static" / "dist"
_ENTRY: Final = "src/app.js"


class AssetsMissing(RuntimeError):
    """The front end was not built; ``make run`` and ``make assets`` do that."""


@dataclass(frozen=True, slots=True)
class Assets:
    """Addresses of what a page loads. Names carry a hash of the content, so browsers may keep them for ever."""

    script: str
    styles: tuple[str, ...]
    sprite: str


def load(dist: Path = DIST, base: str = "/static/dist/") -> Assets:
    """Read the manifest below ``dist``.

    Raises:
        AssetsMissing: there is no build.
    """
    manifest = dist / ".vite" / "manifest.json"
    sprites = sorted((dist / "assets").glob("sprite-*.svg"))
    if not manifest.exists() or not sprites:
        raise AssetsMissing(f"no built front end in {dist}: run `make assets`")
    entry = json.loads(manifest.read_text())[_ENTRY]
    return Assets(
        script=base + entry["file"],
        styles=tuple(base + name for name in entry.get("css", ())),
        sprite=f"{base}assets/{sprites[-1].name}",
    )
