"""What the product is asked over HTTP: endless streams of requests as bytes, by operation."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

FILTER: Final = 'lifecycle == "customer" && do_not_email != true'
FIGURES: Final = ("count", "sum:amount")
GROUPS: Final = ("stage", "close_on:quarter")
QUESTION: Final = "company ab"
#: Rows of one bulk call: of one client, of each of eight.
BULK_ROWS: Final = 10_000
BULK_SMALL: Final = 100
_NAMES: Final = ("anna", "bernd", "clara", "doris", "emil")


@dataclass(frozen=True, slots=True)
class Targets:
    """Whom to ask, for what: keys, ids of contacts, ids and versions of deals that nobody else changes."""

    keys: tuple[str, ...]
    contacts: list[str]
    deals: list[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Streams:
    """Requests of one client; ``number`` of ``clients`` keeps apart what they write."""

    targets: Targets
    number: int = 0
    clients: int = 1
    #: One question over and over, as the bare side asks, or another each time.
    fixed: bool = True

    def of(self, op: str) -> Iterator[bytes]:
        """Requests of an operation, without end."""
        return {
            "list": self._list, "get": self._get, "board": self._board, "search": self._search,
            "aggregate": self._aggregate, "create": self._create, "patch": self._patch,
            "bulk": lambda: self._bulk(BULK_ROWS), "bulk of 100": lambda: self._bulk(BULK_SMALL),
            "events": self._events,
        }[op]()  # fmt: skip

    def read_path(self, op: str) -> str:
        """The path of a read that is the same each time."""
        return {
            "list": f"/records/contact?{urlencode({'filter': FILTER, 'sort': 'title'})}",
            "get": f"/records/contact/{self.targets.contacts[0]}",
            "board": f"/records/deal/board?{urlencode({'metrics': ','.join(FIGURES)})}",
            "search": f"/search?{urlencode({'q': QUESTION})}",
            "aggregate": "/records/deal/aggregate?"
            + urlencode({"group_by": ",".join(GROUPS), "metrics": ",".join(FIGURES)}),
        }[op]

    def _ask(self, path: str, method: str = "GET", body: object = None, headers: str = "") -> bytes:
        key = self.targets.keys[self.number % len(self.targets.keys)]
        return request(path, key, method, body, headers)

    def _list(self) -> Iterator[bytes]:
        if self.fixed:
            return itertools.repeat(self._ask(self.read_path("list")))
        asked = [urlencode({"filter": f'lifecycle == "{name}"', "sort": "title"}) for name in ("lead", "customer")]
        return itertools.cycle([self._ask(f"/records/contact?{text}") for text in asked])

    def _get(self) -> Iterator[bytes]:
        if self.fixed:
            return itertools.repeat(self._ask(self.read_path("get")))
        wanted = random.Random(self.number).sample(self.targets.contacts, min(500, len(self.targets.contacts)))  # noqa: S311
        return itertools.cycle([self._ask(f"/records/contact/{contact}") for contact in wanted])

    def _board(self) -> Iterator[bytes]:
        return itertools.repeat(self._ask(self.read_path("board")))

    def _search(self) -> Iterator[bytes]:
        if self.fixed:
            return itertools.repeat(self._ask(self.read_path("search")))
        words = [f"{name} {number:x}" for name in _NAMES for number in range(16)]
        words += [f"company {number:02x}" for number in range(80)] + [
            f"p{number}@example.org" for number in range(1, 80)
        ]
        random.Random(self.number).shuffle(words)  # noqa: S311
        return itertools.cycle([self._ask(f"/search?{urlencode({'q': text})}") for text in words])

    def _aggregate(self) -> Iterator[bytes]:
        return itertools.repeat(self._ask(self.read_path("aggregate")))

    def _create(self) -> Iterator[bytes]:
        for turn in itertools.count():
            yield self._ask("/records/contact", "POST", contact(f"Number {self.number} {turn}"))

    def _patch(self) -> Iterator[bytes]:
        """Each change says the version it saw, which its own changes alone have raised."""
        mine = self.targets.deals[self.number :: self.clients]
        for turn in itertools.count():
            for deal, version in mine:
                yield self._ask(
                    f"/records/deal/{deal}", "PATCH", {"next_step": f"Step {self.number} {turn}"},
                    f'If-Match: "{version + turn}"\r\n',
                )  # fmt: skip

    def _bulk(self, rows: int) -> Iterator[bytes]:
        for turn in itertools.count():
            body = [contact(f"Bulk {self.number} {turn} {row}") for row in range(rows)]
            yield self._ask("/records/contact/bulk?mode=create", "POST", body)

    def _events(self) -> Iterator[bytes]:
        return itertools.cycle([self._ask(f"/events?after={after}") for after in range(0, 1000, 50)])


def request(path: str, key: str, method: str = "GET", body: object = None, headers: str = "") -> bytes:
    """One request of the API as it goes over the wire."""
    data = b"" if body is None else msgspec.json.encode(body)
    length = f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n" if data else ""
    head = f"{method} /api/v1{path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n{headers}{length}\r\n"
    return head.encode() + data


def contact(last_name: str) -> dict[str, Any]:
    """A contact of seven fields."""
    return {
        "first_name": "Created", "last_name": last_name, "job_title": "Engineer", "department": "R&D",
        "lifecycle": "customer", "birthday": "1980-01-02", "language": "de",
    }  # fmt: skip
