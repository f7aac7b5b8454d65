"""The clients of the bench: what they count as an answer, and as an error."""

from __future__ import annotations

import itertools
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from bench.load import Connection, drive
from bench.requests import Streams, Targets

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def port() -> Iterator[int]:
    """A server that answers in two pieces, every third request with an error."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                for number in itertools.count(1):
                    if not connection.recv(65536):
                        return
                    status = b"500 Oops" if number % 3 == 0 else b"200 OK"
                    connection.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: 5\r\n\r\nhe")
                    connection.sendall(b"llo")

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(10)


def test_every_answer_is_timed_and_errors_are_counted(port: int) -> None:
    connection = Connection(port)
    seen = drive([connection], [itertools.repeat(b"GET / HTTP/1.1\r\n\r\n")], count=6)
    connection.socket.close()
    assert len(seen.times) == 6
    assert [error.partition("\r\n")[0] for error in seen.errors] == ["500 Oops", "500 Oops"]


def test_clients_change_deals_of_their_own_and_say_the_version_they_saw() -> None:
    targets = Targets(("key",), [], [("a", 3), ("b", 1), ("c", 1)])
    first, second = (Streams(targets, number, 2).of("patch") for number in (0, 1))
    asked = [next(first).decode() for _ in range(3)]
    assert ['If-Match: "3"' in asked[0], 'If-Match: "1"' in asked[1], 'If-Match: "4"' in asked[2]] == [True] * 3
    assert ["/deal/a" in asked[0], "/deal/c" in asked[1], "/deal/a" in asked[2]] == [True] * 3
    assert "/deal/b" in next(second).decode()
