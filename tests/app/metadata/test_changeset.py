from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from app.metadata.changeset import desired, drift, reverted, wound_back
from app.metadata.document import export, parse, read, to_yaml
from app.metadata.layers import overlaid
from tests.support.documents import MACHINE, after, documents, leaves_of, platform, state_of

if TYPE_CHECKING:
    from app.metadata.changeset import Changes, State

VIEW = """
kind: view
name: machine.dear
label: Dear ones
filter: price > 1000
sort: [-price]
columns: [serial, company.name, price]
"""

LAYOUT = """
kind: layout
name: machine.a
label: A
tabs: {t: {label: T, sections: {s: {label: S, fields: [price]}}}}
"""


def wanted(state: State, text: str, **more: object) -> Changes:
    return desired(state, read(text), source="git", **more)  # type: ignore[arg-type]


def paths(changes: Changes) -> dict[str, tuple]:
    return {f"{one.component}:{one.path}": (one.before, one.after) for one in changes.leaves}


def test_a_patch_leaves_alone_what_it_does_not_state() -> None:
    changes = wanted(state_of(), "{kind: object, name: deal, label: {one: Chance}}")
    assert paths(changes) == {"object/deal:label/one": ("Deal", "Chance")}
    assert [(one.path, one.base, one.value) for one in changes.overrides] == [("label/one", "Deal", "Chance")]


def test_a_field_of_its_own_adds_to_an_object_at_the_end() -> None:
    changes = wanted(state_of(), "{kind: field, name: note.colour, type: text}")
    assert paths(changes) == {
        "object/note:fields/colour/type": (None, "text"),
        "object/note:fields/colour/rank": (None, "030"),
    }


def test_applying_twice_changes_nothing() -> None:
    state = state_of(f"{MACHINE}\n---\n{VIEW}")
    again = wanted(state, f"{MACHINE}\n---\n{VIEW}")
    assert again.empty
    assert not again.blocked
    assert again.overrides == state.overrides
    assert again.warnings == ()


def test_saying_what_the_lower_layer_says_takes_the_override_back() -> None:
    state = state_of("{kind: object, name: deal, label: {one: Chance}}")
    changes = wanted(state, "{kind: object, name: deal, label: {one: Deal}}")
    assert paths(changes) == {"object/deal:label/one": ("Chance", "Deal")}
    assert changes.overrides == ()


def test_null_takes_a_leaf_away_and_reset_gives_it_back() -> None:
    state = state_of("{kind: object, name: deal, help: null}")
    (override,) = state.overrides
    assert (override.base, override.value) == ("A sale in the making.", None)
    for text in ("{kind: object, name: deal, reset: true}", "{kind: object, name: deal, reset: [help]}"):
        assert wanted(state, text).overrides == ()


def test_removing_what_a_lower_layer_has_hides_it_and_writing_it_again_shows_it() -> None:
    state = state_of(
        "{kind: object, name: note, fields: {title: {remove: true}}, title: external_id, list_columns: [body]}"
    )
    assert {one.path: one.value for one in state.overrides}["fields/title/hidden"] is True
    back = wanted(state, "{kind: object, name: note, fields: {title: {label: Headline}}}")
    assert paths(back)["object/note:fields/title/hidden"] == (True, None)


def test_removing_ones_own_takes_it_away_whole() -> None:
    state = state_of(MACHINE)
    assert wanted(state, "{kind: object, name: machine, remove: true}").overrides == ()
    changes = wanted(state, "{kind: pipeline, name: machine.care, remove: true}")
    assert {one.path.split("/")[0] for one in changes.leaves} == {"pipelines"}
    assert all(one.after is None for one in changes.leaves)


def test_removing_what_is_not_there_is_nothing() -> None:
    assert wanted(state_of(), "{kind: object, name: machine, remove: true}").empty


def test_a_list_moves_one_item_by_one_leaf() -> None:
    changes = wanted(state_of(MACHINE), "{kind: object, name: machine, fields: [price, serial, company, state]}")
    assert paths(changes) == {"object/machine:fields/price/rank": ("030", "005")}


def test_what_only_the_layer_below_may_say_is_refused() -> None:
    texts = {
        "{kind: field, name: deal.amount, type: text}": "fields.amount.type",
        "{kind: field, name: deal.company, acyclic: true}": "fields.company.acyclic",
        "{kind: stage, name: sales.won, status: lost}": "pipelines.sales.stages.won.status",
        "{kind: field, name: deal.amount, renamed_from: probability}": "fields.amount.renamed_from",
    }
    for text, path in texts.items():
        (problem,) = wanted(state_of(), text).problems
        assert problem.path == path
    assert wanted(state_of(MACHINE), "{kind: field, name: machine.price, type: decimal}").problems == ()


def test_a_problem_is_told_with_its_place_in_what_was_sent() -> None:
    body = [{"kind": "field", "name": "deal.score", "type": "formula", "returns": "integer", "value": "amont * 2"}]
    (problem,) = desired(state_of(), parse(body)).problems
    assert (problem.path, problem.code) == ("fields.score.value", "computed")
    assert "Did you mean `amount`?" in problem.message


def test_what_stops_working_is_named_with_its_place() -> None:
    state = state_of(f"{MACHINE}\n---\n{VIEW}")
    changes = wanted(state, "{kind: field, name: machine.price, remove: true}")
    assert sorted((one.component, one.path) for one in changes.broken) == [
        ("object/machine", "list_columns"),
        ("view/machine.dear", "columns.price"),
        ("view/machine.dear", "filter"),
        ("view/machine.dear", "sort"),
    ]
    assert {one.about for one in changes.broken} == {("object/machine/fields/price",)}
    assert changes.problems == ()
    assert changes.blocked


def test_a_change_set_may_mend_what_it_breaks() -> None:
    state = state_of(f"{MACHINE}\n---\n{VIEW}")
    mended = """
{kind: field, name: machine.price, remove: true}
---
{kind: object, name: machine, list_columns: [serial]}
---
{kind: view, name: machine.dear, filter: null, sort: [serial], columns: {price: {remove: true}}}
"""
    assert not wanted(state, mended).blocked


def test_every_kind_of_dependant_is_named() -> None:
    dependants = {
        "rule/machine.dear": "{kind: rule, name: machine.dear, refuse_if: price > 5, message: No}",
        "layout/machine.a": LAYOUT,
        "role/buyer": "{kind: role, name: buyer, label: Buyer, fields: {machine: {price: read}}}",
        "role/seller": "{kind: role, name: seller, label: Seller, rows: {machine: {read: price > 5}}}",
        "object/company": "{kind: field, name: company.w, type: rollup, over: machines, function: sum, field: price}",
        "translation/de": "{kind: translation, name: de, objects: {machine: {fields: {price: {label: Preis}}}}}",
        "object/machine": "{kind: field, name: machine.half, type: formula, returns: money, value: price / 2}",
        "view/company.rich": "{kind: view, name: company.rich, label: R, filter: 'any(machines, price > 5)'}",
    }  # fmt: skip
    for component, text in dependants.items():
        bare = MACHINE.replace("list_columns: [serial, company, price]\n", "")
        changes = wanted(state_of(f"{bare}\n---\n{text}"), "{kind: field, name: machine.price, remove: true}")
        assert [one.component for one in changes.broken] == [component], component
        assert changes.broken[0].about == ("object/machine/fields/price",), component


def test_links_to_an_object_that_goes_are_named() -> None:
    changes = wanted(state_of(), "{kind: object, name: product, remove: true}")
    assert {(one.component, one.path) for one in changes.broken} == {
        ("object/deal", "fields.product.to"),
        ("object/deal_line", "fields.product.to"),
    }


def test_what_was_wrong_before_blocks_nobody_else() -> None:
    lower = {name: dict(leaves) for name, leaves in platform().items()}
    lower["object/deal"]["highlights"] = ["gone"]
    state = replace(state_of(), lower=lower)
    assert not wanted(state, "{kind: field, name: deal.colour, type: text}").blocked


def test_a_field_that_goes_while_one_of_its_type_comes_is_asked_about() -> None:
    state = state_of(MACHINE.replace("list_columns: [serial, company, price]\n", ""))
    text = "{kind: object, name: machine, fields: {price: {remove: true}, cost: {type: money%s}}}"
    (question,) = wanted(state, text % "").questions
    assert (question.code, question.path, question.about) == ("rename.or_new", "fields.cost", ("fields/price",))
    assert not wanted(state, text % ", renamed_from: null").blocked
    renamed = wanted(state, "{kind: field, name: machine.cost, renamed_from: price}")
    assert not renamed.blocked
    assert [(one.before_path, one.path) for one in renamed.renames] == [("fields/price", "fields/cost")]
    assert renamed.leaves == ()


def test_other_types_are_not_asked_about() -> None:
    state = state_of(MACHINE.replace("list_columns: [serial, company, price]\n", ""))
    text = "{kind: object, name: machine, fields: {price: {remove: true}, cost: {type: integer}}}"
    assert wanted(state, text).questions == ()


def test_a_rename_that_was_made_already_is_nothing() -> None:
    state = state_of(MACHINE.replace(", price]", "]"))
    text = "{kind: field, name: machine.cost, renamed_from: price}"
    again = wanted(after(state, wanted(state, text)), text)
    assert again.empty
    assert not again.blocked


def test_a_rename_of_what_is_not_there_is_refused() -> None:
    (problem,) = wanted(
        state_of(MACHINE), "{kind: field, name: machine.cost, type: money, renamed_from: prise}"
    ).problems
    assert problem.code == "rename.unknown"
    assert "did you mean 'price'?" in problem.message


def test_a_renamed_object_takes_its_views_along() -> None:
    state = state_of(f"{MACHINE}\n---\n{VIEW}")
    changes = wanted(state, "{kind: object, name: engine, renamed_from: machine}")
    assert not changes.blocked
    assert {one.component for one in changes.overrides} == {"object/engine", "view/engine.dear"}
    assert changes.leaves == ()


def test_an_object_and_its_field_may_be_renamed_at_once_in_any_order() -> None:
    texts = [
        "{kind: field, name: engine.cost, renamed_from: price}",
        "{kind: object, name: engine, renamed_from: machine}",
    ]
    for order in (texts, texts[::-1]):
        changes = wanted(state_of(f"{MACHINE}\n---\n{VIEW}"), "\n---\n".join(order))
        assert not changes.blocked
        assert changes.after["object/engine"]["list_columns"] == ["serial", "company", "cost"]
        assert changes.after["view/engine.dear"]["filter"] == "cost > 1000"


def test_a_list_a_source_stated_is_put_back_when_somebody_moved_an_item() -> None:
    text = "{kind: object, name: machine, fields: [price, serial, company, state]}"
    state = state_of(f"{MACHINE}\n---\n{text}")
    moved = desired(state, read("{kind: object, name: machine, fields: [serial, price]}"))
    again = wanted(after(state, moved, "settings"), text)
    ranks = {name: str(again.after["object/machine"][f"fields/{name}/rank"]) for name in ("price", "serial", "company")}
    assert sorted(ranks, key=lambda name: ranks[name]) == ["price", "serial", "company"]
    assert len(again.leaves) == 1


def test_new_components_of_a_kind_that_has_an_order_go_behind_the_others() -> None:
    state = state_of(f"{MACHINE}\n---\n{VIEW}\n---\n{VIEW.replace('machine.dear', 'machine.all')}")
    document = overlaid(state.lower, state.overrides)
    assert [document[name]["rank"] for name in ("object/machine", "view/machine.dear", "view/machine.all")] == [
        "260", "010", "020",
    ]  # fmt: skip
    assert "rank" not in wanted(state, "{kind: role, name: a, label: A}").after["role/a"]
    assert wanted(state, "{kind: view, name: deal.a, label: A}").after["view/deal.a"]["rank"] == "010"
    assert wanted(state, "{kind: view, name: deal.a, label: A, rank: '5'}").after["view/deal.a"]["rank"] == "5"


def test_what_is_stated_is_what_was_written_and_that_items_are_there() -> None:
    state = state_of()
    assert wanted(state, "{kind: object, name: note, fields: {title: {remove: true}}}").stated == {
        "object/note": {"fields/title/hidden": True}
    }
    assert wanted(state, "{kind: field, name: note.title, label: Headline}").stated == {
        "object/note": {"fields/title/label": "Headline"}
    }
    columns = wanted(state, "{kind: view, name: note.a, label: A, columns: [title]}").stated["view/note.a"]
    assert columns == {"label": "A", "columns/title/rank": "010"}


def test_what_was_changed_by_hand_since_is_told() -> None:
    state = state_of(MACHINE)
    by_hand = desired(state, read("{kind: object, name: machine, label: {one: Engine}}"), source="settings")
    state = after(state, by_hand, "settings")
    (notice,) = wanted(state, MACHINE.replace("Serial", "Number")).warnings
    assert (notice.code, notice.path) == ("drift", "label.one")
    assert wanted(state, MACHINE.replace("one: Machine", "one: Engine")).warnings == ()
    assert [one.path for one in drift(state.last["git"], overlaid(state.lower, state.overrides))] == ["label/one"]


def test_prune_takes_away_what_this_source_had_put_there_and_nothing_else() -> None:
    more = "{kind: field, name: deal.vat, type: text}\n---\n{kind: object, name: task, label: {one: To-do}}"
    state = state_of(f"{MACHINE}\n---\n{more}")
    by_hand = desired(state, read("{kind: field, name: deal.mine, type: text}"), source="settings")
    state = after(state, by_hand, "settings")
    assert wanted(state, MACHINE).empty, "without prune what is absent stays"
    changes = wanted(state, MACHINE, prune=True)
    assert paths(changes) == {
        "object/deal:fields/vat/type": ("text", None),
        "object/deal:fields/vat/rank": ("150", None),
        "object/task:label/one": ("To-do", "Task"),
    }
    assert set(changes.stated) == {"object/machine"}
    assert {one.component for one in changes.overrides} == {"object/machine", "object/deal"}


def test_prune_leaves_what_was_changed_by_hand_or_another_source_states() -> None:
    state = state_of("{kind: object, name: task, label: {one: To-do}}\n---\n{kind: field, name: deal.vat, type: text}")
    state = after(state, desired(state, read("{kind: object, name: task, label: {one: Job}}")), "settings")
    state = after(state, desired(state, read("{kind: field, name: deal.vat, type: text}")), "pack:x")
    changes = wanted(state, "", prune=True)
    assert changes.empty
    assert sorted((one.code, one.path) for one in changes.warnings if one.code == "prune.kept") == [
        ("prune.kept", "fields.vat"),
        ("prune.kept", "label.one"),
    ]


def test_prune_takes_a_node_whole_even_where_somebody_added_to_it() -> None:
    state = state_of(MACHINE)
    state = after(state, desired(state, read("{kind: field, name: machine.price, help: Net}")), "settings")
    changes = wanted(state, "", prune=True)
    assert changes.overrides == ()


def test_a_revert_gives_back_what_was_there() -> None:
    state = state_of(f"{MACHINE}\n---\n{VIEW}")
    text = "{kind: object, name: machine, remove: true}\n---\n{kind: view, name: machine.dear, remove: true}"
    changes = wanted(state, text)
    back = reverted(after(state, changes), changes.leaves, changes.renames)
    assert not back.blocked
    assert back.overrides == state.overrides


def test_a_revert_names_what_was_changed_since() -> None:
    state = state_of(MACHINE)
    first = wanted(state, "{kind: object, name: machine, label: {one: Engine}}")
    second = wanted(after(state, first), "{kind: object, name: machine, label: {one: Motor}}")
    back = reverted(after(state, second), first.leaves, first.renames)
    assert [(one.code, one.path) for one in back.broken] == [("revert.changed", "label.one")]
    assert back.empty


def test_a_revert_names_what_newer_parts_depend_on() -> None:
    state = state_of()
    first = wanted(state, MACHINE)
    state = after(state, first)
    state = after(state, wanted(state, VIEW))
    back = reverted(state, first.leaves)
    assert {one.component for one in back.broken} == {"view/machine.dear"}
    add = wanted(state, "{kind: field, name: machine.weight, type: integer}")
    state = after(state, add)
    state = after(state, wanted(state, "{kind: field, name: machine.weight, help: In kg}"))
    orphan = reverted(state, add.leaves)
    assert [(one.component, one.path) for one in orphan.broken] == [("object/machine", "fields.weight.type")]


def test_a_revert_of_an_override_gives_the_lower_layers_value_of_today() -> None:
    state = state_of()
    changes = wanted(state, "{kind: object, name: deal, label: {one: Chance}}")
    lower = {name: dict(leaves) for name, leaves in platform().items()}
    lower["object/deal"]["label/one"] = "Opportunity"
    back = reverted(replace(after(state, changes), lower=lower), changes.leaves)
    assert back.overrides == ()
    assert back.after["object/deal"]["label/one"] == "Opportunity"


def test_a_renamed_node_gets_its_name_back() -> None:
    state = state_of(f"{MACHINE}\n---\n{VIEW}")
    changes = wanted(state, "{kind: object, name: engine, renamed_from: machine, label: {one: Engine}}")
    back = reverted(after(state, changes), changes.leaves, changes.renames)
    assert not back.blocked
    assert back.overrides == state.overrides


def test_a_rename_of_what_went_since_is_named() -> None:
    state = state_of(MACHINE.replace(", price]", "]"))
    rename = wanted(state, "{kind: field, name: machine.cost, renamed_from: price}")
    state = after(state, rename)
    state = after(state, wanted(state, "{kind: field, name: machine.cost, remove: true}"))
    back = reverted(state, rename.leaves, rename.renames)
    assert [(one.code, one.path) for one in back.broken] == [("revert.changed", "fields.cost")]


def test_nothing_is_left_of_a_component_that_is_taken_back() -> None:
    state = state_of(MACHINE)
    changes = wanted(state, VIEW)
    assert "view/machine.dear" not in reverted(after(state, changes), changes.leaves).after


@settings(max_examples=25, deadline=None)
@given(documents(), documents())
def test_export_and_apply_is_equal_twice_is_nothing_and_revert_restores(first: dict, second: dict) -> None:
    state = state_of()
    one = desired(state, parse(export(first)), source="git")
    assert not one.blocked
    state = after(state, one)
    assert leaves_of(overlaid(state.lower, state.overrides)).items() >= leaves_of(first).items()
    assert desired(state, parse(export(first)), source="git").empty
    two = desired(state, parse(export(second)), source="git", prune=True)
    if two.broken or two.problems:
        return
    later = after(state, two)
    back = reverted(later, two.leaves, two.renames)
    assert not back.problems
    assert not back.broken
    assert back.overrides == state.overrides
    assert to_yaml(back.after) == to_yaml(two.before)
    both = wound_back(later, [(two.leaves, two.renames), (one.leaves, one.renames)])
    assert not both.blocked
    assert both.overrides == ()
    assert to_yaml(both.after) == to_yaml(one.before)


def test_several_changes_are_taken_back_in_one_through_their_renames_to_the_lower_layers_of_today() -> None:
    changes: list[Changes] = []
    state = state_of()
    for text in (
        "{kind: object, name: deal, label: {one: Chance}}", MACHINE.replace(", price]", "]"), VIEW,
        "{kind: object, name: engine, renamed_from: machine, label: {one: Engine}}",
        (
            "{kind: object, name: deal, label: {one: Prospect}}\n---\n"
            "{kind: field, name: engine.price, remove: true}\n---\n{kind: view, name: engine.dear, remove: true}"
        ),
    ):  # fmt: skip
        changes.append(wanted(state, text))
        assert not changes[-1].blocked
        state = after(state, changes[-1])
    taken = [(one.leaves, one.renames) for one in reversed(changes)]
    lower = {name: dict(leaves) for name, leaves in platform().items()}
    lower["object/deal"]["label/one"] = "Opportunity"
    back = wound_back(replace(state, lower=lower), taken)
    assert not back.blocked
    assert back.overrides == ()
    assert back.after["object/deal"]["label/one"] == "Opportunity"
    few = wound_back(state, taken[:2])
    assert few.after["object/machine"]["fields/price/type"] == "money"
    assert few.after["object/deal"]["label/one"] == "Chance"
    late = wound_back(after(state, wanted(state, "{kind: object, name: deal, label: {one: Bid}}")), taken)
    assert [(one.code, one.path) for one in late.broken if one.component == "object/deal"] == [
        ("revert.changed", "label.one")
    ]


@given(st.permutations(["serial", "company", "price", "state"]))
def test_any_order_of_a_list_is_reached_and_stays(order: list[str]) -> None:
    state = state_of(MACHINE)
    text = f"{{kind: object, name: machine, fields: [{', '.join(order)}]}}"
    changes = wanted(state, text)
    leaves = changes.after["object/machine"]
    assert sorted(order, key=lambda name: str(leaves[f"fields/{name}/rank"])) == order
    assert wanted(after(state, changes), text).empty
