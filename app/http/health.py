"""/healthz, /readyz and /metrics (Prometheus text format 0.0.4), on any host, without a credential."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
from flask import Blueprint, Flask, g, request
from werkzeug.wrappers import Response

from app.http.context import runtime
from app.http.guard import public
from app.http.respond import json_response

if TYPE_CHECKING:
    from collections.abc import Callable

blueprint = Blueprint("health", __name__)

BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


#: Anybody may send any word as a method; a count for each would grow without end.
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """Counts of this process; a scraper adds processes up."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: dict[tuple[str, str, int], int] = defaultdict(int)
        self._buckets = [0] * len(BUCKETS)
        self._sum = 0.0
        self._count = 0

    def record(self, method: str, endpoint: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        with self._lock:
            self._requests[(method, endpoint, status)] += 1
            self._sum += seconds
            self._count += 1
            for index, bound in enumerate(BUCKETS):
                if seconds <= bound:
                    self._buckets[index] += 1

    def text(self) -> str:
        """The exposition."""
        with self._lock:
            lines = ["# TYPE rapport_http_requests_total counter"]
            for (method, endpoint, status), count in sorted(self._requests.items()):
                labels = f'method="{method}",endpoint="{endpoint}",status="{status}"'
                lines.append(f"rapport_http_requests_total{{{labels}}} {count}")
            lines.append("# TYPE rapport_http_request_seconds histogram")
            for bound, count in zip(BUCKETS, self._buckets, strict=True):
                lines.append(f'rapport_http_request_seconds_bucket{{le="{bound}"}} {count}')
            lines.append(f'rapport_http_request_seconds_bucket{{le="+Inf"}} {self._count}')
            lines.append(f"rapport_http_request_seconds_sum {self._sum:.6f}")
            lines.append(f"rapport_http_request_seconds_count {self._count}")
        return "\n".join(lines) + "\n"


metrics: Final = Metrics()


def install_metrics(flask_app: Flask) -> None:
    """Time every request."""

    def start() -> None:
        g.rapport_started = time.perf_counter()

    def stop(response: Response) -> Response:
        seconds = time.perf_counter() - g.get("rapport_started", time.perf_counter())
        method = request.method if request.method in _METHODS else "other"
        metrics.record(method, request.endpoint or "none", response.status_code, seconds)
        return response

    flask_app.before_request(start)
    flask_app.after_request(stop)


@blueprint.get("/healthz")
@public
def healthz() -> Response:
    """200 while the process lives."""
    return json_response({"status": "ok"})


@blueprint.get("/readyz")
@public
def readyz() -> Response:
    """200 when the control database answers; Valkey down degrades but does not take the process out."""
    checks = {"control": _check(_control), "valkey": _check(_valkey)}
    ready = checks["control"] == "ok"
    status = "ok" if all(state == "ok" for state in checks.values()) else "degraded" if ready else "unavailable"
    return json_response({"status": status, "checks": checks}, 200 if ready else 503)


@blueprint.get("/metrics")
@public
def show_metrics() -> Response:
    """Prometheus text."""
    return Response(metrics.text(), content_type="text/plain; version=0.0.4; charset=utf-8")


def _check(probe: Callable[[], object]) -> str:
    try:
        probe()
    except Exception:  # noqa: BLE001 (whatever is wrong with it, the part is down)
        return "down"
    return "ok"


def _control() -> None:
    with runtime().databases.control.connect() as connection:
        connection.execute(sa.text("select 1"))


def _valkey() -> None:
    runtime().redis.ping()
