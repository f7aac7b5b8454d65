"""The settings' pages of rules, without a browser: what their forms become, what they refuse, what rows are told."""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.app.shaping.test_pages import Desk

if TYPE_CHECKING:
    from flask import Flask

    from app.core.ports import Runtime
    from tenants.scope import Tenant
    from tests.support.api import Api
    from tests.support.web import Page

_RULES = "/objects/deal/rules"


class Rules(Desk):
    """An owner's browser at the rules of deals."""

    def agreed(self, path: str, **form: Any) -> list[dict[str, Any]]:
        """What the dialog that answers a form would apply, applied."""
        page = self.post(path, **form)
        assert page.status == 200, page.text
        components = json.loads(html.unescape(_hidden(page, "components")))
        assert self.apply(components, base=_hidden(page, "base"), confirm="yes").status == 200
        return components

    def state(self, **form: str) -> dict[str, Any]:
        """What is said of a condition on deals."""
        return json.loads(self.post("/objects/deal/rows", part="state", **form).text)


def _hidden(page: Page, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found is not None, page.text
    return found[1]


@pytest.fixture
def desk(site: Flask, runtime: Runtime, fresh: tuple[Tenant, Api]) -> Rules:
    return Rules(site, runtime, fresh[0])


def rows(*items: dict[str, Any]) -> str:
    return json.dumps({"join": "all", "items": list(items)})


_LARGE = {"field": "amount", "op": "gt", "value": {"form": "value", "text": "1000"}}
_FORM = {
    "act": "new", "label": "Large deals", "active": "true", "when": "", "when.rows": rows(_LARGE),
    "refusal": "refuse_if", "refusal_condition": "!has(next_step)", "message": "Say what comes next.",
    "field": "next_step",
}  # fmt: skip


def test_a_rule_is_made_changed_switched_off_and_removed(desk: Rules, fresh: tuple[Tenant, Api]) -> None:
    made = desk.agreed(_RULES, **_FORM)
    assert made[0]["name"] == "deal.large_deals"
    assert made[0]["when"] == "amount > 1000"
    page = desk.get(_RULES).text
    assert "When Amount is more than 1000 EUR:" in page
    assert "Refuses the record if Next step is empty." in page
    large = {"name": "Acme", "amount": {"amount": "5000", "currency": "EUR"}}
    assert fresh[1].post("/records/deal", large, 422)["errors"][0]["pointer"] == "/next_step"
    changed = _FORM | {"act": "save", "when": "amount > 1000", "when.rows": "", "refusal": "require"}
    said = desk.agreed(f"{_RULES}/large_deals", **changed | {"refusal_condition": "has(next_step)"})
    assert said == [{"kind": "rule", "name": "deal.large_deals", "refuse_if": None, "require": "has(next_step)"}]
    desk.agreed(_RULES, act="switch", rule="large_deals")
    assert fresh[1].post("/records/deal", large)["id"]
    assert "Off" in desk.get(_RULES).text
    desk.agreed(f"{_RULES}/large_deals", act="remove")
    assert desk.get(f"{_RULES}/large_deals").status == 404


def test_what_follows_is_written_and_taken_away_line_by_line(desk: Rules) -> None:
    kinds = ["required", "visible", "read_only", "options", "default", "default", "required"]
    fields = ["amount", "description", "contact", "source", "deal_type", "next_step", ""]
    form = _FORM | {"refusal": "", "effect.kind": kinds, "effect.field": fields}
    form |= {"effect.options.source": ["referral", "website"], "effect.default.deal_type": "new_business",
             "effect.default.next_step": '= "Call " + name'}  # fmt: skip
    made = desk.agreed(_RULES, **form)[0]
    assert made["required"] == ["amount"]
    assert made["options"] == {"source": ["referral", "website"]}
    assert made["default"]["next_step"] == {"value": None, "formula": '"Call " + name'} or made["default"][
        "next_step"
    ] == {"formula": '"Call " + name'}
    words = html.unescape(desk.get(_RULES).text)
    for text in ("Amount must be filled in.", "Description is shown only then.", "Contact can't be changed.",
                 "Source can only be Referral or Website.", "when it is empty."):  # fmt: skip
        assert text in words
    page = desk.get(f"{_RULES}/large_deals").text
    assert "= &#34;Call &#34; + name" in page
    less = form | {"act": "save", "effect.kind": ["required"], "effect.field": ["amount"]}
    said = desk.agreed(f"{_RULES}/large_deals", **less)[0]
    assert (said["visible"], said["options"]) == (None, {"source": None})
    assert "gets" not in desk.get(_RULES).text.partition("When Amount")[2].partition("</ul>")[0]


def test_a_form_says_what_it_lacks(desk: Rules) -> None:
    for change, told in (
        ({"label": ""}, "Label: say"),
        ({"refusal": ""}, "This rule does nothing yet"),
        ({"refusal_condition": ""}, "add the condition that decides"),
        ({"message": ""}, "say what people read"),
        ({"when.rows": rows(_LARGE | {"value": {"form": "value", "text": "x"}})}, "Enter a number."),
        ({"when.rows": "", "when": "amont > 1"}, "amont"),
        ({"effect.kind": "options", "effect.field": "source"}, "tick at least one choice"),
        ({"effect.kind": "default", "effect.field": "source"}, "say what the field gets"),
        ({"effect.kind": "required", "effect.field": "closed_at"}, "Rapport fills in itself"),
        ({"effect.kind": "default", "effect.field": "created_at", "effect.default.created_at": "= now"}, "no default"),
    ):
        page = desk.post(_RULES, **_FORM | change)
        assert (page.status, told in html.unescape(page.text)) == (422, True), (change, page.text)
    assert desk.post(_RULES, **_FORM | {"when.rows": "{"}).status == 422
    for path in ("/objects/nothing/rules", "/objects/deal/rules/nothing", "/objects/nothing/rules/new"):
        assert desk.get(path).status == 404
    assert desk.post(_RULES, act="switch", rule="nothing").status == 404


def test_rules_stand_in_the_order_they_are_given(desk: Rules) -> None:
    for label in ("First", "Second", "Third"):
        desk.agreed(_RULES, **_FORM | {"label": label})
    desk.agreed(_RULES, act="order", order=["third", "first", "second"])
    names = re.findall(r'name="order" value="(\w+)"', desk.get(_RULES).text)
    assert names == ["third", "first", "second"]


def test_rows_are_told_what_is_wrong_and_what_a_record_meets(desk: Rules, fresh: tuple[Tenant, Api]) -> None:
    record = fresh[1].post("/records/deal", {"name": "Acme"})["id"]
    named = {"field": "name", "op": "is", "value": {"form": "value", "text": "Acme"}}
    inner = {"join": "any", "items": [_LARGE, {"field": "company", "op": "filled"}]}
    state = desk.state(rows=rows(named, inner, {"field": "", "op": ""}), **{"try": record})
    assert state["text"] == 'name == "Acme" && (amount > 1000 || has(company))'
    assert state["marks"] == {"0": "met", "1.0": "unknown", "1.1": "unmet", "1": "unknown", "": "unknown"}
    wrong = desk.state(rows=rows(named, {"field": "gone", "op": "filled"}, {"text": "amount >"}))
    assert set(wrong["problems"]) == {"1", "2"}
    assert wrong["text"] is None
    told = desk.state(text="amount > 1 && amont > 1")["problem"]
    assert (told["position"], told["here"]) == (14, "amont > 1")
    assert desk.post("/objects/deal/rows", text="true", **{"try": "x"}).status == 404
    assert desk.post("/objects/deal/rows", rows="[]").status == 422


def test_times_of_day_and_lengths_of_time_are_rows(desk: Rules) -> None:
    fields = {"opens": {"type": "time", "label": "Opens"}, "took": {"type": "duration", "label": "Took"}}
    desk.apply([{"kind": "object", "name": "deal", "fields": fields}])
    took = {"field": "took", "op": "gt", "value": {"form": "value", "text": "1h 30m"}}
    opens = {"field": "opens", "op": "lt", "value": {"form": "value", "text": "09:30"}}
    desk.agreed(_RULES, **_FORM | {"when.rows": rows(took, opens)})
    assert "When Took is longer than 1h 30m and Opens is before 09:30:" in desk.get(_RULES).text
    shown = desk.post("/objects/deal/rows", text='took > duration("1h30m") && opens < time("09:30:15")').text
    assert 'value="1h 30m"' in shown
    assert re.search(r'type="time".* value="09:30:15".* step="1"', shown)
    wrong = desk.state(rows=rows(took | {"value": {"form": "value", "text": "soon"}}))
    assert wrong["problems"] == {"0": "Enter a length of time like 1h 30m."}


def test_a_gate_is_written_as_text_and_as_rows(desk: Rules) -> None:
    page = desk.get("/objects/deal/pipelines").text
    names = re.findall(r'name="stage.name" value="(\w+)"', page)
    count = len(names)
    form: dict[str, Any] = {
        "pipeline": re.search(r'name="pipeline" value="(\w+)"', page)[1], "label": "Sales", "stage.name": names,  # type: ignore[index]
        "stage.label": [name.capitalize() for name in names], "stage.status": ["open"] * count,
        "stage.color": [""] * count, "stage.probability": [""] * count,
    }  # fmt: skip
    for gate in ("enter_if", "leave_if"):
        form |= {f"stage.{gate}.{one}": [""] * count for one in ("when", "when.rows", "message")}
    form["stage.enter_if.when.rows"] = [*[""] * (count - 1), rows(_LARGE)]
    form["stage.enter_if.message"] = [*[""] * (count - 1), "Too small."]
    form["stage.leave_if.when"] = ["has(amount)", *[""] * (count - 1)]
    form["stage.leave_if.message"] = ["Enter the amount.", *[""] * (count - 1)]
    said = {one["name"]: one for one in desk.agreed("/objects/deal/pipelines", **form)[0]["stages"]}
    assert said[names[-1]]["enter_if"] == {"when": "amount > 1000", "message": "Too small."}
    assert said[names[0]]["leave_if"]["when"] == "has(amount)"
