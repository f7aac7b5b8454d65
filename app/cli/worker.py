"""`rapport worker`: runs background jobs."""

from __future__ import annotations

import logging

import click


def run(*, burst: bool = False) -> None:
    """Run jobs until SIGTERM, or until there are none (``burst``)."""
    from app.cli.context import open_runtime
    from app.cli.patience import open_patiently
    from app.worker import work

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    with open_runtime() if burst else open_patiently() as runtime:
        work(runtime, burst=burst)


@click.command()
@click.option("--burst", is_flag=True, help="End when there are no more jobs.")
def worker(burst: bool) -> None:
    """Run background jobs. SIGTERM ends after the present job, a second one at once."""
    run(burst=burst)
