"""What is exported, imported into another workspace, gives the same records: real files, and values made to be hard."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.core.spreadsheets import guarded, unguarded
from app.records.write import create_record
from tenants.scope import enter_job
from tests.support.exports import export, records
from tests.support.imports import DATA, import_file, needs_data
from tests.support.tenants import PATIENT, NewTenant, make_tenant, owner_of

if TYPE_CHECKING:
    from app.core.ports import Runtime
    from tenants.scope import Tenant

MAVEN = DATA / "crm" / "maven"
#: What the engine writes differs between two workspaces, and the ids do.
_ITS_OWN = {
    "id",
    "owner",
    "version",
    "created_at",
    "updated_at",
    "created_by",
    "updated_by",
    "stage_since",
    "closed_at",
}
_TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\0"), max_size=40)
_HARD = st.sampled_from(["=1+1", "'=1+1", "''@x", "-5", "+49 30 1", "@me", 'a "b", c; d', "tab\there", "a\nb", "[x]"])
_TAG = _TEXT.map(str.strip).filter(lambda text: text and text.isprintable())


def values(runtime: Runtime, tenant: Tenant, object_name: str) -> list[dict[str, Any]]:
    """Records without what is a workspace's own, and without how the first address or number was once typed.

    The column ``phone`` says the number itself, which stands for what was typed when both it and ``phones`` arrive.
    """
    found = records(runtime, tenant, object_name)
    for one in found:
        for entry in [*one.get("phones", []), *one.get("emails", [])]:
            if entry["primary"]:
                del entry["typed"]
    return [{name: value for name, value in one.items() if name not in _ITS_OWN} for one in found]


@given(st.one_of(_TEXT, st.text(max_size=30), _HARD))
def test_an_apostrophe_is_taken_off_as_it_was_put_on(text: str) -> None:
    assert unguarded(guarded(text)) == text
    assert guarded(text)[:1] not in set("=@\t\r\n")


def test_what_a_spreadsheet_would_run_is_only_shown_and_numbers_stay_numbers() -> None:
    hostile = ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\uff1d1+1"]
    assert all(guarded(text).startswith("'") for text in hostile)
    assert [guarded(text) for text in ("-12.50", "+4930123", "12", "", "a=b")] == [
        "-12.50",
        "+4930123",
        "12",
        "",
        "a=b",
    ]


@needs_data
def test_a_year_of_deals_arrives_equal_in_a_fresh_workspace(runtime: Runtime, new_tenant: NewTenant) -> None:
    here, there = new_tenant(currency="USD"), new_tenant(currency="USD")
    import_file(
        runtime, here, MAVEN / "accounts.csv", object="company", options=["industry:create"],
        map=["account=name", "sector=industry", "revenue=annual_revenue", "office_location=billing_address.country",
             "subsidiary_of=parent"],
        map_value=["billing_address.country:Philipines=Philippines"],
    )  # fmt: skip
    import_file(
        runtime, here, MAVEN / "products.csv", object="product", options=["create"],
        map=["product=name", "product=code", "series=family", "sales_price=price"],
    )  # fmt: skip
    deals = b"".join((MAVEN / "sales_pipeline.csv").read_bytes().splitlines(keepends=True)[:1500])
    arrived = import_file(
        runtime, here, deals, object="deal", links=["owner:create", "product:empty"],
        map=["opportunity_id=external_id", "opportunity_id=name", "account=company", "sales_agent=owner",
             "engage_date=opened_on", "close_date=close_on", "close_value=amount", "deal_stage=stage"],
        map_value=["stage:Won=won", "stage:Lost=lost", "stage:Engaging=qualified", "stage:Prospecting=new"],
    )  # fmt: skip
    assert arrived["created"] == 1499, arrived
    for name in ("company", "product", "deal"):
        found = import_file(
            runtime, there, export(runtime, here, object=name), object=name,
            **({"links": ["owner:create"]} if name == "deal" else {"options": ["create"]}),
        )  # fmt: skip
        assert found["failed"] == 0, found
        assert found["warnings"] == 0, found
    for name, *links in (("company", "parent.name"), ("deal", "company.name", "product.name", "owner.name")):
        fields = [one for one in values(runtime, here, name)[0] if one not in {"owner", "company", "parent", "product"}]
        before = [_without_id(one) for one in records(runtime, here, name, *fields, *links)]
        after = [_without_id(one) for one in records(runtime, there, name, *fields, *links)]
        assert after == before


def _without_id(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != "id"}


@pytest.fixture(scope="module")
def pair(runtime: Runtime) -> tuple[Tenant, Tenant]:
    return make_tenant(runtime, name="Here"), make_tenant(runtime, name="There")


_COMPANY = st.fixed_dictionaries(
    {"name": st.one_of(_TEXT, _HARD).filter(lambda text: bool(text.strip()))},
    optional={
        "description": st.one_of(_TEXT, _HARD),
        "employees": st.integers(0, 2_000_000_000),
        "annual_revenue": st.fixed_dictionaries({
            "amount": st.decimals(-10**9, 10**9, places=4).map(str), "currency": st.sampled_from(["EUR", "JPY", "USD"]),
        }),
        "tags": st.lists(st.one_of(_TAG, st.sampled_from(["a; b", "c,d", "[e", "=f"])), max_size=4),
        "billing_address": st.fixed_dictionaries({
            "city": _TEXT.map(str.strip), "line1": st.one_of(_TEXT, _HARD).map(str.strip),
        }),
        "emails": st.lists(
            st.fixed_dictionaries(
                {"value": st.sampled_from(["a@example.com", "B@Example.com", "c@example.org"])},
                optional={"label": st.sampled_from(["work", "home, old"])},
            ),
            max_size=3,
        ),
        "phone": st.sampled_from(["+49 30 901820", "+4930901820"]),
    },
)  # fmt: skip


@settings(
    max_examples=12, deadline=None, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck)
)
@given(st.lists(_COMPANY, min_size=1, max_size=6), st.sampled_from([",", ";", "\t", "|"]), st.booleans())
def test_any_values_arrive_equal(
    runtime: Runtime, pair: tuple[Tenant, Tenant], made: list[dict[str, Any]], delimiter: str, bom: bool
) -> None:
    here, there = pair
    for tenant in pair:
        _empty(runtime, tenant)
    with enter_job(
        runtime.databases, here.id, actor=owner_of(runtime.databases, here), write=True, budget=PATIENT
    ) as scope:
        for one in made:
            create_record(scope, "company", one)
    file = export(runtime, here, object="company", delimiter=delimiter, bom=bom)
    found = import_file(runtime, there, file, object="company", delimiter=delimiter)
    assert (found["created"], found["failed"], found["warnings"]) == (len(made), 0, 0), (found, file)
    pairs = zip(values(runtime, here, "company"), values(runtime, there, "company"), strict=True)
    differing = [(n, one[n], other[n]) for one, other in pairs for n in one if one[n] != other[n]]
    assert differing == []


def _empty(runtime: Runtime, tenant: Tenant) -> None:
    with enter_job(runtime.databases, tenant.id, actor=owner_of(runtime.databases, tenant), write=True) as scope:
        scope.execute("delete from o_company")


def test_lines_of_json_are_the_records_as_the_api_shows_them(runtime: Runtime, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    import_file(runtime, tenant, "name,employees\nAcme,5\nBolt,\n", object="company")
    lines = export(runtime, tenant, object="company", format="ndjson").splitlines()
    assert [msgspec.json.decode(line) for line in lines] == records(runtime, tenant, "company")


def test_links_are_a_title_and_an_id_and_paths_go_further(runtime: Runtime, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    import_file(runtime, tenant, "name,employees\nAcme,5\n", object="company")
    import_file(runtime, tenant, "name,company,amount\nOrder,Acme,12.5\n", object="deal")
    fields = ["name", "company", "company.employees", "amount", "company.id"]
    text = export(runtime, tenant, object="deal", fields=fields).decode()
    (company,) = records(runtime, tenant, "company", "id")
    assert list(csv.reader(io.StringIO(text, newline=""))) == [
        ["name", "company", "company.id", "company.employees", "amount", "amount.currency"],
        ["Order", "Acme", company["id"], "5", "12.50", "EUR"],
    ]
