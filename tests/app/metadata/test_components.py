from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.metadata.components import FOLDER, check_platform, platform_layer, read_platform
from app.metadata.leaves import flatten, nest, rank_after, rank_between, ranked, spec_hash
from app.metadata.problems import InvalidComponents
from tests.support.documents import MACHINE

if TYPE_CHECKING:
    from pathlib import Path


def test_the_platform_layer_reads() -> None:
    assert len(read_platform()) == 13


def test_nothing_is_wrong_with_the_platform_layer() -> None:
    assert check_platform(platform_layer()) == ()


def test_every_part_of_the_platform_has_a_label_of_its_own() -> None:
    document = platform_layer()
    for component, leaves in document.items():
        nodes = {path.rpartition("/")[0] for path in leaves if path.endswith(("/type", "/status", "/rank"))}
        assert [node for node in nodes if f"{node}/label" not in leaves] == [], component
        assert leaves["icon"]


def test_a_component_becomes_leaves_with_ranks_in_the_order_written(tmp_path: Path) -> None:
    (tmp_path / "machine.yaml").write_text(MACHINE, encoding="utf-8")
    leaves = platform_layer(tmp_path)["object/machine"]
    assert leaves["fields/serial/label"] == "Serial"
    assert leaves["fields/company/to"] == ["company"]
    assert leaves["fields/state/options/new/label"] == "New"
    assert [leaves[f"fields/{name}/rank"] for name in ("serial", "company", "price", "state")] == ranked(4)


def test_a_file_of_the_platform_is_called_like_its_object(tmp_path: Path) -> None:
    (tmp_path / "engine.yaml").write_text(MACHINE, encoding="utf-8")
    with pytest.raises(InvalidComponents, match=r"a file is called like its component, machine\.yaml"):
        platform_layer(tmp_path)


def test_what_is_wrong_with_a_platform_is_told_with_its_place(tmp_path: Path) -> None:
    for file in FOLDER.glob("*.yaml"):
        text = file.read_text(encoding="utf-8").replace("title: [name]", "title: [nmae]")
        (tmp_path / file.name).write_text(text, encoding="utf-8")
    (first, *_) = sorted(map(str, check_platform(platform_layer(tmp_path))))
    assert first == "object/company: title: names 'nmae', which is no field; did you mean 'name'?"


def test_leaves_and_tree_are_the_same_document() -> None:
    for leaves in read_platform().values():
        assert flatten(nest(leaves)) == leaves


def test_the_hash_does_not_depend_on_the_order_written() -> None:
    leaves = read_platform()["deal"]
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
