"""Processes of the bench that do something when asked: a line in, a line out."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path


class Talker:
    """A running ``python -m <module> <file>``."""

    def __init__(self, module: str, file: Path) -> None:
        """Start it."""
        self.module = module
        arguments = [sys.executable, "-m", module, str(file)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(arguments, stdin=pipe, stdout=pipe, text=True)  # noqa: S603 (our own module)

    @property
    def pid(self) -> int:
        """Its process."""
        return self.process.pid

    def tell(self, **what: object) -> None:
        """Ask for something."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()

    def wait(self) -> str:
        """The line it answers with."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.module} ended")
        return line

    def ask(self, **what: object) -> Any:
        """Ask and wait."""
        self.tell(**what)
        line = self.wait()
        return json.loads(line) if line.startswith("{") else None


@contextmanager
def talking(module: str, file: Path, count: int = 1) -> Generator[list[Talker]]:
    """So many of them, ready."""
    talkers = [Talker(module, file) for _ in range(count)]
    try:
        for talker in talkers:
            talker.wait()
        yield talkers
    finally:
        for talker in talkers:
            talker.process.terminate()
            talker.process.communicate()
