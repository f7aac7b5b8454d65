from __future__ import annotations

import pytest

from app.metadata.components import ComponentError, read_object, read_platform
from app.metadata.leaves import flatten, nest, rank_after, rank_between, ranked, spec_hash

GOOD = """
kind: object
name: machine
label: {one: Machine, other: Machines}
icon: cog
title: [serial]
fields:
  serial: {type: text, label: Serial, required: true}
  state: {type: select, label: State, options: {on_site: On site, lost: {label: Lost, color: red}}}
  company: {type: link, label: Company, to: company}
"""


def wrong(change: tuple[str, str]) -> str:
    with pytest.raises(ComponentError) as caught:
        read_object(GOOD.replace(*change), "machine.yaml")
    return str(caught.value)


def test_a_component_becomes_leaves_with_ranks_in_the_order_written() -> None:
    leaves = read_object(GOOD, "machine.yaml")
    assert leaves["fields/serial/label"] == "Serial"
    assert leaves["fields/company/to"] == ["company"]
    assert leaves["fields/state/options/on_site/label"] == "On site"
    ranks = [leaves[f"fields/{name}/rank"] for name in ("serial", "state", "company")]
    assert ranks == sorted(ranks, key=str)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("type: text", "type: texd"), "fields.serial.type: is 'texd', which is no field type; did you mean 'text'?"),
        (("required: true", "requird: true"), "fields.serial.requird: is not known; did you mean 'required'?"),
        (("required: true", "required: 3"), "fields.serial.required: is 3; must be a bool"),
        (("title: [serial]", "title: [serail]"), "title: names 'serail', which is no field; did you mean 'serial'?"),
        (("  serial:", "  owner:"), "fields.owner: is a reserved name"),
        (("  serial:", "  Serial:"), "fields.Serial: 'Serial' must be snake_case of at most 50 characters"),
        (("color: red", "color: crimson"), "fields.state.options.lost.color: is 'crimson'; must be one of slate,"),
        ((", to: company", ""), "fields.company: needs 'to': the object it links to"),
        (("icon: cog", ""), "the document: has no 'icon'"),
        (("kind: object", "kind: ["), "the document: is not YAML:"),
        (("{one: Machine, other: Machines}", "{one: Machine}"), "label: must be like {one: Machine, other: Machines}"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place_and_what_would_be_right(change: tuple[str, str], message: str) -> None:
    assert wrong(change).startswith(f"machine.yaml: {message}")


def test_the_platform_layer_reads() -> None:
    assert len(read_platform()) == 13


def test_leaves_and_tree_are_the_same_document() -> None:
    for leaves in read_platform().values():
        assert flatten(nest(leaves)) == leaves


def test_the_hash_does_not_depend_on_the_order_written() -> None:
    leaves = read_object(GOOD, "machine.yaml")
    assert spec_hash(leaves) == spec_hash(dict(reversed(leaves.items())))
    assert spec_hash(leaves) != spec_hash(leaves | {"icon": "wrench"})


def test_ranks_leave_room_and_never_run_out() -> None:
    ranks = ranked(17)
    assert ranks == sorted(set(ranks))
    for _ in range(1_500):
        ranks.append(rank_after(ranks))
    assert ranks == sorted(set(ranks))
    low, high = ranks[3], ranks[4]
    for _ in range(50):
        middle = rank_between(low, high)
        assert low < middle < high
        low = middle
