"""Settings' pages of currencies, option sets, calendars, translations, links and updates, without a browser."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.app.shaping.test_pages import Desk
from tests.support.api import Api, make_key
from tests.support.shaping import change, sql
from tests.support.upgrades import bring, changed, clear, present, tenant_of

if TYPE_CHECKING:
    from flask import Flask

    from app.core.ports import Runtime
    from tenants.scope import Tenant
    from tests.support.tenants import NewTenant
    from tests.support.web import Page


@pytest.fixture
def desk(site: Flask, runtime: Runtime, fresh: tuple[Tenant, Api]) -> Desk:
    return Desk(site, runtime, fresh[0])


def told(page: Page) -> str:
    """The text of an answer, as people read it."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text)).replace("&#39;", "'").replace("&#34;", '"')


def agree(desk: Desk, page: Page, **more: Any) -> Page:
    """Apply the plan of a dialog."""
    assert page.status == 200, told(page)
    components = re.search(r'name="components" value="([^"]*)"', page.text)
    assert components is not None, told(page)
    return desk.post("/changes", components=html.unescape(components[1]), **more)


def total(api: Api) -> str:
    """The sum of all deals."""
    return api.get("/records/deal/aggregate", metrics="sum:amount")["data"][0]["sum_amount"]["amount"]


def test_a_currency_is_added_rated_by_date_either_way_round_and_taken_away(
    desk: Desk, fresh: tuple[Tenant, Api]
) -> None:
    api = fresh[1]
    api.post("/records/deal", {"name": "D", "close_on": "2026-02-01", "amount": {"amount": "100", "currency": "USD"}})
    plan = desk.post("/currencies", currency="USD", day="2026-01-01", rate="0.8", way="to_own")
    agree(desk, plan)
    assert "1 USD = 0.8 EUR" in told(desk.get("/currencies"))
    assert total(api) == "80.00"

    agree(desk, desk.post("/currencies/USD", act="rate", day="2026-02-01", rate="1.25", way="from_own"))
    page = desk.get("/currencies/USD")
    assert "Amount of Deal" in told(page)
    assert total(api) == "80.00"
    agree(desk, desk.post("/currencies/USD", act="rate", day="2026-02-01", rate="2", way="from_own"))
    assert total(api) == "50.00"

    agree(desk, desk.post("/currencies/USD", act="unrate", day="2026-02-01"))
    assert total(api) == "80.00"
    form = f"http://{desk.tenant.host}:8000/records/deal/new"
    assert '<option value="USD"></option>' in desk.browser.get(form).text
    agree(desk, desk.post("/currencies/USD", act="deactivate"))
    assert '<option value="USD"></option>' not in desk.browser.get(form).text
    assert "Not offered" in told(desk.get("/currencies"))
    gone = desk.post("/currencies/USD", act="remove")
    assert "1 record holds" in told(gone)
    agree(desk, gone)
    assert total(api) == "0.00"


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ({"currency": "EUR"}, "choose one of the list"),
        ({"currency": "nope"}, "choose one of the list"),
        ({"currency": "USD", "rate": "x", "day": "2026-01-01"}, "above zero"),
        ({"currency": "USD", "rate": "0", "day": "2026-01-01"}, "above zero"),
        ({"currency": "USD", "rate": "0.9", "day": "2026-02-31"}, "choose the day"),
    ],
)
def test_what_can_be_no_currency_or_rate_is_refused_with_words(desk: Desk, form: dict[str, str], why: str) -> None:
    page = desk.post("/currencies", **form)
    assert (page.status, why in page.text) == (422, True), told(page)


OPTIONS = {"option.name": ["", ""], "option.label": ["Small", "Large"], "option.color": ["", "amber"]}


def test_an_option_set_is_made_shared_by_two_fields_and_changed_for_both(desk: Desk, fresh: tuple[Tenant, Api]) -> None:
    api = fresh[1]
    agree(desk, desk.post("/option-sets/new", label="Sizes", **OPTIONS))
    for obj in ("company", "deal"):
        agree(desk, desk.post(f"/objects/{obj}/fields", type="select", label="Size", option_set="sizes"))
    api.post("/records/company", {"name": "Acme", "size": "large"})
    api.post("/records/deal", {"name": "D", "size": "large"})
    page = told(desk.get("/option-sets/sizes"))
    assert "Size of Company" in page
    assert "Size of Deal" in page
    assert "2 records" in page
    assert "2 fields" in told(desk.get("/option-sets"))

    kept = {"option.name": ["large"], "option.label": ["Very large"], "option.color": [""], "option.retired": ["true"]}
    plan = desk.post("/option-sets/sizes", label="Sizes", **kept)
    assert "2 records hold Large" in told(plan)
    assert "Option Small removed" in told(plan)
    agree(desk, plan)
    found = next(one for one in api.get("/metadata")["components"] if one["name"] == "sizes")
    assert found["spec"]["options"]["large"] | {"rank": ""} == {"label": "Very large", "retired": True, "rank": ""}

    record = next(iter(api.get("/records/company")["data"]))["id"]
    assert (
        ">Very large<"
        in desk.browser.get(f"http://{desk.tenant.host}:8000/records/company/{record}/fields/size/edit").text
    )
    assert ">Very large<" not in desk.browser.get(f"http://{desk.tenant.host}:8000/records/company/new").text
    blocked = desk.post("/option-sets/sizes", act="remove")
    assert "This would stop working" in told(blocked)
    assert "Size of Company" in told(blocked)


def test_a_set_needs_a_label_a_free_name_and_an_option(desk: Desk) -> None:
    assert "Options: a set needs" in desk.post("/option-sets/new", label="Empty").text
    assert "Label: say" in desk.post("/option-sets/new", **OPTIONS).text
    assert "choose another name" in desk.post("/option-sets/new", label="New", **OPTIONS).text.lower()
    assert desk.get("/option-sets/nothing").status == 404


def test_a_type_is_changed_after_a_look_at_what_wont_convert(desk: Desk, fresh: tuple[Tenant, Api]) -> None:
    api = fresh[1]
    agree(desk, desk.post("/objects/company/fields", type="text", label="Size", searchable="true", default="none"))
    for value in ("12", "7", "many"):
        api.post("/records/company", {"name": value, "size": value})
    assert 'value="integer"' in desk.get("/objects/company/fields/size").text
    plan = desk.post("/objects/company/fields/size", act="retype", type="integer")
    assert "3 values of company · size converted" in told(plan)
    assert "1 won't convert and become empty" in told(plan)
    assert "many" in told(plan)
    agree(desk, plan, confirm="yes")
    assert [one["size"] for one in api.get("/records/company", fields="size", sort="name")["data"]] == [12, 7, None]
    agree(desk, desk.post("/objects/company/fields/size", act="retype", type="text"))

    plan = desk.post("/objects/company/fields/size", act="retype", type="select")
    assert "won't convert" not in told(plan)
    agree(desk, plan)
    field = api.get("/metadata")["components"]
    spec = next(one for one in field if one["name"] == "company")["spec"]["fields"]["size"]
    assert sorted(one["label"] for one in spec["options"].values()) == ["12", "7", "many"]


def test_a_standard_field_and_what_is_calculated_keep_their_type(desk: Desk) -> None:
    assert "Another type" not in desk.get("/objects/company/fields/name").text
    page = desk.post("/objects/company/fields/name", act="retype", type="integer")
    assert (page.status, "choose one of the list" in page.text) == (422, True)


def test_a_stage_and_a_pipeline_are_retired_removed_reset_and_brought_back(
    desk: Desk, fresh: tuple[Tenant, Api]
) -> None:
    api = fresh[1]
    api.post("/records/deal", {"name": "D", "stage": "meeting"})
    form: dict[str, list[str]] = {name: [] for name in ("name", "label", "status", "color", "probability", "retired")}
    stages = next(one for one in api.get("/metadata")["components"] if one["name"] == "deal")["spec"]["pipelines"]
    pipeline, spec = next(iter(stages.items()))
    for name, stage in sorted(spec["stages"].items(), key=lambda one: one[1]["rank"]):
        chance = f"{float(stage['probability']) * 100:g}"
        retired = "true" if name == "meeting" else ""
        row = (name, stage["label"], stage["status"], stage.get("color", ""), chance, retired)
        for key, value in zip(form, row, strict=True):
            form[key].append(value)
    sent: dict[str, Any] = {f"stage.{key}": values for key, values in form.items()}
    blank = [""] * len(form["name"])
    sent |= {f"stage.{gate}.{one}": blank for gate in ("enter_if", "leave_if") for one in ("when", "message")}
    plan = desk.post("/objects/deal/pipelines", pipeline=pipeline, label=spec["label"], **sent)
    assert "1 record holds" in told(plan)
    agree(desk, plan)
    choices = desk.browser.get(f"http://{desk.tenant.host}:8000/records/deal/new").text
    assert 'value="meeting"' not in choices
    assert "Changed from the standard (1)" in told(desk.get("/objects/deal/pipelines"))
    agree(desk, desk.post("/objects/deal/pipelines", act="reset", pipeline=pipeline, leaf="stages/meeting/retired"))
    assert "Changed from the standard" not in told(desk.get("/objects/deal/pipelines"))

    for act in ("retire", "offer"):
        agree(desk, desk.post("/objects/deal/pipelines", act=act, pipeline=pipeline))
    assert desk.post("/objects/deal/pipelines", act="restore", pipeline=pipeline).status == 404
    assert desk.post("/objects/deal/pipelines", act="explode", pipeline=pipeline).status == 404


def test_links_of_every_shape_are_made_and_listed_from_both_sides(desk: Desk, fresh: tuple[Tenant, Api]) -> None:
    api = fresh[1]
    agree(desk, desk.post("/objects/deal/links", shape="one", label="Site", to="company", inverse="site_deals"))
    agree(desk, desk.post("/objects/deal/links", shape="from", label="Deal wanted", to="contact", inverse="wanters"))
    own = {"own.label": ["Share", "Since"], "own.type": ["percent", "date"]}
    agree(desk, desk.post("/objects/deal/links", shape="many", label="Partners", to="company", **own))
    agree(desk, desk.post("/objects/deal/links", shape="any", label="Found by", to=["company", "contact"]))
    company = api.post("/records/company", {"name": "Acme"})["id"]
    contact = api.post("/records/contact", {"last_name": "Ann"})["id"]
    found_by = {"object": "contact", "id": contact}
    deal = api.post("/records/deal", {"name": "D", "site": company, "found_by": found_by})["id"]
    api.post("/records/deal_partners", {"deal": deal, "company": company, "share": "0.5", "role": "Helps"})
    here = told(desk.get("/objects/deal/links"))
    for text in ("Site to Company, called site_deals from there", "Found by to Company, Contact",
                 "Contact · Deal wanted leads here, called wanters", "Partners · Deal leads here"):  # fmt: skip
        assert text in here
    assert "Deal · Site leads here" in told(desk.get("/objects/company/links"))


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ({"shape": "none", "label": "X", "to": "company"}, "choose one of the cards"),
        ({"shape": "one", "to": "company"}, "say what people call the link"),
        ({"shape": "one", "label": "X"}, "choose the object"),
        ({"shape": "one", "label": "X", "to": "nothing"}, "choose one of the list"),
        ({"shape": "many", "label": "X", "to": "member"}, "choose one of the list"),
        ({"shape": "any", "label": "X", "to": "company"}, "two or more"),
        ({"shape": "one", "label": "Company", "to": "company"}, "there is a company already"),
        ({"shape": "many", "label": "X", "to": "company", "own.label": "Y", "own.type": "z"}, "a type of the list"),
    ],
)
def test_a_link_that_leads_nowhere_is_refused_with_words(desk: Desk, form: dict[str, str], why: str) -> None:
    page = desk.post("/objects/deal/links", **form)
    assert (page.status, why in page.text) == (422, True), told(page)


def test_what_an_update_changed_too_is_told_with_both_sides_and_decided(site: Flask, runtime: Runtime) -> None:
    old = changed("{kind: object, name: deal, label: {one: Bargain}, help: Old help}")
    tenant = tenant_of(runtime, old)
    change(runtime.databases, tenant, "{kind: object, name: deal, label: {one: Opportunity}, help: My help}")
    bring(runtime, present())
    desk = Desk(site, runtime, tenant)
    assert "An update changed 2 things" in told(desk.browser.get(f"http://{tenant.host}:8000/"))
    assert "Updates 2" in told(desk.get("/objects"))
    page = told(desk.get("/updates"))
    for text in ("Label of Opportunity : of one was Bargain", "Ours Opportunity Olivia Owner", "s Deal"):
        assert text in page
    nothing = desk.post("/updates")
    assert (nothing.status, "Choose for at least one" in nothing.text) == (422, True)

    plan = desk.post("/updates", **{"choice.object/deal/label/one": "take"})
    assert "label Opportunity → Deal" in told(plan)
    decided = _decide(desk, plan)
    assert "Updates 1" in told(decided)
    kept = _decide(desk, desk.post("/updates", all="keep"))
    assert "Nothing to decide" in told(kept)
    assert "An update changed" not in told(desk.browser.get(f"http://{tenant.host}:8000/"))
    again = desk.post("/updates/apply", components='[{"component": "object/deal", "path": "help", "choice": "keep"}]')
    assert again.status == 409
    for wrong in ("", "[]", "[3]", '[{"component": "object/deal"}]'):
        assert desk.post("/updates/apply", components=wrong).status == 422
    clear(runtime)


def _decide(desk: Desk, plan: Page) -> Page:
    assert 'action="/settings/updates/apply"' in plan.text
    components = re.search(r'name="components" value="([^"]*)"', plan.text)
    assert components is not None
    return desk.post("/updates/apply", components=html.unescape(components[1]), next="/settings/updates")


def test_a_calendar_has_a_week_holidays_and_a_time_zone(desk: Desk, fresh: tuple[Tenant, Api]) -> None:
    agree(desk, desk.post("/calendars", label="Office"))
    assert "40 hours a week" in told(desk.get("/calendars"))
    week = {
        "monday.from": ["09:00", "13:00"],
        "monday.to": ["12:00", "00:00"],
        "tuesday.from": "8:30",
        "tuesday.to": "9:00",
    }
    agree(desk, desk.post("/calendars/default", label="Office", timezone="Europe/Vienna", **week))
    days = {"holiday.day": ["2026-12-25", "", "2026-01-01"], "holiday.label": ["Christmas", "", ""]}
    agree(desk, desk.post("/calendars/default", act="holidays", **days))
    found = next(one for one in fresh[1].get("/metadata")["components"] if one["kind"] == "calendar")
    assert found["spec"] | {"rank": ""} == {
        "label": "Office", "timezone": "Europe/Vienna", "rank": "",
        "hours": {"monday": ["09:00-12:00", "13:00-24:00"], "tuesday": ["08:30-09:00"]},
        "holidays": {"2026-12-25": "Christmas", "2026-01-01": "Holiday"},
    }  # fmt: skip
    page = desk.get("/calendars/default").text
    assert 'value="2026-12-25"' in page
    assert 'value="08:30"' in page
    agree(
        desk, desk.post("/calendars/default", act="holidays", **{"holiday.day": "2026-01-01", "holiday.label": "New"})
    )
    assert "0 holidays" not in told(desk.get("/calendars"))
    agree(desk, desk.post("/calendars", label="Night shift"))
    agree(desk, desk.post("/calendars/night_shift", act="remove"))


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ({"label": "Office", "monday.from": "9", "monday.to": "12:00"}, "from when to when"),
        ({"label": "Office", "monday.from": "12:00", "monday.to": "09:00"}, "must follow each other"),
        ({"label": ""}, "say what people call"),
        ({"act": "holidays", "holiday.day": "2026-02-30", "holiday.label": "X"}, "choose its day"),
        ({"label": "Office", "timezone": "Europe/Nowhere"}, "no time zone"),
    ],
)
def test_hours_and_days_there_are_none_of_are_refused_with_words(desk: Desk, form: dict[str, str], why: str) -> None:
    agree(desk, desk.post("/calendars", label="Office"))
    page = desk.post("/calendars/default", **form)
    assert (page.status, why in page.text) == (422, True), told(page)


def test_labels_are_translated_and_read_in_each_persons_language(
    desk: Desk, runtime: Runtime, fresh: tuple[Tenant, Api]
) -> None:
    api = fresh[1]
    agree(desk, desk.post("/option-sets/new", label="Sizes", **OPTIONS))
    agree(desk, desk.post("/objects/deal/fields", type="select", label="Size", option_set="sizes"))
    assert desk.get("/translations?language=de").path == "/settings/translations/de"
    page = desk.get("/translations/de?part=deal")
    assert 'name="t.objects/deal/fields/amount/label"' in page.text
    texts = {
        "t.objects/deal/label/other": "Geschäfte", "t.objects/deal/fields/amount/label": "Betrag",
        "t.objects/deal/pipelines/sales/stages/won/label": "Gewonnen",
    }  # fmt: skip
    agree(desk, desk.post("/translations/de", part="deal", **texts))
    agree(desk, desk.post("/translations/de", part="option-sets", **{"t.option_sets/sizes/large": "Groß"}))
    assert "missing" in told(desk.get("/translations"))
    assert 'value="Betrag"' in desk.get("/translations/de?part=deal").text
    assert 'value="Betrag"' not in desk.get("/translations/de?part=deal&missing=true").text

    deal = api.post("/records/deal", {"name": "D", "amount": "5", "size": "large"})["id"]
    host = f"http://{desk.tenant.host}:8000"
    assert "Betrag" not in desk.browser.get(f"{host}/records/deal/{deal}").text
    sql(runtime.databases, desk.tenant, """update member set preferences = '{"locale": "de-AT"}'""")
    theirs = desk.browser.get(f"{host}/records/deal/{deal}").text
    for text in ("Betrag", "Geschäfte", "Gewonnen", "Groß"):
        assert text in theirs
    # What the workspace calls it is still understood, and nothing but labels is another.
    assert api.post("/records/deal", {"name": "E", "size": "Large"})["size"] == "large"
    assert desk.browser.get(f"{host}/records/deal?filter=size+%3D%3D+%22large%22").status == 200
    agree(desk, desk.post("/translations/de", act="remove"))
    assert "Betrag" not in desk.browser.get(f"{host}/records/deal/{deal}").text


def test_a_workspace_in_another_language_describes_itself_in_it_to_programs(
    site: Flask, runtime: Runtime, new_tenant: NewTenant
) -> None:
    tenant = new_tenant(locale="de")
    api = Api(site, make_key(runtime.databases, tenant, "owner"))
    change(runtime.databases, tenant, "{kind: translation, name: de, objects: {deal: {label: {one: Geschäft}}}}")
    answer = api.call("POST", "/records/deal", {"name": "D", "owner": "x"})
    assert answer.status_code == 422
    assert "Geschäft" in api.call("GET", "/openapi.json").text


def test_what_is_no_language_has_no_page(desk: Desk) -> None:
    for tag in ("xx-yy", "english", "zz"):
        assert desk.get(f"/translations/{tag}").status == 404
    assert desk.post("/translations/de", part="nothing").status == 404
