"""A stop is quick at any moment, leaves no process behind, and the next start goes on where it was."""

from __future__ import annotations

import signal
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.kill.installation import Installation, companies, is_alive, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.xdist_group("kill")

#: Two cores may be busy with other tests; by itself it takes one or two.
_SECONDS = 15
_ROWS = 8_000


@pytest.fixture
def place() -> Iterator[Installation]:
    made = Installation.make()
    try:
        yield made
    finally:
        made.remove()


def stop(place: Installation, number: signal.Signals = signal.SIGTERM) -> None:
    """Stop and see that it was quick and thorough."""
    seconds = place.stop(number)
    assert seconds < _SECONDS, place.said
    assert place.process is not None
    assert place.process.returncode == 0, place.said
    assert place.left() == []
    assert not place.ready()


def test_it_stops_quickly_in_the_middle_of_an_import_and_goes_on_at_the_next_start(place: Installation) -> None:
    place.start()
    workspace = place.new_workspace("made-up")
    started = workspace.start_import(companies(_ROWS), object="company")
    seen = workspace.wait_until(started, 0.05)
    assert seen["status"] == "running"
    stop(place, signal.SIGINT)
    place.start()
    assert workspace.wait_done(started, 60)["created"] == _ROWS
    found = workspace.count("company")
    assert (found.records, found.distinct, found.in_table) == (_ROWS, _ROWS, _ROWS)
    assert (found.created_events, found.events, found.gaps) == (_ROWS, _ROWS + 1, 0)
    stop(place)


@pytest.mark.kill
def test_it_stops_at_any_moment_of_its_start(place: Installation) -> None:
    for seconds in (0.6, 1.0, 1.5, 2, 3, 4, 6, 0.8, 1.2, 2.5):
        place.begin()
        time.sleep(seconds)
        assert place.process is not None
        if place.process.poll() is None:
            place.stop(signal.SIGTERM)
        assert place.process.returncode in (0, -signal.SIGTERM), (seconds, place.said)
        # A server that was just being started hears from the kernel that we are gone.
        wait_for(lambda: not place.left(), f"nothing left of a start stopped after {seconds} s", 10)
    place.start()
    stop(place)


@pytest.mark.kill
@pytest.mark.parametrize("name", ["postgres", "valkey"])
def test_it_stops_while_it_starts_a_dead_server_again(place: Installation, name: str) -> None:
    for pause in (0.0, 0.1, 0.25, 0.5):
        place.start()
        place.child(name).kill()
        time.sleep(pause)
        stop(place)


@pytest.mark.kill
def test_it_stops_while_a_server_can_not_be_started(place: Installation) -> None:
    place.start()
    place.tree()
    configuration = place.layout.postgres / "data" / "postgresql.conf"
    configuration.rename(configuration.with_suffix(".away"))
    place.child("postgres").kill()
    wait_for(lambda: "Trying again" in place.said, "the report that PostgreSQL does not start")
    stop(place)
    configuration.with_suffix(".away").rename(configuration)
    place.start()
    stop(place)


@pytest.mark.kill
def test_it_stops_when_the_command_that_started_it_is_told_to(place: Installation) -> None:
    """`timeout` passes the signal on."""
    place.start("timeout", "600")
    assert place.process is not None
    place.tree()
    before = time.monotonic()
    place.process.terminate()
    place.process.wait(60)
    assert time.monotonic() - before < _SECONDS
    wait_for(lambda: not place.left(), "nothing left", 10)
    assert place.said.endswith("Stopping\nRapport has stopped\n")


@pytest.mark.kill
def test_signals_that_its_parent_had_blocked_reach_it(place: Installation) -> None:
    block = "import os, signal, sys; signal.pthread_sigmask(0, [2, 15]); os.execv(sys.argv[1], sys.argv[1:])"
    place.start(sys.executable, "-c", block)
    stop(place)
    place.start(sys.executable, "-c", block)
    stop(place, signal.SIGINT)


@pytest.mark.kill
def test_a_child_that_dies_again_and_again_waits_longer_each_time(place: Installation) -> None:
    place.start()
    pauses: list[float] = []
    for _ in range(3):
        relay = place.child("rapport-relay")
        relay.kill()
        died = time.monotonic()
        wait_for(lambda r=relay: [one for one in place.children("rapport-relay") if one.pid != r.pid], "the relay")
        pauses.append(time.monotonic() - died)
    assert pauses[0] < pauses[1] < pauses[2] < 10, pauses
    assert pauses[2] > 1.5
    stop(place)


@pytest.mark.kill
def test_an_orphan_of_a_killed_start_does_not_keep_the_next_from_starting(place: Installation) -> None:
    place.begin()
    assert place.process is not None
    wait_for(lambda: "Bringing the databases" in place.said, "the migration")
    place.tree()
    place.process.kill()
    place.process.wait(10)
    orphans = place.left()
    place.start()
    assert not [one for one in orphans if is_alive(one)]
    stop(place)
