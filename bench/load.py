"""Clients of the web server that cost next to nothing: kept-alive connections, one loop, one request each at a time.

As a process of its own (``python -m bench.load``) it reads lines ``{"op", "seconds"}`` and answers with what it saw.
"""

from __future__ import annotations

import json
import pickle
import selectors
import socket
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bench.requests import Streams

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length:"
#: So many errors, and nobody asks any more.
_HOPELESS = 100


@dataclass(slots=True)
class Seen:
    """Milliseconds of each answer, and what was not a success."""

    times: list[float] = field(default_factory=list[float])
    errors: list[str] = field(default_factory=list[str])
    seconds: float = 0.0
    bytes: int = 0


class Connection:
    """One kept-alive connection."""

    def __init__(self, port: int) -> None:
        """Connect."""
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()
        self.wanted = 0
        self.sent_at = 0.0

    def send(self, request: bytes) -> None:
        """Ask."""
        self.buffer.clear()
        self.wanted = 0
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> bool:
        """Take in what is there; whether the answer is complete."""
        piece = self.socket.recv(1 << 20)
        if not piece:
            raise ConnectionError("the server closed the connection")
        self.buffer += piece
        if not self.wanted and (end := self.buffer.find(_HEAD)) >= 0:
            head = bytes(self.buffer[:end]).lower()
            at = head.find(_LENGTH)
            length = int(head[at + len(_LENGTH) :].partition(b"\r\n")[0]) if at >= 0 else 0
            self.wanted = end + len(_HEAD) + length
        return 0 < self.wanted <= len(self.buffer)

    def read(self, seen: Seen) -> None:
        """Note a complete answer."""
        seen.times.append((time.perf_counter() - self.sent_at) * 1000)
        seen.bytes += len(self.buffer)
        if self.buffer[9:10] != b"2":
            seen.errors.append(bytes(self.buffer[9:400]).decode("utf-8", "replace"))


def drive(
    connections: Sequence[Connection], streams: Sequence[Iterator[bytes]], *, count: int = 0, seconds: float = 0.0
) -> Seen:
    """Keep every connection busy until ``count`` answers came, or ``seconds`` are over."""
    seen, started = Seen(), time.perf_counter()
    with selectors.DefaultSelector() as selector:
        for connection, stream in zip(connections, streams, strict=True):
            selector.register(connection.socket, selectors.EVENT_READ, (connection, stream))
            connection.send(next(stream))
        open_ = asked = len(connections)
        while open_:
            for key, _ in selector.select(60):
                connection, stream = key.data
                if not connection.receive():
                    continue
                connection.read(seen)
                if len(seen.errors) < _HOPELESS and (asked < count or time.perf_counter() - started < seconds):
                    asked += 1
                    connection.send(next(stream))
                else:
                    open_ -= 1
    seen.seconds = time.perf_counter() - started
    return seen


def main() -> None:
    """Serve the bench: 8 clients, each with its own key and its own records."""
    port, clients, targets = pickle.loads(Path(sys.argv[1]).read_bytes())  # noqa: S301 (the bench wrote it just now)
    connections = [Connection(port) for _ in range(clients)]
    streams = [Streams(targets, number, clients, fixed=False) for number in range(clients)]
    kept: dict[str, list[Iterator[bytes]]] = {}
    print("ready", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        op = asked["op"]
        seen = drive(connections, kept.setdefault(op, [stream.of(op) for stream in streams]), seconds=asked["seconds"])
        print(json.dumps({"times": seen.times, "errors": seen.errors[:5], "failed": len(seen.errors),
                          "seconds": seen.seconds}), flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
