from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from app.core.errors import InvalidInput
from app.metadata import catalog
from app.metadata.model import Option
from app.metadata.options import NotOpen, TooManyOptions, add_options, new_options
from tenants.locking import TenantBusy
from tenants.scope import SYSTEM, enter_job

if TYPE_CHECKING:
    from app.core.db import Databases
    from tenants.scope import Tenant
    from tests.support.tenants import NewTenant


def seen(databases: Databases, tenant: Tenant) -> list[str]:
    """The industries the next request sees."""
    with enter_job(databases, tenant.id, actor=SYSTEM, write=False) as scope:
        options = catalog.whole(scope).objects["company"].fields["industry"].options
    return [option.label for option in options.values()]


def test_an_added_option_is_there_for_the_next_request(databases: Databases, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    before = seen(databases, tenant)
    built = add_options(databases, tenant, "company", "industry", ["technolgy", "Retail", "  TECHNOLGY "])
    assert seen(databases, tenant) == [*before, "technolgy"]
    assert built.objects["company"].fields["industry"].options["technolgy"].label == "technolgy"
    assert seen(databases, new_tenant()) == before, "another tenant has its own"


def test_the_change_is_written_down_with_what_was_before(databases: Databases, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    with enter_job(databases, tenant.id, actor=SYSTEM, write=False) as scope:
        version = scope.version
    built = add_options(databases, tenant, "company", "industry", ["Space travel"], source="settings")
    assert built.version == version + 1
    add_options(databases, tenant, "company", "industry", ["space TRAVEL"])
    with enter_job(databases, tenant.id, actor=SYSTEM, write=False) as scope:
        assert scope.version == built.version, "nothing new, no new version"
        rows = scope.execute("select version, source, leaves from metadata_change").fetchall()
    ((written, source, leaves),) = rows
    assert (written, source) == (built.version, "settings")
    assert "fields/industry/options/space_travel/label" in {leaf["path"] for leaf in leaves}
    assert {leaf["before"] for leaf in leaves} == {None}


def test_a_closed_field_takes_no_options(databases: Databases, tenant: Tenant) -> None:
    for object_name, field_name in (("company", "kind"), ("company", "name"), ("company", "nope"), ("nope", "x")):
        with pytest.raises(NotOpen):
            add_options(databases, tenant, object_name, field_name, ["x"])


def test_a_column_of_free_text_is_not_made_into_options(databases: Databases, tenant: Tenant) -> None:
    with pytest.raises(TooManyOptions):
        add_options(databases, tenant, "company", "industry", [f"Industry {n}" for n in range(1_001)])
    with pytest.raises(InvalidInput):
        add_options(databases, tenant, "company", "industry", ["x" * 101])


def test_a_writer_that_does_not_finish_makes_the_change_wait_and_give_up(
    databases: Databases, new_tenant: NewTenant
) -> None:
    tenant = new_tenant()
    with (
        enter_job(databases, tenant.id, actor=SYSTEM, write=True),
        pytest.raises(TenantBusy) as caught,
    ):
        add_options(databases, tenant, "company", "industry", ["Mining"])
    assert (caught.value.status, caught.value.code) == (409, "metadata.busy")
    assert "Mining" not in seen(databases, tenant)


def test_two_imports_that_meet_the_same_new_word_make_one_option(databases: Databases, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    errors: list[Exception] = []

    def work() -> None:
        try:
            add_options(databases, tenant, "company", "industry", ["Mining", "Forestry"])
        except Exception as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert [label for label in seen(databases, tenant) if label in {"Mining", "Forestry"}] == ["Mining", "Forestry"]


def test_names_of_options_are_readable_and_apart() -> None:
    known = {"retail": Option("retail", "Retail")}
    found = new_options(known, ["RETAIL", "C++", "C", "c", "Größe / Maß", "2nd", "", " \0 "])
    assert found == {"c": "C++", "c_2": "C", "grosse_mass": "Größe / Maß", "o_2nd": "2nd"}
    (digest,) = new_options({}, ["日本"])
    assert digest.startswith("option_")
