"""What narrows a list: conditions as chips and as rows, to each reader of what they may read."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import quote_plus

import pytest

from tenants.scope import SYSTEM, enter_job
from tests.support.api import Api, make_key
from tests.support.desk import Desk
from tests.support.rights import make_person, make_role
from tests.support.web import build_site

if TYPE_CHECKING:
    from flask import Flask

    from app.core.ports import Runtime
    from tenants.scope import Tenant
    from tests.support.tenants import NewTenant


@pytest.fixture(scope="module")
def site(runtime: Runtime) -> Flask:
    return build_site(runtime)


@pytest.fixture(scope="module")
def tenant(new_tenant: NewTenant) -> Tenant:
    return new_tenant()


@pytest.fixture(scope="module")
def desk(site: Flask, runtime: Runtime, tenant: Tenant) -> Desk:
    return Desk(site, runtime, tenant)


def chips(desk: Desk, source: str, page: str = "/records/deal") -> list[tuple[str, str]]:
    """The words of each chip, and the filter its cross leaves."""
    html = desk.get(f"{page}?filter={quote_plus(source)}&sort=-amount").text
    found = re.findall(
        r'data-action="filter#open"><bdi class="truncate">(.*?)</bdi>.*?href="[^"?]*([^"]*)"', html, re.DOTALL
    )
    return [(unescape(re.sub("<[^>]+>", "", words)), unescape(rest)) for words, rest in found]


def test_each_condition_is_a_chip_and_its_cross_leaves_the_others_and_the_order(desk: Desk) -> None:
    found = chips(desk, 'stage_status == "open" && amount > 10 && (owner == me || !has(owner))')
    assert [words for words, _ in found] == [
        "Stage status is Open", "Amount is more than 10 EUR", "Owner is me or Owner is empty",
    ]  # fmt: skip
    left = "?" + "filter=" + quote_plus('stage_status == "open" && (owner == me || !has(owner))') + "&sort=-amount"
    assert found[1][1] == left
    assert chips(desk, "amount > 1 || amount < 5") == [
        ("Amount is more than 1 EUR or Amount is less than 5 EUR", "?sort=-amount")
    ]
    assert [words for words, _ in chips(desk, "amount > 10", "/records/deal/board")] == ["Amount is more than 10 EUR"]


def test_a_chip_names_the_record_a_link_is_compared_with(
    site: Flask, runtime: Runtime, tenant: Tenant, desk: Desk
) -> None:
    api = Api(site, make_key(runtime.databases, tenant, "owner"))
    company = api.post("/records/company", {"name": "Kestrel <b>"})["id"]
    assert chips(desk, f'company == "{company}"')[0][0] == "Company is Kestrel <b>"


def test_a_condition_that_can_not_be_read_is_one_chip_that_takes_it_out(desk: Desk) -> None:
    page = desk.get("/records/deal?filter=amonut+%3E+1")
    assert page.status == 422
    assert chips(desk, "amonut > 1") == [("amonut > 1", "?sort=-amount")]


def test_rows_and_chips_know_only_what_their_reader_may_read(
    site: Flask, runtime: Runtime, tenant: Tenant, desk: Desk
) -> None:
    with enter_job(runtime.databases, tenant.id, actor=SYSTEM, write=True) as scope:
        hides = {"*": {"create": True, "read": "all", "edit": "all"}, "lead": {"read": "none"}}
        role = make_role(scope, objects=hides, fields={"deal": {"amount": "none"}})
        person = make_person(scope, role)
    reader = Desk(site, runtime, tenant, person)
    whole, less = (
        one.post("/records/deal/rows", text='stage_status == "open"', key="k").text for one in (desk, reader)
    )
    assert 'value="amount"' in whole
    assert 'value="amount"' not in less
    assert 'value="close_on"' in less
    said = json.loads(reader.post("/records/deal/rows", text="amount > 1", part="state").text)
    assert "unknown" in json.dumps(said).lower() or "no field" in json.dumps(said).lower()
    assert chips(reader, "amount > 1") == [("amount > 1", "?sort=-amount")]
    assert reader.post("/records/lead/rows", text="").status == 404
    assert desk.post("/records/nothing/rows", text="").status == 404


def test_what_a_page_sends_wrongly_is_refused_in_words(desk: Desk) -> None:
    assert desk.post("/records/deal/rows", rows="[]").status == 422
    assert desk.post("/records/deal/rows", rows="{").status == 422
    assert "Met" not in desk.post("/records/deal/rows", text="amount > 1", trying="true", **{"try": "x"}).text
