"""The collector stands still during a batch and goes on after it."""

from __future__ import annotations

import gc
from contextlib import suppress
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest

from app.core.collector import collector_paused

if TYPE_CHECKING:
    from collections.abc import Generator


@pytest.fixture(autouse=True)
def _collecting() -> Generator[None]:
    gc.enable()
    yield
    gc.enable()


def test_the_collector_stands_still_in_the_block_and_goes_on_after_it() -> None:
    with collector_paused():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_block_that_fails_lets_the_collector_go_on() -> None:
    with suppress(ValueError), collector_paused():
        raise ValueError
    assert gc.isenabled()


def test_the_last_of_overlapping_blocks_lets_the_collector_go_on() -> None:
    inside, leave = Event(), Event()

    def other() -> None:
        with collector_paused():
            inside.set()
            leave.wait(10)

    thread = Thread(target=other)
    with collector_paused():
        thread.start()
        inside.wait(10)
    assert not gc.isenabled()
    leave.set()
    thread.join(10)
    assert gc.isenabled()


def test_a_process_that_does_not_collect_by_itself_stays_so() -> None:
    gc.disable()
    with collector_paused():
        assert not gc.isenabled()
    assert not gc.isenabled()
