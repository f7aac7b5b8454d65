"""`rapport relay`: orders events and rings jobs."""

from __future__ import annotations

import logging
import signal
import threading

import click


def run(spares: int) -> None:
    """Relay until SIGTERM."""
    from app.cli.patience import open_patiently
    from app.core.jobs import registry
    from app.core.relay import Relay

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())

    def wait(seconds: float) -> None:
        if stop.wait(seconds):
            raise SystemExit(0)

    with open_patiently(wait) as runtime:
        registry.close()
        Relay(runtime, spares=spares).run(stop)


@click.command()
@click.option("--spares", type=click.IntRange(0), default=3, show_default=True, help="Spare workspaces kept ready.")
def relay(spares: int) -> None:
    """Order new events, ring due jobs, keep spare workspaces."""
    run(spares)
