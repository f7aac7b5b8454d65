"""What the history says: who, what, from where to where."""

from __future__ import annotations

from typing import Any

from app.metadata import catalog as catalogs
from app.records.pages.timeline import _event
from app.records.pages.values import Reader

READER = Reader("en", "UTC")
DEAL = catalogs.platform().object("deal")
MIRA = {"kind": "member", "id": "1", "name": "Mira"}


def told(kind: str = "updated", actor: dict[str, Any] = MIRA, **diff: list[Any]) -> tuple[str, str, int]:
    event = {"at": "2026-11-22T10:00:00Z", "kind": kind, "actor": actor, "diff": diff}
    entry = _event(DEAL, event, READER, {}, {"7": "Mira"})
    assert entry is not None
    return entry.who, str(entry.what), len(entry.changes)


def test_an_imported_record_names_file_and_member() -> None:
    imported = {"kind": "import", "id": "7", "name": "deals.csv"}
    assert told("created", imported) == ("", "Imported from deals.csv by Mira", 0)
    assert told("created", {**imported, "id": "8"}) == ("", "Imported from deals.csv", 0)
    assert told("updated", imported, next_step=[None, "Call"])[0] == "Import of deals.csv"


def test_a_move_says_both_stages_and_lists_what_changed_with_it() -> None:
    moved = told(stage=["new", "won"], probability=["0.1", "1"])
    assert moved == ("Mira", "moved the deal from New to Won", 1)


def test_several_changes_are_named_and_counted() -> None:
    changed = told(next_step=[None, "Call"], description=[None, "Big"])
    assert changed == ("Mira", "changed Next step and Description", 2)
    many = {"next_step": [None, "a"], "description": [None, "b"], "name": ["c", "d"], "close_on": [None, "2026-12-01"]}
    assert told(**many)[1] == "changed Next step, Description and 2 more"


def test_values_are_told_apart_and_never_markup() -> None:
    said = told(next_step=["<b>", "Call"])[1]
    assert said == "changed Next step from <bdi>&lt;b&gt;</bdi> to <bdi>Call</bdi>"


def test_deleting_restoring_and_keys_are_named() -> None:
    assert told("trashed")[1] == "deleted this deal"
    assert told("restored")[1] == "brought this deal back from the trash"
    assert told("created", {"kind": "key", "id": "2", "name": "Website"})[0] == "Website (API key)"
