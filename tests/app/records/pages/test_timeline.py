"""What the history says: who, what, from where to where."""

from __future__ import annotations

from typing import Any

from app.metadata import catalog as catalogs
from app.records.pages.timeline import _event
from app.records.pages.values import Reader

READER = Reader("en", "UTC")
PLATFORM = catalogs.platform()
DEAL = PLATFORM.object("deal")
MIRA = {"kind": "member", "id": "1", "name": "Mira"}


def told(
    kind: str = "updated",
    actor: dict[str, Any] = MIRA,
    cause: dict[str, Any] | None = None,
    *,
    linked: bool = True,
    file: str | None = None,
    **diff: list[Any],
) -> tuple[str, str, int]:
    event = {"at": "2026-11-22T10:00:00Z", "object": "deal", "kind": kind, "actor": actor, "diff": diff or None}
    event |= {"cause": cause, "file": file, "erased": False}
    entry = _event(PLATFORM, DEAL, event, READER, {}, linked=linked)
    assert entry is not None
    return entry.who, str(entry.what), len(entry.changes)


IMPORT = {"kind": "import", "id": "7", "name": "deals.csv"}
BY_IMPORT = {"kind": "import", "id": "7", "by": MIRA}


def test_an_imported_record_names_file_and_member_and_leads_to_the_import() -> None:
    link = '<a class="underline underline-offset-2" href="/imports/7"><bdi>deals.csv</bdi></a>'
    assert told("created", IMPORT, BY_IMPORT) == ("", f"Imported from {link} by <bdi>Mira</bdi>", 0)
    assert (
        told("created", IMPORT, BY_IMPORT, linked=False)[1] == "Imported from <bdi>deals.csv</bdi> by <bdi>Mira</bdi>"
    )
    who, what, _ = told("updated", IMPORT, BY_IMPORT, next_step=[None, "Call"])
    assert (who, what) == ("Mira", f"set Next step to <bdi>Call</bdi> with the import of {link}")
    assert told("updated", IMPORT, next_step=[None, "Call"])[0] == "Import of deals.csv"


def test_what_was_done_in_passing_says_by_which_act() -> None:
    def reason(kind: str, **more: Any) -> str:
        return told("trashed", MIRA, {"kind": kind, "id": "9", "by": MIRA}, linked=False, **more)[1]

    assert reason("import_undo", file="deals.csv") == (
        "deleted this deal, taking back the import of <bdi>deals.csv</bdi>"
    )
    assert reason("bulk") == "deleted this deal among many at once"
    assert reason("conversion") == (
        'deleted this deal by converting <a class="underline underline-offset-2" href="/records/lead/9">a lead</a>'
    )


def test_a_move_says_both_stages_and_lists_what_changed_with_it() -> None:
    moved = told(stage=["new", "won"], probability=["0.1", "1"])
    assert moved == ("Mira", "moved the deal from <bdi>New</bdi> to <bdi>Won</bdi>", 1)


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
