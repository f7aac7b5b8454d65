"""History in words."""

from __future__ import annotations

from uuid import uuid4

import pytest

from app.events.words import describe, links_of
from app.metadata.catalog import platform

COMPANY, OTHER = str(uuid4()), str(uuid4())


MIRA = {"kind": "member", "id": "1", "name": "Mira"}


@pytest.mark.parametrize(
    ("kind", "diff", "said"),
    [
        ("created", None, "created this deal"),
        ("trashed", None, "deleted this deal"),
        ("restored", None, "brought this deal back from the trash"),
        ("destroyed", {"name": "A"}, "deleted this deal for good"),
        ("bulk", {"mode": "create"}, "changed many deals at once"),
        ("import_undone", {"file": "a.csv"}, "took back the import of a file into deals"),
        ("erased", {"events": 3}, "erased what the history of this deal quoted"),
        ("updated", {"stage": ["new", "won"], "stage_status": ["open", "won"]}, "moved the deal from New to Won"),
        ("updated", {"next_step": ["x", None]}, "cleared Next step (was x)"),
        (
            "updated",
            {"name": ["A", "B"], "next_step": ["x", None]},
            "changed Name and Next step (Name: A → B; Next step: x → empty)",
        ),
        ("updated", {"company": [None, COMPANY]}, "set Company to Acme"),
        ("updated", {"company": [OTHER, COMPANY]}, "changed Company from a record that is gone to Acme"),
        ("updated", {"amount": [None, {"amount": "5.00", "currency": "EUR"}]}, "set Amount to €5.00"),
        ("updated", {"close_on": ["2026-01-02", "2026-02-03"]}, "changed Closes on from Jan 2, 2026 to Feb 3, 2026"),
        ("updated", {"stage_since": ["2026-01-02T00:00:00Z", "2026-02-03T00:00:00Z"]}, "changed this"),
        (
            "updated",
            {
                "name": ["A", "B"],
                "next_step": [None, "x"],
                "description": [None, "y"],
                "opened_on": [None, "2026-01-02"],
            },
            (
                "changed Name, Next step and 2 more"
                " (Name: A → B; Next step: empty → x; Description: empty → y; Opened on: empty → Jan 2, 2026)"
            ),
        ),
    ],
)
def test_an_event_says_what_happened(kind: str, diff: dict[str, object] | None, said: str) -> None:
    event = {"kind": kind, "object": "deal", "diff": diff, "actor": MIRA, "cause": None}
    assert describe(event, platform(), "en", titles={("company", COMPANY): "Acme"}) == f"Mira {said}"


def test_values_are_written_for_the_reader() -> None:
    event = {"kind": "updated", "object": "deal", "actor": MIRA}
    event |= {"diff": {"amount": [None, {"amount": "1234.50", "currency": "EUR"}]}}
    assert describe(event, platform(), "de") == "Mira set Amount to 1.234,50\xa0€"
    event |= {"diff": {"close_on": [None, "2026-02-03"]}}
    assert describe(event, platform(), "de") == "Mira set Closes on to 03.02.2026"


def test_a_converted_lead_says_so() -> None:
    event = {
        "kind": "updated",
        "object": "lead",
        "actor": MIRA,
        "diff": {"status": ["new", "converted"], "converted_at": [None, "2026-01-01T00:00:00Z"]},
        "cause": {"kind": "conversion", "id": OTHER, "by": MIRA},
    }
    assert describe(event, platform(), "en") == "Mira converted this lead"


def test_the_chain_is_told_from_person_to_record() -> None:
    imported = {"kind": "import", "id": OTHER, "name": "accounts.csv"}
    event = {"kind": "created", "object": "company", "actor": imported, "diff": None, "file": "accounts.csv"}
    event |= {"cause": {"kind": "import", "id": OTHER, "by": MIRA}}
    assert describe(event, platform(), "en") == "Imported from accounts.csv by Mira"
    event |= {"kind": "updated", "diff": {"name": ["A", "B"]}}
    assert describe(event, platform(), "en") == "Mira changed Name from A to B with the import of accounts.csv"
    event |= {"actor": MIRA, "cause": {"kind": "import_undo", "id": OTHER, "by": MIRA}}
    assert describe(event, platform(), "en") == "Mira changed Name from A to B, taking back the import of accounts.csv"
    event |= {"cause": {"kind": "handover", "id": OTHER, "by": MIRA}}
    assert describe(event, platform(), "en").endswith(", handing over a colleague's records")
    event |= {"cause": None, "actor": {"kind": "key", "id": "2", "name": "Website"}}
    assert describe(event, platform(), "en").startswith("Website (API key) changed Name")


def test_a_finished_import_is_one_line() -> None:
    imported = {"kind": "import", "id": OTHER, "name": "accounts.csv"}
    event = {"kind": "imported", "object": "company", "actor": imported, "diff": {"rows": 3}, "file": "accounts.csv"}
    event |= {"cause": {"kind": "import", "id": OTHER, "by": MIRA}}
    assert describe(event, platform(), "en") == "Mira imported accounts.csv into companies"


def test_what_was_erased_is_not_told_but_named() -> None:
    event = {"kind": "updated", "object": "deal", "actor": MIRA, "diff": None, "erased": True}
    assert describe(event, platform(), "en") == "Mira changed this deal; what has been erased"


def test_links_to_name_are_collected_by_object() -> None:
    events = [
        {"kind": "updated", "object": "deal", "diff": {"company": [COMPANY, None], "name": ["a", "b"]}},
        {"kind": "updated", "object": "gone", "diff": {"x": [1, 2]}},
    ]
    assert links_of(events, platform()) == {"company": {COMPANY}}
