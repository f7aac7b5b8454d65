"""Asking for a job."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import redis
from psycopg.types.json import Jsonb

from app.core import ids

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from app.core.ports import SqlScope

_BELL = "rapport:bell"


def request_job(
    scope: SqlScope,
    name: str,
    args: Mapping[str, object] | None = None,
    *,
    job_id: UUID | None = None,
    run_at: datetime | None = None,
) -> UUID:
    """Ask for a job in the scope's own transaction: it runs when, and only when, that commits.

    ``args`` holds ids and small settings, never field values: the row is outside the tenant's schema. ``job_id`` is a
    fresh id that the caller has used for what the job is about, so that the job can be found by it. ``run_at`` is
    when it is wanted, else at once.
    """
    job_id = job_id or ids.uuid7()
    scope.execute(
        "insert into pod.job (id, name, args, run_at) values (%s, %s, %s, coalesce(%s, now()))",
        (job_id, name, Jsonb(dict(args or {})), run_at),
    )
    return job_id


def wake(client: redis.Redis) -> None:
    """Tell the relay after a commit that there is something to do; without it the relay looks soon by itself."""
    with contextlib.suppress(redis.RedisError):
        pipeline = client.pipeline(transaction=False)  # pyright: ignore[reportUnknownMemberType]
        pipeline.lpush(_BELL, b"1")
        pipeline.ltrim(_BELL, 0, 0)
        pipeline.execute()


def wait_for_wake(client: redis.Redis, seconds: float) -> None:
    """Sleep until somebody calls ``wake``, at most ``seconds``. Raises ``RedisError`` when Valkey is away."""
    client.blpop([_BELL], timeout=seconds)
