"""`rapport worker`: runs background jobs."""

from __future__ import annotations

import click


def run(*, burst: bool = False) -> None:
    """Run jobs until SIGTERM, or until there are none (``burst``)."""
    from app.cli.context import open_runtime
    from app.worker import work

    with open_runtime() as runtime:
        work(runtime, burst=burst)


@click.command()
@click.option("--burst", is_flag=True, help="End when there are no more jobs.")
def worker(burst: bool) -> None:
    """Run background jobs. SIGTERM ends after the present job, a second one at once."""
    run(burst=burst)
