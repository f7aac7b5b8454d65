from __future__ import annotations

from app.metadata.changeset import desired
from app.metadata.document import read
from tests.support.documents import MACHINE, after, state_of

#: Everything that can name the field ``machine.price``, and what it says once that is called ``cost``.
DEPENDANTS = """
kind: field
name: machine.half
type: formula
returns: money
value: 'price / 2 // price'
---
kind: rule
name: machine.dear
refuse_if: 'price > 5 && serial == "price" && !has(price)'
required: [price]
default: {price: {value: 1}}
message: No
---
kind: view
name: machine.dear
label: Dear ones
filter: 'any(company.machines, price > 1) || company.machines_price > 3'
sort: [-price, serial]
columns: [serial, price, company.name]
---
kind: layout
name: machine.main
label: Main
when: price > 1
highlights: [price]
tabs: {t: {label: T, sections: {s: {label: S, fields: [serial, price]}}}}
---
kind: role
name: buyer
label: Buyer
fields: {machine: {price: read}}
rows: {machine: {read: price > 5}}
---
kind: field
name: company.machines_price
type: rollup
over: machines
function: sum
field: price
when: price > 2
---
kind: view
name: company.rich
label: Rich
filter: 'any(machines, price > 5)'
---
kind: translation
name: de
objects: {machine: {fields: {price: {label: Preis}}}}
"""


def test_what_names_a_renamed_field_names_it_by_its_new_name() -> None:
    state = state_of(f"{MACHINE}\n---\n{DEPENDANTS}")
    changes = desired(state, read("{kind: field, name: machine.cost, renamed_from: price}"))
    assert not changes.blocked, (changes.problems, changes.broken)
    after = changes.after
    assert after["object/machine"]["list_columns"] == ["serial", "company", "cost"]
    assert after["object/machine"]["fields/half/value"] == "cost / 2 // price"
    rule = after["rule/machine.dear"]
    assert rule["refuse_if"] == 'cost > 5 && serial == "price" && !has(cost)'
    assert rule["required"] == ["cost"]
    assert rule["default/cost/value"] == 1
    view = after["view/machine.dear"]
    assert view["filter"] == "any(company.machines, cost > 1) || company.machines_price > 3"
    assert view["sort"] == ["-cost", "serial"]
    assert view["columns/cost/rank"] == "020"
    layout = after["layout/machine.main"]
    assert (layout["when"], layout["highlights"]) == ("cost > 1", ["cost"])
    assert "tabs/t/sections/s/fields/cost/rank" in layout
    role = after["role/buyer"]
    assert (role["fields/machine/cost"], role["rows/machine/read"]) == ("read", "cost > 5")
    company = after["object/company"]
    assert (company["fields/machines_price/field"], company["fields/machines_price/when"]) == ("cost", "cost > 2")
    assert after["view/company.rich"]["filter"] == "any(machines, cost > 5)"
    assert after["translation/de"]["objects/machine/fields/cost/label"] == "Preis"
    assert not [one for one in changes.leaves if "price" in str(one.after) and one.path != "fields/half/value"
                and not one.path.endswith(("refuse_if", "filter"))]  # fmt: skip


def test_what_names_a_renamed_object_names_it_by_its_new_name() -> None:
    state = state_of(f"{MACHINE}\n---\n{DEPENDANTS}\n---\n{{kind: link, name: deal.machine, to: machine}}")
    changes = desired(state, read("{kind: object, name: engine, renamed_from: machine}"))
    assert not changes.blocked, (changes.problems, changes.broken)
    assert changes.after["object/deal"]["fields/machine/to"] == ["engine"]
    assert changes.after["role/buyer"]["rows/engine/read"] == "price > 5"
    assert "objects/engine/fields/price/label" in changes.after["translation/de"]
    assert not [name for name in changes.after if "machine" in name]


def test_paths_over_links_are_mended_where_they_name_the_field_only() -> None:
    columns = "[company, company.name, company.owner.name]"
    state = state_of(
        f"{MACHINE}\n---\n{{kind: view, name: machine.a, label: A, columns: {columns}}}"
        "\n---\n{kind: view, name: machine.b, label: B, filter: company.name == 'x' && company.parent.owner == me}"
    )
    changes = desired(state, read("{kind: field, name: machine.firm, renamed_from: company}"))
    assert not changes.blocked
    view = changes.after["view/machine.a"]
    assert {path.split("/")[1] for path in view if path.startswith("columns/")} == {
        "firm", "firm.name", "firm.owner.name",
    }  # fmt: skip
    assert changes.after["view/machine.b"]["filter"] == "firm.name == 'x' && firm.parent.owner == me"


def test_links_before_a_link_to_many_are_mended() -> None:
    state = state_of(
        f"{MACHINE}\n---\n{{kind: view, name: machine.a, label: A, filter: 'any(company.deals, amount > 1)'}}"
    )
    changes = desired(state, read("{kind: field, name: machine.firm, renamed_from: company}"))
    assert not changes.blocked
    assert changes.after["view/machine.a"]["filter"] == "any(firm.deals, amount > 1)"


def test_an_option_set_and_a_role_may_be_renamed() -> None:
    state = state_of(
        "{kind: option_set, name: colours, label: C, options: [red]}"
        "\n---\n{kind: field, name: deal.colour, type: select, option_set: colours}"
        "\n---\n{kind: role, name: buyer, label: B}\n---\n{kind: view, name: deal.a, label: A, roles: [buyer]}"
    )
    colors = "{kind: option_set, name: colors, renamed_from: colours}"
    changes = desired(state, read(f"{colors}\n---\n{{kind: role, name: purchaser, renamed_from: buyer}}"))
    assert not changes.blocked
    assert changes.after["object/deal"]["fields/colour/option_set"] == "colors"
    assert changes.after["view/deal.a"]["roles"] == ["purchaser"]


def test_what_a_source_stated_under_the_old_name_is_not_drift_under_the_new() -> None:
    state = state_of(MACHINE)
    changes = desired(state, read("{kind: field, name: machine.cost, renamed_from: price}"), source="git")
    state = after(state, changes)
    assert "fields/cost/type" in state.last["git"]["object/machine"]
    again = desired(state, read(MACHINE.replace("price", "cost")), source="git", prune=True)
    assert again.empty
    assert not again.blocked
