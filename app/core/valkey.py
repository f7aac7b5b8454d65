"""The one place that opens Valkey clients."""

from __future__ import annotations

import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry


def connect(url: str, *, timeout: float = 5.0) -> redis.Redis:
    """Make a client for ``url`` (``redis://…`` or ``unix:///…``); nothing connects yet. ``timeout`` in seconds."""
    client: redis.Redis = redis.Redis.from_url(  # pyright: ignore[reportUnknownMemberType] (kwargs without a type)
        url,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        health_check_interval=30,
        # The library's own default keeps a request waiting for seconds when the server is away.
        retry=Retry(ConstantBackoff(0.05), 2),
    )
    return client


def answers(url: str) -> bool:
    """Whether the server takes commands now; False while it loads its file."""
    client = connect(url)
    try:
        return bool(client.ping())  # pyright: ignore[reportUnknownMemberType]
    except redis.RedisError:
        return False
    finally:
        client.close()
