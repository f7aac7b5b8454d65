from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from app.metadata.leaves import rank_after, ranked
from app.metadata.ranks import placed

if TYPE_CHECKING:
    import random

NAMES = "abcdefgh"


def order(ranks: dict[str, str]) -> list[str]:
    return sorted(ranks, key=lambda name: (ranks[name], name))


def test_new_items_go_to_the_end_and_nothing_else_moves() -> None:
    current = {"a": "010", "b": "020"}
    assert placed(current, ["x", "a", "y"], {}, listed=False) == {"x": "030", "y": "040"}


def test_a_rank_that_was_written_is_kept() -> None:
    assert placed({}, ["a", "b", "c"], {"b": "500"}, listed=False) == {"a": "010", "c": "510"}


def test_moving_one_item_of_a_list_touches_one_rank() -> None:
    names = list("abcdef")
    current = dict(zip(names, ranked(6), strict=True))
    for at in range(6):
        for to in range(6):
            wanted = [name for name in names if name != names[at]]
            wanted.insert(to, names[at])
            news = placed(current, wanted, {}, listed=True)
            assert order(current | news) == wanted
            assert len(news) == (0 if at == to else 1)


@given(
    st.lists(st.sampled_from(NAMES), unique=True),
    st.lists(st.sampled_from(NAMES), unique=True),
    st.randoms(use_true_random=False),
)
def test_a_list_gets_the_order_written(current: list[str], wanted: list[str], source: random.Random) -> None:
    ranks = dict(zip(current, ranked(len(current)), strict=True))
    source.shuffle(current)
    news = placed(ranks, wanted, {}, listed=True)
    got = order(ranks | news)
    assert [name for name in got if name in wanted] == wanted
    others = [name for name in got if name not in wanted]
    assert others == [name for name in order(ranks) if name not in wanted], "what is not listed keeps its order"
    assert all(name in wanted for name in news)


@given(st.lists(st.lists(st.sampled_from(NAMES), min_size=8, max_size=8, unique=True), max_size=30))
def test_moving_again_and_again_never_runs_out_of_room(orders: list[list[str]]) -> None:
    ranks = dict(zip(NAMES, ranked(8), strict=True))
    for wanted in orders:
        ranks |= placed(ranks, wanted, {}, listed=True)
        assert order(ranks) == wanted


@given(st.from_regex(r"[0-9]{0,12}", fullmatch=True))
def test_behind_any_rank_there_is_another(rank: str) -> None:
    assert rank_after([rank]) > rank


def test_ranks_one_after_the_other_are_those_of_writing_all_anew() -> None:
    ranks: list[str] = []
    for _ in range(1_000):
        ranks.append(rank_after(ranks))
    assert ranks == ranked(1_000) == sorted(set(ranks))
    assert ranks[:3] == ["010", "020", "030"]
    assert max(map(len, ranks)) < 25
