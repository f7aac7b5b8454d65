from __future__ import annotations

from app.metadata.reference import FOLDER, pages


def test_the_generated_pages_are_up_to_date() -> None:
    stale = [name for name, text in pages().items() if (FOLDER / name).read_text(encoding="utf-8") != text]
    assert stale == [], "run python -m app.metadata.reference"


def test_every_object_and_field_type_is_described() -> None:
    assert pages()["objects.md"].count("\n## ") == 13
    assert "| `money` |" in pages()["fieldtypes.md"]
