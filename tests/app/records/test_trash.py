"""The trash: what goes along, what comes back, what stands in the way."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.access import catalogs
from app.records import write
from app.records.errors import DeleteRestricted, InvalidRecord, ParentInTrash, RecordNotFound, StaleVersion, UniqueTaken
from app.records.store import read_record
from app.records.trash import trash_many
from tenants.scope import enter_job
from tests.support.records import (
    make,
    make_company,
    make_contact,
    make_deal,
    make_deal_line,
    make_note,
    make_task,
    record_id,
)
from tests.support.tenants import owner_of

if TYPE_CHECKING:
    from app.core.db import Databases
    from tenants.scope import TenantScope
    from tests.support.tenants import NewTenant


def live(scope: TenantScope, name: str) -> set[str]:
    rows = scope.execute(f"SELECT id FROM o_{name} WHERE deleted_at IS NULL").fetchall()
    return {str(row[0]) for row in rows}


def reread(scope: TenantScope, name: str, record: dict[str, Any]) -> dict[str, Any]:
    found = read_record(scope, catalogs.for_scope(scope).objects[name], record_id(record), trashed=True)
    assert found is not None
    return found


def kinds(scope: TenantScope, record: dict[str, Any]) -> list[str]:
    rows = scope.execute("SELECT kind FROM event WHERE record_id = %s ORDER BY id", (record["id"],)).fetchall()
    return [row[0] for row in rows]


def test_a_trashed_record_is_gone_until_it_is_restored(scope: TenantScope) -> None:
    company = make_company(scope, "Acme")
    write.trash_record(scope, "company", record_id(company), if_match=1)
    with pytest.raises(RecordNotFound):
        write.update_record(scope, "company", record_id(company), {"name": "x"})
    with pytest.raises(RecordNotFound):
        write.trash_record(scope, "company", record_id(company))
    restored = write.restore_record(scope, "company", record_id(company))
    assert restored["name"] == "Acme"
    assert restored["deleted_at"] is None
    assert restored["version"] == 3
    assert kinds(scope, company) == ["created", "trashed", "restored"]
    assert write.restore_record(scope, "company", record_id(company)) == restored


def test_a_stale_version_can_not_be_trashed(scope: TenantScope) -> None:
    company = make_company(scope)
    with pytest.raises(StaleVersion):
        write.trash_record(scope, "company", record_id(company), if_match=7)
    assert company["id"] in live(scope, "company")


def test_lines_go_with_their_deal_and_come_back_with_it_alone(scope: TenantScope) -> None:
    deal = make_deal(scope)
    lines = [make_deal_line(scope, deal) for _ in range(3)]
    write.trash_record(scope, "deal_line", record_id(lines[0]))
    write.trash_record(scope, "deal", record_id(deal))
    assert not {line["id"] for line in lines} & live(scope, "deal_line")
    with pytest.raises(ParentInTrash):
        write.restore_record(scope, "deal_line", record_id(lines[1]))
    write.restore_record(scope, "deal", record_id(deal))
    assert {line["id"] for line in lines} & live(scope, "deal_line") == {line["id"] for line in lines[1:]}


def test_links_cleared_by_the_trash_are_set_again_unless_they_moved_on(scope: TenantScope) -> None:
    company, other = make_company(scope), make_company(scope)
    contact, moved = make_contact(scope, company=company["id"]), make_contact(scope, company=company["id"])
    deal, child = make_deal(scope, company=company["id"]), make_company(scope, parent=company["id"])
    write.trash_record(scope, "company", record_id(company))
    assert reread(scope, "contact", contact)["company"] is None
    assert reread(scope, "deal", deal)["company"] is None
    assert reread(scope, "company", child)["parent"] is None
    write.update_record(scope, "contact", record_id(moved), {"company": other["id"]})
    write.restore_record(scope, "company", record_id(company))
    assert reread(scope, "contact", contact)["company"] == company["id"]
    assert reread(scope, "deal", deal)["company"] == company["id"]
    assert reread(scope, "company", child)["parent"] == company["id"]
    assert reread(scope, "contact", moved)["company"] == other["id"]
    rows = scope.execute(
        'SELECT company FROM o_affiliation WHERE contact = %s AND "primary" AND deleted_at IS NULL', (moved["id"],)
    ).fetchall()
    assert [str(row[0]) for row in rows] == [other["id"]]


def test_what_moved_on_stays_with_its_new_company(scope: TenantScope) -> None:
    company, other = make_company(scope), make_company(scope)
    deal = make_deal(scope, company=company["id"])
    write.trash_record(scope, "company", record_id(company))
    write.update_record(scope, "deal", record_id(deal), {"company": other["id"]})
    write.restore_record(scope, "company", record_id(company))
    assert reread(scope, "deal", deal)["company"] == other["id"]


def test_a_restricting_link_refuses_and_names_what_is_in_the_way(
    scope: TenantScope, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = make(scope, "product", name="P")
    line = make_deal_line(scope, make_deal(scope), product=product["id"])
    _restrict(monkeypatch, "deal_line", "product")
    with pytest.raises(DeleteRestricted, match="1 Deal line") as caught:
        write.trash_record(scope, "product", record_id(product))
    assert caught.value.extra == {"blocking": [{"object": "deal_line", "field": "product", "count": 1}]}
    assert product["id"] in live(scope, "product")
    write.trash_record(scope, "deal_line", record_id(line))
    write.trash_record(scope, "product", record_id(product))
    with pytest.raises(DeleteRestricted):
        write.destroy_record(scope, "product", record_id(product))


def _restrict(monkeypatch: pytest.MonkeyPatch, name: str, field: str) -> None:
    """The platform has no restricting link yet: let one field be one."""
    from app.records import dependants

    incoming = dependants.incoming

    def restricted(catalog: Any, target: str) -> list[dependants.IncomingLink]:
        return [
            dependants.IncomingLink(link.object, link.field, link.column, link.target, "restrict", link.composite)
            if (link.object, link.field) == (name, field)
            else link
            for link in incoming(catalog, target)
        ]

    monkeypatch.setattr(dependants, "incoming", restricted)


def test_a_value_taken_meanwhile_keeps_a_record_in_the_trash(scope: TenantScope) -> None:
    company = make_company(scope, domain="taken.example")
    write.trash_record(scope, "company", record_id(company))
    make_company(scope, domain="taken.example")
    with pytest.raises(UniqueTaken):
        write.restore_record(scope, "company", record_id(company))


def test_activities_lose_their_link_to_a_trashed_record_and_get_it_back(scope: TenantScope) -> None:
    company, note = make_company(scope), make_note(scope)
    link = make(
        scope,
        "record_link",
        **{"from": {"object": "note", "id": note["id"]}, "to": {"object": "company", "id": company["id"]}},
    )
    write.trash_record(scope, "company", record_id(company))
    assert link["id"] not in live(scope, "record_link")
    assert note["id"] in live(scope, "note")
    write.restore_record(scope, "company", record_id(company))
    assert link["id"] in live(scope, "record_link")


def test_destroying_takes_dependants_along_live_or_trashed(scope: TenantScope) -> None:
    company = make_company(scope)
    contact = make_contact(scope, company=company["id"])
    trashed_deal = make_deal(scope, company=company["id"])
    write.trash_record(scope, "deal", record_id(trashed_deal))
    write.destroy_record(scope, "company", record_id(company))
    assert scope.execute("SELECT count(*) FROM o_company WHERE id = %s", (company["id"],)).fetchone() == (0,)
    assert reread(scope, "contact", contact)["company"] is None
    assert reread(scope, "deal", trashed_deal)["company"] is None
    assert scope.execute("SELECT count(*) FROM o_affiliation WHERE contact = %s", (contact["id"],)).fetchone() == (0,)
    assert kinds(scope, company)[-1] == "destroyed"


def test_two_records_that_depend_on_each_other_can_go_together(scope: TenantScope) -> None:
    top = make_company(scope)
    below = make_company(scope, parent=top["id"])
    outcome = trash_many(scope, "company", [record_id(top), record_id(below)])
    assert set(map(tuple, (blocking or [] for blocking in outcome.values()))) == {()}
    assert not {top["id"], below["id"]} & live(scope, "company")
    assert reread(scope, "company", below)["parent"] == top["id"]


def test_a_link_made_while_its_target_goes_to_the_trash_is_refused(databases: Databases, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    actor = owner_of(databases, tenant)
    with enter_job(databases, tenant.id, actor=actor, write=True) as scope:
        company = make_company(scope)

    def link() -> set[str]:
        try:
            with enter_job(databases, tenant.id, actor=actor, write=True) as scope:
                make_deal(scope, company=company["id"])
        except InvalidRecord as error:
            return {problem.code for problem in error.errors}
        return set()

    with ThreadPoolExecutor(1) as pool:
        with enter_job(databases, tenant.id, actor=actor, write=True) as scope:
            write.trash_record(scope, "company", record_id(company))
            linking = pool.submit(link)
            time.sleep(0.3)
            assert not linking.done()
        assert linking.result() == {"link.not_found"}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_restoring_undoes_trashing_whatever_hangs_on_the_record(scope: TenantScope, data: st.DataObject) -> None:
    company = make_company(scope)
    contacts = [make_contact(scope, company=company["id"]) for _ in range(data.draw(st.integers(0, 3)))]
    deals = [
        make_deal(scope, company=data.draw(st.sampled_from([None, company["id"]])))
        for _ in range(data.draw(st.integers(1, 3)))
    ]
    lines = [make_deal_line(scope, data.draw(st.sampled_from(deals))) for _ in range(data.draw(st.integers(0, 3)))]
    make_task(scope)
    roots = [("company", company), *(("deal", deal) for deal in deals), *(("contact", contact) for contact in contacts)]
    before = _state(scope)
    name, root = data.draw(st.sampled_from(roots))
    write.trash_record(scope, name, record_id(root))
    assert root["id"] not in live(scope, name)
    write.restore_record(scope, name, record_id(root))
    assert _state(scope) == before
    assert {line["id"] for line in lines} <= live(scope, "deal_line")


def _state(scope: TenantScope) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that tells records apart, but for versions and times."""
    return {
        "company": scope.execute("SELECT id, deleted_at, parent FROM o_company ORDER BY id").fetchall(),
        "contact": scope.execute("SELECT id, deleted_at, company FROM o_contact ORDER BY id").fetchall(),
        "deal": scope.execute("SELECT id, deleted_at, company, contact, amount FROM o_deal ORDER BY id").fetchall(),
        "line": scope.execute("SELECT id, deleted_at, deal, quantity FROM o_deal_line ORDER BY id").fetchall(),
        "affiliation": scope.execute(
            'SELECT id, deleted_at, contact, company, "primary" FROM o_affiliation ORDER BY id'
        ).fetchall(),
    }
