from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given, settings

from app.metadata.changeset import Rename, desired, relayered
from app.metadata.document import read, whole
from app.metadata.layers import Conflict, Override, conflicts, live, overlaid, provenance, settled, stack
from tests.support.documents import documents, platform, state_of

if TYPE_CHECKING:
    from app.metadata.changeset import Changes, State
    from app.metadata.leaves import Document


def below(change: dict[str, object | None], component: str = "object/deal") -> Document:
    """The platform after a release changed some leaves of a component; None takes a leaf or node away."""
    found = {name: dict(leaves) for name, leaves in platform().items()}
    for path, value in change.items():
        for old in [one for one in found[component] if one == path or one.startswith(f"{path}/")]:
            del found[component][old]
        if value is not None:
            found[component][path] = value  # type: ignore[assignment]
    return found


def upgraded(state: State, lower: Document, **more: object) -> tuple[State, Changes]:
    changes = relayered(state, lower, **more)  # type: ignore[arg-type]
    return replace(state, lower=lower, overrides=changes.overrides), changes


def test_the_highest_layer_that_states_a_leaf_wins_and_null_takes_it_away() -> None:
    lowest: Document = {"object/a": {"label": "A", "icon": "x", "help": "h"}}
    pack: Document = {"object/a": {"icon": "y", "help": None}, "object/b": {"label": "B"}}
    assert stack([lowest, pack]) == {"object/a": {"label": "A", "icon": "y"}, "object/b": {"label": "B"}}
    own = (Override("object/a", "icon", "y", None), Override("view/a.x", "label", None, "X"))
    assert overlaid(stack([lowest, pack]), own) == {
        "object/a": {"label": "A"}, "object/b": {"label": "B"}, "view/a.x": {"label": "X"},
    }  # fmt: skip
    assert provenance([("platform", lowest), ("pack:x", pack)], own) == {
        "object/a": {"label": "platform"}, "object/b": {"label": "pack:x"}, "view/a.x": {"label": "tenant"},
    }  # fmt: skip


def test_hidden_parts_are_left_out_whole() -> None:
    document: Document = {
        "object/a": {"label": "A", "fields/x/type": "text", "fields/x/hidden": True, "fields/xy/type": "text"},
        "object/b": {"label": "B", "hidden": True},
    }
    assert live(document) == {"object/a": {"label": "A", "fields/xy/type": "text"}}


@given(documents(), documents())
def test_overrides_make_exactly_the_document_they_were_settled_for(lower: dict, document: dict) -> None:
    assert overlaid(lower, settled(lower, document, ())) == document


def test_an_override_the_release_agrees_with_vanishes() -> None:
    state = state_of("{kind: object, name: deal, label: {one: Chance}}")
    state, changes = upgraded(state, below({"label/one": "Chance"}))
    assert changes.empty
    assert state.overrides == ()
    assert changes.conflicts == ()


def test_an_override_of_what_the_release_left_alone_is_kept() -> None:
    state = state_of("{kind: object, name: deal, label: {one: Chance}}")
    state, changes = upgraded(state, below({"help": "Money to come."}))
    assert [(one.path, one.after) for one in changes.leaves] == [("help", "Money to come.")]
    assert [(one.path, one.base, one.value) for one in state.overrides] == [("label/one", "Deal", "Chance")]
    assert changes.conflicts == ()


def test_what_both_changed_stays_the_tenants_and_is_a_conflict_until_somebody_chooses() -> None:
    state = state_of("{kind: object, name: deal, label: {one: Chance}}")
    lower = below({"label/one": "Opportunity"})
    state, changes = upgraded(state, lower)
    assert changes.empty
    assert changes.conflicts == (Conflict("object/deal", "label/one", "Deal", "Chance", "Opportunity"),)
    taken = desired(state, read("{kind: object, name: deal, reset: [label/one]}"))
    assert (taken.overrides, taken.conflicts) == ((), ())
    kept = [Override("object/deal", "label/one", "Opportunity", "Chance")]
    assert conflicts(lower, kept) == []
    again, changes = upgraded(state, lower)
    assert again.overrides == state.overrides
    assert len(changes.conflicts) == 1
    state, changes = upgraded(state, below({"label/one": "Deal"}))
    assert changes.conflicts == ()


def test_an_unused_part_goes_with_the_release() -> None:
    _, changes = upgraded(state_of(), below({"fields/next_step": None}))
    assert {one.path.split("/")[1] for one in changes.leaves} == {"next_step"}
    assert changes.overrides == ()


def test_a_part_with_data_an_override_or_a_user_of_the_tenant_is_adopted_and_retired() -> None:
    gone = below({"fields/next_step": None})
    uses = {
        "": frozenset({("object/deal", "fields/next_step")}),
        "{kind: field, name: deal.next_step, label: What next}": frozenset(),
        "{kind: view, name: deal.a, label: A, columns: [next_step]}": frozenset(),
        "{kind: view, name: deal.a, label: A, filter: has(next_step)}": frozenset(),
        "{kind: role, name: a, label: A, fields: {deal: {next_step: read}}}": frozenset(),
    }
    for text, in_use in uses.items():
        state, changes = upgraded(state_of(text), gone, in_use=in_use)
        leaves = changes.after["object/deal"]
        assert leaves["fields/next_step/retired"] is True, text
        assert leaves["fields/next_step/type"] == "text"
        assert [(one.code, one.path) for one in changes.warnings] == [("adopted", "fields.next_step")]
        assert changes.conflicts == ()
        assert changes.leaves[-1].path == "fields/next_step/retired"
        again, changes = upgraded(state, gone)
        assert changes.empty
        assert again.overrides == state.overrides


def test_what_the_tenant_had_taken_away_itself_is_not_adopted() -> None:
    state = state_of("{kind: field, name: deal.next_step, remove: true}")
    state, changes = upgraded(state, below({"fields/next_step": None}))
    assert state.overrides == ()
    assert live(changes.after) == live(changes.before)


def test_an_option_in_use_is_adopted() -> None:
    gone = below({"fields/source/options/event": None})
    _, changes = upgraded(state_of(), gone, in_use=frozenset({("object/deal", "fields/source/options/event")}))
    assert changes.after["object/deal"]["fields/source/options/event/retired"] is True
    assert changes.after["object/deal"]["fields/source/options/event/label"] == "Event"


def test_what_an_adopted_part_needs_is_adopted_too() -> None:
    lower = below({"fields/product": None, "list_columns": ["deal"]}, "object/deal_line")
    for path in [one for one in lower["object/deal"] if one.startswith("fields/product/")]:
        del lower["object/deal"][path]
    del lower["object/product"]
    state, changes = upgraded(state_of(), lower, in_use=frozenset({("object/deal", "fields/product")}))
    assert changes.after["object/product"]["retired"] is True
    assert sorted(one.component for one in changes.warnings) == ["object/deal", "object/product"]
    assert "fields/product/type" not in changes.after["object/deal_line"]
    assert {one.component for one in state.overrides} == {"object/deal", "object/product"}


def test_overrides_follow_what_the_release_renamed() -> None:
    lower = below({})
    leaves = lower["object/deal"]
    for path in [one for one in leaves if one.startswith("fields/next_step/")]:
        leaves[path.replace("next_step", "todo")] = leaves.pop(path)
    state = state_of("{kind: field, name: deal.next_step, label: What next}")
    renames = [Rename("object/deal", "fields/todo", "object/deal", "fields/next_step")]
    _, changes = upgraded(state, lower, renames=renames)
    assert changes.after["object/deal"]["fields/todo/label"] == "What next"
    assert (changes.warnings, changes.conflicts, changes.leaves) == ((), (), ())


def test_overrides_follow_a_rename_the_layer_tells_of() -> None:
    pack = "{kind: object, name: plot, label: {one: P, other: Ps}, title: n, fields: {n: {type: text}, %s: {type: %s}}}"
    old = stack([platform(), whole(read(pack % ("size", "integer")))])
    new = stack([platform(), whole(read(pack % ("square_metres", "integer, renamed_from: size")))])
    state = replace(state_of(), lower=old)
    own = """
{kind: field, name: plot.size, label: Size in m²}
---
{kind: view, name: plot.big, label: Big, filter: size > 5, columns: [n, size]}
---
{kind: object, name: plot, list_columns: [size]}
"""
    state = replace(state, overrides=desired(state, read(own)).overrides)
    later, changes = upgraded(state, new)
    assert [(one.before_path, one.path) for one in changes.renames] == [("fields/size", "fields/square_metres")]
    assert changes.after["object/plot"]["fields/square_metres/label"] == "Size in m²"
    assert changes.after["object/plot"]["list_columns"] == ["square_metres"]
    view = changes.after["view/plot.big"]
    assert view["filter"] == "square_metres > 5"
    assert {path for path in view if path.startswith("columns/")} == {"columns/n/rank", "columns/square_metres/rank"}
    assert (changes.warnings, changes.conflicts) == ((), ())
    assert upgraded(later, new)[1].renames == ()


def test_a_release_is_never_blocked_by_what_it_breaks_it_is_told() -> None:
    state = state_of("{kind: rule, name: deal.a, refuse_if: next_step == 'x', message: No}")
    _, changes = upgraded(state, below({"fields/next_step/type": "integer"}))
    assert not changes.blocked
    assert [(one.component, one.path) for one in changes.warnings] == [("rule/deal.a", "refuse_if")]


@settings(max_examples=20, deadline=None)
@given(documents(), documents(), documents())
def test_an_upgrade_keeps_what_a_tenant_says_and_is_nothing_the_second_time(
    lower: dict, newer: dict, own: dict
) -> None:
    lower, newer = platform() | lower, platform() | newer
    overrides = tuple(settled(lower, overlaid(lower, settled({}, own, ())), ()))
    state = replace(state_of(), lower=lower, overrides=overrides)
    later, changes = upgraded(state, newer)
    after = overlaid(newer, later.overrides)
    assert after == changes.after
    for one in overrides:
        if one.value is not None:
            assert after[one.component][one.path] == one.value
    assert upgraded(later, newer)[1].empty


def test_a_pack_may_add_to_what_is_below_it() -> None:
    pack = whole(read("{kind: field, name: deal.square_metres, type: integer}"))
    both = stack([platform(), pack])
    assert both["object/deal"]["fields/square_metres/type"] == "integer"
    assert both["object/deal"]["label/one"] == "Deal"
