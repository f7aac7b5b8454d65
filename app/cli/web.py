"""`rapport web`: the HTTP server."""

from __future__ import annotations

import gc
import importlib
import os
from typing import Final

import click

_TARGET: Final = "app.wsgi"


def preload() -> None:
    """Load the application before processes are forked, so that it is in memory once. It connects to nothing yet."""
    from tenants.provisioning import get_ready

    loaded = importlib.import_module(_TARGET)
    get_ready(loaded.application.extensions["rapport"].ports)
    gc.collect()
    gc.freeze()


def serve(host: str, port: int, workers: int | None, threads: int) -> None:
    """Serve until SIGTERM."""
    from granian.constants import HTTPModes, Interfaces
    from granian.server import Server

    Server(
        f"{_TARGET}:application",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        workers=workers or len(os.sched_getaffinity(0)),
        blocking_threads=threads,
        blocking_threads_idle_timeout=600,
        respawn_failed_workers=True,
        respawn_interval=1.0,
        workers_kill_timeout=8,
        backlog=1024,
        log_access=False,
    ).serve()


@click.command()
@click.option("--host", default="127.0.0.1", envvar="RAPPORT_LISTEN", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=None, help="Port to listen on (default: PORT, 8000).")
@click.option("--workers", type=click.IntRange(1), default=None, help="Processes (default: one per core).")
@click.option("--threads", type=click.IntRange(1), default=4, show_default=True, help="Threads per process.")
def web(host: str, port: int | None, workers: int | None, threads: int) -> None:
    """Serve pages and API."""
    from app.core.config import Config

    preload()
    serve(host, port or Config.from_env().port, workers, threads)
