"""Requests of the product without a server: the whole of the application, called in this process."""

from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING, Any

import msgspec
from werkzeug.test import EnvironBuilder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from flask import Flask


def environ(path: str, headers: Mapping[str, str], method: str = "GET", body: object = None) -> dict[str, Any]:
    """What a server would hand over."""
    address, _, query = path.partition("?")
    builder = EnvironBuilder(address, query_string=query, headers=list(headers.items()), method=method)
    if body is not None:
        builder.content_type = "application/json"
        builder.input_stream = io.BytesIO(msgspec.json.encode(body))
    return builder.get_environ()


def call(flask_app: Flask, asked: dict[str, Any]) -> float:
    """Ask and take the answer; milliseconds of this thread's processor time."""
    statuses: list[str] = []

    def start_response(status: str, _headers: object, _error: object = None) -> Callable[[bytes], object]:
        statuses.append(status)
        return lambda _data: None

    started = time.thread_time()
    answer: Iterable[bytes] = flask_app(asked, start_response)
    said = b"".join(answer)
    if (close := getattr(answer, "close", None)) is not None:
        close()
    spent = (time.thread_time() - started) * 1000
    assert statuses[0].startswith("2"), (asked["PATH_INFO"], statuses, said[:400])
    return spent
