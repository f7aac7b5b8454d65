"""``python -m app.cli``: the ``rapport`` command."""

from app.cli import main

main()
