"""What patches make of a document, what they may not say, and how deciding and taking back go together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from app.metadata.changeset import chosen, desired, drift, relayered, reverted
from app.metadata.document import parse, read
from app.metadata.layers import Conflict, Override, live
from app.metadata.problems import InvalidComponents
from tests.support.documents import MACHINE, after, state_of

if TYPE_CHECKING:
    from app.metadata.changeset import Changes, State

CHANCE = ("object/deal", "label/one")


def wanted(state: State, text: str, **more: object) -> Changes:
    return desired(state, read(text, "shape.yaml"), source="git", **more)  # type: ignore[arg-type]


def disputed() -> State:
    """A workspace that calls deals chances, after a release that calls them opportunities."""
    state = state_of("{kind: object, name: deal, label: {one: Chance}}")
    lower = {name: dict(leaves) for name, leaves in state.lower.items()}
    lower["object/deal"]["label/one"] = "Opportunity"
    changes = relayered(state, lower)
    return replace(state, lower=lower, overrides=changes.overrides)


def test_a_problem_is_told_with_the_file_or_the_place_in_the_request() -> None:
    (problem,) = wanted(state_of(), "{kind: field, name: deal.amount, type: text}").problems
    assert (problem.source, problem.pointer, problem.code) == ("shape.yaml", "", "locked")
    sent = [{"kind": "object", "name": "task"}, {"kind": "field", "name": "deal.amount", "type": "text"}]
    (problem,) = desired(state_of(), parse(sent)).problems
    assert (problem.source, problem.pointer) == ("", "/components/1/fields/amount/type")
    (whole,) = desired(state_of(), parse([{"kind": "object", "name": "deal", "remove": True}])).problems
    assert whole.pointer == "/components/0"


@pytest.mark.parametrize(
    "text",
    [
        "{kind: field, name: deal.amount, remove: true}",
        "{kind: field, name: deal.amount, hidden: true}",
        "{kind: field, name: deal.stage, remove: true}",
        "{kind: field, name: task.owner, remove: true}",
        "{kind: object, name: contact, remove: true}",
        "{kind: object, name: contact, hidden: true}",
    ],
)
def test_what_rapport_needs_is_not_taken_away(text: str) -> None:
    changes = wanted(state_of(), text)
    (problem,) = changes.problems
    assert (problem.code, problem.message) == ("essential", "can't be taken away: Rapport needs it")
    assert changes.empty
    assert wanted(state_of(), "{kind: field, name: deal.next_step, remove: true}").problems == ()
    assert wanted(state_of(), "{kind: field, name: deal.next_step, hidden: true}").problems == ()
    kept = wanted(state_of(), "{kind: field, name: deal.amount, hidden: false}")
    assert kept.problems == ()
    own = state_of(MACHINE.replace("title: serial", "title: serial\nessential: true"))
    assert wanted(own, "{kind: object, name: machine, remove: true}").overrides == ()
    assert wanted(own, "", prune=True).overrides == ()


@pytest.mark.parametrize(
    "text",
    [
        "{kind: field, name: deal.acme__size, type: text}",
        "{kind: view, name: deal.acme__mine, label: Mine}",
        "{kind: option_set, name: acme__sizes, label: Sizes, options: {s: S}}",
        "{kind: stage, name: deal.sales.acme__done, status: open}",
        MACHINE.replace("name: machine", "name: acme__machine"),
    ],
)
def test_names_with_two_underscores_are_an_extensions(text: str) -> None:
    (problem,) = wanted(state_of(), text).problems
    assert problem.code == "name.owned"
    assert "such names are given by extensions" in problem.message


def test_more_may_be_said_about_what_an_extension_made() -> None:
    state = state_of(MACHINE)
    lower = {name: dict(leaves) for name, leaves in state.lower.items()}
    lower["object/deal"] |= {"fields/acme__size/type": "text", "fields/acme__size/label": "Size"}
    state = replace(state, lower=lower)
    assert wanted(state, "{kind: field, name: deal.acme__size, label: Extent}").problems == ()
    assert wanted(state, "{kind: field, name: deal.acme__size, remove: true}").problems == ()
    assert wanted(state_of(), "{kind: field, name: deal.acme__size, remove: true}").problems == ()
    (problem,) = wanted(state, "{kind: field, name: machine.acme__serial, renamed_from: serial}").problems
    assert problem.code == "name.owned"


def test_names_of_fields_and_stages_are_at_most_fifty_characters() -> None:
    assert wanted(state_of(), f"{{kind: field, name: deal.{'x' * 50}, type: text}}").problems == ()
    for text in (
        f"{{kind: field, name: deal.{'x' * 51}, type: text}}",
        f"{{kind: stage, name: deal.sales.{'x' * 51}, status: open}}",
    ):
        with pytest.raises(InvalidComponents, match="snake_case of at most 50 characters"):
            read(text)


def test_a_patch_that_says_nothing_makes_no_component() -> None:
    for text in ("{kind: field, name: nothing.there, remove: true}", "{kind: object, name: nothing}"):
        changes = wanted(state_of(), text)
        assert "object/nothing" not in changes.after
        assert changes.empty


def test_an_item_that_says_something_of_itself_is_not_stated_by_its_rank() -> None:
    text = "{kind: object, name: note, help: Text, fields: {colour: {type: text}, title: {}}}"
    stated = wanted(state_of(), text).stated
    assert stated["object/note"] == {"help": "Text", "fields/colour/type": "text", "fields/title/rank": "010"}


def test_a_change_of_one_leaf_or_one_rename_is_not_nothing() -> None:
    assert not wanted(state_of(), "{kind: object, name: note, help: More}").empty
    renamed = wanted(
        state_of(MACHINE.replace(", price]", "]")), "{kind: field, name: machine.cost, renamed_from: price}"
    )
    assert renamed.leaves == ()
    assert len(renamed.renames) == 1
    assert not renamed.empty


def test_only_nodes_are_hidden_by_their_leaf() -> None:
    document = {"object/a": {"fields/x/required": True, "fields/x/required_too": "1", "fields/xhidden": True}}
    assert live(document) == document
    assert live({"object/a": {"fields/x/hidden": True, "fields/x/type": "text", "fields/y/type": "text"}}) == {
        "object/a": {"fields/y/type": "text"}
    }


def test_what_a_lower_layer_has_keeps_its_name() -> None:
    (problem,) = wanted(state_of(), "{kind: object, name: chance, renamed_from: deal}").problems
    assert (problem.code, problem.path) == ("rename.lower", "renamed_from")
    assert "change its label instead" in problem.message


def test_a_name_that_is_taken_is_not_given_again() -> None:
    (problem,) = wanted(state_of(MACHINE), "{kind: field, name: machine.state, renamed_from: price}").problems
    assert (problem.code, problem.path) == ("rename.taken", "fields.state.renamed_from")
    assert "'price'" in problem.message


def test_renames_within_each_other_are_taken_back_in_their_order() -> None:
    state = state_of(MACHINE.replace("list_columns: [serial, company, price]\n", ""))
    text = (
        "{kind: object, name: engine, renamed_from: machine}\n---\n"
        "{kind: field, name: engine.cost, renamed_from: price}\n---\n"
        "{kind: pipeline, name: engine.upkeep, renamed_from: care}\n---\n"
        "{kind: stage, name: engine.upkeep.defect, renamed_from: broken}"
    )
    changes = wanted(state, text)
    assert not changes.blocked, changes.problems
    assert len(changes.renames) == 4
    back = reverted(after(state, changes), changes.leaves, changes.renames)
    assert not back.blocked, back.broken
    assert back.overrides == state.overrides
    again = reverted(after(after(state, changes), back), back.leaves, back.renames)
    assert again.overrides == changes.overrides


def test_a_name_somebody_took_since_is_not_given_back_over_it() -> None:
    state = state_of(MACHINE.replace(", price]", "]"))
    changes = wanted(state, "{kind: field, name: machine.cost, renamed_from: price}")
    state = after(state, changes)
    state = after(state, wanted(state, "{kind: field, name: machine.price, type: integer}"))
    back = reverted(state, changes.leaves, changes.renames)
    assert back.empty
    assert back.after["object/machine"]["fields/cost/type"] == "money"


def test_keeping_ones_own_is_a_change_that_can_be_taken_back() -> None:
    state = disputed()
    kept = chosen(state, [CHANCE, ("object/deal", "label/other")], [])
    assert kept.conflicts == ()
    assert kept.overrides == (Override(*CHANCE, "Opportunity", "Chance"),)
    (said,) = kept.leaves
    assert (said.before, said.after, said.base) == ("Chance", "Chance", ("Deal", "Opportunity"))
    assert not kept.empty
    back = reverted(after(state, kept), kept.leaves)
    assert back.overrides == state.overrides
    assert back.conflicts == (Conflict(*CHANCE, "Deal", "Chance", "Opportunity"),)
    assert not back.empty
    again = reverted(after(after(state, kept), back), back.leaves)
    assert again.overrides == kept.overrides


def test_what_was_decided_and_changed_since_stays_decided() -> None:
    state = disputed()
    kept = chosen(state, [CHANCE], [])
    state = after(state, kept)
    reset = wanted(state, "{kind: object, name: deal, reset: [label/one]}")
    state = after(state, reset)
    back = reverted(state, kept.leaves)
    assert not back.blocked
    assert back.empty
    assert back.overrides == ()


def test_taking_the_lower_layers_leaf_gives_the_override_up() -> None:
    state = disputed()
    taken = chosen(state, [], [CHANCE])
    assert (taken.overrides, taken.conflicts) == ((), ())
    assert [(one.path, one.before, one.after) for one in taken.leaves] == [("label/one", "Chance", "Opportunity")]
    back = reverted(after(state, taken), taken.leaves)
    assert back.after["object/deal"]["label/one"] == "Chance"


def test_prune_leaves_what_another_source_says_just_the_same() -> None:
    text = "{kind: object, name: task, label: {one: Job}}"
    state = state_of(text)
    state = after(state, desired(state, read(text)), "settings")
    changes = wanted(state, "{kind: object, name: task, help: Work}", prune=True)
    assert changes.after["object/task"]["label/one"] == "Job"
    assert [(one.code, one.path) for one in changes.warnings] == [("prune.kept", "label.one")]
    assert changes.stated == {"object/task": {"help": "Work"}}


def test_without_prune_a_source_goes_on_stating_what_it_stated() -> None:
    state = state_of("{kind: object, name: task, label: {one: Job}}")
    changes = wanted(state, "{kind: object, name: task, help: Work}\n---\n{kind: object, name: note, help: Text}")
    assert changes.stated == {"object/task": {"label/one": "Job", "help": "Work"}, "object/note": {"help": "Text"}}


def test_what_somebody_put_back_already_is_nothing_to_take_back() -> None:
    state = state_of()
    first = wanted(state, "{kind: object, name: deal, label: {one: Chance, other: Chances}}")
    state = after(state, first)
    state = after(state, wanted(state, "{kind: object, name: deal, label: {one: Deal}}"))
    back = reverted(state, first.leaves)
    assert not back.blocked
    assert [(one.path, one.after) for one in back.leaves] == [("label/other", "Deals")]
    assert back.overrides == ()


def test_drift_is_told_in_order() -> None:
    last = {"view/b": {"label": "B"}, "object/a": {"label/other": "As", "label/one": "A"}}
    found = drift(last, {"object/a": {"label/one": "A"}})
    assert [(one.component, one.path, one.before, one.after) for one in found] == [
        ("object/a", "label/other", "As", None), ("view/b", "label", "B", None),
    ]  # fmt: skip


def test_a_source_that_made_a_field_takes_it_away_when_it_is_silent_about_it() -> None:
    state = state_of("{kind: field, name: deal.vat, type: text}\n---\n{kind: field, name: deal.amount, help: Net}")
    changes = wanted(state, "{kind: object, name: deal, help: Sales}", prune=True)
    assert {(one.path, one.after) for one in changes.leaves} == {
        ("help", "Sales"), ("fields/vat/type", None), ("fields/vat/rank", None), ("fields/amount/help", None),
    }  # fmt: skip


def test_prune_takes_back_what_a_source_said_of_a_field_it_did_not_make_and_leaves_the_field() -> None:
    state = state_of()
    by_hand = desired(state, read("{kind: field, name: deal.vat, type: text}"))
    state = after(state, by_hand, "settings")
    state = after(state, wanted(state, "{kind: field, name: deal.vat, help: With the country}"))
    changes = wanted(state, "", prune=True)
    assert [(one.path, one.after) for one in changes.leaves] == [("fields/vat/help", None)]
    assert changes.after["object/deal"]["fields/vat/type"] == "text"
