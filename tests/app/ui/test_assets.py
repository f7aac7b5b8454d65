"""The built front end: found by its manifest, and inside its budgets."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from app.ui import assets

KILO = 1000


@pytest.fixture(scope="module")
def built() -> assets.Assets:
    return assets.load()


def _packed(address: str) -> int:
    return len(gzip.compress((assets.DIST.parent.parent / address.lstrip("/")).read_bytes(), 9))


def test_a_missing_build_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(assets.AssetsMissing, match="make assets"):
        assets.load(tmp_path)


def test_script_and_style_sheet_stay_inside_their_budgets(built: assets.Assets) -> None:
    assert _packed(built.script) <= 45 * KILO
    assert sum(map(_packed, built.styles)) <= 25 * KILO


def test_lazy_chunks_stay_inside_their_budget(built: assets.Assets) -> None:
    chunks = [p for p in (assets.DIST / "assets").glob("*.js") if not built.script.endswith(p.name)]
    assert chunks
    assert [p.name for p in chunks if len(gzip.compress(p.read_bytes(), 9)) > 60 * KILO] == []


def test_the_sprite_holds_every_icon_the_templates_name(built: assets.Assets) -> None:
    sprite = (assets.DIST.parent.parent / built.sprite.lstrip("/")).read_text()
    held = set(re.findall(r'<symbol id="([^"]+)"', sprite))
    templates = Path(assets.__file__).parent / "templates"
    named = {
        name
        for path in templates.rglob("*.html")
        for name in re.findall(r"icon\('([a-z0-9-]+)'|icon='([a-z0-9-]+)'", path.read_text())
        for name in name
        if name
    }
    assert named - held == set()
