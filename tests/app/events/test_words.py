"""History in words."""

from __future__ import annotations

from uuid import uuid4

import pytest

from app.events.words import describe, links_of
from app.metadata.catalog import platform

COMPANY = str(uuid4())


@pytest.mark.parametrize(
    ("kind", "diff", "said"),
    [
        ("created", None, "created this deal"),
        ("trashed", None, "moved this deal to the trash"),
        ("updated", {"stage": ["new", "won"], "stage_status": ["open", "won"]}, "changed Stage from New to Won"),
        (
            "updated",
            {"name": ["A", "B"], "next_step": ["x", None]},
            "changed Name from A to B and Next step from x to empty",
        ),
        ("updated", {"company": [None, COMPANY]}, "changed Company to Acme"),
        ("updated", {"amount": [None, {"amount": "5.00", "currency": "EUR"}]}, "changed Amount to €5.00"),
        (
            "updated",
            {
                "name": ["A", "B"],
                "next_step": [None, "x"],
                "description": [None, "y"],
                "opened_on": [None, "2026-01-02"],
            },
            "changed Name from A to B, Next step to x, Description to y and 1 more",
        ),
    ],
)
def test_an_event_says_what_happened(kind: str, diff: dict[str, list[object]] | None, said: str) -> None:
    event = {"kind": kind, "object": "deal", "diff": diff}
    assert describe(event, platform(), "en", titles={("company", COMPANY): "Acme"}) == said


def test_a_converted_lead_says_so() -> None:
    event = {
        "kind": "updated",
        "object": "lead",
        "diff": {"status": ["new", "converted"], "converted_at": [None, "2026-01-01T00:00:00Z"]},
    }
    assert describe(event, platform(), "en") == "converted this lead"


def test_links_to_name_are_collected_by_object() -> None:
    events = [
        {"kind": "updated", "object": "deal", "diff": {"company": [COMPANY, None], "name": ["a", "b"]}},
        {"kind": "updated", "object": "gone", "diff": {"x": [1, 2]}},
    ]
    assert links_of(events, platform()) == {"company": {COMPANY}}
