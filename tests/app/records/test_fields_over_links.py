"""Fields over two and three links: one statement however many records, clear words where a path can't go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from app.core.errors import InvalidInput
from app.records.board import board
from app.records.query import BoardQuery, ListQuery
from app.records.read import get_record, list_records
from tests.support.records import make, make_company, make_contact, make_deal, make_note

if TYPE_CHECKING:
    from tenants.scope import TenantScope

PATHS = (
    "name",
    "company.name",
    "company.parent.name",
    "company.parent.parent.name",
    "contact.company.name",
    "contact.company.owner.name",
    "contact.address.city",
    "owner.email",
    "product.name",
)


def fill(scope: TenantScope, count: int) -> str:
    """Deals each with a chain of companies of its own; answers the last one's id."""
    for number in range(count):
        top = make_company(scope, f"Top {number}")
        middle = make_company(scope, f"Middle {number}", parent=top["id"])
        company = make_company(scope, f"Company {number}", parent=middle["id"])
        contact = make_contact(scope, company=middle["id"], address={"city": f"City {number}"})
        deal = make_deal(scope, f"Deal {number}", company=company["id"], contact=contact["id"])
    return deal["id"]


@pytest.mark.parametrize("count", [1, 12])
def test_a_list_a_record_and_a_board_take_the_same_statements_for_any_number_of_records(
    scope: TenantScope, sent: list[tuple[bytes, Any]], count: int
) -> None:
    last = fill(scope, count)
    sent.clear()
    rows = list_records(scope, "deal", ListQuery(fields=PATHS, sort="-id")).rows
    assert len(sent) == 1
    one = get_record(scope, "deal", last, fields=PATHS)
    assert len(sent) == 2
    groups: Any = board(scope, "deal", BoardQuery(fields=PATHS, metrics=("count",)))["groups"]
    assert len(sent) == 4  # figures, cards
    number = count - 1
    assert one == {
        "id": last,
        "name": f"Deal {number}",
        "company.name": f"Company {number}",
        "company.parent.name": f"Middle {number}",
        "company.parent.parent.name": f"Top {number}",
        "contact.company.name": f"Middle {number}",
        "contact.company.owner.name": scope.actor.name,
        "contact.address.city": f"City {number}",
        "owner.email": one["owner.email"],
        "product.name": None,
    }
    assert rows[0] == groups[0]["data"][0] == one
    assert len(rows) == len(groups[0]["data"]) == count


def test_a_link_that_leads_nowhere_shows_empty_fields(scope: TenantScope) -> None:
    deal = make_deal(scope)
    shown = get_record(scope, "deal", deal["id"], fields=("company.parent.name", "contact.company.name"))
    assert shown == {"id": deal["id"], "company.parent.name": None, "contact.company.name": None}


@pytest.mark.parametrize(
    ("object_name", "path", "code", "said"),
    [
        ("company", "deals.name", "field.to_many", 'GET /api/v1/records/deal?filter=company == "…"'),
        ("company", "deals", "field.to_many", "many"),
        ("deal", "company.contacts.name", "field.to_many", "many"),
        ("record_link", "to.name", "field.several_objects", "several objects"),
        ("deal", "company.parent.parent.parent.name", "field.too_far", "3 links"),
        ("deal", "company.nam", "field.unknown", "company.name"),
        ("deal", "name.first", "field.unknown", "name.first"),
        ("deal", "compny.name", "field.unknown", "company"),
    ],
)
def test_where_a_path_can_not_go_on_the_error_says_why(
    scope: TenantScope, object_name: str, path: str, code: str, said: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        list_records(scope, object_name, ListQuery(fields=(path,)))
    (error,) = refused.value.errors
    assert (error.pointer, error.code) == ("?fields", code)
    assert said in error.message, error.message


def test_a_link_to_several_objects_shows_where_it_leads_in_one_statement(
    scope: TenantScope, sent: list[tuple[bytes, Any]]
) -> None:
    for _ in range(4):
        note = make_note(scope)
        company = make_company(scope)
        make(
            scope,
            "record_link",
            **{"from": {"object": "note", "id": note["id"]}, "to": {"object": "company", "id": company["id"]}},
        )
    sent.clear()
    rows: Any = list_records(scope, "record_link", ListQuery(fields=("from", "to"))).rows
    assert {(row["from"]["object"], row["to"]["object"]) for row in rows} == {("note", "company")}
    assert (len(rows), len(sent)) == (4, 1)
