"""Percents, lengths of time and times of day arrive as people write them; what reads two ways is asked about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.imports.errors import InvalidImport
from app.records.query import ListQuery
from app.records.read import list_records
from tenants.scope import enter_job
from tests.support.imports import begin, import_file, query
from tests.support.shaping import change
from tests.support.tenants import NewTenant, owner_of

if TYPE_CHECKING:
    from app.core.ports import Runtime
    from tenants.scope import Tenant

_VISITS = """
kind: object
name: visit
label: {one: Visit, other: Visits}
title: [name]
fields: {name: {type: text}, took: {type: duration}, drove: {type: duration}, at: {type: time}}
"""


@pytest.fixture
def workspace(new_tenant: NewTenant) -> Tenant:
    return new_tenant()


def shares(runtime: Runtime, tenant: Tenant, cells: list[str], **options: list[str]) -> tuple[int, list[str]]:
    """Rows refused, and the chances that were written, in the order of the file."""
    lines = "".join(f"{number};{cell}\n" for number, cell in enumerate(cells))
    result = import_file(runtime, tenant, "name;probability\n" + lines, object="deal", **options)
    assert result["state"] == "done", result
    found = query(runtime, tenant, "select probability::text from o_deal where deleted_at is null order by name")
    return result["failed"], [text for (text,) in found]


@pytest.mark.parametrize(
    ("cells", "written"),
    [
        (["45 %", "45%", "0.45", "100%", "0"], ["0.45", "0.45", "0.45", "1", "0"]),
        (["45", "10.0", "1", "0", "100"], ["0.45", "0.1", "0.01", "0", "1"]),
        (["45", "10%", "12.5 %"], ["0.45", "0.1", "0.125"]),
        (["12,5 %", "7,25%", "50%"], ["0.125", "0.0725", "0.5"]),
        (["12,5", "40"], ["0.125", "0.4"]),
        (["0,5", "1"], ["0.5", "1"]),
        (["0.5%", "1"], ["0.005", "1"]),
    ],
)
def test_percents_and_fractions_are_told_apart_by_their_column(
    cells: list[str], written: list[str], runtime: Runtime, workspace: Tenant
) -> None:
    assert shares(runtime, workspace, cells) == (0, written)


def test_what_is_more_than_everything_is_refused_by_row(runtime: Runtime, workspace: Tenant) -> None:
    assert shares(runtime, workspace, ["50", "250", "-3", "20"]) == (2, ["0.5", "0.2"])


def test_a_column_of_fractions_and_percents_is_asked_about(runtime: Runtime, workspace: Tenant) -> None:
    content = b"name,probability\na,0.5\nb,45\n"
    with pytest.raises(InvalidImport, match=r"Column 'probability': '45' must be percents, so '0.5' may be 0.5 %") as e:
        begin(runtime, workspace, content, object="deal")
    assert [error.code for error in e.value.errors] == ["percent.ambiguous"]
    assert shares(runtime, workspace, ["0.5", "45"], map_value=["probability:0.5=0.5%"]) == (0, ["0.005", "0.45"])


def test_lengths_and_times_of_day_arrive_and_a_heading_names_the_unit(runtime: Runtime, workspace: Tenant) -> None:
    change(runtime.databases, workspace, _VISITS)
    content = (
        "name;took;Drove (min);at\n"
        "a;1:30;90;09:30\nb;1h 30m;1,5;9h30\nc;1h30;2 h;9:30 pm\nd;90 min;;1899-12-30 09:30:00\n"
        "e;soon;5;9:30\nf;90;5;9:30\n"
    )
    result = import_file(runtime, workspace, content, object="visit", map=["Drove (min)=drove"])
    assert (result["state"], result["created"], result["failed"]) == ("done", 4, 2), result
    owner = owner_of(runtime.databases, workspace)
    with enter_job(runtime.databases, workspace.id, actor=owner, write=False) as scope:
        asked = ListQuery(fields=("name", "took", "drove", "at"), sort="name")
        found = list_records(scope, "visit", asked).rows
    assert [tuple(one.values())[-4:] for one in found] == [
        ("a", "PT1H30M", "PT1H30M", "09:30"),
        ("b", "PT1H30M", "PT1M30S", "09:30"),
        ("c", "PT1H30M", "PT2H", "21:30"),
        ("d", "PT1H30M", None, "09:30"),
    ]
