"""A process that runs the embedded servers of a home until its input ends: ``python -m … HOME``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from app.core.config import Config
from app.core.servers import embedded


def main() -> None:
    config = Config.from_env({"RAPPORT_HOME": str(Path(sys.argv[1]))})
    with embedded.running(config) as servers:
        pids = None
        if servers is not None:
            assert servers.postgres.process is not None
            assert servers.valkey.process is not None
            pids = [servers.postgres.process.pid, servers.valkey.process.pid]
        sys.stdout.write(json.dumps({"pids": pids, "answers": embedded.answers(config)}) + "\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
