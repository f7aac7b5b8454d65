"""`rapport web`: the HTTP server."""

from __future__ import annotations

import os

import click


@click.command()
@click.option("--host", default="127.0.0.1", envvar="RAPPORT_LISTEN", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=None, help="Port to listen on (default: PORT, 8000).")
@click.option("--workers", type=click.IntRange(1), default=None, help="Processes (default: one per core).")
@click.option("--threads", type=click.IntRange(1), default=4, show_default=True, help="Threads per process.")
def web(host: str, port: int | None, workers: int | None, threads: int) -> None:
    """Serve pages and API."""
    from granian.constants import HTTPModes, Interfaces
    from granian.server import Server

    from app.core.config import Config

    config = Config.from_env()
    Server(
        "app.wsgi:application",
        address=host,
        port=port or config.port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        workers=workers or len(os.sched_getaffinity(0)),
        blocking_threads=threads,
        blocking_threads_idle_timeout=600,
        respawn_failed_workers=True,
        respawn_interval=1.0,
        workers_kill_timeout=10,
        backlog=1024,
        log_access=False,
        process_name="rapport web",
    ).serve()
