"""Token buckets in Valkey; when it is down each process counts for itself, with a tighter budget for sign-in.

Headers follow draft-ietf-httpapi-ratelimit-headers (``RateLimit-Limit``, ``-Remaining``, ``-Reset``).
"""

from __future__ import annotations

import hashlib
import logging
import math
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final, cast

from flask import request
from redis.exceptions import RedisError

from app.core.errors import TooManyRequests
from app.http.context import facts, runtime

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Bucket:
    """``burst`` requests at once, refilled at ``per_second``."""

    burst: int
    per_second: float


#: A key may keep a small server busy; what one tenant may take in all is its plan's business.
API: Final = Bucket(2000, 1000)
#: Guessing one account: 5 tries, then one each 12 s; nobody is locked out (ASVS 6.1.1).
SIGN_IN_ACCOUNT: Final = Bucket(5, 1 / 12)
#: 100 tries an hour from one address over all accounts.
SIGN_IN_ADDRESS: Final = Bucket(100, 100 / 3600)
SIGN_UP: Final = Bucket(20, 20 / 3600)
RESET: Final = Bucket(5, 5 / 3600)
RESET_ADDRESS: Final = Bucket(20, 20 / 3600)
LOOKUP: Final = Bucket(60, 2)
INVITE: Final = Bucket(50, 50 / 3600)

_RETRY_AFTER_DOWN: Final = 5.0

_SCRIPT: Final = """
local now = redis.call('TIME'); now = now[1] + now[2] / 1000000
local state = redis.call('HMGET', KEYS[1], 'n', 't')
local burst, rate, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local n = tonumber(state[1]) or burst
n = math.min(burst, n + (now - (tonumber(state[2]) or now)) * rate)
local ok = 0
if n >= cost then n = n - cost; ok = 1 end
redis.call('HSET', KEYS[1], 'n', n, 't', now)
redis.call('PEXPIRE', KEYS[1], math.ceil(burst / rate * 1000) + 1000)
return {ok, tostring(n)}
"""


class _LocalBuckets:
    """The fall-back: the same arithmetic in this process, bounded in size."""

    def __init__(self, size: int = 10_000) -> None:
        self._lock = threading.Lock()
        self._size = size
        self._state: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, bucket: Bucket, cost: int) -> tuple[bool, float]:
        now = time.monotonic()
        with self._lock:
            left, since = self._state.pop(key, (float(bucket.burst), now))
            left = min(bucket.burst, left + (now - since) * bucket.per_second)
            allowed = left >= cost
            self._state[key] = (left - cost if allowed else left, now)
            if len(self._state) > self._size:
                self._state.popitem(last=False)
            return allowed, self._state[key][0]

    def clear(self) -> None:
        with self._lock:
            self._state.clear()


local_buckets: Final = _LocalBuckets()


class _Leases:
    """Tokens taken ahead for a hot key, so that one trip to Valkey pays for several requests."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: OrderedDict[str, tuple[int, float, float]] = OrderedDict()

    def spend(self, key: str) -> float | None:
        """Take one held token; the remaining figure of the last trip, or None when nothing is held."""
        with self._lock:
            held = self._held.get(key)
            if held is None or held[0] <= 0 or held[1] < time.monotonic():
                return None
            self._held[key] = (held[0] - 1, held[1], held[2])
            return held[2] + held[0] - 1

    def keep(self, key: str, tokens: int, remaining: float) -> None:
        with self._lock:
            self._held[key] = (tokens, time.monotonic() + 1.0, remaining)
            self._held.move_to_end(key)
            if len(self._held) > 10_000:
                self._held.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._held.clear()


leases: Final = _Leases()


class _Outage:
    """Remembers that Valkey was down a moment ago, so that each request need not wait for it again."""

    until: float = 0.0


def take(name: str, key: str, bucket: Bucket, *, lease: int = 1) -> tuple[bool, float]:
    """Take one token of the bucket ``name`` for ``key`` → allowed, tokens left.

    ``lease`` > 1 fetches several at once for a hot key (exact to within one lease and one second a process).
    """
    bucket_key = f"rate:{name}:{hashlib.sha256(key.encode()).hexdigest()[:32]}"
    if lease > 1:
        remaining = leases.spend(bucket_key)
        if remaining is not None:
            return True, remaining
    if time.monotonic() >= _Outage.until:
        try:
            return _take_shared(bucket_key, bucket, lease)
        except RedisError:
            _Outage.until = time.monotonic() + _RETRY_AFTER_DOWN
            log.warning("rate limits count per process: Valkey does not answer")
    return local_buckets.take(bucket_key, bucket, 1)


def _take_shared(key: str, bucket: Bucket, lease: int) -> tuple[bool, float]:
    redis = runtime().redis
    left: bytes | str = b"0"
    for cost in (lease, 1) if lease > 1 else (1,):
        allowed, left = cast(
            "tuple[int, bytes]", redis.eval(_SCRIPT, 1, key, str(bucket.burst), str(bucket.per_second), str(cost))
        )
        if allowed:
            if cost > 1:
                leases.keep(key, cost - 1, float(left))
            return True, float(left) + cost - 1
    return False, float(left)


def limit(name: str, key: str, bucket: Bucket, *, lease: int = 1) -> None:
    """Take one token or raise TooManyRequests; the answer carries the RateLimit headers either way."""
    allowed, left = take(name, key, bucket, lease=lease)
    reset = math.ceil((bucket.burst - left) / bucket.per_second)
    facts().rate = (bucket.burst, int(left), reset)
    if not allowed:
        wait = max(1, math.ceil((1 - left) / bucket.per_second))
        raise TooManyRequests("Too many requests. Wait a moment and try again.", extra={"retry_after": wait})


def forget() -> None:
    """Begin anew with what this process remembers: local counts, tokens held, an outage (between tests)."""
    local_buckets.clear()
    leases.clear()
    _Outage.until = 0.0


def client_address() -> str:
    """The visitor's address: the peer's, or what as many proxies as RAPPORT_TRUSTED_PROXIES trusts wrote down."""
    return request.remote_addr or "unknown"
